"""RFM: by hand on small shops, against plain loops, under shuffled rows, and on published data."""

import datetime as dt
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import datasets, exhibits, intervals, rfm, tables
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.plots.rfm import plot_rfm_segments

AS_OF = datasets.TINY_AS_OF
COUNTED = ["segment", "customers", "customer_share", "low", "high", "orders"]
MONEY = [
    *("revenue", "revenue_share", "revenue_low", "revenue_high"),
    *("average_order_value", "order_value_low", "order_value_high"),
]
LAST = ["days_since_last_order", "interval"]


def scored(orders: object = None, **how) -> pd.DataFrame:
    """The verb's lazy table as a frame, by customer."""
    given_orders = datasets.tiny_orders() if orders is None else orders
    how = {"as_of": AS_OF} | how if not isinstance(given_orders, tables.Loaded) else how
    return (
        rfm.classify_customers(given_orders, **how)
        .to_pandas()
        .sort_values("customer_id")
        .set_index("customer_id")
    )


def shop(orders_of: dict[str, int], first: str = "2024-01-01") -> pd.DataFrame:
    """So many orders of each customer, one a day from the first day on."""
    rows = [
        (who, pd.Timestamp(first) + pd.Timedelta(days=day), 10.0)
        for who, count in orders_of.items()
        for day in range(count)
    ]
    return pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])


# -- scores by hand -----------------------------------------------------------


def test_what_is_measured() -> None:
    # Whole days from the date of the last order: cleo's, a second before as_of, is one day ago.
    found = scored()
    assert found["days_since_last_order"].to_dict() == {
        "ana": 29, "ben": 107, "cleo": 1, "dan": 62, "eva": 20, "finn": 16,
    }  # fmt: skip
    assert found["orders"].to_dict() == {"ana": 4, "ben": 1, "cleo": 2, "dan": 1, "eva": 2, "finn": 1}
    assert found["revenue"].to_dict() == {
        "ana": 115, "ben": 15, "cleo": 110, "dan": 10, "eva": 22.5, "finn": 25,
    }  # fmt: skip


def test_scores_by_hand() -> None:
    # A fifth of six customers is reached by the 2nd, two fifths by the 3rd, then by the 4th and the 5th.
    # Days 1 16 | 20 | 29 | 62 | 107. Orders 1 1 1 2 2 4: cut at 1, 1, 2, 2.
    # Revenue 10 15 | 22.5 | 25 | 110 | 115.
    found = scored()
    assert found["r"].to_dict() == {"ana": 3, "ben": 1, "cleo": 5, "dan": 2, "eva": 4, "finn": 5}
    assert found["f"].to_dict() == {"ana": 5, "ben": 1, "cleo": 3, "dan": 1, "eva": 3, "finn": 1}
    assert found["m"].to_dict() == {"ana": 5, "ben": 1, "cleo": 4, "dan": 1, "eva": 2, "finn": 3}
    assert found["segment"].to_dict() == {
        "ana": "loyal", "ben": "hibernating", "cleo": "potential loyalists", "dan": "hibernating",
        "eva": "potential loyalists", "finn": "new",
    }  # fmt: skip
    assert found.dtypes.astype(str).to_dict() == {
        "days_since_last_order": "int64", "orders": "int64", "revenue": "float64",
        "r": "int64", "f": "int64", "m": "int64", "segment": "str",
    }  # fmt: skip


def test_without_amounts_nothing_of_money() -> None:
    orders = datasets.tiny_orders().drop(columns="amount")
    found = scored(orders)
    assert found.columns.tolist() == ["days_since_last_order", "orders", "r", "f", "segment"]
    assert found.equals(scored()[found.columns.tolist()])
    assert rfm.cut_points(orders, as_of=AS_OF)["measure"].unique().tolist() == [
        "days_since_last_order",
        "orders",
    ]
    frame = rfm.rfm_segments(orders, as_of=AS_OF)
    assert frame.columns.tolist() == [*COUNTED, *LAST]
    assert set(frame["interval"]) == {"Wilson 95 %"}


