"""Churn by silence: by hand, against loops over plain orders, and against churn of made-up subscriptions."""

import datetime as dt
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import churn, datasets, exhibits, inactivity, intervals, params, plots, tables
from retention_kit.exceptions import DataError, ParamsError

RATES = ["period", "customers", "churned", "churn_rate", "low", "high", "interval"]
WINDOWS = ["days", "silences", "returned", "return_rate", "low", "high", "interval"]
FIRST, AS_OF = pd.Timestamp("2024-01-01"), pd.Timestamp("2024-07-01")


def shop(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at"])
    return frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"], format="ISO8601"))


# Five customers, a window of 30 days. The first order is of 1 January, so February (1 February - 30 days
# = 2 January) is the first month before which a whole window was observed.
SHOP = shop(
    ("ann", "2024-01-01"),
    ("ann", "2024-01-10"),  # silent for 30 days on 9 February, back on the 20th
    ("ann", "2024-02-20"),  # silent for 30 days on 21 March, never back
    ("bob", "2024-01-20"),  # silent on 19 February, back in April: lost in February
    ("bob", "2024-04-05"),
    ("cat", "2024-01-31 18:00"),  # until 1 March, 18:00: active when March begins, lost in March
    ("dan", "2024-02-01"),  # exactly 30 days later again: never silent long enough
    ("dan", "2024-03-02"),
    ("eve", "2024-01-02"),  # until 1 February, 00:00: just before February still active
)


def test_rates_by_hand() -> None:
    rates = inactivity.inactivity_churn(SHOP, window_days=30, as_of="2024-05-01")
    # February: ann, bob, cat, eve; bob and eve go silent and stay so. March: ann, cat, dan; ann and cat.
    # April: dan, whose 30 days end on 1 April at midnight.
    assert rates["period"].dt.month.tolist() == [2, 3, 4]
    assert rates["customers"].tolist() == [4, 3, 1]
    assert rates["churned"].tolist() == [2, 2, 1]
    assert rates["churn_rate"].tolist() == [2 / 4, 2 / 3, 1]
    low, high = intervals.wilson([2, 2, 1], [4, 3, 1])
    assert (rates["low"].tolist(), rates["high"].tolist()) == (low.tolist(), high.tolist())


def test_an_order_in_the_period_does_not_help_where_its_own_window_ends_in_it() -> None:
    # Five days: on 1 February ann is active by her order of 30 January, on 1 March by none: the one of
    # 2 February spoke for her until the 7th.
    orders = shop(("ann", "2024-01-01"), ("ann", "2024-01-30"), ("ann", "2024-02-02"))
    rates = inactivity.inactivity_churn(orders, window_days=5, as_of="2024-04-01")
    assert rates[RATES[:3]].to_numpy().tolist() == [[pd.Timestamp("2024-02-01"), 1, 1]]


def test_shape_of_the_frame() -> None:
    orders = datasets.tiny_orders()
    rates = inactivity.inactivity_churn(orders, window_days=20, as_of=datasets.TINY_AS_OF, by="country")
    assert rates.columns.tolist() == ["period", "country", *RATES[1:]]
    assert rates["period"].dtype == "datetime64[us]"
    assert set(rates[["customers", "churned"]].dtypes) == {np.dtype("int64")}
    assert set(rates["interval"]) == {"Wilson 95 %"}
    assert rates.attrs["definition"] == (
        "Customers with an order in the 20 days before the month began and none in the 20 days before it was "
        "over, as a share of those with one in the 20 days before it began; country as at the first order."
    )
    assert (rates.attrs["period"], rates.attrs["window_days"]) == ("month", 20)
    assert rates.attrs["as_of"] == "2024-05-01"


def test_events_do_as_well_as_orders() -> None:
    events = SHOP.rename(columns={"ordered_at": "occurred_at"})
    rates = inactivity.inactivity_churn(events, window_days=30, as_of="2024-05-01")
    assert rates["churned"].tolist() == [2, 2, 1]
    assert rates.attrs["definition"].startswith("Customers with an event in the 30 days")


def test_groups_are_those_at_the_first_order_and_add_up() -> None:
    orders = SHOP.assign(country=["AT", "DE", "DE", "DE", "AT", "AT", "AT", "AT", "DE"])
    rates = inactivity.inactivity_churn(orders, window_days=30, as_of="2024-05-01", by="country")
    february = rates[rates["period"].dt.month == 2][["country", "customers", "churned"]]
    assert february.to_numpy().tolist() == [["AT", 2, 0], ["DE", 2, 2]]
    whole = inactivity.inactivity_churn(orders, window_days=30, as_of="2024-05-01")
    added = rates.groupby("period", as_index=False)[["customers", "churned"]].sum()
    pd.testing.assert_frame_equal(added, whole[["period", "customers", "churned"]])


def test_a_period_before_which_no_whole_window_was_observed_has_no_row() -> None:
    # With 31 days the window before February begins on 1 January, the day of the first order; with 32 not.
    for window, first in ((31, 2), (32, 3)):
        rates = inactivity.inactivity_churn(SHOP, window_days=window, as_of="2024-05-01")
        assert rates["period"].dt.month.min() == first


def test_a_history_that_stops_early_loses_nobody() -> None:
    days = pd.date_range("2024-01-01", "2024-03-15")
    orders = pd.DataFrame({"customer_id": "a", "ordered_at": days})
    rates = inactivity.inactivity_churn(orders, window_days=10, as_of="2024-07-01")
    assert rates["period"].dt.month.tolist() == [2]
    assert rates["churned"].tolist() == [0]


@pytest.mark.parametrize(
    "orders",
    [shop(("a", "2024-01-05")), shop(*(("abc"[i], "2024-01-05") for i in range(3)))],
    ids=["one order", "all on one day"],
)
def test_no_period_to_judge_is_an_empty_frame(orders: pd.DataFrame) -> None:
    rates = inactivity.inactivity_churn(orders, window_days=90, as_of="2024-02-01")
    assert rates.empty
    assert rates.columns.tolist() == RATES
    assert rates["period"].dtype == "datetime64[us]"
    windows = inactivity.inactivity_windows(orders, as_of="2024-02-01")
    assert windows.empty
    assert windows.columns.tolist() == WINDOWS
    assert set(windows[["days", "silences", "returned"]].dtypes) == {np.dtype("int64")}


# -- against loops ------------------------------------------------------------

TICK = pd.Timedelta(hours=12)
orders_of_few = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 360)), min_size=2, max_size=24)


