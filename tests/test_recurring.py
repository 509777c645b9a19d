"""Rates of recurring revenue and the cohort triangle: by hand, against a plain loop, published numbers."""

import itertools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import churn, datasets, intervals, mrr, recurring, tables
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.policies import Policy

AS_OF = datasets.TINY_AS_OF
RATES = [
    *(
        "period",
        "customers_begin",
        "begin",
        "new",
        "reactivation",
        "expansion",
        "contraction",
        "churn",
        "end",
    ),
    *("gross_churn_rate", "gross_low", "gross_high", "net_churn_rate", "net_low", "net_high", "interval"),
    *("quick_ratio", "quick_low", "quick_high"),
    *("customers_churned", "logo_churn", "logo_low", "logo_high", "logo_interval"),
    *("customers_end", "arpa", "arpa_low", "arpa_high", "arpa_interval"),
]
COHORTS = [
    *("cohort", "age", "customers", "first_mrr", "retained", "mrr", "mrr_per_customer"),
    *("mrr_retention", "low", "high", "interval"),
]


def fees(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "started_at", "ended_at", "mrr"])
    dates = {name: pd.to_datetime(frame[name]) for name in ("started_at", "ended_at")}
    return frame.assign(**dates)


# -- rates --------------------------------------------------------------------


def test_rates_by_hand() -> None:
    rates = recurring.recurring_rates(datasets.tiny_subscriptions(), as_of=AS_OF)
    # The bridge: February begins with 90, March with 120, April with 110; nobody paid before January.
    assert rates["period"].dt.month.tolist() == [2, 3, 4]
    assert rates["gross_churn_rate"].tolist() == [(10 + 10) / 90, 20 / 120, (20 + 30) / 110]
    assert rates["net_churn_rate"].tolist() == [0 / 90, (20 - 10) / 120, (50 - 10) / 110]
    assert rates["quick_ratio"].tolist() == [(30 + 20) / 20, 10 / 20, (20 + 10) / 50]
    assert rates["customers_begin"].tolist() == [5, 6, 5]
    assert rates["arpa"].tolist() == [120 / 6, 110 / 5, 90 / 6]


def test_every_rate_names_its_interval() -> None:
    april = recurring.recurring_rates(datasets.tiny_subscriptions(), as_of=AS_OF).iloc[-1]
    assert april["interval"] == "linearised by customer 95 %"
    assert april["logo_interval"] == "Wilson 95 %"
    assert april["arpa_interval"] == "t 95 %"
    assert (april["customers_churned"], april["customers_begin"]) == (1, 5)
    assert (april["logo_low"], april["logo_high"]) == intervals.wilson(1, 5)