def test_cut_points_by_hand() -> None:
    frame = rfm.cut_points(datasets.tiny_orders(), as_of=AS_OF)
    assert frame.columns.tolist() == ["measure", "score", "above", "up_to", "customers"]
    assert frame.dtypes.astype(str).tolist() == ["str", "int64", "float64", "float64", "int64"]
    days, orders, revenue = (rows.fillna(-1) for _, rows in frame.groupby("measure", sort=False))
    assert days[["score", "above", "up_to", "customers"]].to_numpy().tolist() == [
        [1, 62, -1, 1], [2, 29, 62, 1], [3, 20, 29, 1], [4, 16, 20, 1], [5, -1, 16, 2],
    ]  # fmt: skip
    # Three of six ordered once and two twice, so nobody can have an F of 2 or 4.
    assert orders[["score", "above", "up_to", "customers"]].to_numpy().tolist() == [
        [1, -1, 1, 3], [2, 1, 1, 0], [3, 1, 2, 2], [4, 2, 2, 0], [5, 2, -1, 1],
    ]  # fmt: skip
    assert revenue["up_to"].tolist() == [15, 22.5, 25, 110, -1]
    assert frame.attrs["definition"] == (
        "Values at which one customer in so many lies at or below, ties never split; "
        "days since the last order up to 1 May 2024."
    )


def test_events_are_scored_as_orders_without_amounts_are() -> None:
    orders = datasets.tiny_orders().drop(columns="amount")
    events = orders.rename(columns={"ordered_at": "occurred_at"}).drop(columns="order_id")
    found = rfm.rfm_segments(events, as_of=datasets.TINY_AS_OF, by="country")
    pd.testing.assert_frame_equal(found, rfm.rfm_segments(orders, as_of=datasets.TINY_AS_OF, by="country"))
    assert found.attrs["definition"] == (
        "Customers by the scores of how recently (R) and how often (F) they were active, 1 to 5, by cut "
        "points of these customers; days since the last event up to 1 May 2024."
    )
    loaded = tables.load_events(events, as_of=datasets.TINY_AS_OF)
    cuts = rfm.cut_points(loaded)
    pd.testing.assert_frame_equal(cuts, rfm.cut_points(orders, as_of=datasets.TINY_AS_OF))
    assert "days since the last event" in cuts.attrs["definition"]
    pd.testing.assert_frame_equal(scored(events), scored(orders))


def test_one_customer_with_one_order() -> None:
    found = scored(shop({"a": 1})).iloc[0]
    assert found[["r", "f", "m", "segment"]].tolist() == [5, 1, 1, "new"]


def test_all_alike_on_one_day_are_scored_alike() -> None:
    found = scored(shop(dict.fromkeys("abcdefg", 1)))
    assert found["segment"].tolist() == ["new"] * 7
    assert found["r"].tolist() == [5] * 7


def test_days_count_to_where_the_data_stop() -> None:
    # Daily orders in January, and nothing after: by a February as_of the file stopped, nobody went silent.
    orders = shop({"a": 30, "b": 1})
    assert scored(orders, as_of="2024-03-01").loc["a", "days_since_last_order"] == 1
    assert scored(orders, as_of="2024-01-31T00:00").loc["a", "days_since_last_order"] == 1


# -- ties ---------------------------------------------------------------------


def one_time_buyers() -> pd.DataFrame:
    """10,000 customers, 70 % of whom ordered once, as in many a shop, and the others evenly 2 to 6 times."""
    often = {f"c{number:04}": 2 + number % 5 for number in range(3_000)}
    return shop({f"c{number:04}": 1 for number in range(3_000, 10_000)} | often)


def changed_by_ranking(orders: pd.DataFrame, shuffled: pd.DataFrame) -> float:
    """The share of frequency scores that another order of rows changes, by the recipe of many a tutorial."""

    def ranked(rows: pd.DataFrame) -> pd.Series:
        counts = rows.groupby("customer_id", sort=False).size()
        return pd.qcut(counts.rank(method="first"), 5, labels=False) + 1

    return (ranked(orders) != ranked(shuffled).reindex(orders["customer_id"].unique())).mean()


