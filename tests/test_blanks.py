"""What an export writes where there is nothing."""

import ibis
import pandas as pd
import pytest

from retention_kit import blanks


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


@pytest.mark.parametrize("text", ["a", "a b", "NA", "a ", "\ta", "", None])
def test_what_would_not_change_is_known(text: str | None) -> None:
    frame = pd.DataFrame({"cell": [text, "other"]}).astype({"cell": "str"})
    told = blanks.unfilled(ibis.memtable(frame).cell).any().execute()
    assert bool(told) == (text is not None and filled([text]) != [text])
