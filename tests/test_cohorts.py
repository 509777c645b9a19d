"""Money by cohort: by hand on the tiny shop, against plain loops, and on published data."""

import datetime as dt
import gzip
import json
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy import stats

from retention_kit import cohorts, datasets, intervals, lengths, periods, retention, tables
from retention_kit.exceptions import DataError
from retention_kit.plots.cohorts import plot_cohort_revenue

AS_OF = datasets.TINY_AS_OF
COLUMNS = [
    *("cohort", "age", "customers", "retained", "orders", "revenue", "revenue_per_customer"),
    *("cumulative_revenue", "cumulative_revenue_per_customer", "low", "high", "interval"),
]
COUNTS = ["age", "customers", "retained", "orders"]


def tiny(**how) -> pd.DataFrame:
    return cohorts.cohort_revenue(datasets.tiny_orders(), as_of=AS_OF, **how)


def shop(*rows: tuple, columns: str = "customer_id ordered_at amount") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


# -- by hand ------------------------------------------------------------------


def test_money_by_hand() -> None:
    # January: ana 20 + 30, then 25, then nothing, then 40; ben 15. February: cleo 50, then 60 in April; dan
    # 10. March: eva 0, then 22.50. April: finn 25.
    found = tiny()
    assert found["cohort"].dt.month.tolist() == [1, 1, 1, 1, 2, 2, 2, 3, 3, 4]
    assert found[COUNTS].to_numpy().tolist() == [
        *[[0, 2, 2, 3], [1, 2, 1, 1], [2, 2, 0, 0], [3, 2, 1, 1]],
        *[[0, 2, 2, 2], [1, 2, 0, 0], [2, 2, 1, 1]],
        *[[0, 1, 1, 1], [1, 1, 1, 1]],
        [0, 1, 1, 1],
    ]
    assert found["revenue"].tolist() == [65, 25, 0, 40, 60, 0, 60, 0, 22.5, 25]
    assert found["revenue_per_customer"].tolist() == [65 / 2, 25 / 2, 0, 40 / 2, 30, 0, 30, 0, 22.5, 25]
    assert found["cumulative_revenue"].tolist() == [65, 90, 90, 130, 60, 60, 120, 0, 22.5, 25]
    assert found["cumulative_revenue_per_customer"].tolist() == [
        *[65 / 2, 90 / 2, 90 / 2, 130 / 2],
        *[60 / 2, 60 / 2, 120 / 2],
        *[0, 22.5, 25],
    ]


def test_bounds_are_those_of_the_mean_over_all_customers() -> None:
    # Up to February ana spent 75 and ben 15; up to April 115 and 15. A single customer has no bounds.
    found = tiny()
    for row, spent in ((1, [75, 15]), (2, [75, 15]), (3, [115, 15]), (6, [110, 10])):
        low, high = intervals.mean(np.mean(spent), np.std(spent, ddof=1), len(spent))
        assert found.loc[row, ["low", "high"]].tolist() == pytest.approx([low, high])
    assert found["low"].isna().tolist() == [False] * 7 + [True] * 3
    assert set(found["interval"]) == {"t 95 %"}


def test_customers_who_spent_the_same_have_no_bounds() -> None:
    frame = shop(("a", "2024-01-05", 0.1), ("a", "2024-02-05", 0.2), ("b", "2024-01-06", 0.3))
    found = cohorts.cohort_revenue(frame, as_of="2024-03-01")
    assert found["low"].isna().tolist() == [False, True]