def test_chartmogul_example() -> None:
    # 100 at the beginning, 10 churned, 10 contracted, 10 expanded: 20 % gross, 10 % net.
    table = fees(
        *[("gone", "2024-01-01", "2024-02-10", 10)],
        *[("less", "2024-01-01", "2024-02-10", 30), ("less", "2024-02-10", None, 20)],
        *[("more", "2024-01-01", "2024-02-10", 60), ("more", "2024-02-10", None, 70)],
    )
    row = recurring.recurring_rates(table, as_of="2024-03-01").iloc[0]
    assert row["begin"] == 100
    assert row["gross_churn_rate"] == 0.2
    assert row["net_churn_rate"] == 0.1
    assert row["quick_ratio"] == 0.5
    x, gross, net = np.array([10, 30, 60]), np.array([10, 10, 0]), np.array([10, 10, -10])
    for name, y in (("gross", gross), ("net", net)):
        low, high = intervals.ratio(y.sum(), 100, (y * y).sum(), (x * y).sum(), (x * x).sum(), 3)
        low, high = (max(low, 0), min(high, 1)) if name == "gross" else (low, high)
        assert (row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx((low, high))
    grown, lost = np.array([0, 0, 10]), gross
    low, high = intervals.ratio(10, 20, 100, (grown * lost).sum(), (lost * lost).sum(), 3)
    assert (row["quick_low"], row["quick_high"]) == pytest.approx((max(low, 0), high))
    low, high = intervals.mean(90 / 2, np.std([20, 70], ddof=1), 2)
    assert (row["arpa_low"], row["arpa_high"]) == pytest.approx((low, high))


def test_shape_of_the_rates() -> None:
    rates = recurring.recurring_rates(datasets.tiny_subscriptions(), as_of=AS_OF, by="plan")
    assert rates.columns.tolist() == [RATES[0], "plan", *RATES[1:]]
    assert rates["period"].dtype == "datetime64[us]"
    counts = ["customers_begin", "customers_churned", "customers_end"]
    words = ["interval", "logo_interval", "arpa_interval"]
    assert set(rates[counts].dtypes) == {np.dtype("int64")}
    assert (rates[words].dtypes == "str").all()
    assert set(rates.drop(columns=["period", "plan", *counts, *words]).dtypes) == {np.dtype("float64")}
    assert rates.attrs["period"] == "month"
    assert rates.attrs["definition"] == (
        "Recurring revenue lost (gross: churn and contraction; net: less expansion and reactivation) as a "
        "share of that just before the period; logo: customers paying then who do not pay at its end; by "
        "plan of the customer's first paid subscription."
    )


def test_without_losses_the_quick_ratio_is_not_defined_and_churn_is_an_observed_zero() -> None:
    row = recurring.recurring_rates(fees(("a", "2024-01-10", None, 10)), as_of="2024-03-01").iloc[0]
    assert row["gross_churn_rate"] == row["net_churn_rate"] == row["logo_churn"] == 0
    assert math.isnan(row["quick_ratio"]) and math.isnan(row["quick_low"]) and math.isnan(row["quick_high"])
    assert math.isnan(row["gross_low"])  # one customer tells nothing of others
    assert row["logo_high"] == intervals.wilson(0, 1)[1]


def test_with_nobody_left_there_is_no_average() -> None:
    rates = recurring.recurring_rates(fees(("a", "2024-01-10", "2024-02-10", 10)), as_of="2024-05-01")
    assert rates["period"].dt.month.tolist() == [2]  # in March nobody pays: no row
    assert rates["logo_churn"].tolist() == [1]
    assert rates["arpa"].isna().tolist() == [True]


def test_joining_and_leaving_in_between_is_lost_revenue_and_no_lost_logo() -> None:
    table = fees(("a", "2024-01-01", None, 10), ("b", "2024-02-05", "2024-02-20", 5))
    row = recurring.recurring_rates(table, as_of="2024-03-01").iloc[0]
    assert row["gross_churn_rate"] == 5 / 10
    assert (row["customers_churned"], row["logo_churn"]) == (0, 0)


def test_nothing_complete_is_an_empty_frame_with_all_columns() -> None:
    for noun, columns in ((recurring.recurring_rates, RATES), (recurring.cohort_mrr, COHORTS)):
        frame = noun(fees(("a", "2024-01-10", None, 10)), as_of="2024-01-20")
        assert frame.empty
        assert frame.columns.tolist() == columns
        assert frame.dtypes.iloc[0] == "datetime64[us]"


def plain_rates(table: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, list[float]]:
    """What each customer paid before a month and after it, lost and gained in it, one after the other."""
    told: dict[str, list[float]] = {name: [] for name in ("before", "after", "lost", "net", "grown")}
    for _, own in table.groupby("customer_id"):
        level, ever = 0, False
        before = after = lost = gained = new = 0
        for moment in sorted({*own["started_at"], *own["ended_at"].dropna()}):
            runs = (own["started_at"] <= moment) & ~(own["ended_at"] <= moment)
            now = round(own.loc[runs, "mrr"].sum() * 100)
            if moment < start:
                before = now
            elif moment < end:
                if now < level:
                    lost += level - now
                elif level or ever:
                    gained += now - level
                else:
                    new += now - level
            if moment < end:
                after = now
            level, ever = now, ever or now > 0
        for name, cents in zip(told, (before, after, lost, lost - gained, new + gained), strict=True):
            told[name].append(cents / 100)
    return told


ROWS = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.integers(0, 120),
        st.integers(0, 90) | st.none(),
        st.sampled_from([0, 3.33, 0.1, 19.99, 20]),
    ),
    min_size=1,
    max_size=9,
)


