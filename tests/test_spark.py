"""Spark: asked by address, the rows stay there, and what it answers is what DuckDB answers."""

import inspect
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import test_databases as databases
import test_public_api as api
import yaml

from benchmarks import travels
from retention_kit import (
    btyd,
    churn,
    clv,
    datasets,
    nps,
    params,
    recurring,
    retention,
    scratch,
    session,
    spark,
    tables,
)
from retention_kit.exceptions import DataError

AS_OF = datasets.TINY_AS_OF
HERE = "spark://local[2]"
SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"


def module_of(noun: Callable) -> str:
    inner = inspect.unwrap(noun)
    return getattr(inner, "func", inner).__module__.rpartition(".")[2]


def monthly_orders() -> pd.DataFrame:
    """Thirty customers who come back by chance, over 70 months; some names begin or end with f and v."""
    rng = np.random.default_rng(8)
    customer, month = np.nonzero(rng.random((30, 70)) < 0.25)
    start = np.datetime64("2018-01") + month
    moments = start.astype("datetime64[D]") + rng.integers(0, 28, len(month))
    names = np.array([f"{'vf'[number % 2]}{number}f" for number in range(30)])[customer]
    amounts = rng.integers(100, 9_900, len(month)) / 100
    return pd.DataFrame(
        {"customer_id": names, "ordered_at": moments.astype("datetime64[us]"), "amount": amounts}
    )


def daily_orders() -> pd.DataFrame:
    """The same customers, with a day for each month."""
    orders = monthly_orders()
    months = orders["ordered_at"].to_numpy().astype("datetime64[M]").astype(int)
    days = np.datetime64("2024-01-01") + (months - months.min())
    return orders.assign(ordered_at=days.astype("datetime64[us]"))


def long_subscriptions() -> pd.DataFrame:
    """Forty subscribers over 70 months, of whom some come back and some pay more later."""
    rng = np.random.default_rng(9)
    starts = np.datetime64("2018-01-01") + rng.integers(0, 1_500, 60)
    ends = (starts + rng.integers(20, 1_200, 60)).astype("datetime64[us]")
    ends[rng.random(60) < 0.3] = np.datetime64("NaT")
    mrr_each = rng.integers(900, 9_900, 60) / 100
    names = [f"c{number % 40}" for number in range(60)]
    return pd.DataFrame(
        {
            "customer_id": names,
            "started_at": starts.astype("datetime64[us]"),
            "ended_at": ends,
            "mrr": mrr_each,
        }
    )


def long_responses() -> pd.DataFrame:
    """Four hundred answers over 70 months."""
    rng = np.random.default_rng(10)
    days = np.datetime64("2018-01-01") + rng.integers(0, 2_120, 400)
    score = rng.integers(0, 11, 400)
    names = [f"c{number % 90}" for number in range(400)]
    return pd.DataFrame({"customer_id": names, "responded_at": days.astype("datetime64[us]"), "score": score})


LONG_FRAMES = (monthly_orders, daily_orders, long_subscriptions, long_responses)
LONG = {"as_of": "2023-11-01"}


def frame_of(make: Callable) -> pd.DataFrame:
    return make() if make in LONG_FRAMES else databases.many(make)


LONGEST: list[tuple[Callable, Callable, dict]] = [
    (retention.retention_rates, monthly_orders, {"as_of": "2021-05-01"}),  # 40 months
    (retention.retention_rates, monthly_orders, LONG),  # 70
    (retention.retention_rates, daily_orders, {"as_of": "2024-03-11", "period": "day"}),
    (churn.churn_rates, long_subscriptions, LONG),
    (recurring.recurring_rates, long_subscriptions, LONG),
    (nps.nps, long_responses, LONG | {"period": "month"}),
    (clv.summarize_customers, monthly_orders, LONG),
]
NOUNS = [
    (noun, given[0], how | ({"by": by} if (by := databases.group_of(noun, given)) else {}))
    for noun, given, how in api.NOUNS
]
# Retention, churn, recurring revenue, NPS and customer summaries each time; all others by `make soak`.
FAMILIES = ("retention", "cohorts", "churn", "mrr", "recurring", "nps", "clv")
ROWS = (datasets.tiny_orders, datasets.tiny_events, datasets.tiny_subscriptions, datasets.tiny_responses)
FEW = [
    (noun, make, how)
    for noun, make, how in NOUNS
    if make in ROWS and module_of(noun) in FAMILIES and api.name_of(noun) != "explain_figure"
]
ASKED = LONGEST + (NOUNS if SOAK else FEW)


