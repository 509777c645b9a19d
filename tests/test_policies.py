"""Named policies: each choice changes a number, and each preset says no more than its sources do."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import churn, datasets, mrr, policies, tables
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.policies import Policy

MOVES = ["new", "reactivation", "expansion", "contraction", "churn", "end"]


def fees(*rows: tuple, **columns: list) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "started_at", "ended_at", "mrr"])
    dates = {name: pd.to_datetime(frame[name]) for name in ("started_at", "ended_at")}
    return frame.assign(**dates, **columns)


def bridge(table: pd.DataFrame, policy: str | Policy, as_of: str = "2024-05-01") -> dict[str, list[float]]:
    """The movements of each month, by the number of the month, of the months in which anything moved."""
    frame = mrr.mrr_movements(table, as_of=as_of, policy=policy)
    moved = frame[frame[MOVES[:-1]].sum(axis=1) > 0]
    rows = moved[MOVES].to_numpy().tolist()
    return dict(zip(moved["period"].dt.month, rows, strict=True))


# -- every choice changes a number --------------------------------------------


def test_a_customer_is_lost_when_cancelling_or_when_the_period_ends() -> None:
    table = fees(("a", "2024-01-01", "2024-03-01", 10), cancelled_at=[pd.Timestamp("2024-02-20")])
    assert bridge(table, Policy(churn_date="period_end"))[3] == [0, 0, 0, 0, 10, 0]
    assert bridge(table, Policy(churn_date="cancel"))[2] == [0, 0, 0, 0, 10, 0]


def test_a_cancellation_ends_what_has_no_end_and_never_makes_anything_longer() -> None:
    table = fees(
        *[("a", "2024-01-01", None, 10), ("b", "2024-01-01", "2024-02-10", 1), ("c", "2024-02-01", None, 5)],
        cancelled_at=pd.to_datetime(["2024-03-05", "2024-03-05", "2024-01-15"]),
    )
    # c cancelled before the first day: never paid, and is over when it begins.
    read = policies.applied(tables.subscriptions(table, as_of="2024-05-01"), Policy(churn_date="cancel"))
    assert read.table.filter(read.table.ended_at < read.table.started_at).count().execute() == 0
    moved = bridge(table, Policy(churn_date="cancel"))
    assert moved == {1: [11, 0, 0, 0, 0, 11], 2: [0, 0, 0, 0, 1, 10], 3: [0, 0, 0, 0, 10, 0]}


def test_who_joins_and_leaves_inside_one_calendar_month_counts_or_never_was() -> None:
    table = fees(
        *[("a", "2024-01-05", "2024-01-20", 10), ("a", "2024-03-03", None, 10)],
        *[("b", "2024-01-05", "2024-02-01", 7)],
    )
    assert bridge(table, Policy(same_month="counted")) == {
        1: [17, 0, 0, 0, 10, 7],
        2: [0, 0, 0, 0, 7, 0],
        3: [0, 10, 0, 0, 0, 10],
    }
    # b left on the first moment of February, which is of February; a's return is now a first payment.
    assert bridge(table, Policy(same_month="ignored")) == {
        1: [7, 0, 0, 0, 0, 7],
        2: [0, 0, 0, 0, 7, 0],
        3: [10, 0, 0, 0, 0, 10],
    }


def test_a_stretch_of_paying_is_unbroken_across_plans_and_subscriptions() -> None:
    table = fees(
        *[("a", "2024-01-05", "2024-01-20", 10), ("a", "2024-01-20", "2024-02-10", 20)],
        *[("b", "2024-01-05", "2024-01-15", 10), ("b", "2024-01-10", "2024-01-25", 5)],
    )
    assert bridge(table, Policy(same_month="ignored")) == {
        1: [10, 0, 10, 0, 0, 20],
        2: [0, 0, 0, 0, 20, 0],
    }


def test_a_gap_of_at_most_so_many_days_is_bridged() -> None:
    table = fees(("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-03-02", None, 15))
    gone = {1: [10, 0, 0, 0, 0, 10], 2: [0, 0, 0, 0, 10, 0], 3: [0, 15, 0, 0, 0, 15]}
    assert bridge(table, Policy(reactivation_days=None)) == gone
    assert bridge(table, Policy(reactivation_days=29)) == gone
    assert bridge(table, Policy(reactivation_days=30)) == {1: [10, 0, 0, 0, 0, 10], 3: [0, 0, 5, 0, 0, 15]}


def test_a_bridge_carries_all_that_ended_just_before_the_gap_and_nothing_else() -> None:
    table = fees(
        *[("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-01-10", "2024-02-01", 5)],
        *[("a", "2024-01-01", "2024-01-20", 3), ("a", "2024-02-01", "2024-02-01", 99)],  # over at once
        *[("a", "2024-02-11", None, 15), ("b", "2024-01-01", "2024-02-01", 1)],  # b never returns
    )
    moved = bridge(table, Policy(reactivation_days=10))
    assert moved[1] == [14, 0, 5, 3, 0, 16]
    assert moved[2] == [0, 0, 0, 0, 1, 15]


def test_a_pause_is_nothing_paid_or_what_was_paid_before() -> None:
    table = fees(
        *[("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-02-01", "2024-03-01", 0)],
        *[("a", "2024-03-01", None, 12)],
        paused=[False, True, False],
    )
    assert bridge(table, Policy(pauses="churn")) == {
        1: [10, 0, 0, 0, 0, 10],
        2: [0, 0, 0, 0, 10, 0],
        3: [0, 12, 0, 0, 0, 12],
    }
    assert bridge(table, Policy(pauses="kept")) == {1: [10, 0, 0, 0, 0, 10], 3: [0, 0, 2, 0, 0, 12]}


def test_a_paused_row_that_still_shows_its_price_pays_nothing_by_the_house() -> None:
    table = fees(("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-02-01", None, 10), paused=["no", "Yes "])
    assert bridge(table, "house")[2] == [0, 0, 0, 0, 10, 0]


def test_several_paused_at_once_pay_together_what_they_paid_before() -> None:
    table = fees(
        *[("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-01-01", "2024-02-01", 20)],
        *[("a", "2024-01-01", "2024-02-01", 3)],  # this one was given up and not paused
        *[("a", "2024-01-01", None, 5)],  # and this one runs on
        *[("a", "2024-02-01", "2024-03-01", 0), ("a", "2024-02-01", "2024-03-01", 0)],
        *[("b", "2024-01-01", None, 4)],  # paused from the start: its own price is all there is
        paused=[0, 0, 0, 0, 1, 1, 1],
    )
    moved = bridge(table, Policy(pauses="kept"))
    assert moved == {1: [42, 0, 0, 0, 0, 42], 2: [0, 0, 0, 3, 0, 39], 3: [0, 0, 0, 30, 0, 9]}


def test_what_ended_long_before_a_pause_is_not_what_was_paid_before_it() -> None:
    table = fees(
        *[("a", "2024-01-01", "2024-01-20", 99), ("a", "2024-01-01", "2024-02-01", 10)],
        *[("a", "2024-02-01", None, 0), ("a", "2024-02-01", None, 0)],
        paused=[False, False, True, True],
    )
    assert bridge(table, Policy(pauses="kept")) == {1: [109, 0, 0, 99, 0, 10]}


def test_prices_are_those_after_the_discount_or_before_it() -> None:
    table = fees(
        *[("a", "2024-01-01", None, 10), ("b", "2024-01-01", None, 10), ("c", "2024-01-01", None, 10)],
        discount=[4.0, None, 12.0],
    )
    assert bridge(table, Policy(discounts="net")) == {1: [16, 0, 0, 0, 0, 16]}
    assert bridge(table, Policy(discounts="gross")) == {1: [30, 0, 0, 0, 0, 30]}


TWICE = [("a", "2024-01-01", "2024-03-01", 10), ("a", "2024-02-10", None, 30), ("b", "2024-01-05", None, 5)]


def test_two_subscriptions_at_once_are_added_up_or_refused() -> None:
    assert bridge(fees(*TWICE), "house")[2] == [0, 0, 30, 0, 0, 45]
    with pytest.raises(DataError) as error:
        bridge(fees(*TWICE, ("b", "2024-01-05", None, 5)), Policy("one", overlaps="forbidden"))
    assert str(error.value) == (
        "policy 'one' (overlaps: forbidden) allows one subscription at a time, and 2 of subscriptions "
        "(2 customers) begin while another of the same customer runs, such as that of 'a' from 2024-02-10. "
        "End the earlier row there, or take overlaps='added'."
    )


@pytest.mark.parametrize(
    "rows",
    [
        [("a", "2024-01-01", "2024-02-10", 10), ("a", "2024-02-10", None, 30)],
        [("a", "2024-01-01", None, 0), ("a", "2024-02-10", None, 30)],
        [("a", "2024-01-01", None, 30), ("a", "2024-02-10", "2024-02-10", 30)],
        [("a", "2024-01-01", None, 30), ("b", "2024-01-01", None, 30)],
    ],
    ids=["a plan swapped", "a free one beside", "over at once", "two customers"],
)
def test_what_is_no_overlap_passes(rows: list[tuple]) -> None:
    strict = Policy("one", overlaps="forbidden")
    assert bridge(fees(*rows), strict) == bridge(fees(*rows), "house")


def test_a_long_subscription_overlaps_all_that_begin_while_it_runs() -> None:
    rows = [("a", "2024-01-01", None, 9), ("a", "2024-01-10", "2024-01-20", 1), ("a", "2024-02-10", None, 1)]
    with pytest.raises(DataError, match=r"2 of subscriptions \(1 customers\) begin"):
        bridge(fees(*rows), Policy(overlaps="forbidden"))


def test_nrr_follows_the_policy_too() -> None:
    table = fees(*[("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-02-01", None, 0)], paused=[False, True])
    moments = {"start": "2024-01-15", "end": "2024-02-15", "as_of": "2024-03-01"}
    assert mrr.revenue_retention(table, **moments)["net_revenue_retention"].item() == 0
    kept = mrr.revenue_retention(table, **moments, policy=Policy(pauses="kept"))
    assert kept["net_revenue_retention"].item() == 1


def test_churn_rates_follow_the_policy_too() -> None:
    table = fees(
        *[("a", "2024-01-01", "2024-03-10", 10), ("b", "2024-01-01", None, 10)],
        *[("c", "2024-02-05", "2024-02-20", 10)],
        cancelled_at=pd.to_datetime(["2024-02-20", None, None]),
    )
    rates = churn.churn_rates(table, as_of="2024-04-01")
    assert rates["churned"].tolist() == [0, 1]
    by_cancelling = churn.churn_rates(table, as_of="2024-04-01", policy=Policy(churn_date="cancel"))
    assert by_cancelling["churned"].tolist() == [1, 0]
    assert by_cancelling["churn_rate"].tolist() == [1 / 2, 0 / 1]
    # Stripe's: a cancels in February, and c, who joined and left in it, counts too. March: b alone is there.
    rates = churn.churn_rates(table, as_of="2024-04-01", policy="stripe")
    assert rates["churn_rate"].tolist() == [0, 2 / 3, 0]
    told = churn.churn_rates(table, as_of="2024-04-01", policy="stripe", denominator="start")
    assert told["churn_rate"].tolist() == [1 / 2, 0]
    both = {"as_of": "2024-04-01", "denominator": "start_plus_new"}
    assert churn.churn_rates(table, **both)["churn_rate"].tolist() == [0, 1 / 3, 1 / 2]
    rates = churn.churn_rates(table, **both, policy="profitwell")
    assert rates["churn_rate"].tolist() == [0, 0, 1 / 2]


# -- against a plain loop -----------------------------------------------------


def plain_levels(rows: list[tuple], days: int) -> dict[str, list[int]]:
    """What each customer pays on each day."""
    paid = {who: [0] * days for who, *_ in rows}
    for who, start, length, price in rows:
        for day in range(start, min(days, start + length)):
            paid[who][day] += price
    return paid


def plain_bridged(levels: list[int], longest: int) -> list[int]:
    bridged, last = list(levels), None
    for day, level in enumerate(levels):
        if level and last is not None and 0 < day - last - 1 <= longest:
            bridged[last + 1 : day] = [levels[last]] * (day - last - 1)
        last = day if level else last
    return bridged


def plain_without_passers_by(levels: list[int], month: Callable[[int], tuple]) -> list[int]:
    kept, start = list(levels), None
    for day, level in enumerate([*levels, 0]):
        if level and start is None:
            start = day
        if not level and start is not None:
            if month(start) == month(day):
                kept[start:day] = [0] * (day - start)
            start = None
    return kept


ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 80), st.integers(0, 50), st.sampled_from([0, 5, 7])),
    min_size=1,
    max_size=7,
)


@settings(max_examples=25, deadline=None)
@given(ROWS, st.integers(1, 40) | st.none(), st.sampled_from(["counted", "ignored"]))
def test_bridging_and_passers_by_are_those_of_a_plain_loop(
    rows: list[tuple], longest: int | None, same_month: str
) -> None:
    first = pd.Timestamp("2024-01-01")
    day = [first + pd.Timedelta(days=n) for n in range(200)]
    table = fees(*((who, day[start], day[start + length], price) for who, start, length, price in rows))
    policy = Policy(reactivation_days=longest, same_month=same_month)
    loaded = policies.applied(tables.subscriptions(table, as_of=day[199]), policy)
    read = loaded.table.to_pandas()
    found = [
        (who, (start - first).days, (end - start).days, price)
        for who, start, end, price in zip(
            read["customer_id"], read["started_at"], read["ended_at"], read["mrr"], strict=True
        )
    ]
    levels = plain_levels(found, 199)
    for who, expected in plain_levels(rows, 199).items():
        if longest:
            expected = plain_bridged(expected, longest)
        if same_month == "ignored":
            expected = plain_without_passers_by(expected, lambda n: (day[n].year, day[n].month))
        assert levels.get(who, [0] * 199) == expected


# -- presets ------------------------------------------------------------------


def test_every_preset_settles_every_field_or_says_that_its_sources_do_not() -> None:
    cells = policies.presets()
    assert cells.columns.tolist() == ["preset", "field", "value", "used", "says", "source"]
    assert (cells.dtypes == "str").all()
    names = ["house", "stripe", "chartmogul", "profitwell", "recurly"]
    fields = [
        *("churn_date", "same_month", "reactivation_days", "pauses", "discounts"),
        *("denominator", "revenue_churn"),
    ]
    assert list(zip(cells["preset"], cells["field"], strict=True)) == [
        (name, field) for name in names for field in fields
    ]
    house = cells[cells["preset"] == "house"].set_index("field")["value"]
    for row in cells[cells["preset"] != "house"].itertuples():
        unsettled = row.value in ("not stated", "varies")
        assert row.used == (house[row.field] if unsettled else row.value)
        assert (row.source == "not stated") == (row.says == "")
        assert row.source == "not stated" or ", https://" in row.source
        assert row.says or row.value == "not stated"


@pytest.mark.parametrize("name", ["house", "stripe", "chartmogul", "profitwell", "recurly"])
def test_a_preset_is_a_policy(name: str) -> None:
    policy = policies.named(name)
    cells = policies.presets()
    used = cells[cells["preset"] == name].set_index("field")["used"]
    # Gross and net revenue churn stand side by side, so of that there is nothing to choose.
    assert set(used.drop("revenue_churn").index) == {each.name for each in dataclasses.fields(Policy)} - (
        {"name", "overlaps"}
    )
    chosen = used.drop("revenue_churn")
    assert {field: str(getattr(policy, field)).lower() for field in chosen.index} == chosen.to_dict()
    assert policy.name == name
    assert policies.named(policy) is policy


def test_the_house_is_what_a_policy_is_when_nothing_is_said() -> None:
    assert policies.named("house") == Policy("house")


def test_what_is_documented_is_what_we_say() -> None:
    assert policies.named("stripe").churn_date == "cancel"
    assert policies.named("stripe").denominator == "start_plus_new"
    assert policies.named("profitwell").same_month == "ignored"
    assert policies.named("recurly").reactivation_days == 30


def test_the_house_changes_nothing_where_no_column_asks_for_it() -> None:
    loaded = tables.subscriptions(datasets.tiny_subscriptions(), as_of=datasets.TINY_AS_OF)
    assert policies.applied(loaded) is loaded


@pytest.mark.parametrize("policy", ["house", Policy("ours", "cancel", "ignored", 10, "kept", "net")])
def test_what_was_read_by_a_policy_is_not_read_twice(policy: str | Policy) -> None:
    table = fees(
        *[("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-02-01", None, 0)],
        paused=[False, True],
        discount=[4.0, 0.0],
        cancelled_at=pd.to_datetime(["2024-01-20", None]),
    )
    loaded = tables.subscriptions(table, as_of="2024-05-01")
    once = policies.applied(loaded, policy)
    assert policies.applied(once, policy) is once
    expected = mrr.mrr_movements(loaded, policy=policy)
    pd.testing.assert_frame_equal(mrr.mrr_movements(once, policy=policy), expected)
    with pytest.raises(DataError) as error:
        policies.applied(once, "recurly")
    assert str(error.value) == (
        f"subscriptions were read by policy {policies.named(policy).name!r} already, and now 'recurly' is "
        "asked for. Give them as they were loaded, or the same policy again."
    )


def test_a_policy_other_than_the_house_is_told() -> None:
    policy = Policy("ours", reactivation_days=30, same_month="ignored")
    frame = mrr.mrr_movements(datasets.tiny_subscriptions(), as_of=datasets.TINY_AS_OF, policy=policy)
    assert frame.attrs["notes"][-1] == (
        "Policy ours, not the house's: a stretch of paying inside one calendar month is ignored; "
        "a gap of at most 30 days is no loss and no return."
    )


def test_columns_are_those_that_came_in() -> None:
    table = fees(
        ("a", "2024-01-01", "2024-03-01", 10), paused=[False], discount=[1.0], cancelled_at=[pd.NaT]
    ).astype({"cancelled_at": "datetime64[us]"})
    loaded = tables.subscriptions(table, as_of="2024-05-01")
    every = Policy("all", "cancel", "ignored", 10, "kept", "net")
    assert policies.applied(loaded, every).table.columns == loaded.table.columns


def test_without_mrr_a_discount_and_a_price_mean_nothing_and_a_pause_does() -> None:
    table = fees(
        *[("a", "2024-01-01", "2024-02-01", 0), ("a", "2024-02-01", None, 0)], paused=[False, True]
    ).drop(columns="mrr")
    loaded = tables.subscriptions(table.assign(discount=1.0), as_of="2024-05-01")
    assert policies.applied(loaded).table.count().execute() == 1
    assert policies.applied(loaded, Policy(pauses="kept")).table.count().execute() == 2


def test_a_pause_column_without_any_value_is_no_pause() -> None:
    table = fees(("a", "2024-01-01", None, 10), paused=[None])
    assert bridge(table, "house") == {1: [10, 0, 0, 0, 0, 10]}


# -- errors -------------------------------------------------------------------


def test_an_unknown_name() -> None:
    with pytest.raises(ParamsError) as error:
        policies.named("strip")
    assert str(error.value) == (
        "policy 'strip' is not known. Did you mean 'stripe'? "
        "Choose one of ['house', 'stripe', 'chartmogul', 'profitwell', 'recurly']."
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"churn_date": "cancelled"},
            "churn_date 'cancelled' is not known. Did you mean 'cancel'? "
            "Choose one of ['period_end', 'cancel'].",
        ),
        (
            {"reactivation_days": 0},
            "reactivation_days is a whole number of days from 1, or None for any gap, and it was 0. "
            "Type 30 for a month.",
        ),
        (
            {"reactivation_days": True},
            "reactivation_days is a whole number of days from 1, or None for any gap, and it was True. "
            "Type 30 for a month.",
        ),
    ],
)
def test_a_choice_that_is_none(given: dict, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        Policy(**given)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("policy", "lacks"),
    [
        ("stripe", "'stripe' (churn_date: cancel) needs cancelled_at"),
        (Policy(pauses="kept"), "'custom' (pauses: kept) needs paused"),
        (Policy(discounts="gross"), "'custom' (discounts: gross) needs discount"),
    ],
)
def test_a_column_that_a_policy_needs(policy: str | Policy, lacks: str) -> None:
    table = fees(("a", "2024-01-01", None, 10))
    with pytest.raises(DataError) as error:
        mrr.mrr_movements(table, as_of="2024-05-01", policy=policy)
    column = lacks.split()[-1]
    assert str(error.value) == (
        f"policy {lacks}, and subscriptions has ['customer_id', 'started_at', 'ended_at', 'mrr']. "
        f"Map it with columns={{{column!r}: 'your_name'}}, or take policy='house'."
    )


def test_a_word_that_is_neither_yes_nor_no() -> None:
    table = fees(("a", "2024-01-01", None, 10), ("b", "2024-01-01", None, 10), paused=["yes", "on hold"])
    with pytest.raises(DataError) as error:
        mrr.mrr_movements(table, as_of="2024-05-01")
    assert str(error.value) == (
        "paused holds 'on hold', which is neither yes nor no. Map a condition, such as "
        "columns={'paused': \"status = 'paused'\"}."
    )


def test_text_and_numbers_say_yes_and_no() -> None:
    for words in (["TRUE", "f"], ["1", "0"], [1, 0], [1.0, np.nan], [True, None]):
        table = fees(("a", "2024-01-01", None, 10), ("b", "2024-01-01", None, 4), paused=words)
        assert bridge(table, "house") == {1: [4, 0, 0, 0, 0, 4]}
