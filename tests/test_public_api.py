"""The names people type, and that every way to hand over data gives the same answer."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import ibis
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import retention_kit
from retention_kit import churn, clv, datasets, mrr, nps, purchases, retention, session, tables
from retention_kit.exceptions import DataError

# Functions and classes of each public module. Taking one away breaks somebody's notebook.
PUBLIC = {
    "churn": ["annual_churn", "average_churn", "churn_rates"],
    "clv": ["clv_formula", "clv_historical", "clv_of_subscribers", "retention_uplift"],
    "datasets": [
        *("demo_customers", "demo_orders", "demo_responses", "demo_subscriptions", "demo_truth"),
        *("tiny_customers", "tiny_orders", "tiny_responses", "tiny_subscriptions"),
    ],
    "exhibits": [
        *("Exhibit", "axes", "bounds", "cards", "cards_html", "checks_html", "counted", "data_checks"),
        *("figure", "finding", "heat_table", "notes", "sentence", "table", "value", "warnings"),
    ],
    "headlines": ["Headline", "of"],
    "intervals": ["adjusted_wald", "difference", "mean", "poisson", "ratio", "wilson"],
    "mrr": ["mrr_movements", "revenue_retention"],
    "nps": ["nps", "nps_from_counts"],
    "params": ["Client", "Data", "Table", "client_files", "dump", "find", "read"],
    "periods": [
        *("activity", "birth_values", "check_period", "cohorts", "first_incomplete"),
        *("index", "index_of", "start_of", "starts"),
    ],
    "plots": [
        *("plot_average_retention", "plot_churn_rates", "plot_clv_historical", "plot_first_and_returning"),
        *("plot_mrr_movements", "plot_nps", "plot_retention_curves", "plot_retention_matrix"),
    ],
    "purchases": ["first_and_returning", "repeat_purchase_rate"],
    "reports": ["Outcome", "made_with", "notebooks_folder", "run"],
    "retention": [
        *("assign_cohorts", "average_retention", "period_retention", "retention_change", "retention_rates"),
    ],
    "sentences": ["Voice", "languages", "read_catalogue"],
    "tables": [
        *("Loaded", "assign_customers", "by_columns"),
        *("load", "load_customers", "load_orders", "load_responses", "load_subscriptions"),
        *("orders", "responses", "subscriptions"),
    ],
}


def test_the_public_modules() -> None:
    assert sorted(retention_kit.__all__) == sorted(PUBLIC)
    assert set(PUBLIC) < set(dir(retention_kit))
    assert retention_kit.retention is retention
    with pytest.raises(AttributeError) as error:
        retention_kit.retension
    assert str(error.value) == "module 'retention_kit' has no attribute 'retension'"


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_names(name: str) -> None:
    module = importlib.import_module(f"retention_kit.{name}")
    assert sorted(own_names(module)) == sorted(PUBLIC[name])


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_says_what_it_is(name: str) -> None:
    module = importlib.import_module(f"retention_kit.{name}")
    assert module.__doc__
    assert [own for own in own_names(module) if not getattr(module, own).__doc__] == []


def own_names(module: Any) -> list[str]:
    found = inspect.getmembers(module, lambda value: inspect.isfunction(value) or inspect.isclass(value))
    return [name for name, value in found if value.__module__ == module.__name__ and not name.startswith("_")]


# -- one answer, whatever it is asked of --------------------------------------

AS_OF = datasets.TINY_AS_OF
ORDERS, SUBSCRIPTIONS, RESPONSES = (
    (datasets.tiny_orders, tables.load_orders, ["country", "channel"]),
    (datasets.tiny_subscriptions, tables.load_subscriptions, ["plan", "cancel_reason"]),
    (datasets.tiny_responses, tables.load_responses, ["customer_id", "comment"]),
)


def cohorts_of(orders: Any, *, by: str | None = None, **how: Any) -> pd.DataFrame:
    """A verb gives a lazy table and knows no groups."""
    return retention.assign_cohorts(orders, **how).order_by("customer_id").to_pandas()


NOUNS: dict[Callable, tuple[tuple, dict]] = {
    cohorts_of: (ORDERS, {}),
    retention.retention_rates: (ORDERS, {}),
    purchases.repeat_purchase_rate: (ORDERS, {}),
    purchases.first_and_returning: (ORDERS, {"period": "month"}),
    clv.clv_historical: (ORDERS, {"margin": 0.5}),
    churn.churn_rates: (SUBSCRIPTIONS, {}),
    mrr.mrr_movements: (SUBSCRIPTIONS, {}),
    mrr.revenue_retention: (SUBSCRIPTIONS, {"start": "2024-02-01", "end": "2024-04-01"}),
    nps.nps: (RESPONSES, {"period": "month"}),
}
DATA = {"orders", "subscriptions", "responses"}


def test_every_noun_on_data_is_here() -> None:
    modules = (retention, purchases, churn, mrr, nps, clv)
    on_data = {
        name
        for module in modules
        for name in own_names(module)
        if next(iter(inspect.signature(getattr(module, name)).parameters)) in DATA
    }
    assert on_data - {"assign_cohorts"} == {noun.__name__ for noun in NOUNS} - {"cohorts_of"}


@pytest.mark.parametrize("groups", [None, "one", "two"])
@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_frame_loaded_and_ibis_give_one_answer(noun: Callable, groups: str | None) -> None:
    (make, load, columns), how = NOUNS[noun]
    by = {None: None, "one": columns[0], "two": columns}[groups]
    frame = make()
    answer = noun(frame, as_of=AS_OF, by=by, **how)
    assert len(answer)
    loaded = load(frame, as_of=AS_OF, columns={name: name for name in columns})
    own = session.connection().create_table(session.new_name("api"), frame)
    other = ibis.duckdb.connect().create_table("api", frame)
    given = {
        "loaded": noun(loaded, by=by, **how),
        "loaded with as_of": noun(loaded, as_of=AS_OF, by=by, **how),
        "Ibis, session": noun(own, as_of=AS_OF, by=by, **how),
        "Ibis, elsewhere": noun(other, as_of=AS_OF, by=by, **how),
    }
    for kind, again in given.items():
        pd.testing.assert_frame_equal(again, answer, obj=f"{noun.__name__} of {kind}")
        assert {key: again.attrs.get(key) for key in ("definition", "as_of")} == (
            {key: answer.attrs.get(key) for key in ("definition", "as_of")}
        )


def test_polars_and_arrow_frames_give_the_same_answer() -> None:
    frame = datasets.tiny_orders()
    answer = retention.retention_rates(frame, as_of=AS_OF, by="country")
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    for other in (arrow, pl.from_arrow(arrow), pl.from_arrow(arrow).lazy()):
        again = retention.retention_rates(other, as_of=AS_OF, by="country")
        pd.testing.assert_frame_equal(again, answer)


def test_a_frame_is_left_as_it_was() -> None:
    frame, before = datasets.tiny_orders(), datasets.tiny_orders()
    retention.retention_rates(frame, as_of=AS_OF, by="country")
    purchases.first_and_returning(frame, as_of=AS_OF)
    pd.testing.assert_frame_equal(frame, before)


def test_columns_that_are_not_asked_for_may_be_anything() -> None:
    frame = datasets.tiny_orders().assign(month=pd.Period("2024-01", "M"), nothing=[[]] * 13)
    frame[7] = object()
    answer = retention.retention_rates(frame, as_of=AS_OF)
    pd.testing.assert_frame_equal(answer, retention.retention_rates(datasets.tiny_orders(), as_of=AS_OF))


@pytest.mark.parametrize(
    ("noun", "data", "name"),
    [
        (churn.churn_rates, datasets.tiny_subscriptions, "churned"),
        (mrr.mrr_movements, datasets.tiny_subscriptions, "expansion"),
        (nps.nps, datasets.tiny_responses, "answers"),
        (clv.clv_historical, datasets.tiny_orders, "revenue"),
        (retention.retention_rates, datasets.tiny_orders, "age"),
    ],
)
def test_groups_may_not_be_called_what_the_result_is_called(
    noun: Callable, data: Callable, name: str
) -> None:
    with pytest.raises(DataError) as error:
        noun(data().assign(**{name: "x"}), as_of=AS_OF, by=name)
    assert str(error.value) == (
        f"by='{name}' is a column of the result already. Give yours another name, such as 'by_{name}'."
    )
