"""A source that is open: nothing is read before it is asked for, and a name that stands twice is refused."""

import ibis
import pandas as pd
import pytest

from retention_kit.exceptions import DataError
from retention_kit.opened import Note, Source, refuse_named_twice


def test_a_source_reads_only_what_is_needed_of_it_when_it_is_needed() -> None:
    asked: list[list[str]] = []

    def read(needed: list[str]) -> ibis.Table:
        asked.append(list(needed))
        return ibis.memtable(pd.DataFrame({name: [1] for name in needed}))

    source = Source("a.csv", ("id", "paid", "note"), read)
    assert asked == []
    assert source.table(["id", "paid"]).columns == ("id", "paid")
    assert asked == [["id", "paid"]]
    assert (source.notes, source.is_text, source.place, source.marked) == ((), False, "", None)


def test_a_name_that_stands_twice_is_refused_where_it_is_needed_in_whatever_case() -> None:
    names = ["id", "Paid", "paid", "note"]
    refuse_named_twice("a.csv", ["id", "note"], names)
    with pytest.raises(DataError) as refused:
        refuse_named_twice("a.csv", ["id", "paid"], names)
    assert str(refused.value) == "a.csv has more than one column named 'paid'. Rename one of them."


def test_a_note_is_the_same_by_what_it_says() -> None:
    assert Note("guess", "a.csv: delimiter ','") == Note("guess", "a.csv: delimiter ','")
    assert Note("guess", "x") != Note("warning", "x")