@pytest.mark.realdata
def test_shuffling_rows_of_cdnow_changes_no_score_either(data_folder: Path) -> None:
    """Its first four months, of which 72 % of customers have bought once."""
    path = data_folder / "cdnow" / "CDNOW_sample.txt.gz"
    rows = pd.read_csv(path, sep=r"\s+", header=None, usecols=[1, 2], names=["customer_id", "day"], dtype=str)
    orders = rows.assign(ordered_at=pd.to_datetime(rows.pop("day"), format="%Y%m%d"))
    orders = orders[orders["ordered_at"] < "1997-05-01"]
    assert round((orders["customer_id"].value_counts() == 1).mean(), 2) == 0.72
    shuffled = orders.sample(frac=1, random_state=1)
    found = scored(orders, as_of="1997-05-01")
    pd.testing.assert_frame_equal(scored(shuffled, as_of="1997-05-01"), found)
    assert changed_by_ranking(orders, shuffled) > 0.54


def test_shuffling_rows_changes_no_score_where_ranking_first_changes_half() -> None:
    orders = one_time_buyers()
    shuffled = orders.sample(frac=1, random_state=1)
    before, after = scored(orders), scored(shuffled)
    pd.testing.assert_frame_equal(before, after)
    changed = changed_by_ranking(orders, shuffled)
    # Ranked by their rows, one-time buyers get 1, 2 and 3 (two sevenths each) and 4 (one): 36 of 49 change.
    # Of the 6 % with three orders two thirds get 4 and one third 5, and 4 of 9 change. Nobody else does.
    assert changed == pytest.approx(0.7 * 36 / 49 + 0.06 * 4 / 9, abs=0.01)
    assert f"{changed:.0%}" == "54%"


def test_one_time_buyers_share_one_score_and_the_next_are_skipped() -> None:
    orders = one_time_buyers()
    once = scored(orders).query("orders == 1")
    assert len(once) >= 700
    assert set(once["f"]) == {1}
    assert not set(scored(orders)["f"]) & {2, 3}
    notes = rfm.rfm_segments(orders, as_of=AS_OF).attrs["notes"]
    assert notes[-1] == "No customer can have the score 2, 3 for orders: too many have the value 1."


def test_amounts_added_in_another_order_are_the_same_revenue() -> None:
    # 0.1 + 0.2 + 0.3 is 0.6 or 0.6000000000000001, by the order of the rows.
    amounts = [0.1, 0.2, 0.3]
    rows = [(who, "2024-01-01", a) for who, order in (("a", 1), ("b", -1)) for a in amounts[::order]]
    rows += [("c", "2024-01-01", 0.6), ("d", "2024-01-01", 0.6)]
    orders = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    assert scored(orders)["m"].tolist() == [1, 1, 1, 1]
    assert scored(orders)["revenue"].tolist() == [0.6] * 4


# -- against loops ------------------------------------------------------------

FIRST = dt.datetime(2024, 1, 1)
order = st.tuples(st.sampled_from("abcdefghij"), st.integers(0, 24 * 40), st.integers(0, 400))
some_orders = st.lists(order, min_size=1, max_size=40)


def as_frame(rows: list[tuple]) -> pd.DataFrame:
    who, hours, cents = zip(*rows, strict=True)
    moments = pd.Series([FIRST + dt.timedelta(hours=h) for h in hours], dtype="datetime64[us]")
    return pd.DataFrame({"customer_id": who, "ordered_at": moments, "amount": [c / 100 for c in cents]})


def measured(rows: list[tuple], today: dt.date) -> dict[str, tuple[int, int, float]]:
    last, count, money = {}, Counter(), Counter()
    for who, hours, cents in rows:
        day = (FIRST + dt.timedelta(hours=hours)).date()
        last[who] = max(last.get(who, day), day)
        count[who] += 1
        money[who] += cents
    return {who: ((today - last[who]).days, count[who], money[who] / 100) for who in last}


def score(value: float, all_values: list[float], bins: int) -> int:
    """1 + how many of the cut points a value passes; a cut point is the value of a customer."""
    ranked = sorted(all_values)
    cuts = [ranked[math.ceil(k * len(ranked) / bins) - 1] for k in range(1, bins)]
    return 1 + sum(value > cut for cut in cuts)


