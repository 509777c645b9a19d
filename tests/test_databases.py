"""Databases: opened by URL, asked where they are; only answers travel, and no password is repeated."""

import inspect
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest
import sqlglot
import test_public_api as api
import yaml
from ibis.backends.duckdb import Backend as DuckDB
from ibis.backends.sql import SQLBackend

from benchmarks import travels
from retention_kit import (
    comments,
    databases,
    datasets,
    drivers,
    invoices,
    params,
    participation,
    reports,
    retention,
    session,
    tables,
)
from retention_kit.exceptions import DataError, ParamsError

AS_OF = datasets.TINY_AS_OF
BILLS = pd.DataFrame(
    {"customer_id": ["ann", "bob"], "paid_at": "2024-01-05", "months": 1, "amount": [5.0, 7.0]}
)
COPIES = 60


@cache
def many(make: Callable) -> pd.DataFrame:
    """A frame so often that what comes of each row or customer cannot be taken for counts."""
    frame = make()
    if len(frame) > 1_000:
        return frame
    numbers = ["", *(f"-{copy:02}" for copy in range(1, COPIES))]
    copies = pd.concat([frame.assign(_copy=number) for number in numbers], ignore_index=True)
    ids = [name for name in ("customer_id", "order_id") if name in frame.columns]
    return copies.assign(**{name: copies[name] + copies["_copy"] for name in ids}).drop(columns="_copy")


def texts_in(order: str) -> pd.DataFrame:
    """The tiny orders as text, the days written with the year or the day first."""
    orders = datasets.tiny_orders()
    form = {"year first": "%Y-%m-%d %H:%M:%S", "day first": "%d.%m.%Y"}[order]
    return orders.assign(
        ordered_at=orders.ordered_at.dt.strftime(form), amount=orders.amount.map("{:.2f}".format)
    )


@pytest.fixture(scope="module")
def server(postgres: str) -> Iterator[Any]:
    """A connection to the tests' PostgreSQL, with the tiny tables in it."""
    connected = ibis.connect(postgres)
    connected.create_table("tiny_orders", datasets.tiny_orders())
    for make in {given[0] for _, given, _ in api.NOUNS}:
        connected.create_table(f"many_{make.__name__}", many(make))
    connected.create_table("texts", texts_in("year first"))
    yield connected
    connected.disconnect()


@pytest.fixture
def fetched() -> Iterator[Counter]:
    """Rows that come out of PostgreSQL."""
    with travels.fetched() as rows:
        yield rows


# -- PostgreSQL ----------------------------------------------------------------


