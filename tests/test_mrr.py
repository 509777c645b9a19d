"""Recurring revenue: by hand, against a plain loop, and against dbt's mrr-playbook."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import datasets, intervals, invoices, mrr, tables
from retention_kit.exceptions import DataError, ParamsError

AS_OF = datasets.TINY_AS_OF
MONEY = ["begin", "new", "reactivation", "expansion", "contraction", "churn", "end"]
PEOPLE = ["customers_begin", "customers_new", "customers_reactivated", "customers_churned", "customers_end"]


def fees(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "started_at", "ended_at", "mrr"])
    dates = {name: pd.to_datetime(frame[name]) for name in ("started_at", "ended_at")}
    return frame.assign(**dates)


# -- movements ----------------------------------------------------------------


def test_bridge_by_hand() -> None:
    bridge = mrr.mrr_movements(datasets.tiny_subscriptions(), as_of=AS_OF)
    assert bridge["period"].dt.strftime("%Y-%m").tolist() == ["2024-01", "2024-02", "2024-03", "2024-04"]
    assert bridge[MONEY].to_numpy().tolist() == [
        [0, 90, 0, 0, 0, 0, 90],
        [90, 30, 0, 20, 10, 10, 120],
        [120, 0, 0, 10, 0, 20, 110],
        [110, 20, 10, 0, 20, 30, 90],
    ]
    assert bridge[PEOPLE].to_numpy().tolist() == [
        [0, 5, 0, 0, 5],
        [5, 2, 0, 1, 6],
        [6, 0, 0, 1, 5],
        [5, 1, 1, 1, 6],
    ]


def test_shape_of_the_frame() -> None:
    bridge = mrr.mrr_movements(datasets.tiny_subscriptions(), as_of=AS_OF, by="plan")
    assert bridge.columns.tolist() == ["period", "plan", *MONEY, *PEOPLE]
    assert bridge["period"].dtype == "datetime64[us]"
    assert set(bridge[MONEY].dtypes) == {np.dtype("float64")}
    assert set(bridge[PEOPLE].dtypes) == {np.dtype("int64")}
    assert bridge.attrs["as_of"] == "2024-05-01"
    assert bridge.attrs["definition"] == (
        "Recurring revenue just before each period and at its end, and the movements between, from each "
        "change of what a customer pays; a change at the first moment belongs to the period; by plan of the "
        "customer's first paid subscription."
    )


def test_joining_and_leaving_inside_one_month_is_new_and_churn() -> None:
    bridge = mrr.mrr_movements(fees(("a", "2024-01-05", "2024-01-20", 10)), as_of="2024-02-01")
    assert bridge[MONEY].to_numpy().tolist() == [[0, 10, 0, 0, 0, 10, 0]]
    assert bridge[PEOPLE].to_numpy().tolist() == [[0, 1, 0, 1, 0]]


def test_a_change_on_the_first_moment_belongs_to_the_period_that_begins() -> None:
    table = fees(("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-02-01", "2024-03-01", 4))
    bridge = mrr.mrr_movements(table, as_of="2024-04-01")
    assert bridge[MONEY].to_numpy().tolist() == [
        [0, 10, 0, 0, 0, 0, 10],
        [10, 0, 0, 0, 6, 0, 4],
        [4, 0, 0, 0, 0, 4, 0],
    ]


def test_a_quiet_month_is_a_row_of_zeros_and_the_open_one_has_none() -> None:
    table = fees(("a", "2024-01-10", None, 10), ("b", "2024-04-02", None, 5))
    bridge = mrr.mrr_movements(table, as_of="2024-04-20")
    assert bridge["period"].dt.month.tolist() == [1, 2, 3]
    assert bridge["new"].tolist() == [10, 0, 0]
    assert bridge["end"].tolist() == [10, 10, 10]


def test_nothing_complete_is_an_empty_frame_with_all_columns() -> None:
    bridge = mrr.mrr_movements(fees(("a", "2024-01-10", None, 10)), as_of="2024-01-20")
    assert bridge.empty
    assert bridge.columns.tolist() == ["period", *MONEY, *PEOPLE]


def test_cents_add_up_where_floats_would_not() -> None:
    rows = [(f"c{i}", "2024-01-05", None, 0.1) for i in range(3)]
    assert mrr.mrr_movements(fees(*rows), as_of="2024-02-01")["end"].tolist() == [0.3]


def test_quarters() -> None:
    bridge = mrr.mrr_movements(datasets.tiny_subscriptions(), as_of=AS_OF, period="quarter")
    assert bridge[["period", *MONEY]].to_numpy().tolist() == [
        [pd.Timestamp("2024-01-01"), 0, 120, 0, 30, 10, 30, 110]
    ]


def test_groups_are_those_a_customer_joined_in_and_add_up() -> None:
    memberships = datasets.tiny_subscriptions()
    whole = mrr.mrr_movements(memberships, as_of=AS_OF).set_index("period")
    parts = mrr.mrr_movements(memberships, as_of=AS_OF, by="plan")
    added = parts.groupby("period")[MONEY + PEOPLE].sum()
    pd.testing.assert_frame_equal(added, whole[MONEY + PEOPLE])
    assert set(parts["plan"]) == {"basic", "plus", "family"}  # ivo's trial was free: she joined on plus
    april = parts[(parts["period"] == "2024-04-01") & (parts["plan"] == "plus")]
    # cleo joined on plus, left, and is back on basic: still of the plus group.
    assert april[["new", "reactivation"]].to_numpy().tolist() == [[20, 10]]


def test_a_group_without_a_name_is_kept() -> None:
    memberships = datasets.tiny_subscriptions().assign(region=None)
    memberships.loc[memberships["customer_id"] == "ana", "region"] = "north"
    parts = mrr.mrr_movements(memberships, as_of=AS_OF, by="region")
    assert parts.loc[parts["period"] == "2024-04-01", "end"].tolist() == [20, 70]
    assert parts["region"].isna().sum() == 4


def plain_bridge(table: pd.DataFrame, months: pd.DatetimeIndex) -> list[list[int]]:
    """The same bridge, slowly: every customer's payment at each of their moments, one after the other."""
    rows = []
    for start, end in itertools.pairwise(months):
        sums = dict.fromkeys(MONEY, 0)
        for _, own in table.groupby("customer_id"):

            def level(moment: pd.Timestamp, own: pd.DataFrame = own) -> int:
                runs = (own["started_at"] <= moment) & ~(own["ended_at"] <= moment)
                return round(own.loc[runs, "mrr"].sum())

            before, ever = 0, False
            for moment in sorted({*own["started_at"], *own["ended_at"].dropna()}):
                now = level(moment)
                inside = start <= moment < end
                if moment < start:
                    sums["begin"] += now - before
                if moment < end:
                    sums["end"] += now - before
                kind = "expansion" if now > before else "contraction"
                if before == 0:
                    kind = "reactivation" if ever else "new"
                elif now == 0:
                    kind = "churn"
                sums[kind] += inside * abs(now - before)
                before, ever = now, ever or now > 0
        rows.append(list(sums.values()))
    return rows


