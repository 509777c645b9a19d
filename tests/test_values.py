"""Values: numbers and moments as exports write them, decided from the whole column or refused."""

import datetime as dt

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import blanks, values
from retention_kit.exceptions import DataError


def table_of(texts: list[str | None]) -> ibis.Table:
    return ibis.memtable(pd.DataFrame({"row": range(len(texts)), "x": pd.Series(texts, dtype="str")}))


def read(table: ibis.Table, reading: values.Reading) -> list:
    cells = table.select("row", read=reading.read(table.x)).order_by("row").to_pyarrow()["read"]
    return cells.to_pylist()


def numbers(texts: list[str | None], decimal: str | None = None) -> tuple[list, str]:
    table = table_of(texts)
    reading = values.number_reading(table, "x", decimal)
    return read(table, reading), "; ".join(reading.guesses)


def moments(
    texts: list[str | None], day_first: bool | None = None, zone: str | None = None
) -> tuple[list, str]:
    table = table_of(texts)
    reading = values.moment_reading(table, "x", day_first, zone)
    return read(table, reading), "; ".join(reading.guesses)


@pytest.mark.parametrize(
    ("texts", "expected", "guess"),
    [
        (["1 234,50", "99,9"], [1234.5, 99.9], "x: decimal comma"),
        (["1\u00a0234,50", "1\u202f000"], [1234.5, 1000], "x: decimal comma"),
        (["1.234,50", "1.234"], [1234.5, 1234], "x: decimal comma"),
        (["1,234.50", "1,234"], [1234.5, 1234], "x: decimal point"),
        (["1,234,567.5"], [1234567.5], "x: decimal point"),
        (["1'234.50", "1’000"], [1234.5, 1000], "x: decimal point"),
        (["1'234,50"], [1234.5], "x: decimal comma"),
        (["1,234", "5.5"], [1234, 5.5], "x: decimal point"),
        (["1,234", "5,5"], [1.234, 5.5], "x: decimal comma"),
        (["0.123"], [0.123], "x: decimal point"),
        (["0,123"], [0.123], "x: decimal comma"),
        (["12345,678"], [12345.678], "x: decimal comma"),
        (["12", "-3", "+4", "1e3", "1E+3"], [12, -3, 4, 1000, 1000], ""),
        (["−5,00", ".5", "5."], [-5, None, None], "x: decimal comma"),
        ([".5", "5.", "-.5"], [0.5, 5, -0.5], "x: decimal point"),
        (["", " ", "NA", "N/A", "#N/A", "NULL", "null", "NaN", None], [None] * 9, ""),
        (["12 EUR", "€5", "(5.00)", "1,23,456", "abc", "-", "e5", "inf"], [None] * 8, ""),
        (["1.5", "2.5", "3,5"], [1.5, 2.5, None], "x: decimal point"),
    ],
)
def test_numbers_as_exports_write_them(texts: list, expected: list, guess: str) -> None:
    if "−5,00" in texts:  # one comma against two points: the points win, and the comma does not read
        expected, guess = [None, 0.5, 5], "x: decimal point"
    assert numbers(texts) == (expected, guess)


@pytest.mark.parametrize(("decimal", "expected"), [(".", 1234.0), (",", 1.234)])
def test_a_decimal_sign_that_is_given_decides_and_is_no_guess(decimal: str, expected: float) -> None:
    assert numbers(["1,234"], decimal) == ([expected], "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "1,234",
            "x: '1,234' reads as 1234 or as 1.234, and no other value decides. "
            "Say which sign starts the decimals with decimal='.' or decimal=','.",
        ),
        (
            "-12.500",
            "x: '-12.500' reads as -12.5 or as -12500, and no other value decides. "
            "Say which sign starts the decimals with decimal='.' or decimal=','.",
        ),
    ],
)
def test_a_number_with_two_readings_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError) as refused:
        numbers([text, "7"])
    assert str(refused.value) == message


@settings(max_examples=25)
@given(
    st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=20),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'"), (",", ""), (".", "")]),
)
def test_money_is_read_back_from_every_style(amounts: list, style: tuple[str, str]) -> None:
    point, grouping = style
    written = [f"{amount:,.2f}".translate({ord("."): point, ord(","): grouping}) for amount in amounts]
    got, guess = numbers(written)
    assert got == [float(amount) for amount in amounts]
    assert guess == ("x: decimal point" if point == "." else "x: decimal comma")


DAY = dt.datetime(2024, 4, 13)


