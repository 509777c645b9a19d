"""Who was saved, and whose going is no loss."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import datasets, intervals, losses, mrr, tables
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.policies import Policy

SAVED = ["kind", "customers", "saved", "save_rate", "low", "high", "interval"]
SPLIT = [
    *("period", "margin", "customers", "churned", "churned_share", "low", "high", "interval"),
    *("churn", "churn_share", "churn_low", "churn_high", "churn_interval", "margin_lost"),
]


def fees(*rows: tuple, **columns: list) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "started_at", "ended_at", "mrr"])
    dates = {name: pd.to_datetime(frame[name]) for name in ("started_at", "ended_at")}
    return frame.assign(**dates, **columns)


# -- saved --------------------------------------------------------------------


def test_saved_by_hand() -> None:
    table = fees(
        # Three who go down on 10 February: still there on 10 May, gone the day before, gone and back.
        *[("stays", "2024-01-01", "2024-02-10", 20), ("stays", "2024-02-10", None, 10)],
        *[("goes", "2024-01-01", "2024-02-10", 20), ("goes", "2024-02-10", "2024-05-09", 10)],
        *[("back", "2024-01-01", "2024-02-10", 20), ("back", "2024-02-10", "2024-03-01", 10)],
        *[("back", "2024-05-10", None, 5)],
        # Two who pause: one resumes after exactly three months, one never.
        *[("rests", "2024-01-01", "2024-02-10", 20), ("rests", "2024-02-10", "2024-05-10", 20)],
        *[("rests", "2024-05-10", None, 20)],
        *[("sleeps", "2024-01-01", "2024-02-10", 20), ("sleeps", "2024-02-10", None, 20)],
        paused=[False] * 7 + [False, True, False] + [False, True],
    )
    saved = losses.save_rate(table, as_of="2024-06-01")
    assert saved.columns.tolist() == SAVED
    assert saved[SAVED[:4]].to_numpy().tolist() == [["downgrade", 3, 2, 2 / 3], ["pause", 2, 1, 1 / 2]]
    assert (saved["low"][0], saved["high"][0]) == intervals.wilson(2, 3)
    assert set(saved["interval"]) == {"Wilson 95 %"}
    assert saved.attrs["definition"] == (
        "Of the customers who paid less (downgrade) or paused for the first time, those paying 3 months "
        "later; only those observed for 3 months."
    )


def test_only_those_observed_long_enough_count() -> None:
    table = fees(("a", "2024-01-01", "2024-02-10", 20), ("a", "2024-02-10", None, 10))
    # What begins on 10 May is observed only when as_of is later than that.
    assert losses.save_rate(table, as_of="2024-05-10").empty
    assert losses.save_rate(table, as_of="2024-05-11")["customers"].tolist() == [1]
    assert losses.save_rate(table, as_of="2024-05-10", months=2)["saved"].tolist() == [1]


def test_a_customer_counts_once_a_kind_from_the_first_time() -> None:
    table = fees(
        *[("a", "2024-01-01", "2024-02-01", 30), ("a", "2024-02-01", "2024-03-01", 20)],
        *[("a", "2024-03-01", "2024-05-20", 10)],
    )
    saved = losses.save_rate(table, as_of="2024-09-01")
    assert saved[["customers", "saved"]].to_numpy().tolist() == [[1, 1]]  # by 1 May; from March it was not


def test_a_pause_of_one_subscription_of_two_is_a_pause_and_no_downgrade() -> None:
    table = fees(
        *[("a", "2024-01-01", None, 10), ("a", "2024-01-01", "2024-02-01", 20)],
        *[("a", "2024-02-01", "2024-04-01", 20)],
        paused=[False, False, True],
    )
    saved = losses.save_rate(table, as_of="2024-09-01")
    assert saved[["kind", "customers", "saved"]].to_numpy().tolist() == [["pause", 1, 1]]


def test_paused_before_ever_paying_is_no_pause() -> None:
    table = fees(
        *[("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-02-01", None, 10)], paused=[True, False]
    )
    assert losses.save_rate(table, as_of="2024-09-01").empty


def test_a_policy_that_keeps_the_paused_saves_nobody() -> None:
    table = fees(
        *[("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-02-01", None, 10)], paused=[False, True]
    )
    saved = losses.save_rate(table, as_of="2024-09-01", policy=Policy(pauses="kept"))
    assert saved["saved"].tolist() == [0]


def test_saved_by_the_plan_a_customer_joined_on() -> None:
    table = fees(
        *[("a", "2024-01-01", "2024-02-01", 20), ("a", "2024-02-01", None, 10)],
        *[("b", "2024-01-01", "2024-02-01", 30), ("b", "2024-02-01", "2024-03-01", 10)],
        plan=["plus", "basic", "family", "basic"],
    )
    saved = losses.save_rate(table, as_of="2024-06-01", by="plan")
    assert saved.columns.tolist() == ["kind", "plan", *SAVED[1:]]
    assert saved[["plan", "saved"]].to_numpy().tolist() == [["family", 0], ["plus", 1]]


def test_nobody_is_an_empty_frame_with_all_columns() -> None:
    saved = losses.save_rate(fees(("a", "2024-01-01", None, 10)), as_of="2024-06-01")
    assert saved.empty
    assert saved.columns.tolist() == SAVED
    assert saved[["customers", "saved"]].dtypes.tolist() == [np.dtype("int64")] * 2


def test_months_that_are_none() -> None:
    with pytest.raises(ParamsError) as error:
        losses.save_rate(datasets.tiny_subscriptions(), as_of=datasets.TINY_AS_OF, months=0)
    assert str(error.value) == "months is a whole number from 1, and it was 0. Type 3 for a quarter."


ROWS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 120),
        st.integers(0, 90) | st.none(),
        st.sampled_from([0, 5, 7, 20]),
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=15, deadline=None)
@given(ROWS)
def test_saved_are_those_of_a_plain_loop(rows: list[tuple]) -> None:
    first = pd.Timestamp("2024-01-01")
    days = [(who, first + pd.Timedelta(days=day), length, price) for who, day, length, price in rows]
    table = fees(
        *((who, at, n if n is None else at + pd.Timedelta(days=n), price) for who, at, n, price in days)
    )
    as_of, customers, saved = pd.Timestamp("2024-08-01"), 0, 0

    def paid(own: pd.DataFrame, at: pd.Timestamp) -> int:
        return own.loc[(own["started_at"] <= at) & ~(own["ended_at"] <= at), "mrr"].sum()

    for _, own in table.groupby("customer_id"):
        level = 0
        for moment in sorted({*own["started_at"], *own["ended_at"].dropna()}):
            before, level = level, paid(own, moment)
            if 0 < level < before:
                later = moment + pd.DateOffset(months=2)
                customers += later < as_of
                saved += later < as_of and paid(own, later) > 0
                break
    found = losses.save_rate(table, as_of=as_of, months=2)
    assert found[["customers", "saved"]].to_numpy().tolist() == ([[customers, saved]] if customers else [])


# -- by margin ----------------------------------------------------------------


def left(**columns: list) -> pd.DataFrame:
    return fees(
        *[("a", "2024-01-01", "2024-02-10", 20), ("b", "2024-01-01", "2024-02-20", 10)],
        *[("c", "2024-01-01", "2024-02-25", 40), ("d", "2024-01-01", None, 99)],
        **columns,
    )


def test_churn_by_margin_by_hand() -> None:
    table = left(margin=[0.5, 0.5, None, 0.5], cost_to_serve=[4.0, 9.0, 1.0, 99.0])
    split = losses.churn_by_margin(table, as_of="2024-04-01")
    assert split.columns.tolist() == SPLIT
    assert split["margin"].tolist() == ["negative", "not negative", "unknown"]
    assert set(split["period"]) == {pd.Timestamp("2024-02-01")}  # nobody left in March: no row
    assert set(split["customers"]) == {3}
    assert split["churned"].tolist() == [1, 1, 1]
    assert split["churned_share"].tolist() == [1 / 3] * 3
    assert split["churn"].tolist() == [10, 20, 40]
    assert split["churn_share"].tolist() == [10 / 70, 20 / 70, 40 / 70]
    assert split["margin_lost"].tolist()[:2] == [10 * 0.5 - 9, 20 * 0.5 - 4]
    assert split["margin_lost"].isna().tolist() == [False, False, True]
    assert (split["low"][0], split["high"][0]) == intervals.wilson(1, 3)
    x, y = np.array([20, 10, 40]), np.array([0, 10, 0])
    low, high = intervals.ratio(10, 70, y @ y, x @ y, x @ x, 3)
    assert (split["churn_low"][0], split["churn_high"][0]) == pytest.approx((max(low, 0), min(high, 1)))
    assert (split["interval"][0], split["churn_interval"][0]) == (
        "Wilson 95 %",
        "linearised by customer 95 %",
    )


@pytest.mark.parametrize(
    ("columns", "how", "negative"),
    [
        ({"margin": [-0.1, 0.0, 0.5, 1.0]}, {}, ["a"]),
        ({"margin": [3.0, -5.0, 0.0, 1.0]}, {"margin": "money"}, ["b"]),
        ({"cost_to_serve": [20.0, 11.0, 50.0, 0.0]}, {}, ["b", "c"]),
        (
            {"margin": [3.0, 5.0, 1.0, 1.0], "cost_to_serve": [3.0, 6.0, 0.5, 1.0]},
            {"margin": "money"},
            ["b"],
        ),
    ],
)
def test_what_a_margin_is(columns: dict, how: dict, negative: list[str]) -> None:
    split = losses.churn_by_margin(left(**columns), as_of="2024-04-01", **how)
    prices = {"a": 20, "b": 10, "c": 40}
    assert split["churned"].tolist() == [len(negative), 3 - len(negative), 0]
    assert split["churn"][0] == sum(prices[who] for who in negative)
    assert split["margin_lost"][2] == 0


def test_churn_by_margin_adds_up_to_the_bridge() -> None:
    table = datasets.tiny_subscriptions()
    table["margin"] = np.where(table["plan"] == "basic", -0.2, 0.3)
    split = losses.churn_by_margin(table, as_of=datasets.TINY_AS_OF).groupby("period")
    bridge = mrr.mrr_movements(table, as_of=datasets.TINY_AS_OF).set_index("period")
    churned = bridge[bridge["churn"] > 0]
    assert split["churn"].sum().tolist() == churned["churn"].tolist()
    assert split["churned"].sum().tolist() == churned["customers_churned"].tolist()
    assert split["customers"].first().tolist() == churned["customers_churned"].tolist()


def test_a_margin_can_come_from_the_customers_and_groups_are_those_at_leaving() -> None:
    known = pd.DataFrame(
        {"customer_id": ["a", "b", "c"], "margin": [0.1, -0.1, 0.1], "region": ["n", "n", "s"]}
    )
    loaded = tables.assign_customers(
        tables.subscriptions(left(), as_of="2024-04-01"),
        tables.load_customers(known, columns={"region": "region"}),
    )
    split = losses.churn_by_margin(loaded, by="region")
    assert split.columns.tolist() == ["period", "region", *SPLIT[1:]]
    assert split["region"].tolist() == ["n"] * 3 + ["s"] * 3
    assert split["churned"].tolist() == [1, 1, 0, 0, 1, 0]
    assert split.attrs["definition"].endswith("a month after costs; region as at leaving.")


def test_nobody_left_is_an_empty_frame_with_all_columns() -> None:
    table = fees(("a", "2024-01-01", None, 10), margin=[0.5])
    split = losses.churn_by_margin(table, as_of="2024-06-01")
    assert split.empty
    assert split.columns.tolist() == SPLIT


def test_no_margin_at_all() -> None:
    with pytest.raises(DataError) as error:
        losses.churn_by_margin(left(), as_of="2024-04-01")
    assert str(error.value) == (
        "subscriptions has neither margin nor cost_to_serve. "
        "It has ['customer_id', 'started_at', 'ended_at', 'mrr']. Map one with "
        "columns={'margin': 'your_name'}, or join customers that have it with tables.assign_customers."
    )


def test_a_margin_that_is_neither() -> None:
    with pytest.raises(ParamsError) as error:
        losses.churn_by_margin(left(margin=[1.0] * 4), as_of="2024-04-01", margin="moneys")
    assert str(error.value) == (
        "margin 'moneys' is not known. Did you mean 'money'? Choose one of ['share', 'money']."
    )


@pytest.mark.parametrize("noun", [losses.save_rate, losses.churn_by_margin])
def test_an_unknown_policy(noun: Callable) -> None:
    with pytest.raises(ParamsError, match="policy 'tool' is not known"):
        noun(left(margin=[1.0] * 4), as_of="2024-04-01", policy="tool")


def test_a_policy_is_followed() -> None:
    table = left(margin=[0.5] * 4, cancelled_at=pd.to_datetime(["2024-01-31", None, None, None]))
    split = losses.churn_by_margin(table, as_of="2024-04-01", policy=Policy(churn_date="cancel"))
    assert split[split["churned"] > 0]["period"].dt.month.tolist() == [1, 2]