def test_shape_of_the_frame() -> None:
    found = tiny(by=["channel", "country"])
    assert found.columns.tolist() == ["cohort", "channel", "country", *COLUMNS[1:]]
    assert found["cohort"].dtype == "datetime64[us]"
    assert set(found[COUNTS].dtypes) == {np.dtype("int64")}
    money = [column for column in COLUMNS if "revenue" in column]
    assert set(found[[*money, "low", "high"]].dtypes) == {np.dtype("float64")}
    assert found["interval"].dtype == "str"
    assert found.index.equals(pd.RangeIndex(len(found)))
    assert found.attrs == {
        "definition": "Revenue of the orders in the month that many calendar months after the first order's, "
        "and of all up to it, over all customers of the cohort. A month counts only when it was observed to "
        "its end. By channel, country as at the first order.",
        "as_of": "2024-05-01",
        "rows_set_aside": {"at or after as_of": 2},
        "notes": [],
        "period": "month",
    }
    assert tiny(period="week_sunday").attrs["definition"].startswith("Revenue of the orders in the week that")


def test_groups_keep_the_value_of_the_first_order() -> None:
    # ana orders from Germany in April, and stays an Austrian customer.
    found = tiny(by="country")
    april = found[(found["cohort"] == pd.Timestamp("2024-01-01")) & (found["age"] == 3)]
    assert april[["country", "revenue", "cumulative_revenue"]].to_numpy().tolist() == [
        ["Austria", 40, 115],
        ["Germany", 0, 15],
    ]


# -- edges --------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, "country"])
def test_no_complete_cell_is_an_empty_frame_of_the_same_columns(by: str | None) -> None:
    found = cohorts.cohort_revenue(datasets.tiny_orders().iloc[:2], as_of="2024-01-25", by=by)
    assert found.empty
    assert found.dtypes.to_dict() == tiny(by=by).dtypes.to_dict()
    assert found.columns.tolist() == tiny(by=by).columns.tolist()


def test_one_customer_with_one_order_and_all_orders_on_one_day() -> None:
    found = cohorts.cohort_revenue(shop(("a", "2024-01-05", 9.0)), as_of="2024-03-01")
    assert found["cumulative_revenue_per_customer"].tolist() == [9, 9]
    day = cohorts.cohort_revenue(
        shop(*[(who, "2024-01-05", 2.0) for who in "aab"]), as_of="2024-01-07", period="day"
    )
    assert day[[*COUNTS, "cumulative_revenue"]].to_numpy().tolist() == [[0, 2, 2, 3, 6], [1, 2, 0, 0, 6]]


def test_a_return_is_set_aside_and_lines_of_an_order_are_one() -> None:
    rows = [
        ("a", "2024-01-05", 5.0, "o1"),
        ("a", "2024-01-05", 4.0, "o1"),
        ("a", "2024-02-05", -9.0, "o2"),
        ("b", "2024-01-07", 1.0, "o3"),
    ]
    frame = shop(*rows, columns="customer_id ordered_at amount order_id")
    found = cohorts.cohort_revenue(frame, as_of="2024-03-01")
    assert found[["orders", "revenue"]].to_numpy().tolist() == [[2, 10], [0, 0]]


@pytest.mark.parametrize("column", ["times", "period_index", "cohort_index"])
def test_a_group_may_be_called_what_is_counted_on_the_way(column: str) -> None:
    frame = datasets.tiny_orders().rename(columns={"country": column})
    found = cohorts.cohort_revenue(frame, as_of=AS_OF, by=column)
    pd.testing.assert_frame_equal(found, tiny(by="country").rename(columns={"country": column}))


# -- messages -----------------------------------------------------------------


def asked(question) -> str:
    with pytest.raises(DataError) as error:
        question()
    return str(error.value)


def test_orders_without_amounts() -> None:
    frame = datasets.tiny_orders()[["customer_id", "ordered_at"]]
    assert asked(lambda: cohorts.cohort_revenue(frame, as_of=AS_OF)) == (
        "orders is missing ['amount']. It has ['customer_id', 'ordered_at']. "
        "Map your names onto ours with columns={'amount': 'your_name'}."
    )


def test_an_unknown_period() -> None:
    assert asked(lambda: tiny(period="monthly")) == (
        "period 'monthly' is not known. Did you mean 'month'? "
        "Choose one of ['day', 'week', 'week_saturday', 'week_sunday', 'month', 'quarter', 'year']."
    )