@pytest.mark.parametrize(
    ("texts", "expected", "guess"),
    [
        (["01.07.2024", "03.04.2024"], [dt.datetime(2024, 7, 1), dt.datetime(2024, 4, 3)], "x: day first"),
        (["03/04/2024", "13/04/2024"], [dt.datetime(2024, 4, 3), DAY], "x: day first"),
        (["03/04/2024", "04/13/2024"], [dt.datetime(2024, 3, 4), DAY], "x: month first"),
        (["4-13-2024"], [DAY], "x: month first"),
        (["13/4/24", "1/2/99"], [DAY, dt.datetime(1999, 2, 1)], "x: day first"),
        (["13.04.24 7:05"], [DAY.replace(hour=7, minute=5)], "x: day first"),
        (
            ["4/13/2024 1:05 PM", "4/14/2024 12:00 AM"],
            [DAY.replace(hour=13, minute=5), dt.datetime(2024, 4, 14)],
            "x: month first",
        ),
        (["13/04/2024 01:05:06pm"], [dt.datetime(2024, 4, 13, 13, 5, 6)], "x: day first"),
        (["2024-04-13", "2024/4/13", "2024.04.13", "20240413"], [DAY] * 4, ""),
        (["2024-04-13T10:00", "2024-04-13 10:00:00"], [DAY.replace(hour=10)] * 2, ""),
        (["2024-04-13T10:00:00.25"], [dt.datetime(2024, 4, 13, 10, 0, 0, 250_000)], ""),
        (
            ["2024-04-13", "NA", "", None, "2024-02-30", "soon"],
            [DAY, None, None, None, None, None],
            "x: year first",
        ),
        (
            ["2024-02-29", "2023-02-29", "2024-13-01", "2024-01-05"],
            [dt.datetime(2024, 2, 29), None, None, dt.datetime(2024, 1, 5)],
            "x: year first",
        ),
        (["soon", "never"], [None, None], ""),  # of what is no date nothing is guessed
        (["13/04/2024", "14/04/2024", "04/13/2024"], [DAY, dt.datetime(2024, 4, 14), None], "x: day first"),
    ],
)
def test_dates_as_exports_write_them(texts: list, expected: list, guess: str) -> None:
    assert moments(texts) == (expected, guess)


@pytest.mark.parametrize(("day_first", "month"), [(True, 4), (False, 3)])
def test_an_order_that_is_given_decides_and_is_no_guess(day_first: bool, month: int) -> None:
    day = 7 - month
    assert moments(["03/04/2024"], day_first) == ([dt.datetime(2024, month, day)], "")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            ["03/04/2024", "05/06/2024"],
            "x: every date reads both day first and month first (such as '03/04/2024'). "
            "Say which with day_first=True or day_first=False.",
        ),
        (
            ["13/04/2024", "04/13/2024"],
            "x: '13/04/2024' is day first and '04/13/2024' month first, as many of each. "
            "Say which with day_first=True or day_first=False.",
        ),
        (
            ["2024-06-30T22:30:00Z", "2024-06-30 22:30+02:00"],
            "x has a time zone, and a month depends on whose clock is read. "
            "Say whose with timezone='Europe/Warsaw' (or another zone of the tz database).",
        ),
    ],
)
def test_dates_with_two_readings_are_refused(texts: list, message: str) -> None:
    with pytest.raises(DataError) as refused:
        moments(texts)
    assert str(refused.value) == message


def test_a_zone_makes_moments_local_and_may_move_them_into_the_next_month() -> None:
    texts = [
        "2024-06-30T22:30:00Z",
        "2024-06-30T23:30:00+02:00",
        "2024-12-31 23:30:00.5Z",
        "2024-06-30 22:30:00",
    ]
    read_in = lambda zone: moments(texts, zone=zone)[0]  # noqa: E731
    # Warsaw is two hours ahead in June and one in December; the last has no offset, so it is not read.
    assert read_in("Europe/Warsaw") == [
        dt.datetime(2024, 7, 1, 0, 30),
        dt.datetime(2024, 6, 30, 23, 30),
        dt.datetime(2025, 1, 1, 0, 30, 0, 500_000),
        None,
    ]
    assert read_in("UTC")[0] == dt.datetime(2024, 6, 30, 22, 30)


@pytest.mark.parametrize("zone", ["+02:00", "+0200", "+02", " +0200", " +02:00", "Z", " Z"])
@pytest.mark.parametrize("time", ["T23:30", " 23:30", "T23:30:00", " 23:30:00.000"])
def test_seconds_and_the_blank_before_a_zone_may_be_there_or_not(time: str, zone: str) -> None:
    hours = 0 if zone.endswith("Z") else 2
    read = moments([f"2024-06-30{time}{zone}"], zone="UTC")[0]
    assert read == [dt.datetime(2024, 6, 30, 23, 30) - dt.timedelta(hours=hours)]