@settings(max_examples=15)
@given(rows=some_orders, bins=st.integers(2, 6), seed=st.randoms())
def test_scores_are_those_of_loops_in_any_order_of_rows(rows: list[tuple], bins: int, seed) -> None:
    end = FIRST + dt.timedelta(days=41)
    grid = {"all": f"[1-{bins}][1-{bins}]"}
    loaded = tables.orders(as_frame(rows), as_of=end)
    expected = measured(rows, loaded.observed_until.date())
    cuts = rfm.cut_points(loaded, bins=bins)
    found = scored(loaded, cuts=cuts, segments=grid)
    for who, (days, orders, revenue) in expected.items():
        row = found.loc[who]
        assert (row["days_since_last_order"], row["orders"], row["revenue"]) == (days, orders, revenue)
        all_days, all_orders, all_revenue = zip(*expected.values(), strict=True)
        assert row["r"] == bins + 1 - score(days, all_days, bins)
        assert row["f"] == score(orders, all_orders, bins)
        assert row["m"] == score(revenue, all_revenue, bins)
    for measure, letter in (("days_since_last_order", "r"), ("orders", "f"), ("revenue", "m")):
        told = cuts[cuts["measure"] == measure].set_index("score")["customers"]
        assert told.to_dict() == {
            number: int((found[letter] == number).sum()) for number in range(1, bins + 1)
        }
    seed.shuffle(rows)
    pd.testing.assert_frame_equal(scored(as_frame(rows), as_of=end, cuts=cuts, segments=grid), found)


@settings(max_examples=10)
@given(rows=some_orders, by=st.booleans())
def test_segments_are_sums_over_their_customers(rows: list[tuple], by: bool) -> None:
    orders = as_frame(rows)
    orders["group"] = np.where(orders["customer_id"] < "e", "x", None)
    loaded = tables.orders(orders, as_of=FIRST + dt.timedelta(days=41), columns=["group"])
    customers = scored(loaded)
    customers["group"] = np.where(customers.index < "e", "x", "none") if by else "none"
    found = rfm.rfm_segments(loaded, by="group" if by else None)
    found["group"] = found["group"].fillna("none") if by else "none"
    assert found["customers"].sum() == len(customers)
    assert found["orders"].sum() == len(orders)
    for row in found.itertuples():
        group = customers[customers["group"] == row.group]
        own = group[group["segment"] == row.segment]
        assert (row.customers, row.orders) == (len(own), own["orders"].sum())
        assert row.customer_share == len(own) / len(group)
        assert (row.low, row.high) == intervals.wilson(len(own), len(group))
        assert row.revenue == pytest.approx(own["revenue"].sum())
        np.testing.assert_allclose(row.days_since_last_order, own["days_since_last_order"].median())
        money = group["revenue"].where(group["segment"] == row.segment, 0)
        low, high = linearised(money, group["revenue"])
        np.testing.assert_allclose(row.revenue_low, np.clip(low, 0, 1), atol=1e-6)
        np.testing.assert_allclose(row.revenue_high, np.clip(high, 0, 1), atol=1e-6)
        low, high = linearised(own["revenue"], own["orders"])
        np.testing.assert_allclose((row.order_value_low, row.order_value_high), (low, high), atol=1e-6)
    if orders["amount"].sum():
        shares = found.groupby("group")["revenue_share"].sum()
        spent = customers.groupby("group")["revenue"].sum()
        assert shares[spent > 0].to_numpy() == pytest.approx(1)


def linearised(y: pd.Series, x: pd.Series) -> tuple[float, float]:
    return tuple(
        float(bound)
        for bound in intervals.ratio(y.sum(), x.sum(), (y * y).sum(), (x * y).sum(), (x * x).sum(), len(y))
    )


# -- cut points kept ----------------------------------------------------------


def test_cut_points_of_last_time_change_the_scores(tmp_path: Path) -> None:
    # On the first of April: days 24 | 32 | 51 | 60 | 77, and orders 1 1 1 1 3.
    orders = datasets.tiny_orders()
    last = rfm.cut_points(orders, as_of="2024-04-01")
    last.to_csv(tmp_path / "cuts.csv", index=False)
    kept = pd.read_csv(tmp_path / "cuts.csv")
    now, then = scored(orders), scored(orders, cuts=kept)
    pd.testing.assert_frame_equal(then, scored(orders, cuts=last))
    assert not now["r"].equals(then["r"])
    assert then["r"].to_dict() == {"ana": 4, "ben": 1, "cleo": 5, "dan": 1, "eva": 5, "finn": 5}
    assert then["f"].to_dict() == {"ana": 5, "ben": 1, "cleo": 5, "dan": 1, "eva": 5, "finn": 1}


