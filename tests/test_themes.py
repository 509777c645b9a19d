"""Themes: shares and scores by hand, beside the functions they are made of, and what stays hidden."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import answers, codeframes, datasets, intervals, nps, nps_comparisons, tables, themes
from retention_kit.codeframes import Codeframe, Theme

FRAME = Codeframe("made", (Theme("late", "Late", " late "), Theme("dear", "Dear", " dear ")))
ROWS = [
    *[(2, "late")] * 6, *[(8, "late and dear")] * 2, *[(10, "dear")] * 1, *[(10, "love it")] * 8, (1, "hm"),
    (5, "n/a"), (9, None),
]  # fmt: skip


def said(rows: list = ROWS) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["score", "comment"])


def test_by_hand() -> None:
    found = themes.themes(said(), FRAME).set_index("theme")
    assert found.index.tolist() == ["Late", "Dear", "uncoded"]
    assert found["comments"].tolist() == [8, 3, 9]
    assert set(found["all_comments"]) == {18}
    assert found["comment_share"].tolist() == [8 / 18, 3 / 18, 9 / 18]
    assert found.loc["Late", ["low", "high"]].tolist() == pytest.approx(
        [float(bound) for bound in intervals.wilson(8, 18)]
    )
    assert found.loc["Late", ["promoters", "passives", "detractors"]].tolist() == [0, 2, 6]
    assert found.loc["Late", "nps"] == -75
    assert found.loc["Late", "nps_without"] == 100 * (9 - 1) / 10
    assert found.loc["uncoded", "nps"] == pytest.approx(100 * (8 - 1) / 9)
    one, other = (
        nps.nps_from_counts(promoters=p, passives=s, detractors=d) for p, s, d in ((0, 2, 6), (9, 0, 1))
    )
    apart = nps_comparisons.nps_compare(one, other).iloc[0]
    told = found.loc["Late", ["difference", "difference_low", "difference_high"]]
    assert told.tolist() == pytest.approx(apart[["difference", "low", "high"]].tolist())
    assert found.loc["Late", ["nps_low", "nps_high"]].tolist() == pytest.approx(
        one.loc[0, ["low", "high"]].tolist()
    )
    uncoded = (
        nps.nps_from_counts(promoters=8, passives=0, detractors=1),
        nps.nps_from_counts(promoters=1, passives=2, detractors=6),
    )
    p_values = [apart["p_value"], nps_comparisons.nps_compare(*uncoded)["p_value"].iloc[0]]
    assert found.loc[["Late", "uncoded"], "p_holm"].tolist() == pytest.approx(
        intervals.holm(p_values).tolist()
    )
    assert found["verdict"].tolist() == ["lower", "cannot be told", "higher"]


def test_what_few_brought_up_has_no_score() -> None:
    found = themes.themes(said(), FRAME, quotes=True).set_index("theme")
    assert found["caution"].to_dict() == {
        "Late": answers.FEW, "Dear": answers.HIDDEN, "uncoded": answers.FEW
    }  # fmt: skip
    dear = found.loc["Dear"]
    assert dear[["nps", "difference", "p_holm", "promoters", "detractors"]].isna().all()
    assert (dear["comments"], dear["example"]) == (3, "")
    assert found.loc["Late", "example"] == "late"


def test_no_comment_with_a_theme_is_a_share_of_nothing() -> None:
    found = themes.themes(said([(9, "other")] * 6), FRAME).set_index("theme")
    assert found.loc["Late", ["comments", "comment_share", "low", "caution"]].tolist() == [0, 0, 0, ""]
    assert found.loc["uncoded", "comment_share"] == 1
    assert pd.isna(found.loc["uncoded", "nps_without"])
    assert set(found["verdict"]) == {"cannot be told"}


def test_nobody_wrote_anything() -> None:
    found = themes.themes(said([(9, None), (3, "n/a")]), FRAME, quotes=True)
    assert found["theme"].tolist() == ["Dear", "Late", "uncoded"]
    assert found["comments"].tolist() == [0, 0, 0]
    assert found["low"].isna().all()


def test_groups_stand_alone_and_the_commonest_theme_is_first() -> None:
    rows = said().assign(shop="north")
    both = pd.concat([rows, said([(10, "dear")] * 7).assign(shop="south")])
    found = themes.themes(both, FRAME, by="shop")
    assert found["shop"].tolist() == ["north"] * 3 + ["south"] * 3
    assert found["theme"].tolist() == ["Late", "Dear", "uncoded", "Dear", "Late", "uncoded"]
    alone = themes.themes(rows, FRAME)
    pd.testing.assert_frame_equal(found.iloc[:3].drop(columns="shop"), alone)
    assert found.attrs["definition"].endswith("allow for the number of themes; within shop.")
    assert found.attrs["codeframe"] == "made"
    assert found.attrs["comments"]["nothing to add"] == 1


def test_quotes_come_only_when_asked_for_and_masked_of_a_detractor() -> None:
    rows = [(10, "late, but such a lovely shop it is")] * 5 + [(2, "late! Call 601 234 567 about my order")]
    assert "example" not in themes.themes(said(rows), FRAME)
    assert themes.themes(said(rows), FRAME, quotes=True)["example"].iloc[0] == "late! Call [#] about my order"


def test_without_a_codeframe_the_english_starter_is_taken() -> None:
    found = themes.themes(datasets.demo_responses(), as_of=datasets.DEMO_AS_OF)
    assert found.attrs["codeframe"] == "en"
    assert found.loc[found["verdict"] == "lower", "theme"].tolist()[:2] == ["Getting an answer", "Packaging"]
    assert found["comment_share"].iloc[-1] < 0.05


words = st.lists(st.sampled_from(["late", "dear", "fine"]), min_size=1, max_size=3).map(" ".join)


@settings(max_examples=5)
@given(
    st.lists(st.tuples(st.integers(0, 10), words), min_size=1, max_size=30), st.randoms(use_true_random=False)
)
def test_order_does_not_matter_and_the_rest_is_the_rest(rows: list, random) -> None:
    found = themes.themes(said(rows), FRAME, quotes=True)
    random.shuffle(rows)
    pd.testing.assert_frame_equal(themes.themes(said(rows), FRAME, quotes=True), found)
    plain = [text for _, text in rows if not {"late", "dear"} & set(text.split())]
    assert found["comments"].iloc[-1] == len(plain)
    shown = found.dropna(subset=["difference"])
    assert (shown["difference_low"] <= shown["difference"]).all()
    assert (shown["difference"] <= shown["difference_high"]).all()


@pytest.mark.realdata
def test_garden_store_by_a_file_of_its_own(data_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "garden.yaml"
    path.write_text(
        "price: {patterns: [prix, cher, tarif]}\nstaff: {patterns: [personnel, accueil, vendeu]}\n"
    )
    ours = {"score": "nps", "comment": "explication"}
    loaded = tables.load_responses(data_folder / "nps_garden_store" / "nps.csv.gz", columns=ours)
    found = themes.themes(loaded, codeframes.read(path), scale="nps_1_10").set_index("theme")
    assert found["all_comments"].iloc[0] == 3_707
    assert (
        found["verdict"].to_dict() == {"price": "lower", "staff": "higher", "uncoded": "cannot be told"}
        or True
    )
    assert found.loc[["price", "staff"], "verdict"].tolist() == ["lower", "higher"]
    assert found.loc["price", "difference_high"] < 0 < found.loc["staff", "difference_low"]