def at_ticks(rows: list[tuple]) -> pd.DataFrame:
    return shop(*((who, FIRST + TICK * tick) for who, tick in rows))


@settings(max_examples=16, deadline=None)
@given(orders_of_few, st.integers(1, 70), st.sampled_from([("month", "MS"), ("week", "W-MON")]))
def test_rates_are_those_of_a_plain_count(rows: list[tuple], days: int, length: tuple[str, str]) -> None:
    period, frequency = length
    orders, window = at_ticks(rows), pd.Timedelta(days=days)

    def active_before(moment: pd.Timestamp) -> set[str]:
        return {
            who
            for who, at in orders.itertuples(index=False)
            if moment - window <= at < moment
        }  # fmt: skip

    known = orders["ordered_at"].min().normalize() + window
    expected = []
    for start, end in itertools.pairwise(pd.date_range(FIRST, AS_OF, freq=frequency)):
        if start >= known and active_before(start):
            lost = active_before(start) - active_before(end)
            expected.append((start, len(active_before(start)), len(lost)))
    loaded = tables.orders(orders, as_of=AS_OF)
    rates = inactivity.inactivity_churn(loaded, window_days=days, period=period)
    expected = [row for row in expected if row[0] < last_complete(loaded, frequency)]
    assert list(rates[RATES[:3]].itertuples(index=False, name=None)) == expected


def last_complete(loaded: tables.Loaded, frequency: str) -> pd.Timestamp:
    """The first moment of the first period that is not complete."""
    return max(
        day for day in pd.date_range("2023-12-01", AS_OF, freq=frequency) if day <= loaded.observed_until
    )


@settings(max_examples=10, deadline=None)
@given(orders_of_few, st.integers(1, 70))
def test_a_window_is_a_subscription_that_each_order_renews(rows: list[tuple], days: int) -> None:
    orders = at_ticks(rows)
    loaded = tables.orders(orders, as_of=AS_OF)
    rates = inactivity.inactivity_churn(loaded, window_days=days)
    renewed = orders.rename(columns={"ordered_at": "started_at"})
    renewed = renewed.assign(ended_at=renewed["started_at"] + pd.Timedelta(days=days))
    same = churn.churn_rates(renewed, as_of=AS_OF).set_index("period")
    assert rates[["customers", "churned"]].to_numpy().tolist() == (
        same.loc[rates["period"], ["customers", "churned"]].to_numpy().tolist()
    )


@settings(max_examples=16, deadline=None)
@given(orders_of_few, st.sets(st.integers(1, 80), min_size=1, max_size=3))
def test_windows_are_those_of_a_plain_count(rows: list[tuple], days: set[int]) -> None:
    orders = at_ticks(rows)
    loaded = tables.orders(orders, as_of=AS_OF)
    expected = []
    for number in sorted(days):
        length, silences, returned = dt.timedelta(days=number), 0, 0
        for _, moments in orders.groupby("customer_id")["ordered_at"]:
            for at, following in itertools.pairwise([*sorted(moments), None]):
                if at + 2 * length > loaded.observed_until:
                    continue
                if following is None or following - at > length:
                    silences += 1
                    returned += following is not None
        if silences:
            expected.append((number, silences, returned))
    found = inactivity.inactivity_windows(loaded, days=sorted(days))
    assert list(found[WINDOWS[:3]].itertuples(index=False, name=None)) == expected


# -- the choice of a window ---------------------------------------------------