def test_the_segments_carry_the_cut_points_they_were_made_by() -> None:
    orders = datasets.tiny_orders()
    earlier = rfm.rfm_segments(orders, as_of="2024-04-01")
    json.dumps(earlier.attrs)
    again = rfm.rfm_segments(orders, as_of=AS_OF, cuts=earlier.attrs["cuts"])
    by_frame = rfm.rfm_segments(orders, as_of=AS_OF, cuts=rfm.cut_points(orders, as_of="2024-04-01"))
    pd.testing.assert_frame_equal(again, by_frame)
    assert not again.equals(rfm.rfm_segments(orders, as_of=AS_OF))
    assert "the cut points given" in again.attrs["definition"]


def test_cut_points_without_revenue_leave_it_unscored() -> None:
    cuts = rfm.cut_points(datasets.tiny_orders(), as_of=AS_OF)
    assert "m" not in scored(cuts=cuts[cuts["measure"] != "revenue"]).columns


def test_cut_points_set_by_hand() -> None:
    # 30 and 60 days, 2 and 4 orders; the outermost ends are open, whatever stands there.
    rows = [
        ("days_since_last_order", 3, 0, 30), ("days_since_last_order", 2, 30, 60),
        ("days_since_last_order", 1, 60, 90), ("orders", 1, 0, 1), ("orders", 2, 1, 3), ("orders", 3, 3, 99),
    ]  # fmt: skip
    cuts = pd.DataFrame(rows, columns=["measure", "score", "above", "up_to"])
    grid = {"here": "3[1-3]", "slipping": ["2[1-3]"], "gone": [11, 12, "13"]}
    found = scored(cuts=cuts, segments=grid)
    assert found["r"].to_dict() == {"ana": 3, "ben": 1, "cleo": 3, "dan": 1, "eva": 3, "finn": 3}
    assert found["f"].to_dict() == {"ana": 3, "ben": 1, "cleo": 2, "dan": 1, "eva": 2, "finn": 1}
    assert found["segment"].tolist() == ["here", "gone", "here", "gone", "here", "here"]


# -- segments -----------------------------------------------------------------


def test_each_of_25_cells_has_one_segment() -> None:
    # The whole grid as published, R down from 5, F up from 1.
    grid = {
        5: ["new", "potential loyalists", "potential loyalists", "champions", "champions"],
        4: ["promising", "potential loyalists", "potential loyalists", "loyal", "loyal"],
        3: ["about to sleep", "about to sleep", "need attention", "loyal", "loyal"],
        2: ["hibernating", "hibernating", "at risk", "at risk", "can't lose"],
        1: ["hibernating", "hibernating", "at risk", "at risk", "can't lose"],
    }
    # 25 customers, each pair of five days and five counts once.
    rows = [
        (f"{days}{count}", pd.Timestamp("2024-04-30") - pd.Timedelta(days=days), 1.0)
        for days in range(5)
        for count in range(1, 6)
        for _ in range(count)
    ]
    found = scored(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))
    assert len(found) == 25
    for row in found.itertuples():
        assert row.segment == grid[row.r][row.f - 1]
    assert len(rfm.SEGMENTS) == 10


def test_segments_by_hand() -> None:
    frame = rfm.rfm_segments(datasets.tiny_orders(), as_of=AS_OF)
    assert frame.columns.tolist() == [*COUNTED, *MONEY, *LAST]
    assert frame["segment"].tolist() == list(rfm.SEGMENTS)
    found = frame.set_index("segment")
    assert found["customers"].tolist() == [0, 1, 2, 1, 0, 0, 0, 0, 0, 2]
    assert found.loc["potential loyalists", ["orders", "revenue", "days_since_last_order"]].tolist() == [
        4, 132.5, (1 + 20) / 2,
    ]  # fmt: skip
    assert found.loc["potential loyalists", "revenue_share"] == 132.5 / 297.5
    assert found.loc["potential loyalists", "average_order_value"] == 132.5 / 4
    assert found.loc["hibernating", "customer_share"] == 2 / 6
    assert found.loc["champions", ["customers", "orders", "revenue", "revenue_share"]].tolist() == [
        0,
        0,
        0,
        0,
    ]
    assert found.loc["champions", ["average_order_value", "days_since_last_order"]].isna().all()
    assert set(frame["interval"]) == {"Wilson 95 %; money linearised by customer 95 %"}