def dated(rows: list[tuple]) -> pd.DataFrame:
    first = pd.Timestamp("2024-01-01")
    days = [(who, first + pd.Timedelta(days=day), length, price) for who, day, length, price in rows]
    return fees(
        *((who, at, n if n is None else at + pd.Timedelta(days=n), price) for who, at, n, price in days)
    )


@settings(max_examples=15, deadline=None)
@given(ROWS)
def test_rates_are_those_of_a_plain_loop(rows: list[tuple]) -> None:
    table = dated(rows)
    if table["started_at"].min() >= pd.Timestamp("2024-05-01"):
        return
    rates = recurring.recurring_rates(table, as_of="2024-05-01").set_index("period")
    for start, end in itertools.pairwise(pd.date_range("2024-01-01", "2024-05-01", freq="MS")):
        plain = {name: np.array(values) for name, values in plain_rates(table, start, end).items()}
        x, lost, net, grown = plain["before"], plain["lost"], plain["net"], plain["grown"]
        assert (start in rates.index) == (x.sum() > 0)
        if start not in rates.index:
            continue
        row = rates.loc[start]
        assert row["gross_churn_rate"] == pytest.approx(lost.sum() / x.sum())
        assert row["net_churn_rate"] == pytest.approx(net.sum() / x.sum())
        assert row["logo_churn"] == ((x > 0) & (plain["after"] == 0)).sum() / (x > 0).sum()
        units = ((x > 0) | (lost > 0) | (net != 0)).sum()
        for name, y in (("gross", lost), ("net", net)):
            low, high = intervals.ratio(y.sum(), x.sum(), y @ y, x @ y, x @ x, units)
            if name == "gross":
                low, high = low.clip(0), np.minimum(high, max(1, lost.sum() / x.sum()))
            expected = pytest.approx((low, high), nan_ok=True, rel=1e-9, abs=1e-9)
            assert (row[f"{name}_low"], row[f"{name}_high"]) == expected
        if lost.sum() > 0:
            assert row["quick_ratio"] == pytest.approx(grown.sum() / lost.sum())
        assert row["end"] == pytest.approx(plain["after"].sum())


@settings(max_examples=15, deadline=None)
@given(ROWS)
def test_rates_agree_with_the_bridge_and_with_churn_rates(rows: list[tuple]) -> None:
    table = dated(rows)
    if table["started_at"].min() >= pd.Timestamp("2024-05-01"):
        return
    rates = recurring.recurring_rates(table, as_of="2024-05-01").set_index("period")
    bridge = mrr.mrr_movements(table, as_of="2024-05-01").set_index("period")
    money = ["begin", "new", "reactivation", "expansion", "contraction", "churn", "end"]
    people = ["customers_begin", "customers_end"]
    begun = bridge[bridge["customers_begin"] > 0]
    pd.testing.assert_frame_equal(rates[money + people], begun[money + people])
    lost = churn.churn_rates(table, as_of="2024-05-01").set_index("period")
    assert rates["customers_churned"].tolist() == lost["churned"].tolist()
    assert rates["logo_churn"].tolist() == lost["churn_rate"].tolist()


# -- cohorts ------------------------------------------------------------------