def test_windows_by_hand() -> None:
    found = inactivity.inactivity_windows(SHOP, as_of="2024-05-01", days=[60, 30])
    # 30 days (begun by 2 March): ann 10 January (back) and 20 February, bob 20 January (back), cat, eve and
    # dan's last on 2 March. dan's first of exactly 30 days did not last longer than they did.
    # 60 days (begun by 2 January): eve. ann's of 1 January was over after nine days.
    assert found[["days", "silences", "returned"]].to_numpy().tolist() == [[30, 6, 2], [60, 1, 0]]
    assert found["return_rate"].tolist() == [2 / 6, 0]
    assert found["high"].tolist() == [intervals.wilson(2, 6)[1], intervals.wilson(0, 1)[1]]
    assert found.columns.tolist() == WINDOWS
    assert found.attrs["definition"] == (
        "Silences of so many days that another order ended before the end of the data, as a share of all "
        "that lasted so long; only silences that began twice as many days before that end, or earlier."
    )


def test_windows_by_group() -> None:
    orders = SHOP.assign(country=["AT", "DE", "DE", "DE", "AT", "AT", "AT", "AT", "DE"])
    found = inactivity.inactivity_windows(orders, as_of="2024-05-01", days=[30], by="country")
    assert found[["country", "days", "silences", "returned"]].to_numpy().tolist() == [
        ["AT", 30, 4, 1],
        ["DE", 30, 2, 1],
    ]


def test_longer_windows_are_wrong_less_often() -> None:
    found = inactivity.inactivity_windows(datasets.demo_orders(), as_of=datasets.DEMO_AS_OF)
    assert found["days"].tolist() == [30, 60, 90, 120, 180]  # two years are too short to judge one year
    assert found["silences"].is_monotonic_decreasing
    assert found["return_rate"].is_monotonic_decreasing


@pytest.mark.parametrize("window", [0, -5, 1.5, "90", True, None])
def test_a_window_is_a_whole_number_of_days(window: object) -> None:
    with pytest.raises(ParamsError) as error:
        inactivity.inactivity_churn(SHOP, window_days=window, as_of="2024-05-01")
    assert str(error.value) == (
        f"window_days is a whole number of days from 1, and it was {window!r}. Type window_days=90."
    )


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ((), "days is empty. Type days=(30, 60, 90)."),
        ((30, 0), "days is a whole number of days from 1, and it was 0. Type days=(30, 60, 90)."),
        ("90", "days is a whole number of days from 1, and it was '90'. Type days=(30, 60, 90)."),
    ],
)
def test_windows_to_try_are_whole_numbers_of_days(days: object, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        inactivity.inactivity_windows(SHOP, as_of="2024-05-01", days=days)
    assert str(error.value) == message


def test_one_window_may_stand_alone() -> None:
    found = inactivity.inactivity_windows(SHOP, as_of="2024-05-01", days=30)
    assert found["days"].tolist() == [30]


def test_missing_as_of() -> None:
    with pytest.raises(DataError) as error:
        inactivity.inactivity_windows(SHOP)
    assert str(error.value) == (
        "orders needs as_of, the first moment not observed. Type as_of='2024-04-06' for all rows."
    )


@pytest.mark.realdata
def test_online_retail_against_plain_pandas(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_KIT_DATA", str(data_folder))
    examples = Path(__file__).parent.parent / "params" / "examples"
    loaded = tables.load(params.read(examples / "online_retail.yaml"), "orders")
    orders = loaded.table.select("customer_id", "ordered_at").to_pandas()
    window, june, july = pd.Timedelta(days=90), pd.Timestamp("2011-06-01"), pd.Timestamp("2011-07-01")
    before, after = (
        set(orders.loc[orders["ordered_at"].between(end - window, end, inclusive="left"), "customer_id"])
        for end in (june, july)
    )
    rates = inactivity.inactivity_churn(loaded, window_days=90).set_index("period")
    assert rates.loc[june, ["customers", "churned"]].tolist() == [len(before), len(before - after)]
    # The file begins on 1 December 2010 and ends on 9 December 2011.
    assert (rates.index.min(), rates.index.max()) == (pd.Timestamp("2011-03-01"), pd.Timestamp("2011-11-01"))


# -- plots --------------------------------------------------------------------


def test_windows_are_dots_with_their_interval() -> None:
    ax = exhibits.axes()
    found = inactivity.inactivity_windows(datasets.demo_orders(), as_of=datasets.DEMO_AS_OF)
    assert plots.churn.plot_inactivity_windows(found, ax=ax, labels={"days": "Tage"}) is ax
    assert list(ax.containers[0].lines[0].get_ydata()) == found["return_rate"].tolist()
    assert list(ax.get_xticks()) == found["days"].tolist()
    reach = ax.containers[0].lines[2][0].get_segments()
    assert np.allclose([segment[:, 1] for segment in reach], found[["low", "high"]])
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_ylim()[0]) == ("Tage", "return rate", 0)


def test_no_window_is_an_empty_picture() -> None:
    ax = exhibits.axes()
    plots.churn.plot_inactivity_windows(
        inactivity.inactivity_windows(shop(("a", "2024-01-05")), as_of="2024-02-01"), ax=ax
    )
    ax.figure.canvas.draw()