subscription = st.tuples(
    st.sampled_from("abc"),
    st.integers(0, 120),
    st.integers(0, 90) | st.none(),
    st.sampled_from([0, 5, 7, 20]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(subscription, min_size=1, max_size=8))
def test_bridge_is_that_of_a_plain_loop(rows: list[tuple]) -> None:
    first = pd.Timestamp("2024-01-01")
    days = [(who, first + pd.Timedelta(days=day), length, price) for who, day, length, price in rows]
    table = fees(
        *((who, at, n if n is None else at + pd.Timedelta(days=n), price) for who, at, n, price in days)
    )
    if table["started_at"].min() >= pd.Timestamp("2024-04-01"):
        return
    bridge = mrr.mrr_movements(table, as_of="2024-04-01").set_index("period")
    months = pd.date_range("2024-01-01", "2024-04-01", freq="MS")
    found = bridge.reindex(months[:-1])[MONEY].fillna(0)
    assert found.to_numpy().tolist() == plain_bridge(table, months)
    gained = bridge["new"] + bridge["reactivation"] + bridge["expansion"]
    assert (bridge["begin"] + gained - bridge["contraction"] - bridge["churn"]).tolist() == bridge[
        "end"
    ].tolist()
    people = bridge["customers_begin"] + bridge["customers_new"] + bridge["customers_reactivated"]
    assert (people - bridge["customers_churned"]).tolist() == bridge["customers_end"].tolist()


def plain_cents(table: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, int]:
    """The bridge of one month in whole cents, from dictionaries and a walk through each customer's days."""
    cents = dict.fromkeys(MONEY, 0)
    for who in set(table["customer_id"]):
        rows = [row for row in table.itertuples() if row.customer_id == who]
        edges = {row.started_at for row in rows} | {row.ended_at for row in rows if not pd.isna(row.ended_at)}
        paid, ever = 0, False
        for moment in sorted(edges):
            running = [
                round(row.mrr * 100)
                for row in rows
                if row.started_at <= moment and (pd.isna(row.ended_at) or moment < row.ended_at)
            ]
            step = sum(running) - paid
            paid += step
            if moment < start:
                cents["begin"] += step
            elif moment < end and step:
                back = "reactivation" if ever else "new"
                rise = "expansion" if paid > step else back
                cents[rise if step > 0 else "contraction" if paid else "churn"] += abs(step)
            cents["end"] += step * (moment < end)
            ever = ever or paid > 0
    return cents


history = st.tuples(
    st.sampled_from("abc"),
    st.sampled_from(range(0, 121, 5)),
    st.sampled_from([0, 1, 5, 10, 31, 60, 365]) | st.none(),
    st.sampled_from([0.0, 0.01, 3.33, 8.35, 19.99, 1e6]),  # 0 is a trial
)


@settings(max_examples=25, deadline=None)
@given(st.lists(history, min_size=1, max_size=9))
def test_the_bridge_adds_up_to_the_cent_every_month(rows: list[tuple]) -> None:
    first = pd.Timestamp("2024-01-01")
    days = [(who, first + pd.Timedelta(days=day), length, price) for who, day, length, price in rows]
    table = fees(
        *((who, at, n if n is None else at + pd.Timedelta(days=n), price) for who, at, n, price in days)
    )
    bridge = mrr.mrr_movements(table, as_of="2024-06-01").set_index("period")
    cents = (bridge[MONEY] * 100).round().astype("int64")
    gained = cents["new"] + cents["reactivation"] + cents["expansion"]
    assert (cents["begin"] + gained - cents["contraction"] - cents["churn"]).tolist() == cents["end"].tolist()
    assert cents["begin"].tolist() == [0, *cents["end"]][:-1]
    for start in bridge.index:
        assert cents.loc[start].to_dict() == plain_cents(table, start, start + pd.offsets.MonthBegin())


def test_an_annual_plan_is_spread_over_its_months() -> None:
    paid = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b"],
            "period_start": pd.to_datetime(["2023-02-28", "2024-02-28", "2024-01-31"]),
            "period_end": pd.to_datetime(["2024-02-28", "2025-02-28", "2024-02-29"]),
            "amount": [120.00, 150.00, 9.99],
        }
    )
    table = invoices.subscriptions_from_invoices(paid, as_of="2024-04-01")
    bridge = mrr.mrr_movements(table, as_of="2024-04-01")
    assert bridge.tail(3)[MONEY].to_numpy().tolist() == [
        [10, 9.99, 0, 0, 0, 0, 19.99],
        [19.99, 0, 0, 2.5, 0, 9.99, 12.5],
        [12.5, 0, 0, 0, 0, 0, 12.5],
    ]