@pytest.fixture
def anyones() -> Iterator[Path]:
    """A folder that the server's own user may enter; pytest's are for nobody else."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_server_ends_with_the_process_that_started_it(postgres: str, anyones: Path) -> None:
    """Killed, pytest stops nothing itself: what it left would run, and keep its folder, for ever."""
    code = "import servers\nwith servers.postgres() as address: print(address, flush=True); input()"
    started = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=os.environ | {"TMPDIR": str(anyones)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with started:
        address = urlsplit(started.stdout.readline().strip())
        assert len(list(anyones.iterdir())) == 1
        started.kill()
    until = time.monotonic() + 20
    while list(anyones.iterdir()) and time.monotonic() < until:
        time.sleep(0.2)
    assert list(anyones.iterdir()) == []
    with pytest.raises(ConnectionRefusedError), socket.create_connection((address.hostname, address.port)):
        pass


def test_a_table_and_a_query_of_postgres(server: Any, postgres: str) -> None:
    answer = retention.retention_rates(datasets.tiny_orders(), as_of=AS_OF)
    for how in (
        {"table": "tiny_orders"},
        {"table": "public.tiny_orders"},
        {"query": "SELECT * FROM tiny_orders"},
    ):
        loaded = tables.load_orders(postgres, as_of=AS_OF, **how)
        pd.testing.assert_frame_equal(retention.retention_rates(loaded), answer)


def test_a_cohort_table_over_postgres_moves_the_cohort_table_alone(
    server: Any, postgres: str, fetched: Counter
) -> None:
    loaded = tables.load_orders(postgres, table="many_tiny_orders", as_of=AS_OF)
    opening = sum(fetched.values())
    rates = retention.retention_rates(loaded)
    moved = sum(fetched.values()) - opening
    assert loaded.checks["rows"].iloc[0] == COPIES * len(datasets.tiny_orders()) == 780
    days = datasets.tiny_orders().ordered_at.dt.date.nunique()
    assert opening < 120 + 3 * days  # the columns, the counts, and which days have rows
    assert 0 < moved <= 3 * len(rates) + 20
    assert not session.holds(loaded.table)


def test_expressions_and_conditions_are_spelled_for_postgres(server: Any, postgres: str) -> None:
    columns = {"amount": "amount * 2", "first_letter": "upper(left(country, 1))"}
    how: dict[str, Any] = {"columns": columns, "where": "amount > 1 AND country IS NOT NULL", "as_of": AS_OF}
    there = tables.load_orders(postgres, table="tiny_orders", **how)
    here = tables.load_orders(datasets.tiny_orders(), **how)
    assert there.checks.equals(here.checks)
    order = ["customer_id", "ordered_at"]
    rows = [loaded.table.order_by(order).execute()[sorted(loaded.table.columns)] for loaded in (there, here)]
    pd.testing.assert_frame_equal(rows[0], rows[1], check_dtype=False)


def test_plain_text_columns_of_a_database_are_read_where_they_are(
    server: Any, postgres: str, recwarn: pytest.WarningsRecorder
) -> None:
    for how in ({}, {"columns": {"amount": "amount * 2", "first": "left(amount, 1)"}}):
        there = tables.load_orders(postgres, table="texts", as_of=AS_OF, **how)
        here = tables.load_orders(texts_in("year first"), as_of=AS_OF, **how)
        assert there.checks.equals(here.checks)
        assert [note.text for note in there.notes] == [note.text for note in here.notes]
        assert not session.holds(there.table)
        assert there.table.amount.sum().execute() == pytest.approx(here.table.amount.sum().execute())
        answer = retention.retention_rates(here)
        pd.testing.assert_frame_equal(retention.retention_rates(there), answer)
    assert [str(each.message) for each in recwarn if "rows come" in str(each.message)] == []


def test_every_plain_text_means_to_postgres_what_it_means_in_a_file(server: Any) -> None:
    """Days of every kind, blanks, words for nothing: and none that a database would refuse to read."""
    days = [
        "2024-02-29",
        "2023-12-31 23:59:59",
        "2024-01-01T00:00",
        "20240301",
        " NA",
        "2024-01-02 03:04:05.25",
    ]
    amounts = ["1.50", "-2", "NULL", " 7.0", "3", "+0.125"]
    frame = pd.DataFrame({"customer_id": "ann", "ordered_at": days, "amount": amounts})
    server.create_table("plain", frame, overwrite=True)
    there, here = (tables.load_orders(each, as_of=AS_OF) for each in (server.table("plain"), frame))
    assert not session.holds(there.table)
    assert there.checks.equals(here.checks)
    rows = [each.table.order_by("ordered_at").execute() for each in (there, here)]
    pd.testing.assert_frame_equal(*rows, check_dtype=False)


def test_other_texts_are_copied_and_it_is_said_first_how_many_rows(
    server: Any, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.create_table("dotted", texts_in("day first"), overwrite=True)
    answer = retention.retention_rates(datasets.tiny_orders(), as_of=AS_OF)
    why = "table dotted: ordered_at holds text such as '01.02.2024', which is read on this machine"
    with pytest.warns(UserWarning, match=re.escape(f"{why}: 13 rows come from PostgreSQL.")):
        loaded = tables.load_orders(postgres, table="dotted", as_of=AS_OF)
    pd.testing.assert_frame_equal(retention.retention_rates(loaded), answer)
    assert (
        "table dotted was copied out of its database, 13 rows: ordered_at holds text such as 01.02.2024, "
        "which is read here."
    ) in [note.text for note in loaded.notes]
    monkeypatch.setattr(session, "MOST", 12)
    with pytest.raises(DataError) as refused:
        tables.load_orders(postgres, table="dotted", as_of=AS_OF)
    assert str(refused.value) == (
        f"{why}; 13 rows of PostgreSQL are not copied for it. "
        "Make it a TIMESTAMP there, by query='SELECT ... AS ordered_at, ... FROM ...'."
    )


def test_what_is_made_here_says_first_how_many_rows_come(
    server: Any, fetched: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.create_table("rated", api.rated_responses(), overwrite=True)
    server.create_table("bills", BILLS, overwrite=True)
    for ask, why, rows in (
        (lambda: comments.comment_checks(server.table("rated"), as_of=AS_OF), "comments are read here", 11),
        (
            lambda: drivers.key_drivers(server.table("rated"), drivers=["price", "speed"], as_of=AS_OF),
            "key_drivers weighs each answer here",
            11,
        ),
        (
            lambda: invoices.subscriptions_from_invoices(server.table("bills"), as_of=AS_OF),
            "subscriptions_from_invoices reads each invoice here",
            len(BILLS),
        ),
        (
            lambda: participation.respondent_bias(
                server.table("rated"), datasets.tiny_customers(), columns=["segment"], as_of=AS_OF
            ),
            "customers and answers of two engines are joined",
            7,
        ),
    ):
        monkeypatch.setattr(session, "MOST", 100)
        fetched.clear()
        with pytest.warns(UserWarning, match=f"^{why}: {rows} rows come from PostgreSQL.$"):
            ask()
        answered = fetched.total()
        monkeypatch.setattr(session, "MOST", rows - 1)
        fetched.clear()
        with pytest.raises(DataError) as refused:
            ask()
        assert str(refused.value) == (
            f"{why}, and {rows} rows would come from PostgreSQL; {rows - 1} are the most that do. "
            "Ask of fewer with where= or query=, or load what .to_pyarrow() of that table gives."
        )
        assert answered - fetched.total() >= rows  # they had not come yet


# What comes from a server for each noun: counts, however many rows there are, unless it stands here.
EACH_CUSTOMER = {  # a row for each customer of the answer, which has one itself
    *("assign_cohorts", "classify_customers", "summarize_customers", "customer_profits", "overdue_customers"),
    *("reorder_dates", "customer_value", "customers_at_risk", "calibration_holdout", "select_answers"),
}
EACH_ANSWER = {"comment_checks", "themes", "keywords", "key_drivers"}  # a row for each, which it says first
JOINED = {  # with a table on another engine, to which the smaller one travels, which it says first
    *("response_rates", "respondent_bias", "churn_after", "retention_after", "spend_after"),
}
BESIDE = {"tracking", "next_quarter"}  # counts, after the summary of each customer that is made for it first
SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
# The normal run asks one noun of each module, those that read windows and flags, and all that fetch rows;
# `make soak` asks all.
_ALSO = {"explain_figure", "spend_ratio", "cohort_mrr", "save_rate", *EACH_CUSTOMER, *EACH_ANSWER, *BESIDE}
FEW = list({inspect.unwrap(case[0]).__module__: case for case in api.NOUNS}.values())
FEW += [case for case in api.NOUNS if api.name_of(case[0]) in _ALSO and case not in FEW]
NOUNS = api.NOUNS if SOAK else FEW


def test_what_comes_is_known_of_every_noun() -> None:
    names = {api.name_of(noun) for noun, _, _ in api.NOUNS}
    assert names >= EACH_CUSTOMER | EACH_ANSWER | JOINED | BESIDE


@pytest.mark.parametrize(("noun", "given", "how"), NOUNS, ids=[api.name_of(noun) for noun, _, _ in NOUNS])
def test_every_noun_gives_the_same_answer_on_postgres_and_fetches_no_more_than_it_says(
    noun: Callable, given: tuple, how: dict, server: Any, fetched: Counter, recwarn: Any
) -> None:
    make, by = given[0], group_of(noun, given)
    rows = many(make)
    answer = noun(rows, as_of=AS_OF, by=by, **how)
    fetched.clear()
    again = noun(server.table(f"many_{make.__name__}"), as_of=AS_OF, by=by, **how)
    pd.testing.assert_frame_equal(again, answer)
    no_more_comes_than_is_said(api.name_of(noun), rows, answer, fetched.total(), recwarn)


def group_of(noun: Callable, given: tuple) -> str | None:
    """A column to split by that is no customer's own; none where the noun knows no groups."""
    known = [] if hasattr(noun, "__wrapped__") else given[2]
    return next((name for name in known if name != "customer_id"), None)


