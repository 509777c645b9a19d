"""Moments: what `as_of` may be, how far a table was observed, what its dates warn of."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import moments, sequences
from retention_kit.exceptions import DataError

END = dt.datetime(2024, 7, 1)


def table_of(days: list, customers: list | None = None) -> ibis.Table:
    customers = customers or [str(i) for i in range(len(days))]
    return ibis.memtable(pd.DataFrame({"customer_id": customers, "ordered_at": pd.to_datetime(days)}))


def days_of(start: str, end: str, freq: str = "D") -> list[pd.Timestamp]:
    return list(pd.date_range(start, end, freq=freq))


@pytest.mark.parametrize(
    ("as_of", "moment"),
    [
        *[(written, END) for written in ("2024-07-01", " 2024-07-01 ", "20240701", END, dt.date(2024, 7, 1))],
        *[(written, END) for written in (pd.Timestamp(END), np.datetime64("2024-07-01"))],
        ("2024-07-01 12:30", dt.datetime(2024, 7, 1, 12, 30)),
        ("2024-06-30T00:00", dt.datetime(2024, 6, 30)),
        (dt.datetime(2024, 6, 30, 18), dt.datetime(2024, 6, 30, 18)),
        ("2024-02-28", dt.datetime(2024, 2, 28)),
    ],
)
def test_as_of_in_every_form(as_of: moments.Date, moment: dt.datetime) -> None:
    assert moments.first_unobserved(as_of) == moment


@pytest.mark.parametrize(
    "as_of",
    ["junk", "", "today", "now", "2024-08", "01/08/2024", "9999-12-31", 20240801, 5.5, None, pd.NaT, [1]],
)
def test_what_is_no_date_is_never_guessed(as_of: object) -> None:
    with pytest.raises(DataError) as refused:
        moments.first_unobserved(as_of)
    assert str(refused.value) == f"as_of {as_of!r} is no date. Type one such as as_of='2024-07-01'."


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        (
            "2011-11-30",
            "as_of 2011-11-30 is the last day of a month, and as_of is the first moment not observed: "
            "that day, and so the month, would be left out. Type as_of='2011-12-01' for the whole month, "
            "or as_of='2011-11-30T00:00' to leave the day out.",
        ),
        (
            dt.date(2024, 2, 29),
            "as_of 2024-02-29 is the last day of a month, and as_of is the first moment not observed: "
            "that day, and so the month, would be left out. Type as_of='2024-03-01' for the whole month, "
            "or as_of='2024-02-29T00:00' to leave the day out.",
        ),
        (
            "2024-07-01T00:00Z",
            "as_of 2024-07-01T00:00Z has a time zone. Type the local date: as_of='2024-07-01'.",
        ),
        (
            pd.Timestamp("2024-07-01", tz="Europe/Warsaw"),
            "as_of 2024-07-01 00:00:00+02:00 has a time zone. Type the local date: as_of='2024-07-01'.",
        ),
    ],
)
def test_as_of_that_would_mislead_is_answered_with_what_to_type(as_of: moments.Date, message: str) -> None:
    with pytest.raises(DataError) as refused:
        moments.first_unobserved(as_of)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("last", "as_of", "message"),
    [
        (
            "2024-07-02 10:00",
            None,
            "orders needs as_of, the first moment not observed. Type as_of='2024-07-03' for all rows.",
        ),
        (
            "2024-07-30 10:00",
            None,
            "orders needs as_of, the first moment not observed. Type as_of='2024-07-31T00:00' for all rows.",
        ),
        (
            "2024-07-02 10:00",
            "2024-06-01T08:00",
            "as_of 2024-06-01 08:00 leaves no row: the first of orders is of 2024-06-01 08:00. "
            "Type as_of='2024-07-03' for all rows.",
        ),
        (
            "2024-07-30 00:00",
            "2024-06-01",
            "as_of 2024-06-01 leaves no row: the first of orders is of 2024-06-01 08:00. "
            "Type as_of='2024-07-31T00:00' for all rows.",
        ),
    ],
)
def test_the_message_gives_the_value_to_type(last: str, as_of: str | None, message: str) -> None:
    table = table_of(["2024-06-01 08:00", last])
    with pytest.raises(DataError) as refused:
        moments.resolve(as_of, table, "ordered_at", "orders")
    assert str(refused.value) == message
    typed = message.split("as_of='")[1].split("'")[0]
    assert moments.resolve(typed, table, "ordered_at", "orders") > pd.Timestamp(last)


def test_without_dates_as_of_is_optional() -> None:
    table = ibis.memtable({"score": [9]})
    assert moments.resolve(None, table, "responded_at", "responses") is None
    assert moments.resolve("2024-07-01", table, "responded_at", "responses") == END
    assert moments.resolve(None, table, None, "customers") is None


def active(days: list) -> np.ndarray:
    return moments.active_days(table_of(days), "ordered_at")


def test_data_that_stop_early_are_believed_only_so_far() -> None:
    # A row every day to 9 June: gaps of one day, so that two days are unusual.
    until, notes = moments.observed_until(active(days_of("2024-01-01", "2024-06-09")), END)
    assert until == dt.datetime(2024, 6, 10)
    assert [note.text for note in notes] == [
        "The last row is of 9 June 2024, 21 days without rows before as_of 1 July 2024. "
        "Periods that end after 9 June 2024 are not complete and have no value."
    ]
    assert notes[0].level == "warning"


@pytest.mark.parametrize(
    "days",
    [
        days_of("2024-01-01", "2024-06-30"),  # to the last day
        days_of("2024-01-01", "2024-06-24", "7D"),  # a week is usual where weeks pass
        ["2024-01-01", "2024-01-02"],  # two days tell nothing of what is usual
    ],
)
def test_data_that_go_on_are_believed_to_as_of(days: list) -> None:
    assert moments.observed_until(active(days), END) == (END, ())


@settings(max_examples=20)
@given(st.lists(st.dates(dt.date(2023, 1, 1), dt.date(2024, 6, 29)), min_size=1, max_size=40))
def test_observation_ends_between_the_last_row_and_as_of(days: list[dt.date]) -> None:
    until, notes = moments.observed_until(active(days), END)
    assert dt.datetime.combine(max(days), dt.time()) < until <= END
    assert bool(notes) == (until < END)


def warned(days: list, customers: list) -> list[str]:
    table = table_of(days, customers)
    counted = sequences.each_customer(table, "ordered_at")
    return [note.text for note in moments.warnings(active(days), counted)]


def test_a_customer_id_that_is_given_anew_with_each_order() -> None:
    days = days_of("2024-01-01", "2024-04-09")
    customers = [str(i) for i in range(97)] + ["x"] * 3
    assert "99% of customers have one order (97 of 98): is customer_id given anew with each order?" in warned(
        days, customers
    )


def test_a_history_that_starts_in_mid_life() -> None:
    # Ten customers in January, one a month later on.
    days = ["2024-01-02"] * 10 + ["2024-02-15", "2024-03-20", "2024-04-25"]
    assert warned(days, [str(i) for i in range(13)]) == [
        "History starts mid-life: 10 customers are first seen in the first 30 days (from "
        "2 January 2024), at most 1 in "
        "any later 30 days. Many of them are old customers who only look new, so the first cohort "
        "returns more "
        "than a new one would."
    ]


def test_a_history_too_short_to_have_old_customers() -> None:
    assert warned(["2024-06-02", "2024-06-20"], ["a", "b"]) == [
        "History is too short: every customer is first seen within the first 30 days, so none can be told "
        "to be new or old."
    ]


def test_days_without_rows() -> None:
    days = [*days_of("2024-01-01", "2024-02-29"), *days_of("2024-04-01", "2024-06-30")]
    assert warned(days, [str(i % 75) for i in range(len(days))]) == [
        "No rows for 31 days between 29 February 2024 and 1 April 2024: was the shop closed, or is a part of "
        "the export "
        "missing?"
    ]


def test_a_steady_shop_warns_of_nothing() -> None:
    days = days_of("2024-01-01", "2024-06-30")
    assert warned(days, [str(i // 2) for i in range(len(days))]) == []
