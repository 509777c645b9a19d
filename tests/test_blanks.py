"""What an export writes where there is nothing."""

import ibis
import pandas as pd
import pytest

from retention_kit import blanks, session


def filled(cells: list) -> list:
    table = ibis.memtable(pd.DataFrame({"cell": pd.Series(cells, dtype="str")}))
    return table.select(cell=blanks.filled(table.cell)).to_pyarrow()["cell"].to_pylist()


@pytest.mark.parametrize("word", blanks.WORDS)
def test_a_word_for_nothing_is_nothing_with_blanks_around_it_too(word: str) -> None:
    assert filled([word, f" {word}\t", None]) == [None, None, None]


def test_any_other_text_keeps_all_but_its_outer_blanks() -> None:
    texts = [
        "NAN",
        "n/a",
        "Nanna",
        "0",
        "-",
        "a  b",
        "  a\n",
        "\ta long text of many words ",
        "null and void",
    ]
    kept = ["NAN", "n/a", "Nanna", "0", "-", "a  b", "a", "a long text of many words", "null and void"]
    assert filled(texts) == kept


def test_columns_in_which_nothing_would_change_are_known() -> None:
    frame = pd.DataFrame(
        {
            "plain": ["a", "b"],
            "outer": ["a", "b "],
            "word": ["a", "NA"],
            "number": [1, 2],
            "none": [None, None],
        }
    ).astype({"none": "str"})
    table = session.stored(ibis.memtable(frame), "blanks")
    assert blanks.clean(table, list(frame.columns), often=False) == {"plain"}
    assert blanks.clean(table, ["number"], often=True) == set()
