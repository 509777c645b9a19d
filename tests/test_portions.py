"""A large table asked in portions of its customers: every noun on subscriptions tells the same of it."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import ibis
import pandas as pd
import pytest

from benchmarks import one_size
from retention_kit import (
    churn,
    datasets,
    leaving,
    losses,
    mrr,
    partitions,
    policies,
    portions,
    session,
    tables,
)

AS_OF = "2024-07-01"
KEPT = partial(mrr.revenue_retention, start="2023-06-01", end="2024-01-01")
OTHERS = ("start_plus_new", "average", "exposure", "due_for_renewal")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Some customers of the demo company, some with costs, so that margins are known of a few alone."""
    frame = datasets.demo_subscriptions()
    some = frame[frame["customer_id"].isin(frame["customer_id"].unique()[::6])]
    return some.assign(margin=0.5, cost_to_serve=some["mrr"].where(some["mrr"] > 12))


@pytest.fixture(scope="module")
def whole(frame: pd.DataFrame) -> tables.Loaded:
    return tables.load_subscriptions(frame, as_of=AS_OF)


@pytest.fixture(scope="module")
def parted(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tables.Loaded]:
    path = tmp_path_factory.mktemp("portions") / "subscriptions.parquet"
    frame.to_parquet(path)
    with pytest.MonkeyPatch.context() as patched:
        in_portions(patched, len(frame) // 3 + 1)
        loaded = tables.load_subscriptions(path, as_of=AS_OF)
        assert len(portions.of(loaded)) == 3
        yield loaded


def in_portions(patched: pytest.MonkeyPatch, rows: int) -> None:
    patched.setattr(portions, "_FEW", 0)
    patched.setattr(partitions, "_ROWS", rows)
    patched.setattr(partitions, "_ALIKE", 10**15)


ASKED: dict[str, Callable] = (
    one_size.SUBSCRIBED
    | {f"{name} by plan": partial(ask, by="plan") for name, ask in one_size.SUBSCRIBED.items()}
    | {f"churn_rates of {name}": partial(churn.churn_rates, denominator=name) for name in OTHERS}
    | {
        "revenue_retention": KEPT,
        "revenue_retention by plan": partial(KEPT, by="plan"),
        "churn_reasons by kind": partial(leaving.churn_reasons, per="kind", involuntary=["too expensive"]),
        "churn_by_margin": losses.churn_by_margin,
        "explain_figure": partial(churn.explain_figure, figure="5 %", month="2023-10"),
        "save_rate by a policy": partial(losses.save_rate, policy=policies.Policy(reactivation_days=30)),
    }
)


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_portions_give_the_same(ask: Callable, whole: tables.Loaded, parted: tables.Loaded) -> None:
    known = ask(whole)
    assert len(known)
    pd.testing.assert_frame_equal(ask(parted), known, rtol=1e-9)


def test_portions_share_out_the_customers(frame: pd.DataFrame, parted: tables.Loaded) -> None:
    rows = [part.table.select("customer_id").to_pyarrow()["customer_id"] for part in portions.of(parted)]
    customers = [set(each.to_pylist()) for each in rows]
    assert sum(map(len, rows)) == len(frame)
    assert sum(map(len, customers)) == len(set().union(*customers)) == frame["customer_id"].nunique()
    assert all(isinstance(one, int) for one in set().union(*customers))
    assert all(one is part for part in portions.of(parted) for one in portions.of(part))


def test_two_ids_with_one_number_stay_two_customers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "_FEW", 0)
    monkeypatch.setattr(session, "number_of", lambda text: text.length() * 0 + 7)
    fees = datasets.tiny_subscriptions()
    loaded = tables.load_subscriptions(fees, as_of="2024-05-01")
    [part] = portions.of(loaded)
    assert part.table.customer_id.nunique().execute() == loaded.table.customer_id.nunique().execute() == 8


def test_a_small_table_and_one_elsewhere_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "_FEW", len(datasets.tiny_subscriptions()))
    fees = datasets.tiny_subscriptions()
    small = tables.load_subscriptions(fees, as_of="2024-05-01")
    assert [part is small for part in portions.of(small)] == [True]
    in_portions(monkeypatch, 2)
    elsewhere = ibis.duckdb.connect().create_table("elsewhere", fees)
    there = tables.load_subscriptions(elsewhere, as_of="2024-05-01")
    assert [part is there for part in portions.of(there)] == [True]


def test_a_sum_of_which_nothing_is_known_is_not_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    in_portions(monkeypatch, 4)
    datasets.tiny_subscriptions().to_parquet(tmp_path / "tiny.parquet")
    loaded = tables.load_subscriptions(tmp_path / "tiny.parquet", as_of="2024-05-01")

    def ask(part: tables.Loaded) -> ibis.Table:
        return part.table.aggregate(
            rows=part.table.count(), nothing=part.table.mrr.nullif(part.table.mrr).sum()
        )

    found = portions.added(loaded, ask, ())
    assert len(portions.of(loaded)) > 1
    assert found["rows"].tolist() == [loaded.table.count().execute()]
    assert found["nothing"].isna().all()