@pytest.mark.parametrize("taken", ["orders", "revenue", "cumulative_revenue"])
def test_a_group_named_like_a_result(taken: str) -> None:
    frame = datasets.tiny_orders().assign(**{taken: "x"})
    assert asked(lambda: cohorts.cohort_revenue(frame, as_of=AS_OF, by=taken)) == (
        f"by='{taken}' is a column of the result already. Give yours another name, such as 'by_{taken}'."
    )


# -- against loops, and what must hold ----------------------------------------

FIRST = dt.datetime(2023, 11, 20)
purchase = st.tuples(
    st.sampled_from("abcdef"), st.integers(0, 24 * 120), st.integers(0, 9_999), st.sampled_from(["x", "y"])
)


def as_frame(rows: list[tuple]) -> pd.DataFrame:
    """Rows of customer, hours since `FIRST`, cents, group."""
    frame = shop(*rows, columns="customer_id hours cents group")
    frame["ordered_at"] = FIRST + pd.to_timedelta(frame["hours"], unit="h")
    return frame.assign(amount=frame["cents"] / 100)


def looped(frame: pd.DataFrame, period: str, incomplete: int) -> dict[tuple, tuple]:
    """(cohort, group, age) -> customers, retained, orders, revenue, cumulative, low, high; from loops."""
    history, born = defaultdict(list), {}
    for row in frame.sort_values(["ordered_at", "group"]).itertuples():
        number = periods.index_of(row.ordered_at, period)
        born.setdefault(row.customer_id, (number, row.group))
        history[row.customer_id].append((number, row.amount))
    found = {}
    for key in set(born.values()):
        cohort, members = key[0], [who for who, birth in born.items() if birth == key]
        for age in range(incomplete - cohort):
            here = [[paid for number, paid in history[who] if number == cohort + age] for who in members]
            so_far = [sum(paid for number, paid in history[who] if number <= cohort + age) for who in members]
            half = np.nan
            if len(members) > 1 and np.std(so_far) > 1e-9:
                freedom = len(members) - 1
                half = stats.t.ppf(0.975, freedom) * np.std(so_far, ddof=1) / np.sqrt(len(members))
            mean, paid = np.mean(so_far), [sum(amounts) for amounts in here]
            found[*key, age] = (
                *(len(members), sum(map(bool, here)), sum(map(len, here))),
                *(sum(paid), sum(so_far), mean - half, mean + half),
            )
    return found


@pytest.mark.parametrize("period", ["day", "week", "month", "quarter"])
@settings(max_examples=10)
@given(rows=st.lists(purchase, min_size=1, max_size=25), days=st.integers(2, 130))
def test_money_is_that_of_loops(period: lengths.Period, rows: list[tuple], days: int) -> None:
    end = FIRST + dt.timedelta(days=days, hours=5)
    frame = as_frame([("a", 0, 500, "x"), *rows])
    loaded = tables.orders(frame, as_of=end, columns=["group"])
    # How far the rows can be believed is tested with moments; here they are all believed up to as_of.
    believed = tables.Loaded(loaded.kind, loaded.table, end, end, loaded.checks)
    found = cohorts.cohort_revenue(believed, period=period, by="group")
    expected = looped(frame[frame["ordered_at"] < end], period, periods.index_of(end, period))
    keys = [(periods.index_of(row.cohort, period), row.group, row.age) for row in found.itertuples()]
    assert set(keys) == set(expected)
    columns = ["customers", "retained", "orders", "revenue", "cumulative_revenue", "low", "high"]
    np.testing.assert_allclose(
        found[columns].to_numpy(),
        np.array([expected[key] for key in keys]).reshape(-1, 7),
        rtol=1e-6,
        atol=1e-6,
    )


