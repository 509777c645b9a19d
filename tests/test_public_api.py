"""The names people type, and that every way to hand over data gives the same answer."""

import importlib
import inspect
from collections.abc import Callable
from functools import cache, partial, wraps
from typing import Any

import ibis
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import retention_kit
from retention_kit import (
    activation,
    answers,
    btyd,
    churn,
    clv,
    cohorts,
    comments,
    datasets,
    drivers,
    feedback,
    forecasts,
    growth,
    holdouts,
    inactivity,
    keywords,
    leaving,
    lifecycle,
    losses,
    mrr,
    nps,
    nps_comparisons,
    participation,
    profits,
    purchases,
    recurring,
    retention,
    rfm,
    rhythm,
    satisfaction,
    session,
    spending,
    tables,
    themes,
    tracking,
)
from retention_kit.exceptions import DataError

# Functions and classes of each public module. Taking one away breaks somebody's notebook.
PUBLIC = {
    "activation": ["activation"],
    "answers": ["cautions", "counted_words", "select_answers"],
    "choices": ["Choice", "choose_model", "split_day"],
    "churn": [
        *("annual_churn", "average_churn", "churn_rates", "classify_churn", "convert_churn"),
        *("explain_figure",),
    ],
    "btyd": [
        *("bootstrap", "fit_bg_bb", "fit_bg_nbd", "fit_gamma_gamma", "fit_mbg_nbd", "fit_pareto_nbd"),
        *("model_of",),
    ],
    "clv": [
        *("clv_historical", "customer_histogram", "customer_value", "customers_at_risk"),
        *("summarize_customers",),
    ],
    "concentrations": ["lorenz_curve", "top_share"],
    "contractual": ["fit_bdw", "fit_sbg", "losses_of", "residual_lifetime", "survival"],
    "forecasts": ["next_quarter", "score_forecasts"],
    "growth": ["earned_growth"],
    "holdouts": [
        *("calibration_holdout", "compare_models", "expected_and_actual", "foretells", "foretold"),
    ],
    "economics": ["acquisition_return", "break_even_retention", "clv_formula", "retention_uplift"],
    "feedback": ["against_promoters", "churn_after", "clv_after", "retention_after", "spend_after"],
    "fits": ["Fit", "banded", "digest", "load", "maximize", "outcome_bounds", "refitted", "save", "variance"],
    "portfolios": [
        *("alive_by_pattern", "customer_values", "expected_revenue", "expected_totals"),
        *("new_customer_value",),
    ],
    "predictions": [
        *("Part", "discounted_purchases", "expected_purchases", "expected_spend", "finite", "force_of"),
        *("new_customer", "p_alive", "parts", "purchase_probabilities", "read", "span", "spend_read"),
    ],
    "simulations": ["simulated_customers", "with_spend"],
    "codeframes": ["Codeframe", "Theme", "folder", "of", "read", "starters"],
    "cohorts": ["cohort_revenue"],
    "comments": ["Comments", "cleaned", "comment_checks", "folded", "read"],
    "comparisons": ["compare"],
    "datasets": [
        *("demo_customers", "demo_events", "demo_invitations", "demo_orders", "demo_responses"),
        *("demo_subscriptions", "demo_truth", "tiny_customers", "tiny_events", "tiny_orders"),
        *("tiny_responses", "tiny_subscriptions"),
    ],
    "drivers": ["key_drivers"],
    "exhibits": [
        *("Exhibit", "axes", "cards", "checks_html", "customer_table", "data_checks", "figure", "finding"),
        *("heat_table", "notes", "picture", "sentence", "table", "warnings"),
    ],
    "explanations": ["Candidate", "as_text", "explained", "month_over", "period_given", "sentence"],
    "headlines": ["Headline", "of"],
    "inactivity": ["inactivity_churn", "inactivity_windows"],
    "intervals": [
        *("difference", "difference_of_bounds", "difference_of_means", "error_of_difference"),
        *("holm", "mean", "poisson", "ratio", "wilson"),
    ],
    "invoices": ["periods", "subscriptions_from_invoices"],
    "keywords": ["keywords"],
    "leaving": ["churn_hazard", "churn_reasons", "tenure_survival"],
    "lengths": ["age_word", "check_period", "compounded", "unit"],
    "lifecycle": ["lifecycle", "stickiness"],
    "losses": ["churn_by_margin", "save_rate"],
    "masks": ["masked", "quote"],
    "mrr": ["mrr_movements", "revenue_retention"],
    "nps": ["explain_figure", "nps", "nps_from_counts"],
    "nps_comparisons": ["nps_compare", "nps_compare_groups", "nps_compare_paired", "nps_limits"],
    "nps_sizes": ["nps_sample_size", "nps_smallest_change"],
    "params": ["Client", "Data", "Table", "client_files", "find", "read"],
    "participation": [
        *("comment_bias", "completion_rates", "invitations", "matched", "respondent_bias", "response_rates"),
    ],
    "periods": [
        *("activity", "birth_values", "cohorts", "each_period", "first_incomplete", "index"),
        *("index_of", "of_days", "running_total", "start_of", "starts", "told"),
    ],
    "plots": [
        *("plot_activation", "plot_after", "plot_alive", "plot_average_retention", "plot_churn_hazard"),
        *("plot_churn_rates", "plot_clv_historical", "plot_cohort_revenue", "plot_contract_survival"),
        *("plot_drivers", "plot_keywords", "plot_themes"),
        *("plot_expected_and_actual", "plot_first_and_returning", "plot_lorenz", "plot_tracking"),
        *("plot_churn_reasons", "plot_gap_distribution", "plot_stickiness"),
        *("plot_inactivity_windows", "plot_lifecycle", "plot_mrr_movements", "plot_nps"),
        *("plot_retention_curves", "plot_retention_matrix", "plot_rfm_segments", "plot_survival"),
    ],
    "policies": ["Policy", "applied", "is_paused", "named", "presets"],
    "profits": ["customer_profits", "profits_by"],
    "purchases": [
        *("first_and_returning", "repeat_purchase_rate", "repeat_within", "returning_customer_rate"),
        *("time_to_second_order",),
    ],
    "recurring": ["cohort_mrr", "recurring_rates"],
    "renewals": ["compare_contracts", "contract_survival", "losses_by_renewal"],
    "reports": ["Outcome", "index", "run"],
    "retention": [
        *("assign_cohorts", "average_retention", "explain_figure", "period_retention", "retention_change"),
        *("retention_rates",),
    ],
    "rfm": ["classify_customers", "cut_points", "rfm_segments"],
    "rhythm": [
        *("average_orders", "days_between_orders", "gap_distribution", "orders_per_customer"),
        *("overdue_customers", "reorder_dates"),
    ],
    "scales": ["Scale", "read"],
    "score_intervals": ["Method", "adjusted_wald", "bootstrap", "moments", "named", "score", "wald"],
    "satisfaction": ["ces", "csat"],
    "sentences": ["Voice", "phrase"],
    "spending": ["spend_per_customer", "spend_ratio"],
    "subscribers": ["clv_of_subscribers", "subscriber_return", "subscriber_uplift"],
    "survival": ["log_rank", "survival_at", "survival_curve", "survival_summary"],
    "themes": ["themes"],
    "tracking": ["tracking"],
    "tables": [
        *("Loaded", "assign_customers", "by_columns", "by_words", "load", "load_customers", "load_events"),
        *("load_invitations", "load_orders", "load_responses", "load_subscriptions", "orders"),
        *("orders_or_events", "responses", "subscriptions"),
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
    return [name for name, value in found if _belongs(value, module) and not name.startswith("_")]


def _belongs(value: Any, module: Any) -> bool:
    return value.__module__ == module.__name__ or value.__module__.startswith(f"{module.__name__}.")


# -- one answer, whatever it is asked of --------------------------------------

AS_OF = datasets.TINY_AS_OF


def priced_subscriptions() -> pd.DataFrame:
    return datasets.tiny_subscriptions().assign(margin=0.5)


def many_orders() -> pd.DataFrame:
    """Enough customers for a model to be fitted."""
    orders = datasets.demo_orders()
    return orders[orders["customer_id"].isin(sorted(orders["customer_id"].unique())[:900])]


ORDERS, MANY_ORDERS, EVENTS, SUBSCRIPTIONS, PRICED, RESPONSES = (
    (datasets.tiny_orders, tables.load_orders, ["country", "channel"]),
    (many_orders, tables.load_orders, ["country", "channel"]),
    (datasets.tiny_events, tables.load_events, ["country"]),
    (datasets.tiny_subscriptions, tables.load_subscriptions, ["plan", "cancel_reason"]),
    (priced_subscriptions, tables.load_subscriptions, ["plan", "cancel_reason"]),
    (datasets.tiny_responses, tables.load_responses, ["customer_id", "comment"]),
)


def effort() -> pd.DataFrame:
    """The tiny answers on a scale from 1 to 7."""
    answers = datasets.tiny_responses()
    return answers.assign(score=answers["score"].clip(1, 7))


# What answers are joined to, beside them.
EFFORT = (effort, tables.load_responses, ["customer_id", "comment"])
ASKED = tables.load_invitations(
    datasets.tiny_customers()[["customer_id", "segment"]].assign(invited_at="2024-01-09"),
    columns={"segment": "segment"},
    as_of=AS_OF,
)
FEES = tables.load_subscriptions(datasets.tiny_subscriptions(), as_of=AS_OF)
SHOP = tables.load_orders(datasets.tiny_orders(), as_of=AS_OF)
WORTH = pd.DataFrame({"customer_id": ["ana", "ben", "cleo"], "expected_value": [30.0, 10.0, 20.0]})


def ungrouped(noun: Callable, *asked: Any) -> Callable:
    """For what knows no groups: the same, whatever `by` says. A lazy table is read, in one order."""

    @wraps(noun)
    def answered(data: Any, *, by: str | None = None, **how: Any) -> pd.DataFrame:
        answer = noun(data, *asked, **how)
        return answer.order_by("customer_id").to_pandas() if isinstance(answer, ibis.Table) else answer

    return answered


@wraps(clv.customers_at_risk)
def of_values(orders: Any, *, as_of: str | None = None) -> pd.DataFrame:
    return clv.customers_at_risk(orders, clv.customer_value(orders, as_of=as_of), as_of=as_of)


@wraps(answers.select_answers)
def of_selected(responses: Any, *, as_of: str | None = None) -> pd.DataFrame:
    selected = answers.select_answers(responses, duplicates="latest", as_of=as_of)
    frame = selected.table.select("customer_id", "responded_at", "score").to_pandas()
    frame["responded_at"] = frame["responded_at"].astype("datetime64[us]")  # Spark's are of nanoseconds
    return frame.sort_values(["customer_id", "responded_at"], ignore_index=True)


@wraps(tracking.tracking)
def of_a_split(orders: Any, *, calibration_end: str, as_of: str | None = None) -> pd.DataFrame:
    split = holdouts.calibration_holdout(orders, calibration_end=calibration_end, as_of=as_of)
    fit = btyd.fit_bg_nbd(split)
    return tracking.tracking(orders, fit, calibration_end=calibration_end, as_of=as_of)


@wraps(forecasts.next_quarter)
def of_models(orders: Any, *, as_of: str | None = None) -> pd.DataFrame:
    summary = clv.summarize_customers(orders, as_of=as_of)
    fit, spend = btyd.fit_bg_nbd(summary), btyd.fit_gamma_gamma(summary)
    return forecasts.next_quarter(orders, fit, spend, summary, as_of=as_of)


def rated_responses() -> pd.DataFrame:
    return datasets.tiny_responses().assign(price=[3, 2, 4, 5, 1, 2, 4, 3, 1, 5, 4, 5, 2, 1], speed=range(14))


FORECAST = {"since": "2024-01-01", "until": "2024-04-01", "value": 1.0, "low": 0.5, "high": 2.0}
COMMENTED = (datasets.tiny_responses, tables.load_responses, ["customer_id"])
RATED = (rated_responses, tables.load_responses, ["customer_id", "comment", "price", "speed"])
NOUNS: list[tuple[Callable, tuple, dict]] = [
    (ungrouped(retention.assign_cohorts), ORDERS, {}),
    (retention.retention_rates, ORDERS, {}),
    (retention.retention_rates, ORDERS, {"counting": "on_or_after"}),
    (
        retention.retention_rates,
        ORDERS,
        {"counting": [(1, 2)], "window": "elapsed", "denominator": "eligible"},
    ),
    (retention.retention_rates, EVENTS, {"period": "week_sunday", "age_zero": "return"}),
    (ungrouped(retention.explain_figure, "50 %"), ORDERS, {}),
    (cohorts.cohort_revenue, ORDERS, {}),
    (lifecycle.lifecycle, ORDERS, {}),
    (lifecycle.lifecycle, EVENTS, {"period": "week"}),
    (lifecycle.stickiness, EVENTS, {}),
    (activation.activation, EVENTS, {"event": "saved_favourite", "within_days": 7, "period": "week"}),
    (purchases.repeat_purchase_rate, ORDERS, {"start": "2024-02-01"}),
    (purchases.returning_customer_rate, ORDERS, {"start": "2024-02-01"}),
    (purchases.repeat_within, EVENTS, {}),
    (purchases.time_to_second_order, ORDERS, {}),
    (purchases.first_and_returning, ORDERS, {"period": "month"}),
    (spending.spend_per_customer, ORDERS, {}),
    (spending.spend_ratio, ORDERS, {}),
    (ungrouped(rfm.classify_customers), ORDERS, {}),
    (ungrouped(rfm.cut_points), ORDERS, {}),
    (rfm.rfm_segments, ORDERS, {}),
    (rhythm.orders_per_customer, EVENTS, {}),
    (rhythm.average_orders, ORDERS, {}),
    (rhythm.days_between_orders, ORDERS, {}),
    (rhythm.gap_distribution, EVENTS, {}),
    (rhythm.reorder_dates, ORDERS, {}),
    (rhythm.overdue_customers, ORDERS, {}),
    (rhythm.overdue_customers, EVENTS, {}),
    (inactivity.inactivity_churn, ORDERS, {"window_days": 30}),
    (inactivity.inactivity_windows, EVENTS, {}),
    (clv.clv_historical, ORDERS, {"margin": 0.5}),
    (clv.summarize_customers, ORDERS, {"unit": "day"}),
    (ungrouped(clv.customer_histogram), ORDERS, {}),
    (profits.customer_profits, ORDERS, {"margin": 0.5}),
    (profits.profits_by, ORDERS, {"margin": 0.5, "period": "month"}),
    (ungrouped(growth.earned_growth), ORDERS, {"months": 2}),
    (ungrouped(clv.customer_value), MANY_ORDERS, {"margin": 0.3}),
    (ungrouped(of_values), MANY_ORDERS, {}),
    (ungrouped(holdouts.calibration_holdout), MANY_ORDERS, {"calibration_end": "2023-11-01"}),
    (ungrouped(of_a_split), MANY_ORDERS, {"calibration_end": "2023-11-01"}),
    (ungrouped(of_models), MANY_ORDERS, {}),
    (ungrouped(forecasts.score_forecasts, [FORECAST]), MANY_ORDERS, {}),
    (churn.churn_rates, SUBSCRIPTIONS, {}),
    (churn.churn_rates, SUBSCRIPTIONS, {"denominator": "exposure", "policy": "profitwell"}),
    (ungrouped(partial(churn.explain_figure, month="2024-03"), "50 %"), SUBSCRIPTIONS, {}),
    (leaving.churn_reasons, SUBSCRIPTIONS, {}),
    (leaving.churn_hazard, SUBSCRIPTIONS, {}),
    (leaving.tenure_survival, SUBSCRIPTIONS, {}),
    (mrr.mrr_movements, SUBSCRIPTIONS, {}),
    (mrr.revenue_retention, SUBSCRIPTIONS, {"start": "2024-02-01", "end": "2024-04-01"}),
    (recurring.recurring_rates, SUBSCRIPTIONS, {}),
    (recurring.cohort_mrr, SUBSCRIPTIONS, {}),
    (losses.save_rate, SUBSCRIPTIONS, {"months": 1}),
    (losses.churn_by_margin, PRICED, {}),
    (nps.nps, RESPONSES, {"period": "month"}),
    (ungrouped(comments.comment_checks), RESPONSES, {}),
    (themes.themes, COMMENTED, {"quotes": True}),
    (ungrouped(keywords.keywords), RESPONSES, {"least": 1, "quotes": True}),
    (ungrouped(partial(drivers.key_drivers, drivers=["price", "speed"])), RATED, {}),
    (
        nps.nps,
        RESPONSES,
        {"duplicates": "latest", "scale": "lowest 0, highest 10, promoters_from 8, passives_from 6"},
    ),
    (ungrouped(of_selected), RESPONSES, {}),
    (
        ungrouped(partial(nps_comparisons.nps_compare_paired, earlier="2024-01-01", later="2024-04-01")),
        RESPONSES,
        {"period": "month"},
    ),
    (ungrouped(nps.explain_figure, "10"), RESPONSES, {}),
    (satisfaction.csat, RESPONSES, {"scale": (0, 10), "period": "month"}),
    (satisfaction.ces, EFFORT, {"method": "net"}),
    (ungrouped(participation.response_rates), RESPONSES, {"invited": ASKED, "period": "month"}),
    (ungrouped(participation.completion_rates), RESPONSES, {"questions": ["comment"]}),
    (ungrouped(participation.comment_bias), RESPONSES, {}),
    (ungrouped(participation.respondent_bias, ASKED), RESPONSES, {"columns": ["segment"]}),
    (ungrouped(feedback.churn_after, FEES), RESPONSES, {"days": 14}),
    (ungrouped(feedback.retention_after, SHOP), RESPONSES, {"days": 14, "groups": "score"}),
    (ungrouped(feedback.spend_after, SHOP), RESPONSES, {"days": 14}),
    (ungrouped(feedback.clv_after, WORTH), RESPONSES, {}),
]
DATA = {"orders", "events", "subscriptions", "responses"}
ON_DATA = (
    *(retention, cohorts, lifecycle, activation, purchases, spending, rfm, rhythm, inactivity),
    *(churn, leaving, mrr, recurring, losses, answers, nps, nps_comparisons, clv, holdouts, forecasts),
    *(profits, growth, tracking, drivers, satisfaction, participation, feedback, comments, keywords, themes),
)


def name_of(noun: Callable) -> str:
    inner = inspect.unwrap(noun)
    return getattr(inner, "func", inner).__name__


def test_every_noun_on_data_is_here() -> None:
    on_data = {
        name
        for module in ON_DATA
        for name in own_names(module)
        if next(iter(inspect.signature(getattr(module, name)).parameters)) in DATA
    }
    assert on_data == {name_of(noun) for noun, _, _ in NOUNS}


@cache
def handed_over(make: Callable, load: Callable, columns: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """One table in three ways, the same for all nouns: what one of them keeps must not mislead the next."""
    frame = make()
    loaded = load(frame, as_of=AS_OF, columns={name: name for name in columns})
    own = session.connection().create_table(session.new_name("api"), frame)
    return loaded, own, ibis.duckdb.connect().create_table("api", frame)


CASES = [
    pytest.param(noun, given, how, groups, id=f"{name_of(noun)}-{groups}")
    for noun, given, how in NOUNS
    for groups in ((None,) if hasattr(noun, "__wrapped__") else (None, "one", "all"))
]


@pytest.mark.parametrize(("noun", "given", "how", "groups"), CASES)
def test_frame_loaded_and_ibis_give_one_answer(
    noun: Callable, given: tuple, how: dict, groups: str | None
) -> None:
    make, load, columns = given
    by = {None: None, "one": columns[0], "all": columns}[groups]
    loaded, own, other = handed_over(make, load, tuple(columns))
    answer = noun(make(), as_of=AS_OF, by=by, **how)
    assert len(answer)
    assert "`" not in answer.attrs.get("definition", "")  # it is read by people who know no Markdown
    given_as = {
        "loaded": noun(loaded, by=by, **how),
        "loaded with as_of": noun(loaded, as_of=AS_OF, by=by, **how),
        "Ibis, session": noun(own, as_of=AS_OF, by=by, **how),
        "Ibis, elsewhere": noun(other, as_of=AS_OF, by=by, **how),
    }
    for kind, again in given_as.items():
        pd.testing.assert_frame_equal(again, answer, obj=f"{name_of(noun)} of {kind}")
        assert {key: again.attrs.get(key) for key in ("definition", "as_of")} == (
            {key: answer.attrs.get(key) for key in ("definition", "as_of")}
        )


#: Where nouns of what customers do are (`activation` is of events alone: it asks what was done), and of
#: them the ones whose answer is money, which events do not have.
ON_BEHAVIOUR = (retention, cohorts, lifecycle, purchases, spending, rfm, rhythm, inactivity)
OF_MONEY = {"cohort_revenue", "spend_per_customer", "spend_ratio"}
BEHAVIOURAL = [
    pytest.param(noun, how, id=f"{name_of(noun)}-{number}")
    for number, (noun, _, how) in enumerate(NOUNS)
    if inspect.getmodule(getattr(inspect.unwrap(noun), "func", inspect.unwrap(noun))) in ON_BEHAVIOUR
]


@pytest.mark.parametrize(("noun", "how"), BEHAVIOURAL)
def test_what_customers_do_is_read_of_orders_and_of_events_alike(noun: Callable, how: dict) -> None:
    events = datasets.tiny_events()
    orders = events.rename(columns={"occurred_at": "ordered_at"})
    further = {name: name for name in ("event", "country")}
    loaded = tables.load_events(events, as_of=AS_OF, columns=further)
    if name_of(noun) in OF_MONEY:
        with pytest.raises(DataError, match=r"^This metric needs orders, and it was given events\.$"):
            noun(loaded, **how)
        with pytest.raises(DataError, match=r"^orders is missing \['ordered_at', 'amount'\]\. It has"):
            noun(events, as_of=AS_OF, **how)
        return
    for by in (None, "country"):
        answer = noun(orders, as_of=AS_OF, by=by, **how)
        assert len(answer)
        pd.testing.assert_frame_equal(noun(events, as_of=AS_OF, by=by, **how), answer)
        pd.testing.assert_frame_equal(noun(loaded, by=by, **how), answer)


@pytest.mark.parametrize(
    ("noun", "make"),
    [
        (retention.retention_rates, datasets.tiny_orders),
        (cohorts.cohort_revenue, datasets.tiny_orders),
        (lifecycle.lifecycle, datasets.tiny_orders),
        (lifecycle.stickiness, datasets.tiny_events),
        (churn.churn_rates, priced_subscriptions),
        (mrr.mrr_movements, priced_subscriptions),
        (recurring.recurring_rates, priced_subscriptions),
        (recurring.cohort_mrr, priced_subscriptions),
    ],
)
def test_a_result_without_a_row_says_why(noun: Callable, make: Callable) -> None:
    frame = noun(make(), as_of="2024-01-25")
    assert frame.empty
    assert frame.attrs["notes"][-1] == (
        "No month that was observed to its end (before 25 January 2024) has anybody to count, so there is "
        "no row."
    )
    full = noun(make(), as_of=AS_OF)
    assert not [note for note in full.attrs["notes"] if "no row" in note]


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