@pytest.fixture(scope="module")
def cluster(spark_session: Any) -> Any:
    """The tests' Spark, with the frames in it as views."""
    frames = {make.__name__: frame_of(make) for make in {make for _, make, _ in ASKED}}
    frames["tiny"] = datasets.tiny_orders()
    orders = frames["tiny"]
    frames["texts"] = orders.astype({"ordered_at": "str", "amount": "str"})
    frames["dotted"] = orders.assign(ordered_at=orders.ordered_at.dt.strftime("%d.%m.%Y"))
    for name, frame in frames.items():
        table = pa.Table.from_pandas(frame, preserve_index=False)
        spark_session.createDataFrame(table).createOrReplaceTempView(name)
    return spark.connected(HERE)


# -- one answer ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("noun", "make", "how"), ASKED, ids=[f"{api.name_of(noun)}-{make.__name__}" for noun, make, _ in ASKED]
)
def test_every_noun_gives_the_same_frame_on_spark(
    noun: Callable, make: Callable, how: dict, cluster: Any, recwarn: Any
) -> None:
    how = {"as_of": AS_OF} | how
    rows = frame_of(make)
    answer = noun(rows, **how)
    with travels.fetched() as came:
        again = noun(cluster.table(make.__name__), **how)
    pd.testing.assert_frame_equal(again, answer)
    assert len(answer)
    if make not in LONG_FRAMES:
        databases.no_more_comes_than_is_said(api.name_of(noun), rows, answer, came.total(), recwarn)


def test_long_histories_are_long() -> None:
    """What the names promise: more periods than an int and a long have bits."""
    for frame, as_of, period in (
        (monthly_orders(), "2023-11-01", "month"),
        (daily_orders(), "2024-03-11", "day"),
    ):
        assert retention.retention_rates(frame, as_of=as_of, period=period)["age"].max() > 63
    assert 31 < retention.retention_rates(monthly_orders(), as_of="2021-05-01")["age"].max() < 63
    assert len(recurring.recurring_rates(long_subscriptions(), as_of="2023-11-01")) > 63


def test_small_tables_are_handed_over_with_their_nulls(cluster: Any) -> None:
    """Ibis alone made nulls of all whole numbers beside a null, and the text NaN of a missing one."""
    small = pa.table({"name": ["ana", None, "ben"], "segment": [1, None, 3], "share": [0.5, None, 1.0]})
    assert cluster.to_pyarrow(ibis.memtable(small).order_by("name")).to_pylist() == (
        [small.to_pylist()[row] for row in (0, 2, 1)]
    )


# -- by a client file ----------------------------------------------------------


def test_a_client_file_names_spark_and_a_fit_takes_what_it_counted(cluster: Any, tmp_path: Path) -> None:
    monthly_orders().to_parquet(tmp_path / "orders.parquet")
    query = f"SELECT * FROM parquet.`{tmp_path}/orders.parquet` WHERE amount > 5"
    how = {"source": HERE, "query": query}
    content = {"as_of": "2023-11-01", "data": {"orders": how}}
    (tmp_path / "acme.yaml").write_text(yaml.safe_dump(content))
    loaded = tables.load(params.read(tmp_path / "acme.yaml"), "orders")
    orders = monthly_orders().query("amount > 5")
    assert loaded.checks["rows"].iloc[0] == len(orders)
    assert not session.holds(loaded.table)
    assert [note.text for note in loaded.notes if "copied" in note.text] == []
    with travels.fetched() as came:
        histogram = clv.customer_histogram(loaded)
    assert 0 < came.total() == len(histogram)
    here = clv.summarize_customers(orders, as_of="2023-11-01")
    assert btyd.fit_bg_nbd(histogram).params == pytest.approx(btyd.fit_bg_nbd(here).params, rel=1e-6)