def test_cohorts_by_hand() -> None:
    table = fees(
        *[("a", "2024-01-10", "2024-02-10", 10), ("a", "2024-02-10", None, 15)],
        *[("b", "2024-01-20", "2024-03-01", 20)],
        *[("c", "2024-01-05", "2024-01-15", 30)],  # joined and left in January
        *[("d", "2024-03-01", None, 7)],
    )
    cohorts = recurring.cohort_mrr(table, as_of="2024-04-10")
    assert cohorts.columns.tolist() == COHORTS
    assert cohorts["cohort"].dt.month.tolist() == [1, 1, 1, 3]
    assert cohorts["age"].tolist() == [0, 1, 2, 0]
    assert cohorts["customers"].tolist() == [3, 3, 3, 1]
    assert cohorts["first_mrr"].tolist() == [60, 60, 60, 7]
    assert cohorts["retained"].tolist() == [2, 2, 1, 1]  # b's end on 1 March is a change of March
    assert cohorts["mrr"].tolist() == [30, 35, 15, 7]
    assert cohorts["mrr_per_customer"].tolist() == [30 / 3, 35 / 3, 15 / 3, 7]
    assert cohorts["mrr_retention"].tolist() == [30 / 60, 35 / 60, 15 / 60, 1]
    x, y = np.array([10, 20, 30]), np.array([15, 20, 0])
    low, high = intervals.ratio(35, 60, y @ y, x @ y, x @ x, 3)
    assert (cohorts["low"].iloc[1], cohorts["high"].iloc[1]) == pytest.approx((max(low, 0), high))
    assert set(cohorts["interval"]) == {"linearised by customer 95 %"}
    assert cohorts.attrs["definition"] == (
        "What the customers who first paid in one month pay at the end of it and of each later one, as a "
        "share of what they paid at first."
    )


def test_cohorts_by_plan_add_up_and_keep_the_plan_they_joined_on() -> None:
    whole = recurring.cohort_mrr(datasets.tiny_subscriptions(), as_of=AS_OF).set_index(["cohort", "age"])
    parts = recurring.cohort_mrr(datasets.tiny_subscriptions(), as_of=AS_OF, by="plan")
    assert parts.columns.tolist()[:3] == ["cohort", "plan", "age"]
    sums = ["customers", "first_mrr", "retained", "mrr"]
    pd.testing.assert_frame_equal(parts.groupby(["cohort", "age"])[sums].sum(), whole[sums])


def test_a_cohort_without_a_name_is_kept() -> None:
    table = fees(("a", "2024-01-10", None, 10), ("b", "2024-01-10", None, 5)).assign(region=["north", None])
    cohorts = recurring.cohort_mrr(table, as_of="2024-03-01", by="region")
    assert cohorts["mrr"].tolist() == [10, 10, 5, 5]
    assert cohorts["region"].isna().tolist() == [False, False, True, True]


@settings(max_examples=15, deadline=None)
@given(ROWS)
def test_cohorts_are_those_of_a_plain_loop(rows: list[tuple]) -> None:
    table = dated(rows)
    if table["started_at"].min() >= pd.Timestamp("2024-05-01"):
        return
    months = pd.date_range("2024-01-01", "2024-05-01", freq="MS")
    cohorts = recurring.cohort_mrr(table, as_of="2024-05-01").set_index(["cohort", "age"])
    paid = table[(table["mrr"] > 0) & ~(table["ended_at"] <= table["started_at"])]
    births = paid.groupby("customer_id")["started_at"].min()
    firsts = {
        who: paid.loc[(paid["customer_id"] == who) & (paid["started_at"] == birth), "mrr"].sum()
        for who, birth in births.items()
    }
    cells = 0
    for i, cohort in enumerate(months[:-1]):
        members = [who for who, birth in births.items() if cohort <= birth < months[i + 1]]
        for age, end in enumerate(months[i + 1 :] if members else []):
            runs = paid[(paid["started_at"] < end) & ~(paid["ended_at"] < end)]
            now = np.array([runs.loc[runs["customer_id"] == who, "mrr"].sum() for who in members])
            row, first = cohorts.loc[(cohort, age)], np.array([firsts[who] for who in members])
            assert (row["customers"], row["retained"]) == (len(members), (now > 0).sum())
            assert (row["mrr"], row["first_mrr"]) == pytest.approx((now.sum(), first.sum()))
            low, high = intervals.ratio(
                now.sum(), first.sum(), now @ now, now @ first, first @ first, len(members)
            )
            # Where all keep nearly the same share, its spread is what is left of two squares that are nearly
            # equal: of their sixteen digits the root keeps half.
            expected = pytest.approx((low.clip(0), high), nan_ok=True, abs=1e-7)
            assert (row["low"], row["high"]) == expected
            cells += 1
    assert len(cohorts) == cells