def test_shape_of_the_segments() -> None:
    frame = rfm.rfm_segments(datasets.tiny_orders(), as_of=AS_OF, by=["channel", "country"])
    assert frame.columns.tolist() == ["channel", "country", *COUNTED, *MONEY, *LAST]
    assert set(frame[["customers", "orders"]].dtypes) == {np.dtype("int64")}
    floats = [*COUNTED[2:-1], *MONEY, "days_since_last_order"]
    assert set(frame[floats].dtypes) == {np.dtype("float64")}
    assert frame[["segment", "interval"]].dtypes.tolist() == ["str", "str"]
    assert frame.index.equals(pd.RangeIndex(len(frame)))
    groups = frame[["channel", "country"]].drop_duplicates()
    assert groups.equals(groups.sort_values(["channel", "country"]))
    assert len(frame) == 10 * len(groups)
    assert frame.attrs["definition"] == (
        "Customers by the scores of how recently (R) and how often (F) they ordered, 1 to 5, by cut points "
        "of these customers; days since the last order up to 1 May 2024."
    )
    assert frame.attrs["as_of"] == AS_OF
    assert frame.attrs["notes"] == [
        "No customer can have the score 2, 4 for orders: too many have the value 1, 2."
    ]


def test_groups_are_scored_by_the_cut_points_of_all() -> None:
    frame = rfm.rfm_segments(datasets.tiny_orders(), as_of=AS_OF, by="country")
    whole = rfm.rfm_segments(datasets.tiny_orders(), as_of=AS_OF)
    assert frame.groupby("segment", sort=False)["customers"].sum().tolist() == whole["customers"].tolist()
    austria = frame[frame["country"] == "Austria"].set_index("segment")
    # ana, dan and finn; ana is Austrian for good: her first order was.
    assert austria["customers"].to_dict() == dict.fromkeys(rfm.SEGMENTS, 0) | {
        "loyal": 1, "hibernating": 1, "new": 1,
    }  # fmt: skip
    assert austria.loc["loyal", "customer_share"] == 1 / 3


def test_shares_are_drawn_a_row_a_segment() -> None:
    frame = rfm.rfm_segments(datasets.tiny_orders(), as_of=AS_OF)
    ax = exhibits.axes()
    plot_rfm_segments(frame, ax=ax, labels={"loyal": "Treue", "revenue_share": "Anteil am Umsatz"})
    customers, revenue = ax.containers
    assert list(customers.lines[0].get_xdata()) == frame["customer_share"].tolist()
    assert list(revenue.lines[0].get_xdata()) == frame["revenue_share"].tolist()
    assert revenue.get_label() == "Anteil am Umsatz"
    assert [label.get_text() for label in ax.get_yticklabels()][:3] == [
        "champions",
        "Treue",
        "potential loyalists",
    ]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert ax.get_xlim()[0] == 0


def test_without_amounts_the_customers_alone_are_drawn() -> None:
    orders = datasets.tiny_orders().drop(columns="amount")
    ax = exhibits.axes()
    plot_rfm_segments(rfm.rfm_segments(orders, as_of=AS_OF), ax=ax)
    assert len(ax.containers) == 1


# -- messages -----------------------------------------------------------------


def test_bins_that_are_no_number_of_scores() -> None:
    for bins in (1, 10, 2.5):
        with pytest.raises(ParamsError) as error:
            rfm.cut_points(datasets.tiny_orders(), as_of=AS_OF, bins=bins)
        assert str(error.value) == (
            f"bins is a whole number of scores from 2 to 9, and it was {bins}. Type bins=5."
        )