@settings(max_examples=10)
@given(rows=st.lists(purchase, min_size=1, max_size=30))
def test_what_must_hold(rows: list[tuple]) -> None:
    frame = as_frame([("a", 24 * day, 100, "x") for day in range(121)] + rows)
    found = cohorts.cohort_revenue(frame, as_of="2024-03-20", by="group")
    rates = retention.retention_rates(frame, as_of="2024-03-20", by="group")
    cells = ["cohort", "group", "age", "customers", "retained"]
    pd.testing.assert_frame_equal(found[cells], rates[cells])
    complete = frame[frame["ordered_at"] < "2024-03-01"]
    assert found["revenue"].sum() == pytest.approx(complete["amount"].sum())
    assert found["orders"].sum() == len(complete)
    running = found.groupby(["cohort", "group"])["revenue"].cumsum()
    np.testing.assert_allclose(found["cumulative_revenue"], running)
    per_customer = found["cumulative_revenue_per_customer"]
    known = found["low"].notna()
    assert (found["low"] < per_customer)[known].all()
    assert (per_customer < found["high"])[known].all()


# -- published data -----------------------------------------------------------


@pytest.mark.realdata
def test_cdnow(data_folder: Path) -> None:
    with gzip.open(data_folder / "cdnow" / "CDNOW_master.txt.gz", "rt") as text:
        lines = pd.read_csv(text, sep=r"\s+", dtype={"customer_id": "str", "date": "str"})
    orders = shop(*zip(lines["customer_id"], lines["date"], lines["dollar_value"], strict=True))
    found = cohorts.cohort_revenue(orders, as_of="1998-07-01")
    facts = json.loads((data_folder / "cdnow" / "facts.json").read_text())["master"]
    when = [row.cohort + pd.DateOffset(months=row.age) for row in found.itertuples()]
    monthly = found.groupby(pd.DatetimeIndex(when).strftime("%Y-%m"))[["revenue", "orders", "retained"]].sum()
    assert monthly["revenue"].round(2).to_dict() == facts["monthly_revenue"]
    assert monthly["orders"].to_dict() == facts["monthly_rows"]
    assert monthly["retained"].to_dict() == {month: flow["active"] for month, flow in facts["flow"].items()}
    last = found.groupby("cohort").tail(1)
    assert last["customers"].tolist() == list(facts["cohort_sizes"].values())
    assert round(last["cumulative_revenue"].sum(), 2) == facts["revenue"]
    # The bounds of the first cohort at its last age, from each customer's own sum.
    sums = lines.groupby("customer_id").agg(born=("date", "min"), spent=("dollar_value", "sum"))
    january = sums.loc[sums["born"] < "19970201", "spent"]
    low, high = stats.t.interval(0.95, len(january) - 1, january.mean(), stats.sem(january))
    assert last[["low", "high"]].iloc[0].tolist() == pytest.approx([low, high])


# -- the picture --------------------------------------------------------------


def test_a_line_a_cohort_of_what_its_customers_have_brought() -> None:
    ax = plot_cohort_revenue(tiny(), ax=Figure().subplots())
    assert [list(line.get_xdata()) for line in ax.lines] == [[0, 1, 2, 3], [0, 1, 2], [0, 1], [0]]
    assert list(ax.lines[0].get_ydata()) == [65 / 2, 90 / 2, 90 / 2, 130 / 2]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        *("2024-01", "2024-02", "2024-03", "2024-04")
    ]
    assert ax.get_ylabel() == "cumulative revenue per customer"
    assert to_hex(ax.lines[0].get_color()) == to_hex(mpl.colormaps["viridis"](0.0))


def test_many_cohorts_are_all_drawn_and_nine_are_named() -> None:
    months = pd.date_range("2022-01-01", periods=24, freq="MS")
    revenue = pd.DataFrame({"cohort": months, "age": 0, "cumulative_revenue_per_customer": 5.0})
    labels = {"cohort": "Kohorte", "age": "Alter"}
    ax = plot_cohort_revenue(revenue, ax=Figure().subplots(), labels=labels)
    assert len(ax.lines) == 24
    assert len(ax.get_legend().get_texts()) <= 9
    assert (ax.get_legend().get_title().get_text(), ax.get_xlabel()) == ("Kohorte", "Alter")
    assert not plot_cohort_revenue(revenue.iloc[:0], ax=Figure().subplots()).lines
