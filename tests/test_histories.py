"""Histories as bits: against sets and loops, past the ends of a word, and where they are not for."""

import datetime as dt

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import histories, lengths, periods, tables

AS_OF = "2026-01-01"
# Three years: weeks take three words of bits, months one, days more than histories are made of.
rows = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.datetimes(dt.datetime(2023, 1, 1), dt.datetime(2025, 12, 30))),
    min_size=1,
    max_size=40,
)
every_period = pytest.mark.parametrize("period", ["week", "week_sunday", "month", "quarter", "year"])


def orders(written: list[tuple[str, dt.datetime]]) -> pd.DataFrame:
    frame = pd.DataFrame(written, columns=["customer_id", "ordered_at"]).astype(
        {"ordered_at": "datetime64[us]"}
    )
    return frame.assign(shop=frame["customer_id"].map({"a": "north", "b": "north", "c": "south"}))


def by_hand(written: list[tuple[str, dt.datetime]], period: lengths.Period) -> dict[tuple[int, int], int]:
    active: dict[str, set[int]] = {}
    for customer, moment in written:
        active.setdefault(customer, set()).add(periods.index_of(moment, period))
    counted: dict[tuple[int, int], int] = {}
    for there in active.values():
        for number in there:
            cell = (min(there), number - min(there))
            counted[cell] = counted.get(cell, 0) + 1
    return counted


def cells(frame: pd.DataFrame) -> dict[tuple[int, int], int]:
    keys = zip(frame["_cohort"].tolist(), frame["age"].tolist(), strict=True)
    return dict(zip(keys, frame["retained"].tolist(), strict=True))


@every_period
@settings(max_examples=15)
@given(written=rows)
def test_ages_are_those_counted_one_by_one(period: lengths.Period, written: list) -> None:
    loaded = tables.orders(orders(written), as_of=AS_OF)
    assert cells(histories.retained_by_age(loaded, period)) == by_hand(written, period)


@settings(max_examples=15)
@given(written=rows)
def test_groups_add_up_to_the_whole_and_keep_who_has_none(written: list) -> None:
    loaded = tables.orders(orders(written), as_of=AS_OF, columns=["shop"])
    split = histories.retained_by_age(loaded, "month", ["shop"])
    named = {"north": "ab", "south": "c"}
    for shop, part in split.groupby(split["shop"].fillna("none")):
        inside = [row for row in written if row[0] in named.get(shop, "def")]
        assert cells(part) == by_hand(inside, "month")


def test_each_history_by_hand() -> None:
    written = [("a", dt.datetime(2025, 1, 5)), ("a", dt.datetime(2025, 3, 5)), ("b", dt.datetime(2025, 3, 1))]
    found = histories.counted(tables.orders(orders(written), as_of=AS_OF), "month")
    january = periods.index_of(dt.date(2025, 1, 1), "month")
    assert (found.first, found.length, sorted(found.words[:, 0])) == (january, 3, [0b100, 0b101])
    assert sorted(found.cohorts) == [january, january + 2]
    assert [int(there.sum()) for _, there in found.each()] == [1, 0, 2]
    assert not found.at(january - 1).any()
    assert not found.at(january + 3).any()


def test_histories_are_counted_once_a_table() -> None:
    loaded = tables.orders(orders([("a", dt.datetime(2025, 1, 5))]), as_of=AS_OF)
    assert histories.counted(loaded, "month") is histories.counted(loaded, "month")
    assert histories.counted(loaded, "month") is not histories.counted(loaded, "year")


def test_there_are_none_of_too_many_periods_and_on_other_engines() -> None:
    written = [("a", dt.datetime(2025, 1, 1)), ("b", dt.datetime(2025, 12, 1))]
    loaded = tables.orders(orders(written), as_of=AS_OF)
    other = tables.orders(ibis.duckdb.connect().create_table("orders", orders(written)), as_of=AS_OF)
    assert histories.counted(loaded, "day") is None
    assert histories.retained_by_age(loaded, "day") is None
    assert histories.counted(other, "month") is None
    assert histories.counted(loaded, "month") is not None