def no_more_comes_than_is_said(
    name: str, rows: pd.DataFrame, answer: pd.DataFrame, came: int, warned: Any
) -> None:
    moment = next(name for name in rows.columns if name.endswith("_at"))
    few = 180 + rows[moment].dt.date.nunique()  # counts, and which days have rows: not more with more rows
    customers = rows["customer_id"].nunique()
    said = [str(each.message) for each in warned if "rows come from" in str(each.message)]
    assert bool(said) == (name in EACH_ANSWER | JOINED)
    if name in EACH_CUSTOMER | BESIDE:
        assert len(answer) <= came <= few + 3 * customers
    elif name in EACH_ANSWER | JOINED:
        assert came <= few + len(rows) + customers
    else:
        assert 0 < came <= few < len(rows) / 2


def test_a_table_that_is_not_there_and_a_query_that_changes_something(server: Any, postgres: str) -> None:
    def refusal(**how: str) -> str:
        with pytest.raises(DataError) as refused:
            tables.load_orders(postgres, as_of=AS_OF, **how)
        return str(refused.value)

    assert refusal(table="tiny_order").startswith(
        "postgres://... has no table 'tiny_order'. Did you mean 'tiny_orders'? It has ['"
    )
    only = "query: it must be one SELECT. Rows are read, and nothing is changed."
    assert refusal(query="DELETE FROM tiny_orders") == only
    assert refusal(query="WITH gone AS (DELETE FROM tiny_orders RETURNING *) SELECT * FROM gone") == only
    assert refusal(query="SELECT 1; DROP TABLE tiny_orders") == only
    assert refusal() == "A source postgres://... needs one of table= and query=: which rows of it are meant?"
    wrong = refusal(query="SELECT * FROM nowhere")
    assert "nowhere" in wrong
    assert "\n" not in wrong


