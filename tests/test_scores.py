"""Cut points and maps of segments as people edit them: what is refused, in whole messages."""

import pandas as pd
import pytest

from retention_kit import scores
from retention_kit.exceptions import ParamsError

NEEDED = ("days_since_last_order", "orders")
ADVICE = ". Give a frame such as rfm.cut_points returns; pandas.read_csv reads a file."


def cuts(**changes: tuple[int, float]) -> pd.DataFrame:
    """Three scores of two measures; `up_to=(row, value)` changes one cell."""
    rows = [
        ("days_since_last_order", 1, 60.0, None), ("days_since_last_order", 2, 30.0, 60.0),
        ("days_since_last_order", 3, None, 30.0), ("orders", 1, None, 1.0), ("orders", 2, 1.0, 3.0),
        ("orders", 3, 3.0, None),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["measure", "score", "above", "up_to"])
    for column, (row, value) in changes.items():
        frame.loc[row, column] = value
    return frame


def refused(given: object) -> str:
    with pytest.raises(ParamsError) as error:
        scores.read_cuts(given, NEEDED)
    return str(error.value)


def test_cuts_pass_in_any_order_with_further_columns() -> None:
    given = cuts().assign(customers=7).sample(frac=1, random_state=3)
    read = scores.read_cuts(given, NEEDED)
    assert read.columns.tolist() == ["measure", "score", "above", "up_to"]
    days = read[read["measure"] == "days_since_last_order"]
    assert scores.inner_cuts("days_since_last_order", days).tolist() == [30, 60]


def test_cuts_that_are_no_frame() -> None:
    assert refused("cuts.csv") == f"cuts is a str{ADVICE}"


def test_cuts_without_a_column() -> None:
    assert refused(cuts().drop(columns="up_to")) == (
        f"cuts is missing ['up_to']. It has ['measure', 'score', 'above']{ADVICE}"
    )


def test_cuts_without_a_measure() -> None:
    assert (
        refused(cuts().iloc[3:])
        == f"cuts has no rows for ['days_since_last_order']. It has ['orders']{ADVICE}"
    )


def test_cuts_with_a_score_twice() -> None:
    assert refused(cuts(score=(4, 3))) == (
        f"cuts has the scores 1, 3, 3 for orders, and needs 1 to 3, each once{ADVICE}"
    )


def test_cuts_of_two_sizes() -> None:
    given = pd.concat([cuts(), pd.DataFrame({"measure": ["orders"], "score": [4], "above": [9.0]})])
    assert "needs 1 to 3, each once" in refused(given)


@pytest.mark.parametrize("changes", [{"up_to": (4, 2.0)}, {"above": (4, 2.0)}, {"up_to": (4, None)}])
def test_cuts_with_a_gap(changes: dict) -> None:
    assert refused(cuts(**changes)) == (
        f"cuts for orders leave gaps or overlap: each score begins above the last one's up_to{ADVICE}"
    )


def test_cuts_that_fall() -> None:
    given = cuts(up_to=(3, 5.0), above=(4, 5.0))
    assert refused(given).startswith("cuts for orders leave gaps or overlap")


GRID = {"here": "3[1-3]", "slipping": "2[1-3]", "gone": ["11", "1[2-3]"]}


def cells_of(**changes: object) -> str:
    with pytest.raises(ParamsError) as error:
        scores.cells(GRID | changes, 3)
    return str(error.value)


def test_a_whole_map() -> None:
    assert scores.cells(GRID, 3)[1, 3] == "gone"
    assert len(scores.cells(GRID, 3)) == 9


def test_a_cell_in_no_segment() -> None:
    assert cells_of(gone="11") == (
        "segments: R 1 F 2 is in no segment (2 of 9 cells are in none). Add the pattern '12' to one."
    )


def test_a_cell_in_two_segments() -> None:
    assert cells_of(slipping="[2-3][1-3]") == (
        "segments: R 3 F 1 is claimed by 'here' and by 'slipping'. Leave it to one of them."
    )


@pytest.mark.parametrize("pattern", ["3+", "333", "3", "[1-3", "3[1,3]", "", "a3", "[1-2]x3"])
def test_a_pattern_that_is_none(pattern: str) -> None:
    assert cells_of(here=pattern) == (
        f"segments: 'here' has the pattern '{pattern}'. "
        "Type R scores, then F scores, such as '5[4-5]' for R 5 and F 4 to 5."
    )


@pytest.mark.parametrize(("pattern", "cell"), [("3[0-3]", "R 3 F 0"), ("4[1-3]", "R 4 F 1")])
def test_a_score_outside_the_grid(pattern: str, cell: str) -> None:
    assert cells_of(here=pattern) == (
        f"segments: 'here' claims {cell}, and scores go from 1 to 3. "
        "Give a map of these scores, or cut points with as many."
    )


def test_a_range_the_wrong_way_round_leaves_its_cells_out() -> None:
    assert cells_of(here="3[3-1]").startswith("segments: R 3 F 1 is in no segment")


def test_scores_that_nobody_can_have() -> None:
    frame = cuts(up_to=(4, 1.0), above=(5, 1.0))
    assert scores.skipped(frame, "orders") == (
        "No customer can have the score 2 for orders: too many have the value 1."
    )
    assert scores.skipped(frame, "days_since_last_order") == ""