def test_what_is_not_there_and_what_spark_cannot_read(cluster: Any) -> None:
    def refusal(**how: Any) -> str:
        with pytest.raises(DataError) as refused:
            tables.load_orders(HERE, as_of=AS_OF, **how)
        assert "\n" not in str(refused.value)
        return str(refused.value)

    assert refusal(table="tiny_order").startswith(
        "spark://... has no table 'tiny_order'. Did you mean 'tiny_orders'? It has ["
    )
    assert refusal(table="nowhere.orders").startswith(
        "spark://... cannot list its tables: [SCHEMA_NOT_FOUND]"
    )
    assert refusal(query="SELECT * FROM nowhere").startswith("spark://... cannot be asked the query: ")
    assert refusal(table="dotted") == (
        "table dotted: ordered_at holds text such as '01.02.2024', which is read on this machine; 13 rows "
        "of Spark are not copied for it. Make it a TIMESTAMP there, by query='SELECT ... AS ordered_at, ... "
        "FROM ...'."
    )


def test_plain_text_columns_are_read_where_they_are(cluster: Any) -> None:
    there, here = (
        tables.load_orders(each, as_of=AS_OF) for each in (cluster.table("texts"), datasets.tiny_orders())
    )
    assert not session.holds(there.table)
    assert there.checks.equals(here.checks)
    pd.testing.assert_frame_equal(retention.retention_rates(there), retention.retention_rates(here))


def test_one_process_has_one_spark(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError) as refused:
        spark.connected("spark://local[1]")
    assert str(refused.value) == (
        "This process has a Spark already, on local[2], and the source names local[1]. "
        "Name that one, or stop it first."
    )


def test_a_local_spark_leaves_no_folder_where_the_user_stands(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables_are = "spark.sql.warehouse.dir"
    there = Path(cluster._session.conf.get(tables_are).removeprefix("file:"))
    assert there == scratch.folder() / "spark"
    cluster._session.sql("CREATE TABLE kept AS SELECT 1 AS one")
    assert (there / "kept").is_dir()
    cluster._session.sql("DROP TABLE kept")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    (tmp_path / "spark-defaults.conf").write_text(f"{tables_are} /srv/tables\n")
    assert tables_are not in spark._here()


# -- without Spark -------------------------------------------------------------


@pytest.fixture
def no_session(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    sql = pytest.importorskip("pyspark.sql")
    monkeypatch.setattr(sql.SparkSession, "getActiveSession", classmethod(lambda cls: None))
    yield


def refused_by(address: str) -> str:
    with pytest.raises(DataError) as refused:
        tables.load_orders(address, table="orders", as_of=AS_OF)
    return str(refused.value)


def test_without_pyspark_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert refused_by(HERE) == "spark://... needs pyspark. Type: pip install 'retention-kit[spark]'"


def test_without_java_the_message_says_so(no_session: None, monkeypatch: pytest.MonkeyPatch) -> None:
    install = "Install it (Debian: apt-get install default-jre-headless)."
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    assert refused_by(HERE) == f"spark://... needs Java 17 or 21, and there is none. {install}"
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert refused_by(HERE) == (
        f"spark://... needs Java 17 or 21, and there is none where JAVA_HOME points to. {install}"
    )


@pytest.mark.parametrize(
    "address", ["spark://", "spark://host", "spark://me:s3cret@host:7077", "spark://local[x]"]
)
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(DataError) as refused:
        spark.connected(address)
    assert str(refused.value) == (
        "spark://... names no master. Write spark://host:7077, or spark://local[2] for this machine."
    )


def test_a_master_that_does_not_answer() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(DataError) as refused:
        spark.connected(f"spark://{place}")
    assert str(refused.value) == (
        f"spark://... cannot be opened: nobody answers at {place}. Check the address."
    )


def test_spark_reads_no_letter_into_a_blank() -> None:
    r"""Its own SQL would take \f for f: of finn it left inn."""
    name = ibis.table({"name": "string"}, name="people").name
    backend = SimpleNamespace(compiler=None)
    spark.mend(backend)
    sql = backend.compiler.to_sqlglot(name.strip().startswith("\f")).sql("spark")
    assert "CHR(12)" in sql
    assert "\\f" not in sql
    assert "\\v" not in sql
