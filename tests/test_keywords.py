"""Words that set detractors apart: by hand, what does not matter, and what must not leave."""

from fractions import Fraction
from math import log, sqrt
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import keywords, tables
from retention_kit.exceptions import DataError

Z = 1.959963984540054


def frame_of(**written: list[str]) -> pd.DataFrame:
    scores = {"detractors": 2, "passives": 7, "promoters": 10}
    return pd.DataFrame(
        [{"score": scores[band], "comment": text} for band, texts in written.items() for text in texts]
    )


SMALL = frame_of(
    detractors=["Late. Late! late", "late parcel", "dear"],
    passives=["late"],
    promoters=["good parcel", "good"],
)


def test_by_hand() -> None:
    """Detractors: late 2, parcel 1, dear 1, of 4. Promoters: good 2, parcel 1, of 3. Passives: late 1."""
    found = keywords.keywords(SMALL, least=1).set_index("words")
    prior = Fraction(1, 10) * 3  # of the side with fewer words, spread like all eight
    ours, theirs = 2 + prior * Fraction(3, 8), 0 + prior * Fraction(3, 8)
    odds = ours / (4 + prior - ours) / (theirs / (3 + prior - theirs))
    error = sqrt(1 / ours + 1 / theirs)
    late = found.loc["late"]
    assert late["log_odds"] == pytest.approx(log(odds))
    assert late["z"] == pytest.approx(log(odds) / error)
    assert (late["low"], late["high"]) == pytest.approx((log(odds) - Z * error, log(odds) + Z * error))
    assert (late["detractors"], late["promoters"]) == (2, 0)  # a comment counts a word once
    assert (late["detractor_comments"], late["promoter_comments"]) == (3, 2)
    assert late["side"] == "detractors"
    assert found.loc["good", "side"] == "promoters"


def test_pairs_stand_beside_each_other_and_only_where_they_tell_more() -> None:
    said = frame_of(
        detractors=["not good", "not good at all", "bad: not. good", "good, not bad"] * 5,
        promoters=["good", "not bad", "very good", "good and not dear"] * 5,
    )
    found = keywords.keywords(said, least=1, most=50).set_index("words")
    assert found.loc["not good", ["detractors", "promoters"]].tolist() == [10, 0]
    assert "good at" not in found.index  # "at" tells as much


def test_words_that_hold_a_sentence_together_are_counted_and_not_listed() -> None:
    detractors = ["it was not at all fresh", "it was late and it was cold"] * 5
    said = frame_of(detractors=detractors, promoters=["fresh and quick"] * 5)
    found = keywords.keywords(said, least=1, most=50).set_index("words")
    assert {"late", "cold", "quick"} <= set(found.index)
    assert not {"it", "was", "not", "and", "it was"} & set(found.index)
    # Of 6 and 5 words five times each, and 3 five times; without "it" and the like "late" had other odds.
    ours, theirs = 5 + 1.5 * 5 / 70, 1.5 * 5 / 70
    odds = ours / (55 + 1.5 - ours) / (theirs / (15 + 1.5 - theirs))
    assert found.loc["late", "log_odds"] == pytest.approx(log(odds))


def test_shape_of_the_frame() -> None:
    found = keywords.keywords(SMALL, least=1)
    assert found.columns.tolist() == [
        *("words", "side", "z", "log_odds", "low", "high", "p_holm", "apart", "detractors", "promoters"),
        *("detractor_comments", "promoter_comments", "interval"),
    ]
    assert set(found["interval"]) == {"log-odds, Dirichlet prior 95 %"}
    assert found["apart"].dtype == bool
    assert found.attrs["comments"] == {
        "answers": 6, "no comment": 0, "nothing to add": 0, "no words in it": 0, "comments": 6
    }  # fmt: skip
    assert found["z"].tolist() == [
        *sorted(found["z"][found["z"] > 0])[::-1],
        *sorted(found["z"][found["z"] < 0]),
    ]


def test_rare_words_and_long_lists_are_cut() -> None:
    assert keywords.keywords(SMALL, least=2)["words"].tolist() == ["late", "good", "parcel"]
    assert keywords.keywords(SMALL, least=1, most=1)["words"].tolist() == ["late", "good"]
    assert keywords.keywords(SMALL).empty  # fewer than five comments


