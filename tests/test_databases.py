"""Databases: opened by URL, asked where they are; only answers travel, and no password is repeated."""

import inspect
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest
import sqlglot
import test_public_api as api
import yaml

from retention_kit import datasets, params, reports, retention, session, tables
from retention_kit.exceptions import DataError, ParamsError

AS_OF = datasets.TINY_AS_OF
FRAMES = {
    make.__name__: make
    for make in (
        datasets.tiny_orders,
        datasets.tiny_events,
        datasets.tiny_subscriptions,
        datasets.tiny_responses,
    )
}


@pytest.fixture(scope="module")
def server(postgres: str) -> Iterator[Any]:
    """A connection to the tests' PostgreSQL, with the tiny tables in it."""
    connected = ibis.connect(postgres)
    for name, make in FRAMES.items():
        connected.create_table(name, make())
    many = pd.concat([datasets.tiny_orders().assign(copy=number) for number in range(300)])
    connected.create_table("many", many.assign(customer_id=many.customer_id + many["copy"].astype(str)))
    texts = datasets.tiny_orders().astype({"ordered_at": "str", "amount": "str"})
    connected.create_table("texts", texts)
    yield connected
    connected.disconnect()


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """Rows that came out of PostgreSQL, by what fetched them."""
    psycopg = pytest.importorskip("psycopg")
    rows: Counter = Counter()
    for name in ("fetchone", "fetchmany", "fetchall"):
        own = getattr(psycopg.Cursor, name)

        def counted(cursor: Any, *args: Any, own: Callable = own, name: str = name, **how: Any) -> Any:
            found = own(cursor, *args, **how)
            rows[name] += len(found) if isinstance(found, list) else found is not None
            return found

        monkeypatch.setattr(psycopg.Cursor, name, counted)
    return rows


# -- PostgreSQL ----------------------------------------------------------------


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
    loaded = tables.load_orders(postgres, table="many", as_of=AS_OF)
    opening = sum(fetched.values())
    rates = retention.retention_rates(loaded)
    moved = sum(fetched.values()) - opening
    assert loaded.checks["rows"].iloc[0] == 300 * len(datasets.tiny_orders()) == 3_900
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


def test_text_columns_of_a_database_are_read_as_those_of_a_file(server: Any, postgres: str) -> None:
    loaded = tables.load_orders(postgres, table="texts", as_of=AS_OF)
    answer = retention.retention_rates(datasets.tiny_orders(), as_of=AS_OF)
    pd.testing.assert_frame_equal(retention.retention_rates(loaded), answer)
    assert "table texts was copied out of its database, for dates or numbers in it are text." in [
        note.text for note in loaded.notes
    ]
    doubled = tables.load_orders(postgres, table="texts", columns={"amount": "amount * 2"}, as_of=AS_OF)
    assert doubled.table.amount.sum().execute() == 2 * loaded.table.amount.sum().execute()


SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
NOUNS = [case for case in api.NOUNS if case[1][0].__name__ in FRAMES]
# The normal run asks one noun of each module, and those that read windows and flags; `make soak` asks all.
_ALSO = {"explain_figure", "spend_ratio", "cohort_mrr", "save_rate"}
FEW = list({inspect.unwrap(case[0]).__module__: case for case in NOUNS}.values())
FEW += [case for case in NOUNS if api.name_of(case[0]) in _ALSO and case not in FEW]
NOUNS = NOUNS if SOAK else FEW


@pytest.mark.parametrize(("noun", "given", "how"), NOUNS, ids=[api.name_of(noun) for noun, _, _ in NOUNS])
def test_every_noun_gives_the_same_answer_on_postgres(
    noun: Callable, given: tuple, how: dict, server: Any
) -> None:
    make, _, columns = given
    by = None if hasattr(noun, "__wrapped__") else columns[0]
    answer = noun(make(), as_of=AS_OF, by=by, **how)
    again = noun(server.table(make.__name__), as_of=AS_OF, by=by, **how)
    pd.testing.assert_frame_equal(again, answer)


def test_a_table_that_is_not_there_and_a_query_that_changes_something(server: Any, postgres: str) -> None:
    def refusal(**how: str) -> str:
        with pytest.raises(DataError) as refused:
            tables.load_orders(postgres, as_of=AS_OF, **how)
        return str(refused.value)

    assert refusal(table="tiny_order").startswith(
        "postgres://... has no table 'tiny_order'. Did you mean 'tiny_orders'? It has ['many', "
    )
    only = "query: it must be one SELECT. Rows are read, and nothing is changed."
    assert refusal(query="DELETE FROM many") == only
    assert refusal(query="WITH gone AS (DELETE FROM many RETURNING *) SELECT * FROM gone") == only
    assert refusal(query="SELECT 1; DROP TABLE many") == only
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


@pytest.mark.parametrize("dialect", ["bigquery", "snowflake", "postgres"])
def test_the_sql_of_cohorts_is_written_for_the_database(dialect: str) -> None:
    """Compiled, not run: neither can be had without an account."""
    loaded = tables.load_orders(datasets.tiny_orders(), as_of=AS_OF)
    for lazy in (
        retention.assign_cohorts(loaded),
        loaded.table.group_by("customer_id").aggregate(n=loaded.table.count()),
    ):
        sql = str(ibis.to_sql(lazy, dialect=dialect))
        parsed = sqlglot.parse_one(sql, dialect=dialect)
        assert parsed.find(sqlglot.exp.Group)
