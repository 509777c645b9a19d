"""How many answers: the published sizes, and that the bounds come out as planned."""

import numpy as np
import pytest

from retention_kit import nps_sizes, score_intervals
from retention_kit.exceptions import DataError


def test_sizes_as_published() -> None:
    found = nps_sizes.nps_sample_size([5, 10])
    assert found.columns.tolist() == ["margin", "answers", "promoter_share", "detractor_share"]
    assert found["answers"].tolist() == [1022, 254]
    assert nps_sizes.nps_sample_size(10)["answers"].tolist() == [254]


def test_the_smallest_changes_as_published() -> None:
    found = nps_sizes.nps_smallest_change([100, 1000])
    assert found["smallest_detectable"].round().tolist() == [32, 10]
    assert nps_sizes.nps_smallest_change(1)["smallest_detectable"].isna().all()  # 323 points: there are 200


@pytest.mark.parametrize("margin", [3, 8, 15])
def test_so_many_answers_give_such_bounds(margin: float) -> None:
    answers = int(nps_sizes.nps_sample_size(margin, promoters=0.5, detractors=0.2)["answers"].iloc[0])
    widths = []
    for n in (answers, answers - 3):
        low, high = score_intervals.adjusted_wald(0.5 * n, 0.3 * n, 0.2 * n)
        widths.append(float(high - low) / 2)
    assert widths[0] <= margin * 1.005
    assert widths[1] > margin * 0.98


def test_one_sided_answers_need_fewer_and_nobody_between_the_most() -> None:
    sizes = [
        nps_sizes.nps_sample_size(5, promoters=p, detractors=d)["answers"].iloc[0]
        for p, d in ((0.9, 0.02), (1 / 3, 1 / 3), (0.5, 0.5))
    ]
    assert sizes == sorted(sizes)
    assert sizes[2] == np.ceil(1.959963985**2 / 0.05**2 - 3)
    smallest = [
        nps_sizes.nps_smallest_change(100, promoters=p, detractors=d)["smallest_detectable"].iloc[0]
        for p, d in ((0.9, 0.02), (0.5, 0.5))
    ]
    assert smallest[0] < smallest[1]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda: nps_sizes.nps_sample_size([5, 0]),
            "margin is 0, and it lies above 0, at most at 100 points. Type one such as 5.",
        ),
        (
            lambda: nps_sizes.nps_smallest_change(0.5),
            "answers is 0.5, and it is a whole number above 0. Type one such as 400.",
        ),
        (
            lambda: nps_sizes.nps_sample_size(5, promoters=50, detractors=20),
            "promoters 50 and detractors 20 are no shares of the answers: each lies between 0 and 1, and "
            "passives are the rest. Type shares such as 0.5 and 0.2.",
        ),
    ],
)
def test_questions_that_have_no_answer(ask, message: str) -> None:
    with pytest.raises(DataError) as error:
        ask()
    assert str(error.value) == message
