"""Periods: calendar arithmetic the same in Python and on the engine, and what is complete."""

import datetime as dt

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import lengths, periods, tables
from retention_kit.exceptions import DataError

every_period = pytest.mark.parametrize("period", lengths.PERIODS)
moments = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2199, 12, 31))

SHOP = pd.DataFrame(
    [
        ("a", "2024-01-05 10:00", 10.0, "PL"),
        ("a", "2024-01-31 23:59", 5.0, "DE"),
        ("a", "2024-03-01 00:00", 1.0, "DE"),
        ("b", "2024-02-10 09:00", 7.0, "PL"),
        ("b", "2024-02-10 09:00", 0.0, "CZ"),
    ],
    columns=["customer_id", "ordered_at", "amount", "country"],
)


def load(as_of: str = "2024-04-01") -> tables.Loaded:
    return tables.orders(SHOP, as_of=as_of, columns=["amount", "country"])


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("day", "2024-02-29", "2024-02-29 23:59:59"),
        ("week", "2024-01-01", "2024-01-07 23:59"),  # Monday to Sunday
        ("month", "2024-02-01", "2024-02-29"),
        ("quarter", "2023-10-01", "2023-12-31"),
        ("year", "2024-01-01", "2024-12-31"),
        ("week_sunday", "2024-07-07", "2024-07-13"),
        ("week_saturday", "2024-07-06", "2024-07-12"),
    ],
)
def test_a_period_by_hand(period: lengths.Period, first: str, last: str) -> None:
    number = periods.index_of(pd.Timestamp(first), period)
    assert periods.index_of(pd.Timestamp(last), period) == number
    assert periods.index_of(pd.Timestamp(first) - pd.Timedelta(1, "us"), period) == number - 1
    assert periods.start_of(number, period) == pd.Timestamp(first)


@every_period
@given(moment=moments)
def test_a_moment_lies_between_the_starts_of_its_period_and_the_next(
    period: lengths.Period, moment: dt.datetime
) -> None:
    number = periods.index_of(moment, period)
    assert periods.start_of(number, period) <= moment < periods.start_of(number + 1, period)
    assert periods.index_of(periods.start_of(number, period), period) == number
    assert periods.index_of(moment.date(), period) == number


@every_period
@settings(max_examples=20)
@given(days=st.lists(moments, min_size=1, max_size=50))
def test_the_engine_numbers_periods_as_python_does(period: lengths.Period, days: list[dt.datetime]) -> None:
    table = ibis.memtable(
        pd.DataFrame({"row": range(len(days)), "at": pd.Series(days, dtype="datetime64[us]")})
    )
    numbered = table.select("row", number=periods.index(table["at"], period)).order_by("row")
    assert numbered.to_pyarrow()["number"].to_pylist() == [periods.index_of(day, period) for day in days]


@every_period
def test_starts_are_a_column_of_moments(period: lengths.Period) -> None:
    numbers = pd.Series([periods.index_of(dt.date(2024, 5, 17), period)] * 2, index=[3, 4])
    starts = periods.starts(numbers, period)
    assert starts.dtype == "datetime64[us]"
    assert starts.tolist() == [periods.start_of(numbers[3], period)] * 2
    assert periods.starts(numbers.iloc[:0], period).dtype == "datetime64[us]"


@pytest.mark.parametrize(
    ("as_of", "first"),
    [("2024-04-01", "2024-04-01"), ("2024-03-30", "2024-03-01"), ("2024-03-02", "2024-03-01")],
)
def test_a_period_counts_only_when_it_was_observed_to_its_end(as_of: str, first: str) -> None:
    assert periods.first_incomplete(load(as_of), "month") == periods.index_of(pd.Timestamp(first), "month")


def test_without_as_of_nothing_is_complete() -> None:
    with pytest.raises(DataError) as refused:
        periods.first_incomplete(tables.responses(pd.DataFrame({"score": [9]})), "month")
    assert str(refused.value) == (
        "responses has no as_of, so no period can be complete. Type as_of='2024-07-01'."
    )


def test_activity_has_one_row_a_customer_and_period() -> None:
    active = periods.activity(load(), "month").order_by("customer_id", "period_index").to_pandas()
    january = 2024 * 12
    assert active.to_dict("list") == {
        "customer_id": ["a", "a", "b"],
        "period_index": [january, january + 2, january + 1],
        "times": [2, 1, 2],
        "amount": [10.0 + 5.0, 1.0, 7.0 + 0.0],
    }


def test_by_counts_as_it_stood_at_the_first_row_and_of_several_the_smallest() -> None:
    active = periods.activity(load(), "month", ["country"]).to_pandas()
    assert dict(zip(active["customer_id"], active["country"], strict=True)) == {"a": "PL", "b": "CZ"}
    assert len(active) == 3


def test_a_cohort_is_the_first_period_of_a_customer() -> None:
    cohorts = periods.cohorts(periods.activity(load(), "quarter")).order_by("customer_id").to_pandas()
    assert cohorts.to_dict("list") == {"customer_id": ["a", "b"], "cohort_index": [2024 * 4, 2024 * 4]}


def test_each_period_fills_what_is_missing_from_each_groups_first_period_on() -> None:
    counted = pd.DataFrame(
        {"period_index": [5, 7, 6], "plan": ["a", "a", None], "churned": [1, 2, 3]},
    )
    dense = periods.each_period(counted, ["plan"], 8)
    rows = list(zip(dense["period_index"], dense["plan"].fillna("none"), dense["churned"], strict=True))
    assert rows == [(5, "a", 1), (6, "a", 0), (6, "none", 3), (7, "a", 2), (7, "none", 0)]
    assert periods.running_total(dense, "churned", ["plan"]).tolist() == [1, 1, 3, 3, 3]


def test_each_period_keeps_the_fractions_of_the_columns_named() -> None:
    counted = pd.DataFrame({"period_index": [5, 7], "churned": [1, 2], "squares": [0.5, 1e20]})
    dense = periods.each_period(counted, [], 8, floats=["squares"])
    assert dense["squares"].tolist() == [0.5, 0.0, 1e20]
    assert dense["churned"].dtype == "int64"


def test_each_period_of_nothing_is_nothing() -> None:
    nothing = pd.DataFrame(
        {"period_index": pd.Series([], dtype="int64"), "churned": pd.Series([], dtype="int64")}
    )
    assert periods.each_period(nothing, [], 8).empty