# -- policies and errors ------------------------------------------------------


@pytest.mark.parametrize("noun", [recurring.recurring_rates, recurring.cohort_mrr])
def test_a_policy_is_followed(noun: Callable) -> None:
    table = fees(("a", "2024-01-01", "2024-02-25", 10), ("a", "2024-03-03", None, 10))
    figure = "gross_churn_rate" if noun is recurring.recurring_rates else "mrr_retention"
    house = noun(table, as_of="2024-03-01").iloc[-1]
    assert house[figure] == (1 if figure == "gross_churn_rate" else 0)
    # The return in March is only known later, and then there was no loss in February.
    bridged = noun(table, as_of="2024-04-01", policy=Policy(reactivation_days=10))
    assert bridged[figure].iloc[-2] == 1 - house[figure]
    assert bridged.attrs["notes"] == [
        "Policy custom, not the house's: a gap of at most 10 days is no loss and no return."
    ]
    with pytest.raises(ParamsError, match="policy 'tool' is not known"):
        noun(table, as_of="2024-04-01", policy="tool")


@pytest.mark.parametrize("noun", [recurring.recurring_rates, recurring.cohort_mrr])
def test_missing_mrr(noun: Callable) -> None:
    with pytest.raises(DataError) as error:
        noun(datasets.tiny_subscriptions().drop(columns="mrr"), as_of=AS_OF)
    assert str(error.value) == (
        "subscriptions is missing ['mrr']. "
        "It has ['customer_id', 'started_at', 'ended_at', 'plan', 'cancel_reason']. "
        "Map your names onto ours with columns={'mrr': 'your_name'}."
    )


# -- dbt's mrr-playbook -------------------------------------------------------


@pytest.fixture
def playbook(data_folder: Path) -> tables.Loaded:
    names = {"started_at": "start_date", "ended_at": "end_date", "mrr": "monthly_amount"}
    path = data_folder / "saas_mrr_playbook" / "subscription_periods.csv"
    return tables.load_subscriptions(
        path, columns={"customer_id": "customer_id", **names}, as_of="2021-01-01"
    )


@pytest.mark.realdata
def test_playbook_rates(playbook: tables.Loaded) -> None:
    rates = recurring.recurring_rates(playbook).set_index("period")
    december = rates.loc["2019-12-01"]
    assert december["gross_churn_rate"] == pytest.approx(0.399457, abs=5e-7)
    assert december["net_churn_rate"] == pytest.approx(0.372283, abs=5e-7)
    assert december["quick_ratio"] == pytest.approx(0.204082, abs=5e-7)
    assert (december["customers_churned"], december["customers_begin"]) == (17, 42)
    assert (december["gross_low"] < december["gross_churn_rate"]) & (december["gross_high"] < 1)
    earlier = rates.loc["2018-12-01"]
    assert earlier[["begin", "new", "expansion", "contraction", "churn", "end"]].tolist() == [
        *(575, 25, 50, 65, 0, 585)
    ]
    assert earlier["gross_churn_rate"] == 65 / 575
    assert earlier["net_churn_rate"] == 15 / 575
    assert earlier["quick_ratio"] == 75 / 65


@pytest.mark.realdata
def test_playbook_cohort(playbook: tables.Loaded) -> None:
    cohorts = recurring.cohort_mrr(playbook)
    may = cohorts[cohorts["cohort"] == pd.Timestamp("2019-05-01")].head(8)
    assert may["age"].tolist() == list(range(8))
    assert set(may["customers"]) == {4}
    assert may["retained"].tolist() == [4, 4, 4, 3, 3, 3, 3, 3]
    assert may["mrr"].tolist() == [155, 185, 185, 135, 135, 135, 135, 135]
    assert may["mrr_retention"].tolist() == [155 / 155, *[185 / 155] * 2, *[135 / 155] * 5]