# -- retention ----------------------------------------------------------------


def test_retention_by_hand() -> None:
    # On 1 February ana 10, ben 20, cleo 20, finn 30, gus 10 and eva 20 (she starts that very moment) pay 110.
    # On 30 April ana pays 20, ben 10, cleo 10, eva 20, gus 10, finn nothing.
    kept = mrr.revenue_retention(
        datasets.tiny_subscriptions(), start="2024-02-01", end="2024-04-30", as_of=AS_OF
    )
    row = kept.iloc[0]
    assert (row["customers"], row["base_mrr"], row["customers_kept"]) == (6, 110, 5)
    assert row["net_revenue_retention"] == 70 / 110
    assert row["gross_revenue_retention"] == 60 / 110
    assert row["logo_retention"] == 5 / 6
    x, now, least = ([10, 20, 20, 30, 10, 20], [20, 10, 10, 0, 10, 20], [10, 10, 10, 0, 10, 20])
    for name, values in (("net", now), ("gross", least)):
        x_, y_ = np.array(x), np.array(values)
        low, high = intervals.ratio(y_.sum(), 110, (y_ * y_).sum(), (x_ * y_).sum(), (x_ * x_).sum(), 6)
        bounds = (max(low, 0), high if name == "net" else min(high, 1))
        assert (row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx(bounds)
    assert (row["logo_low"], row["logo_high"]) == intervals.wilson(5, 6)
    assert (row["interval"], row["logo_interval"]) == ("linearised by customer 95 %", "Wilson 95 %")


def test_shape_of_the_retention_frame() -> None:
    kept = mrr.revenue_retention(
        datasets.tiny_subscriptions(), start="2024-02-01", end="2024-04-30", as_of=AS_OF, by="plan"
    )
    assert kept.columns.tolist() == [
        *("start", "end", "plan", "customers", "base_mrr"),
        *("net_revenue_retention", "net_low", "net_high"),
        *("gross_revenue_retention", "gross_low", "gross_high", "interval"),
        *("customers_kept", "logo_retention", "logo_low", "logo_high", "logo_interval"),
    ]
    assert kept["plan"].tolist() == ["basic", "family", "plus"]
    assert kept["customers"].tolist() == [2, 1, 3]
    assert kept["net_revenue_retention"].tolist() == [30 / 20, 0, 40 / 60]
    assert kept["net_low"].isna().tolist() == [False, True, False]  # family is one customer
    assert kept["start"].tolist() == [pd.Timestamp("2024-02-01")] * 3


def test_a_customer_who_left_and_came_back_in_between_was_kept() -> None:
    table = fees(("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-03-01", None, 10))
    kept = mrr.revenue_retention(table, start="2024-01-01", end="2024-03-01", as_of="2024-04-01")
    assert kept[["net_revenue_retention", "logo_retention"]].to_numpy().tolist() == [[1, 1]]


def test_what_ends_at_the_moment_is_over_and_nobody_has_no_row() -> None:
    table = fees(("a", "2024-01-01", "2024-03-01", 10))
    kept = mrr.revenue_retention(table, start="2024-02-01", end="2024-03-01", as_of="2024-04-01")
    assert kept["customers_kept"].tolist() == [0]
    assert mrr.revenue_retention(table, start="2024-03-01", end="2024-03-02", as_of="2024-04-01").empty


@settings(max_examples=25, deadline=None)
@given(st.lists(subscription, min_size=1, max_size=8))
def test_gross_is_at_most_net_and_at_most_one(rows: list[tuple]) -> None:
    first = pd.Timestamp("2024-01-01")
    days = [(who, first + pd.Timedelta(days=day), length, price) for who, day, length, price in rows]
    table = fees(
        *((who, at, n if n is None else at + pd.Timedelta(days=n), price) for who, at, n, price in days)
    )
    kept = mrr.revenue_retention(table, start="2024-02-01", end="2024-04-01", as_of="2024-06-01")
    assert len(kept) <= 1
    assert (kept["gross_revenue_retention"] <= kept["net_revenue_retention"]).all()
    assert (kept["gross_revenue_retention"] <= 1).all()
    assert (kept["customers_kept"] <= kept["customers"]).all()


# -- errors -------------------------------------------------------------------


def test_missing_mrr() -> None:
    with pytest.raises(DataError) as error:
        mrr.mrr_movements(datasets.tiny_subscriptions().drop(columns="mrr"), as_of=AS_OF)
    assert str(error.value) == (
        "subscriptions is missing ['mrr']. "
        "It has ['customer_id', 'started_at', 'ended_at', 'plan', 'cancel_reason']. "
        "Map your names onto ours with columns={'mrr': 'your_name'}."
    )


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (
            "2024-03-01",
            "2024-02-01",
            "start 2024-03-01 is not before end 2024-02-01. Give the earlier moment as start.",
        ),
        (
            "2024-03-01",
            "2024-05-01",
            "end 2024-05-01 is not before as_of 2024-05-01. What begins at as_of is not observed, so a "
            "change of plan then would look like a loss. Give an earlier end.",
        ),
        (
            "soon",
            "2024-05-01",
            "start 'soon' is no date without a time zone. Type one as start='2024-01-01'.",
        ),
    ],
)
def test_moments_that_cannot_be_compared(start: str, end: str, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        mrr.revenue_retention(datasets.tiny_subscriptions(), start=start, end=end, as_of=AS_OF)
    assert str(error.value) == message


# -- dbt's mrr-playbook -------------------------------------------------------

PLAYBOOK_NAMES = {"started_at": "start_date", "ended_at": "end_date", "mrr": "monthly_amount"}


@pytest.fixture
def playbook(data_folder: Path) -> tables.Loaded:
    path = data_folder / "saas_mrr_playbook" / "subscription_periods.csv"
    return tables.load_subscriptions(
        path, columns={"customer_id": "customer_id", **PLAYBOOK_NAMES}, as_of="2021-01-01"
    )


@pytest.mark.realdata
def test_playbook_months(playbook: tables.Loaded, data_folder: Path) -> None:
    facts = json.loads((data_folder / "saas_mrr_playbook" / "facts.json").read_text())["months"]
    bridge = mrr.mrr_movements(playbook).set_index("period")
    bridge.index = bridge.index.strftime("%Y-%m")
    assert set(facts) <= set(bridge.index)
    for month, fact in facts.items():
        row = bridge.loc[month]
        found = [
            row["new"],
            row["reactivation"],
            row["expansion"],
            -row["contraction"],
            -row["churn"],
            row["end"],
        ]
        names = ("new", "reactivation", "upgrade", "downgrade", "churn", "mrr")
        assert found == [fact[name] for name in names], month
        assert row["customers_end"] == fact["customers"], month
        people = [row["customers_new"], row["customers_reactivated"], row["customers_churned"]]
        assert people == [fact["counts"].get(name, 0) for name in ("new", "reactivation", "churn")], month
    quiet = bridge.drop(index=list(facts))
    assert (quiet[["new", "reactivation", "expansion", "contraction", "churn", "end"]] == 0).all(axis=None)


@pytest.mark.realdata
def test_playbook_published(playbook: tables.Loaded) -> None:
    bridge = mrr.mrr_movements(playbook).set_index("period")
    assert bridge.loc["2018-12-01", MONEY].tolist() == [575, 25, 0, 50, 65, 0, 585]
    december = bridge.loc["2019-12-01"]
    assert december[["begin", "new", "expansion", "contraction", "churn", "end"]].tolist() == [
        *(1840, 100, 50, 30, 705, 1255)
    ]
    lost = december["churn"] + december["contraction"]
    assert lost / december["begin"] == pytest.approx(0.399457, abs=5e-7)
    gained = december["expansion"] + december["reactivation"]
    assert (lost - gained) / december["begin"] == pytest.approx(0.372283, abs=5e-7)
    assert (december["new"] + gained) / lost == pytest.approx(0.204082, abs=5e-7)


@pytest.mark.realdata
def test_playbook_retention(playbook: tables.Loaded) -> None:
    row = mrr.revenue_retention(playbook, start="2018-12-01", end="2019-12-01").iloc[0]
    assert row["base_mrr"] == 585
    assert row["net_revenue_retention"] == pytest.approx(0.700855, abs=5e-7)
    assert row["gross_revenue_retention"] == pytest.approx(0.581197, abs=5e-7)
    assert row["logo_retention"] == 7 / 12