def test_a_password_is_in_no_message(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        tables.load_orders("postgres://me:s3cret-word@127.0.0.1:1/db", table="orders", as_of=AS_OF)
    assert str(refused.value).startswith("postgres://... cannot be opened: ")
    assert "s3cret-word" not in str(refused.value)


def test_a_client_file_names_a_database_and_its_password_comes_from_the_environment(
    tmp_path: Path, server: Any, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = postgres.replace("unused-word", "${SHOP_PASSWORD}")
    content = {"as_of": AS_OF, "data": {"orders": {"source": address, "table": "tiny_orders"}}}
    (tmp_path / "acme.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ParamsError, match="SHOP_PASSWORD is not set"):
        params.read(tmp_path / "acme.yaml")
    monkeypatch.setenv("SHOP_PASSWORD", "unused-word")
    client = params.read(tmp_path / "acme.yaml")
    assert tables.load(client, "orders").checks["rows"].iloc[0] == len(datasets.tiny_orders())
    assert client.masked(f"cannot reach {postgres}") == f"cannot reach {address}"


def test_a_report_is_made_on_postgres_and_no_file_holds_the_password(
    tmp_path: Path, server: Any, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.create_table("answers", datasets.demo_responses(), overwrite=True)
    monkeypatch.setenv("SHOP_PASSWORD", "unused-word")
    address = postgres.replace("unused-word", "${SHOP_PASSWORD}")
    content = {"as_of": "2024-07-01", "data": {"responses": {"source": address, "table": "answers"}}}
    (tmp_path / "acme.yaml").write_text(yaml.safe_dump(content))
    [outcome] = reports.run([tmp_path / "acme.yaml"], out=tmp_path / "out")
    assert outcome.reason == ""
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(written) > 5
    assert [path for path in written if b"unused-word" in path.read_bytes()] == []


# -- databases that are files --------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    frame = datasets.tiny_orders()
    engine = ibis.duckdb.connect(tmp_path / "shop.ddb")
    engine.create_table("orders", frame)
    engine.disconnect()
    with sqlite3.connect(tmp_path / "shop.db") as connected:
        frame.to_sql("orders", connected, index=False)
    connected.close()
    return tmp_path


@pytest.mark.parametrize("place", ["duckdb://shop.ddb", "sqlite://shop.db"])
@pytest.mark.parametrize("which", [{"table": "orders"}, {"query": "SELECT * FROM orders"}])
def test_duckdb_and_sqlite_files_by_a_client_file(files: Path, place: str, which: dict) -> None:
    content = {"as_of": AS_OF, "data": {"orders": {"source": place, **which}}}
    (files / "acme.yaml").write_text(yaml.safe_dump(content))
    loaded = tables.load(params.read(files / "acme.yaml"), "orders")
    answer = retention.retention_rates(datasets.tiny_orders(), as_of=AS_OF)
    pd.testing.assert_frame_equal(retention.retention_rates(loaded), answer)
    copied = any("SQLite was copied whole" in note.text for note in loaded.notes)
    assert copied == place.startswith("sqlite")


def test_a_database_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for scheme in ("duckdb", "sqlite"):
        with pytest.raises(DataError) as refused:
            tables.load_orders(f"{scheme}://{tmp_path}/none.db", table="orders", as_of=AS_OF)
        assert str(refused.value) == f"There is no file {tmp_path}/none.db. Check the path after {scheme}://."
    assert list(tmp_path.iterdir()) == []


# -- databases elsewhere -------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "driver"), [("bigquery", "google.cloud.bigquery"), ("snowflake", "snowflake.connector")]
)
def test_a_driver_that_is_missing_says_which_extra_has_it(
    scheme: str, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError) as refused:
        tables.load_orders(f"{scheme}://somewhere/shop", table="orders", as_of=AS_OF)
    assert str(refused.value) == (
        f"{scheme}://... needs {driver}. Type: pip install 'retention-kit[{scheme}]'"
    )


class BigQuery(SQLBackend):
    compiler = databases.COMPILERS["bigquery"]()


SNOWFLAKE = databases.COMPILERS["snowflake"]()


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[ir.Expr]:
    """All that DuckDB is asked."""
    asked: list[ir.Expr] = []
    own = DuckDB.compile

    def kept(backend: DuckDB, expression: ir.Expr, *given: Any, **how: Any) -> str:
        asked.append(expression)
        return own(backend, expression, *given, **how)

    monkeypatch.setattr(DuckDB, "compile", kept)
    return asked


# What the many candidates for a figure ask is what the nouns that they explain ask, at length.
ASKED = [case for case in NOUNS if SOAK or api.name_of(case[0]) != "explain_figure"]


@pytest.mark.parametrize(("noun", "given", "how"), ASKED, ids=[api.name_of(noun) for noun, _, _ in ASKED])
def test_what_a_noun_asks_is_written_for_databases_that_cannot_be_had_here(
    noun: Callable, given: tuple, how: dict, compiled: list[ir.Expr], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled, not run: neither can be had without an account. BigQuery knows less, so that is asked."""
    monkeypatch.setattr(DuckDB, "has_operation", BigQuery.has_operation)
    table = ibis.duckdb.connect().create_table("given", given[0]())
    compiled.clear()
    noun(table, as_of=AS_OF, **how)
    backend = table._find_backends()[0][0]
    asked = [each for each in compiled if backend in each._find_backends()[0]]
    assert asked
    for dialect, compiler in (("bigquery", BigQuery.compiler), ("snowflake", SNOWFLAKE)):
        for expression in asked:
            sql = compiler.to_sqlglot(expression.unbind()).sql(dialect)
            [select] = sqlglot.parse(sql, dialect=dialect)
            assert isinstance(select, sqlglot.exp.Query)
            assert "given" in {each.name.lower() for each in select.find_all(sqlglot.exp.Table)}
            # No moment here has a zone, so BigQuery has each as a DATETIME: these take a TIMESTAMP alone.
            assert not re.search(r"TIMESTAMP_(ADD|SUB|DIFF)\(|UNIX_SECONDS\((?!TIMESTAMP\()", sql)


def test_moments_with_a_zone_are_read_as_each_database_knows_it() -> None:
    """What BigQuery calls a TIMESTAMP has one: the door asks for the wall clock of `timezone=`."""
    frame = pd.DataFrame({"customer_id": ["a"], "ordered_at": pd.to_datetime(["2024-03-31T23:30:00Z"])})
    table = ibis.duckdb.connect().create_table("given", frame)
    loaded = tables.load_orders(table, timezone="Europe/Warsaw", as_of=AS_OF)
    assert str(loaded.table.ordered_at.execute()[0]) == "2024-04-01 01:30:00"
    asked = loaded.table.unbind()
    assert (
        ", 'Europe/Warsaw')" in BigQuery.compiler.to_sqlglot(asked).sql("bigquery").partition("DATETIME(")[2]
    )
    assert "CAST(CONVERT_TIMEZONE('Europe/Warsaw', " in SNOWFLAKE.to_sqlglot(asked).sql("snowflake")


def test_months_are_added_to_a_moment_that_bigquery_has_without_a_zone() -> None:
    moment = ibis.table({"at": "timestamp"}, name="given")["at"]
    later = BigQuery.compiler.to_sqlglot((moment + ibis.interval(months=1)).name("later").as_table())
    assert "DATETIME_ADD(`t0`.`at`, INTERVAL '1' MONTH)" in later.sql("bigquery")