def test_a_map_that_is_not_of_these_scores() -> None:
    cuts = rfm.cut_points(datasets.tiny_orders(), as_of=AS_OF, bins=3)
    with pytest.raises(ParamsError) as error:
        rfm.rfm_segments(datasets.tiny_orders(), as_of=AS_OF, cuts=cuts)
    assert str(error.value) == (
        "segments: 'champions' claims R 5 F 4, and scores go from 1 to 3. "
        "Give a map of these scores, or cut points with as many."
    )


def test_a_group_named_like_a_result() -> None:
    with pytest.raises(DataError) as error:
        rfm.rfm_segments(datasets.tiny_orders().assign(segment="x"), as_of=AS_OF, by="segment")
    assert str(error.value) == (
        "by='segment' is a column of the result already. Give yours another name, such as 'by_segment'."
    )


# -- published data -----------------------------------------------------------


def assert_facts(customers: pd.DataFrame, facts: dict) -> None:
    assert len(customers) == facts["customers"]
    names = {"recency": "days_since_last_order", "frequency": "orders", "monetary": "revenue"}
    for fact, name in names.items():
        values = customers[name]
        assert round(values.mean(), 6) == pytest.approx(facts[fact]["mean"], abs=2e-6)
        for share, value in facts[fact]["quantiles"].items():
            assert values.quantile(float(share)) == pytest.approx(value, abs=1e-3)
    top = customers.nlargest(5, "revenue")
    assert top.index.tolist() == [row["customer"] for row in facts["top5_by_monetary"]]
    for row, fact in zip(top.itertuples(), facts["top5_by_monetary"], strict=True):
        assert (row.days_since_last_order, row.orders) == (fact["recency"], fact["frequency"])
        assert round(row.revenue, 2) == fact["monetary"]


def assert_even(customers: pd.DataFrame, cuts: pd.DataFrame) -> None:
    """Each cut point is the value at or below which so many fifths of the customers lie."""
    for measure, few_are_best in (("days_since_last_order", True), ("orders", False), ("revenue", False)):
        told = cuts[cuts["measure"] == measure].sort_values("score", ascending=not few_are_best)
        expected = np.quantile(customers[measure], [0.2, 0.4, 0.6, 0.8], method="inverted_cdf")
        assert told["up_to"].to_numpy()[:-1] == pytest.approx(expected)


@pytest.mark.realdata
def test_online_retail(data_folder: Path) -> None:
    folder = data_folder / "online_retail"
    loaded = tables.load_orders(
        folder / "online_retail.parquet",
        columns={
            "customer_id": "CustomerID",
            "ordered_at": "InvoiceDate",
            "order_id": "InvoiceNo",
            "amount": "Quantity * UnitPrice",
        },
        where="Quantity > 0 AND UnitPrice > 0 AND NOT starts_with(InvoiceNo, 'C')",
        as_of="2011-12-10",
    )
    customers, cuts = scored(loaded), rfm.cut_points(loaded)
    assert_facts(customers, json.loads((folder / "facts.json").read_text())["A_sales"]["rfm"])
    assert_even(customers, cuts)
    assert cuts["customers"].tolist()[:10] == [861, 866, 863, 880, 868, 1493, 835, 508, 802, 700]
    frame = rfm.rfm_segments(loaded)
    assert frame["customers"].tolist() == [604, 688, 484, 67, 169, 121, 478, 357, 35, 1335]
    assert frame["revenue"].sum() == pytest.approx(8911407.90)


@pytest.mark.realdata
def test_cdnow(data_folder: Path) -> None:
    folder = data_folder / "cdnow"
    rows = pd.read_csv(
        folder / "CDNOW_master.txt.gz", sep=r"\s+", header=0, names=["who", "day", "cds", "paid"], dtype=str
    )
    orders = pd.DataFrame(
        {
            "customer_id": rows["who"],
            "ordered_at": pd.to_datetime(rows["day"], format="%Y%m%d"),
            "amount": rows["paid"].astype(float),
        }
    )
    facts = json.loads((folder / "facts.json").read_text())["master"]["rfm"]
    loaded = tables.orders(orders, as_of="1998-07-01")
    customers, cuts = scored(loaded), rfm.cut_points(loaded)
    assert_facts(customers, facts)
    assert_even(customers, cuts)
    # Half have ordered once, so F 2 stands empty.
    assert cuts.loc[cuts["measure"] == "orders", "customers"].tolist()[:2] == [11908, 0]