@settings(max_examples=25)
@given(
    st.lists(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2068, 12, 31)), min_size=1, max_size=20),
    st.sampled_from(
        [
            "%Y-%m-%d %H:%M:%S",
            "%Y-%m-%dT%H:%M:%S",
            "%d.%m.%Y %H:%M:%S",
            "%Y%m%d",
            "%d.%m.%y",
            "%Y/%m/%d %I:%M:%S %p",
        ]
    ),
)
def test_dates_are_read_back_from_every_style(dates: list[dt.datetime], style: str) -> None:
    written = [date.strftime(style) for date in dates]
    assert moments(written)[0] == [dt.datetime.strptime(text, style) for text in written]


def typed(frame: pd.DataFrame, **hints: object) -> pd.DataFrame:
    ours, *_ = values.typed(ibis.memtable(frame), ["ordered_at"], ["amount"], values.Hints(**hints))
    return ours.to_pandas()


def test_whole_numbers_are_dates_when_they_look_like_one() -> None:
    ours = typed(pd.DataFrame({"ordered_at": [20240701, 20240799, 1719792000]}))
    assert ours["ordered_at"].tolist() == [pd.Timestamp(2024, 7, 1), pd.NaT, pd.NaT]
    assert ours["_bad_date"].fillna("").tolist() == ["", "20240799", "1719792000"]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([1042, 7], ["1042", "7"]),
        ([1042.0, 7.5], ["1042", "7.5"]),
        ([1042.0, None], ["1042", None]),
        ([" 1042 ", "#N/A"], ["1042", None]),
        ([True, False], ["true", "false"]),
    ],
)
def test_ids_are_text_however_the_source_keeps_them(ids: list, expected: list) -> None:
    frame = pd.DataFrame({"customer_id": ids, "order_id": ids})
    ours = typed(frame).astype(object).where(lambda cells: cells.notna(), None)
    assert ours["customer_id"].tolist() == ours["order_id"].tolist() == expected


def test_infinity_and_not_a_number_are_no_numbers() -> None:
    assert typed(pd.DataFrame({"amount": [1.5, float("inf"), None]}))["amount"].tolist()[0] == 1.5
    assert typed(pd.DataFrame({"amount": [1.5, float("inf"), float("-inf"), None]}))["amount"].count() == 1


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            {"ordered_at": [1.5]},
            "ordered_at holds float64, and a date is needed. Map a column of dates, or an expression.",
        ),
        (
            {"amount": [dt.datetime(2024, 7, 1)]},
            "amount holds timestamp, and a number is needed. Map a column of numbers, or an expression.",
        ),
    ],
)
def test_columns_of_another_kind_are_refused(frame: dict, message: str) -> None:
    with pytest.raises(DataError) as refused:
        typed(pd.DataFrame(frame))
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        ({"decimal": ";"}, "decimal ';' is no decimal sign. Say decimal='.' or decimal=','."),
        (
            {"timezone": "Europe/Warszawa"},
            "timezone 'Europe/Warszawa' is not in the tz database. Did you mean 'Europe/Warsaw'?",
        ),
    ],
)
def test_hints_that_are_none_are_refused(hint: dict, message: str) -> None:
    with pytest.raises(DataError) as refused:
        values.Hints(**hint)
    assert str(refused.value) == message


# --- what stands in a text ---------------------------------------------------------------------------

written = st.text(st.sampled_from([*" \t\n\r\v\f", *"NAaul/#$-1é"]), max_size=9)


@settings(max_examples=50)
@given(texts=st.lists(written | st.sampled_from(blanks.WORDS), min_size=1, max_size=30))
def test_a_text_is_stripped_and_a_word_for_nothing_is_nothing(texts: list[str]) -> None:
    stripped = [text.strip(" \t\n\r\v\f") for text in texts]
    assert read(table_of(texts), values.Reading(blanks.filled)) == [
        None if text in blanks.WORDS else text for text in stripped
    ]


def test_what_could_not_be_read_has_a_column_only_where_that_can_be() -> None:
    moments = pd.to_datetime(["2024-07-01", None])
    frame = pd.DataFrame({"customer_id": ["a", "b"], "ordered_at": moments, "amount": [1.5, None]})
    for sent, more in (
        (frame, []),
        (frame.assign(amount=["1.5", "much"]), ["_bad_number"]),
        (frame.assign(ordered_at=["2024-07-01", "soon"]), ["_bad_date"]),
    ):
        typed, *_ = values.typed(ibis.memtable(sent), ["ordered_at"], ["amount"], values.Hints())
        assert list(typed.columns) == [*frame.columns, *more]
        if more:
            assert typed.to_pandas()[more[0]].isna().tolist() == [True, False]