def test_languages_keep_their_words_and_apostrophes() -> None:
    said = frame_of(
        detractors=["L'attente, qu'elle ain't e-mail", "Мені не сподобалось", "zażółć gęślą", "देरी हुई"],
        promoters=["bien"],
    )
    found = set(keywords.keywords(said, least=1, most=99)["words"])
    assert {"attente", "ain't", "e-mail", "не", "сподобалось", "zażółć", "देरी"} <= found
    assert not found & {"l", "t", "mail"}


def test_a_scale_decides_who_is_a_detractor() -> None:
    said = pd.DataFrame({"score": [1, 2, 5, 5], "comment": ["late", "late", "good", "good"]})
    scale = "lowest 1, highest 5, promoters_from 5, passives_from 4"
    assert keywords.keywords(said, scale=scale, least=2)["words"].tolist() == ["late", "good"]


def test_quotes_come_only_when_asked_for_masked_and_from_the_words_side() -> None:
    said = frame_of(
        detractors=["late", "The parcel came late, I called 601 234 567", "late " * 300],
        promoters=["A good shop, never late: me@mail.example", "good"],
    )
    assert "example" not in keywords.keywords(said, least=1)
    found = keywords.keywords(said, least=1, quotes=True).set_index("words")["example"]
    assert found["late"] == "The parcel came late, I called [#]"
    assert found["good"] == "A good shop, never late: [@]"
    long = frame_of(detractors=["on and on " * 50 + "until late in the night"], promoters=["good"])
    cut = keywords.keywords(long, least=1, most=99, quotes=True).set_index("words")["example"]
    assert cut["late"].endswith("until late in the night")
    assert cut.str.len().max() <= 160


def test_words_of_one_comment_do_not_count_as_many() -> None:
    flood = frame_of(detractors=["spam " * 2_000, "fine parcel"], promoters=["fine shop", "fine coffee"])
    found = keywords.keywords(flood, least=1).set_index("words")
    assert found.loc["spam", "detractors"] == 1
    assert not found["apart"].any()


words = st.lists(st.sampled_from(["late", "good", "dear", "the", "parcel"]), min_size=1, max_size=4).map(
    " ".join
)
rows = st.lists(st.tuples(st.integers(0, 10), words), min_size=2, max_size=25)


@settings(max_examples=5)
@given(rows, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_the_mirror_turns_the_sides(given_rows: list, random) -> None:
    given_rows = [*given_rows, (0, "late"), (10, "good")]
    said = pd.DataFrame(given_rows, columns=["score", "comment"])
    found = keywords.keywords(said, least=1, most=99, quotes=True)
    random.shuffle(given_rows)
    mixed = pd.DataFrame(given_rows, columns=["score", "comment"])
    pd.testing.assert_frame_equal(keywords.keywords(mixed, least=1, most=99, quotes=True), found)
    mirror = {score: 0 if score >= 9 else 10 if score <= 6 else score for score in range(11)}
    turned = keywords.keywords(said.assign(score=said["score"].map(mirror)), least=1, most=99)
    z = found.set_index("words")["z"]
    assert turned.set_index("words")["z"].reindex(z.index).tolist() == pytest.approx((-z).tolist())


def test_alike_sides_have_no_words_apart() -> None:
    same = ["late parcel", "good coffee", "dear and late"] * 20
    found = keywords.keywords(frame_of(detractors=same, promoters=same))
    assert found.empty
    assert found["apart"].dtype == bool


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            {"promoters": ["good", "n/a"]},
            "No detractor wrote a comment, so nothing can be set apart. The answers: 2 answers, "
            "0 no comment, 1 nothing to add, 0 no words in it, 1 comments.",
        ),
    ],
)
def test_one_side_alone_is_refused(written: dict, message: str) -> None:
    with pytest.raises(DataError) as error:
        keywords.keywords(frame_of(**written))
    assert str(error.value) == message


@pytest.mark.realdata
def test_garden_store_complains_of_prices_and_praises_the_staff(data_folder: Path) -> None:
    ours = {"score": "nps", "comment": "explication"}
    loaded = tables.load_responses(data_folder / "nps_garden_store" / "nps.csv.gz", columns=ours)
    found = keywords.keywords(loaded, scale="nps_1_10")
    apart = found[found["apart"]].groupby("side")["words"].apply(list)
    assert apart["detractors"][:3] == ["prix", "trop", "cher"]
    assert apart["promoters"][:3] == ["personnel", "merci", "accueil"]
