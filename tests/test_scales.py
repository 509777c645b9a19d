"""Scales: what they state, what they refuse, and that nothing of them is guessed."""

import pandas as pd
import pytest

from retention_kit import nps, scales
from retention_kit.exceptions import ParamsError
from retention_kit.scales import Scale

FIVE = "lowest 1, highest 5, promoters_from 5, passives_from 4"


def test_a_scale_by_name_by_its_numbers_or_as_it_is() -> None:
    assert scales.read("nps_1_10") == Scale(1, 10, promoters_from=9, passives_from=7)
    five = Scale(lowest=1, highest=5, promoters_from=5, passives_from=4)
    assert scales.read(FIVE) == scales.read(five) == five
    assert scales.read("passives_from: 4, promoters_from=5, highest 5,lowest 1") == five
    assert scales.read(five, out_of_range="set_aside").out_of_range == "set_aside"
    assert scales.read(scales.read(FIVE, out_of_range="set_aside")).out_of_range == "set_aside"


def test_only_the_usual_bands_are_usual() -> None:
    assert all(scale.usual for scale in scales.NAMED.values())
    assert not Scale(0, 10, promoters_from=8, passives_from=6).usual
    assert not Scale(-5, 10, promoters_from=9, passives_from=7).usual


def test_every_score_of_another_scale_has_its_band() -> None:
    answers = pd.DataFrame({"score": [-2, -1, 0, 1, 2], "of": list("abcde")})
    scale = Scale(-2, 2, promoters_from=2, passives_from=1)
    row = nps.nps(answers, scale=scale).iloc[0]
    assert row[["promoters", "passives", "detractors"]].tolist() == [1, 1, 3]
    without_passives = Scale(-2, 2, promoters_from=1, passives_from=1)
    assert nps.nps(answers, scale=without_passives).iloc[0]["passives"] == 0


def test_another_scale_is_said_not_to_compare() -> None:
    said = nps.nps(pd.DataFrame({"score": [5, 4, 1]}), scale=FIVE).attrs["definition"]
    assert said == (
        "Share of promoters (5 or more) less share of detractors (below 4) among all answers, in points, "
        "asked on a scale of 1 to 5: not comparable with a Net Promoter Score."
    )
    assert scales.read(FIVE).asked == (
        "Asked on a scale from 1 to 5: promoters gave 5 or more, detractors less than 4. This is the "
        "survey's own scale, and its score compares with no other Net Promoter Score."
    )
    assert "has no 0" in scales.read("nps_1_10").asked
    assert scales.read("nps_0_10").asked.startswith("Asked on a scale from 0 to 10. ")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: scales.read("nps_0_11"),
            "scale 'nps_0_11' is not known. Did you mean 'nps_0_10'? Choose one of ['nps_0_10', 'nps_1_10'], "
            "or state another: write a scale as 'lowest 1, highest 5, promoters_from 5, passives_from 4'.",
        ),
        (
            lambda: scales.read("lowest 1, highest 5"),
            "scale 'lowest 1, highest 5' has ['lowest', 'highest'], and needs each once: ['lowest', "
            "'highest', 'promoters_from', 'passives_from']. Write a scale as 'lowest 1, highest 5, "
            "promoters_from 5, passives_from 4'.",
        ),
        (
            lambda: Scale(1, 5, promoters_from=4, passives_from=5),
            "The scale {'lowest': 1, 'highest': 5, 'promoters_from': 4, 'passives_from': 5} is out "
            "of order: lowest comes before passives_from, then promoters_from, then highest. The lowest "
            "score is always a detractor's.",
        ),
        (
            lambda: Scale(0, 10, promoters_from=9.5, passives_from=7),
            "promoters_from of a scale is 9.5, and it is a whole number. Write a scale as 'lowest 1, "
            "highest 5, promoters_from 5, passives_from 4'.",
        ),
        (
            lambda: scales.read("nps_0_10", out_of_range="set aside"),
            "out_of_range 'set aside' is not known. Did you mean 'set_aside'? "
            "Choose one of ['refuse', 'set_aside'].",
        ),
    ],
)
def test_scales_that_are_none(make, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        make()
    assert str(error.value) == message
