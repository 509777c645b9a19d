"""Churn: by hand, against a plain count, and against dbt's mrr-playbook."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import churn, datasets, denominators, intervals, mrr, tables
from retention_kit.exceptions import DataError, ParamsError

AS_OF = datasets.TINY_AS_OF
WAYS = list(denominators.BY_NAME)


def memberships(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "started_at", "ended_at"])
    dates = {name: pd.to_datetime(frame[name]) for name in ("started_at", "ended_at")}
    return frame.assign(**dates)


def test_rates_by_hand() -> None:
    # February: ana, ben, cleo, finn, gus; nobody leaves (dan joins and leaves inside). March: eva too;
    # cleo leaves. April: ana, ben, eva, finn, gus; finn leaves on the first moment.
    rates = churn.churn_rates(datasets.tiny_subscriptions(), as_of=AS_OF)
    assert rates["period"].dt.month.tolist() == [2, 3, 4]
    assert rates["customers"].tolist() == [5, 6, 5]
    assert rates["churned"].tolist() == [0, 1, 1]
    assert rates["churn_rate"].tolist() == [0, 1 / 6, 1 / 5]
    low, high = intervals.wilson([0, 1, 1], [5, 6, 5])
    assert rates["low"].tolist() == low.tolist()
    assert rates["high"].tolist() == high.tolist()


def test_shape_of_the_frame() -> None:
    rates = churn.churn_rates(datasets.tiny_subscriptions(), as_of=AS_OF, by="plan")
    assert rates.columns.tolist() == [
        *("period", "plan", "customers", "churned", "churn_rate", "low", "high", "interval")
    ]
    assert rates["period"].dtype == "datetime64[us]"
    assert set(rates[["customers", "churned"]].dtypes) == {np.dtype("int64")}
    assert set(rates["interval"]) == {"Wilson 95 %"}
    assert rates.attrs["as_of"] == "2024-05-01"
    assert rates.attrs["definition"] == (
        "Customers paying when the month began who no longer paid when it was over, as a share of those "
        "paying when it began; plan as at its beginning."
    )


def test_groups_are_those_at_the_start_and_moving_between_them_is_not_churn() -> None:
    rates = churn.churn_rates(datasets.tiny_subscriptions(), as_of=AS_OF, by="plan")
    found = rates.set_index(["period", "plan"])[["customers", "churned"]]
    # ben goes from plus to basic on 20 February: of plus in February, and not lost by it.
    assert found.loc[("2024-02-01", "plus")].tolist() == [2, 0]
    assert found.loc[("2024-03-01", "plus")].tolist() == [3, 1]  # cleo leaves; eva and gus stay
    assert found.loc[("2024-04-01", "family")].tolist() == [1, 1]
    whole = churn.churn_rates(datasets.tiny_subscriptions(), as_of=AS_OF)
    assert rates.groupby("period")[["customers", "churned"]].sum().to_numpy().tolist() == (
        whole[["customers", "churned"]].to_numpy().tolist()
    )


def test_leaving_and_coming_back_inside_a_period_is_not_churn() -> None:
    table = memberships(("a", "2024-01-05", "2024-02-10"), ("a", "2024-02-20", None))
    rates = churn.churn_rates(table, as_of="2024-04-01")
    assert rates["churned"].tolist() == [0, 0]


def test_coming_back_on_the_next_first_moment_is_churn() -> None:
    # On 1 March itself a pays again, but just before it not: what begins then belongs to March.
    table = memberships(("a", "2024-01-05", "2024-02-10"), ("a", "2024-03-01", None))
    rates = churn.churn_rates(table, as_of="2024-05-01")
    assert rates["period"].dt.month.tolist() == [2, 4]
    assert rates["churned"].tolist() == [1, 0]


def test_several_subscriptions_count_once_and_free_ones_not_at_all() -> None:
    table = memberships(
        ("a", "2024-01-05", None), ("a", "2024-01-06", "2024-02-10"), ("b", "2024-01-05", "2024-02-10")
    )
    assert churn.churn_rates(table, as_of="2024-03-01")[["customers", "churned"]].to_numpy().tolist() == [
        [2, 1]
    ]
    priced = table.assign(mrr=[10, 10, 0])
    assert churn.churn_rates(priced, as_of="2024-03-01")[["customers", "churned"]].to_numpy().tolist() == [
        [1, 0]
    ]


def test_a_period_that_is_not_over_has_no_row() -> None:
    rates = churn.churn_rates(datasets.tiny_subscriptions(), as_of="2024-04-20")
    assert rates["period"].dt.month.tolist() == [2, 3]


def test_notice_given_for_later_is_no_churn_yet() -> None:
    table = memberships(("a", "2024-01-05", "2024-06-01"), ("b", "2024-01-05", "2024-03-01"))
    rates = churn.churn_rates(table, as_of="2024-03-01")
    assert rates[["customers", "churned"]].to_numpy().tolist() == [[2, 0]]


def test_nobody_at_any_start_is_an_empty_frame() -> None:
    rates = churn.churn_rates(memberships(("a", "2024-01-05", "2024-01-10")), as_of="2024-03-01")
    assert rates.empty
    assert rates.columns.tolist() == [
        "period",
        "customers",
        "churned",
        "churn_rate",
        "low",
        "high",
        "interval",
    ]


# -- what it is divided by ----------------------------------------------------


def tiny(denominator: str, **how) -> pd.DataFrame:
    return churn.churn_rates(datasets.tiny_subscriptions(), as_of=AS_OF, denominator=denominator, **how)


def counts(rates: pd.DataFrame) -> list[tuple]:
    """Month, customers, churned."""
    months = rates["period"].dt.month
    return list(zip(months, rates["customers"].tolist(), rates["churned"].tolist(), strict=True))


def test_those_at_the_start_and_the_new_by_hand() -> None:
    # January ana, ben, cleo, finn, gus; February dan and eva too, and dan is gone again; April without
    # cleo, who comes back on the 10th, when ivo's trial ends; finn leaves.
    assert counts(tiny("start_plus_new")) == [(1, 5, 0), (2, 7, 1), (3, 6, 1), (4, 7, 1)]


def test_the_mean_of_start_and_end_by_hand() -> None:
    # Those at the starts: 0, 5, 6, 5 and, on 1 May, 6. dan was at none, so he is not lost.
    halves = [(1, 5 / 2, 0), (2, 11 / 2, 0), (3, 11 / 2, 1), (4, 11 / 2, 1)]
    assert counts(tiny("average")) == halves


def test_exposure_by_hand() -> None:
    # Days paid: January ana 31, ben 22, cleo 17, finn 12, gus 27; February 6 x 29 and dan 20; March 5 x 31
    # and cleo 14; April ana, ben, eva, gus 30 each, cleo and ivo 21 each. finn stops on 1 April.
    months = [(1, 109 / 31, 0), (2, 194 / 29, 1), (3, 169 / 31, 1), (4, 162 / 30, 1)]
    found = tiny("exposure")
    assert [(month, lost) for month, _, lost in counts(found)] == [(month, lost) for month, _, lost in months]
    assert found["customers"].tolist() == pytest.approx([paid for _, paid, _ in months])
    assert found["churn_rate"].tolist() == pytest.approx([lost / paid for _, paid, lost in months])


def test_due_for_renewal_by_hand() -> None:
    # A row ends: February ben (moves on) and dan; March ana (moves on) and cleo; April finn and gus (whose
    # other subscription runs on). ivo's row that ends in April is a free trial. In January none ends.
    assert counts(tiny("due_for_renewal")) == [(2, 2, 1), (3, 2, 1), (4, 2, 1)]


def test_who_comes_back_before_the_end_was_due_and_stayed() -> None:
    table = memberships(
        ("a", "2024-01-05", "2024-02-10"), ("a", "2024-02-20", None), ("b", "2024-01-05", "2024-03-01")
    )
    rates = churn.churn_rates(table, as_of="2024-04-01", denominator="due_for_renewal")
    assert counts(rates) == [(2, 1, 0), (3, 1, 1)]


def test_groups_of_what_was_due_are_those_of_the_row_that_ended_last() -> None:
    table = memberships(("a", "2024-01-05", "2024-02-10"), ("a", "2024-02-10", "2024-02-20"))
    rates = churn.churn_rates(
        table.assign(plan=["basic", "plus"]), as_of="2024-03-01", by="plan", denominator="due_for_renewal"
    )
    assert rates[["plan", "customers", "churned"]].to_numpy().tolist() == [["plus", 1, 1]]


def test_groups_in_the_period_of_joining_are_those_joined_on() -> None:
    table = memberships(("a", "2024-01-05", "2024-01-10"), ("a", "2024-01-10", "2024-01-20"))
    table = table.assign(plan=["basic", "plus"])
    rates = churn.churn_rates(table, as_of="2024-02-01", by="plan", denominator="start_plus_new")
    assert rates[["plan", "customers", "churned"]].to_numpy().tolist() == [["basic", 1, 1]]


def test_exposure_of_a_group_ends_with_a_change_of_plan_and_that_is_no_churn() -> None:
    table = memberships(("a", "2024-01-01", "2024-01-11"), ("a", "2024-01-11", "2024-01-21"))
    table = table.assign(plan=["basic", "plus"])
    rates = churn.churn_rates(table, as_of="2024-02-01", by="plan", denominator="exposure")
    assert rates["customers"].tolist() == pytest.approx([10 / 31, 10 / 31])
    assert rates["churned"].tolist() == [0, 1]


@pytest.mark.parametrize("denominator", WAYS)
def test_groups_add_up(denominator: str) -> None:
    whole, groups = tiny(denominator), tiny(denominator, by="plan")
    added = groups.groupby("period", as_index=False)[["customers", "churned"]].sum()
    if denominator == "exposure":
        # finn, alone on his plan, stops on 1 April: no time of his plan in April, so no rate of it.
        assert whole["churned"].sub(added["churned"]).tolist() == [0, 0, 0, 1]
        whole, added = whole.drop(columns="churned"), added.drop(columns="churned")
    pd.testing.assert_frame_equal(added, whole[list(added)])


@pytest.mark.parametrize("denominator", WAYS)
def test_shape_and_interval_of_each(denominator: str) -> None:
    rates = tiny(denominator)
    assert rates.columns.tolist() == [
        *("period", "customers", "churned", "churn_rate", "low", "high", "interval")
    ]
    timed = denominator in ("average", "exposure")
    assert rates["customers"].dtype == ("float64" if timed else "int64")
    assert rates["churned"].dtype == "int64"
    assert set(rates["interval"]) == {"exact Poisson 95 %" if timed else "Wilson 95 %"}
    bounds = (intervals.poisson if timed else intervals.wilson)(rates["churned"], rates["customers"])
    assert [rates["low"].tolist(), rates["high"].tolist()] == [bound.tolist() for bound in bounds]
    assert (rates.attrs["period"], rates.attrs["denominator"]) == ("month", denominator)


def test_definitions() -> None:
    found = {name: tiny(name, by="plan", period="week_sunday").attrs["definition"] for name in WAYS}
    assert found == {
        "start": (
            "Customers paying when the week began who no longer paid when it was over, as a share of those "
            "paying when it began; plan as at its beginning."
        ),
        "start_plus_new": (
            "Customers paying when the week began or at any time in it who no longer paid when it was over, "
            "as a share of all of them; plan as at its beginning, or when they began to pay in it."
        ),
        "average": (
            "Customers paying when the week began who no longer paid when it was over, over the mean of the "
            "numbers paying when it began and when it was over; plan of the lost as at its beginning, of the "
            "mean as at either moment."
        ),
        "exposure": (
            "Times that a customer stopped paying in the week, over the time that customers paid in it, in "
            "customer-weeks; plan as at the time."
        ),
        "due_for_renewal": (
            "Customers of whom a paid subscription ended in the week and who no longer paid when it was "
            "over, as a share of all of whom one ended in it; plan of the one that ended last."
        ),
    }


@pytest.mark.parametrize("denominator", WAYS)
def test_nobody_pays_at_all(denominator: str) -> None:
    free = memberships(("a", "2024-01-05", "2024-02-10"), ("b", "2024-01-05", None)).assign(mrr=0, plan="x")
    rates = churn.churn_rates(free, as_of="2024-04-01", denominator=denominator, by="plan")
    assert rates.empty
    assert rates.columns.tolist() == [
        *("period", "plan", "customers", "churned", "churn_rate", "low", "high", "interval")
    ]
    assert rates["period"].dtype == "datetime64[us]"
    assert rates["churned"].dtype == "int64"
    assert set(rates[["churn_rate", "low", "high"]].dtypes) == {np.dtype("float64")}


@pytest.mark.parametrize("denominator", WAYS)
def test_nothing_is_complete_yet(denominator: str) -> None:
    table = memberships(("a", "2024-01-05", "2024-01-10"), ("b", "2024-01-05", None))
    assert churn.churn_rates(table, as_of="2024-01-20", denominator=denominator).empty


TICK = pd.Timedelta(hours=12)
stay = st.tuples(
    st.sampled_from("abcd"),
    st.integers(0, 181),
    st.integers(0, 150) | st.none(),
    st.sampled_from([0, 10, 20]),
)


class Reference:
    """Who pays when, by looping over the rows."""

    def __init__(self, rows: list[tuple]) -> None:
        first = pd.Timestamp("2024-01-01")
        moments = [
            (who, first + TICK * start, None if length is None else first + TICK * (start + length), mrr)
            for who, start, length, mrr in rows
        ]
        self.table = memberships(*(row[:3] for row in moments)).assign(mrr=[row[3] for row in moments])
        self.paid = [(who, a, z or pd.Timestamp.max) for who, a, z, mrr in moments if mrr and a != z]

    def before(self, moment: pd.Timestamp) -> set[str]:
        return {who for who, since, until in self.paid if since < moment <= until}

    def at(self, moment: pd.Timestamp) -> set[str]:
        return {who for who, since, until in self.paid if since <= moment < until}

    def ended(self, start: pd.Timestamp, end: pd.Timestamp) -> set[tuple]:
        return {(who, until) for who, _, until in self.paid if start <= until < end}

    def counted(self, denominator: str, start: pd.Timestamp, end: pd.Timestamp) -> tuple[float, int]:
        """Customers and churned of one period."""
        lost = self.before(start) - self.before(end)
        if denominator == "start":
            return len(self.before(start)), len(lost)
        if denominator == "start_plus_new":
            all_of_them = self.before(start) | {who for who, since, _ in self.paid if start <= since < end}
            return len(all_of_them), len(all_of_them - self.before(end))
        if denominator == "average":
            return (len(self.before(start)) + len(self.before(end))) / 2, len(lost)
        if denominator == "exposure":
            ticks = pd.date_range(start, end, freq=TICK, inclusive="left")
            stops = {(who, at) for who, at in self.ended(start, end) if who not in self.at(at)}
            return sum(len(self.at(tick)) for tick in ticks) / len(ticks), len(stops)
        due = {who for who, _ in self.ended(start, end)}
        return len(due), len(due - self.before(end))


@settings(max_examples=12, deadline=None)
@given(
    st.lists(stay, min_size=4, max_size=16),  # each example costs a query, each row of it nothing
    st.sampled_from([("month", "MS"), ("week", "W-MON"), ("week_sunday", "W-SUN")]),
    st.sampled_from(WAYS),
)
def test_each_is_that_of_a_plain_count(rows: list[tuple], length: tuple[str, str], denominator: str) -> None:
    period, frequency = length
    plain = Reference(rows)
    moments = pd.date_range("2023-12-31", "2024-04-01", freq=frequency)
    expected = [
        (start, *counted)
        for start, end in itertools.pairwise(moments)
        if (counted := plain.counted(denominator, start, end))[0]
    ]
    rates = churn.churn_rates(plain.table, as_of="2024-04-01", period=period, denominator=denominator)
    assert rates["period"].tolist() == [start for start, _, _ in expected]
    assert rates["customers"].tolist() == pytest.approx([customers for _, customers, _ in expected])
    assert rates["churned"].tolist() == [churned for _, _, churned in expected]


@settings(max_examples=10, deadline=None)
@given(st.lists(stay, min_size=4, max_size=16))
def test_the_stops_of_exposure_are_the_churned_of_the_bridge(rows: list[tuple]) -> None:
    table = Reference(rows).table
    stops = churn.churn_rates(table, as_of="2024-04-01", denominator="exposure")
    bridge = mrr.mrr_movements(table, as_of="2024-04-01").set_index("period")["customers_churned"]
    assert stops["churned"].tolist() == bridge.reindex(stops["period"]).tolist()


def test_an_unknown_denominator() -> None:
    with pytest.raises(DataError) as error:
        tiny("starts")
    assert str(error.value) == (
        "denominator 'starts' is not known. Did you mean 'start'? "
        "Choose one of ['start', 'start_plus_new', 'average', 'exposure', 'due_for_renewal']."
    )


def many(*groups: tuple) -> pd.DataFrame:
    """So many customers each, from and until."""
    rows = [(n, since, until) for n, since, until in groups for _ in range(n)]
    return memberships(*((f"c{i}", since, until) for i, (_, since, until) in enumerate(rows)))


def test_a_quarter_of_120_and_the_complement_of_70_percent() -> None:
    half = many((90, "2024-01-01", None), (30, "2024-01-01", "2024-02-15"))
    assert churn.churn_rates(half, as_of="2024-03-01")["churn_rate"].tolist() == [30 / 120]
    # 1000 at the start, 900 at the end, 200 of them new: 700 kept.
    kept = many((700, "2024-01-01", None), (300, "2024-01-01", "2024-02-15"), (200, "2024-02-10", None))
    row = churn.churn_rates(kept, as_of="2024-03-01").iloc[0]
    assert row[["customers", "churned"]].tolist() == [1000, 300]
    assert row["churn_rate"] == 300 / 1000


def test_the_true_churn_of_each_plan_lies_in_its_interval() -> None:
    rates = churn.churn_rates(datasets.demo_subscriptions(), as_of=datasets.DEMO_AS_OF, by="plan")
    found = churn.average_churn(rates, by="plan").set_index("plan")
    true = pd.Series(datasets.demo_truth().monthly_churn).reindex(found.index)
    assert (found["low"] < true).all()
    assert (true < found["high"]).all()


def test_missing_as_of() -> None:
    with pytest.raises(DataError) as error:
        churn.churn_rates(datasets.tiny_subscriptions())
    assert str(error.value) == (
        "subscriptions needs as_of, the first moment not observed. Type as_of='2024-05-02' for all rows."
    )


# -- a year -------------------------------------------------------------------


def test_a_year_compounds() -> None:
    assert churn.annual_churn(0.05) == pytest.approx(1 - 0.95**12)
    assert round(churn.annual_churn(0.05), 3) == 0.460
    assert churn.annual_churn(0.01, period="day") == pytest.approx(1 - 0.99**365)
    assert churn.annual_churn(0.01, period="week") == pytest.approx(1 - 0.99 ** (365 / 7))
    assert churn.annual_churn(0.5, period="quarter") == 1 - 1 / 16
    assert churn.annual_churn(0.3, period="year") == pytest.approx(0.3)


@given(st.floats(0, 1))
def test_a_year_is_between_a_month_and_twelve_times_it(rate: float) -> None:
    assert rate - 1e-12 <= churn.annual_churn(rate) <= min(1, 12 * rate) + 1e-12


def test_a_rate_in_percent_is_refused() -> None:
    with pytest.raises(ParamsError) as error:
        churn.annual_churn(5)
    assert str(error.value) == "rate is a share between 0 and 1, and it was 5. Type 0.05 for 5 %."


def test_an_unknown_period() -> None:
    with pytest.raises(DataError) as error:
        churn.annual_churn(0.05, period="months")
    assert str(error.value) == (
        "period 'months' is not known. Did you mean 'month'? "
        "Choose one of ['day', 'week', 'week_saturday', 'week_sunday', 'month', 'quarter', 'year']."
    )


def test_rates_convert_both_ways_and_weeks_are_weeks() -> None:
    assert churn.convert_churn(0.05) == churn.annual_churn(0.05)
    year = churn.convert_churn(0.05, period="month", to="year")
    assert churn.convert_churn(year, period="year", to="month") == pytest.approx(0.05)
    assert churn.convert_churn(0.1, period="month", to="quarter") == pytest.approx(1 - 0.9**3)
    assert churn.convert_churn(0.01, period="week_sunday", to="year") == churn.annual_churn(
        0.01, period="week"
    )
    assert churn.convert_churn(1, to="day") == 1
    assert churn.convert_churn(0, to="day") == 0


def test_an_unknown_length_to_convert_to() -> None:
    with pytest.raises(DataError) as error:
        churn.convert_churn(0.05, to="years")
    assert str(error.value).startswith("period 'years' is not known. Did you mean 'year'?")


# -- the rule of thumb --------------------------------------------------------


def test_a_verdict_reads_the_interval_and_not_the_point() -> None:
    average = pd.DataFrame(
        {
            "low": [0.01, 0.049, 0.05, 0.06, 0.09, 0.11, 0.10, np.nan],
            "high": [0.0499, 0.05, 0.10, 0.07, 0.12, 0.20, 0.20, np.nan],
        }
    )
    found = churn.classify_churn(average)
    assert found["verdict"].tolist() == [
        *("healthy", "unclear", "between", "between", "unclear", "urgent", "unclear", "unclear")
    ]
    assert found.columns.tolist() == ["low", "high", "healthy_below", "urgent_above", "verdict"]
    assert found["verdict"].dtype == "str"
    assert set(found["healthy_below"]) == {0.05}
    assert set(found["urgent_above"]) == {0.10}


def test_thresholds_are_converted_to_the_period_and_a_client_can_set_them() -> None:
    average = pd.DataFrame({"low": [0.02], "high": [0.023]})
    week = churn.classify_churn(average, period="week").iloc[0]
    assert week["healthy_below"] == pytest.approx(1 - 0.95 ** (12 * 7 / 365))
    assert week["urgent_above"] == pytest.approx(1 - 0.90 ** (12 * 7 / 365))
    assert week["verdict"] == "between"
    own = churn.classify_churn(average, healthy=0.01, urgent=0.015).iloc[0]
    assert (own["healthy_below"], own["urgent_above"], own["verdict"]) == (0.01, 0.015, "urgent")
    assert dict(churn.CHURN_THRESHOLDS) == {"healthy": 0.05, "urgent": 0.10}


def test_no_rate_has_no_verdict() -> None:
    nothing = churn.classify_churn(churn.average_churn(SEVERAL.iloc[:0]))
    assert nothing.empty
    assert nothing["verdict"].dtype == "str"


def test_thresholds_in_the_wrong_order() -> None:
    with pytest.raises(ParamsError) as error:
        churn.classify_churn(SEVERAL, healthy=0.10, urgent=0.05)
    assert str(error.value) == "healthy 0.1 is above urgent 0.05. Give the smaller one as healthy."


def test_rates_of_a_week_are_not_held_against_thresholds_of_a_month() -> None:
    weekly = churn.average_churn(tiny("start", period="week"))
    with pytest.raises(ParamsError) as error:
        churn.classify_churn(weekly)
    assert str(error.value) == "average is per week, and period is 'month'. Type period='week'."
    assert len(churn.classify_churn(weekly, period="week")) == 1


# -- dbt's mrr-playbook -------------------------------------------------------


@pytest.mark.realdata
def test_playbook_december(data_folder: Path) -> None:
    names = {"started_at": "start_date", "ended_at": "end_date", "mrr": "monthly_amount"}
    path = data_folder / "saas_mrr_playbook" / "subscription_periods.csv"
    loaded = tables.load_subscriptions(
        path, columns={"customer_id": "customer_id", **names}, as_of="2020-01-01"
    )
    found = {
        name: churn.churn_rates(loaded, denominator=name).set_index("period").loc["2019-12-01"]
        for name in WAYS
    }
    assert {row["churned"] for row in found.values()} == {17}
    assert {name: row["customers"] for name, row in found.items()} == {
        "start": 42,
        "start_plus_new": 42 + 3,
        "average": (42 + 28) / 2,
        "exposure": 28,  # all dates are firsts of a month: who stops on 1 December has not paid in it
        "due_for_renewal": 22,
    }
    assert [round(row["churn_rate"], 3) for row in found.values()][:4] == [0.405, 0.378, 0.486, 0.607]


# -- several periods ----------------------------------------------------------

SEVERAL = pd.DataFrame(
    {
        "period": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"] * 2),
        "plan": ["a", "a", "a", "b", "b", "b"],
        "customers": [100, 50, 50, 10, 10, 10],
        "churned": [10, 2, 3, 0, 1, 0],
    }
)


def test_several_periods_together_by_hand() -> None:
    found = churn.average_churn(SEVERAL, by="plan")
    assert found[["plan", "periods", "customers", "churned"]].to_numpy().tolist() == [
        ["a", 3, 200, 15],
        ["b", 3, 30, 1],
    ]
    assert found["churn_rate"].tolist() == [15 / 200, 1 / 30]
    assert (found["low"][0], found["high"][0]) == tuple(intervals.wilson(15, 200))


def test_several_periods_of_exposure_are_time_and_keep_their_interval() -> None:
    rates = tiny("exposure")
    found = churn.average_churn(rates).iloc[0]
    days = 109 / 31 + 194 / 29 + 169 / 31 + 162 / 30
    assert found["customers"] == pytest.approx(days)
    assert found["churned"] == 3
    assert found[["low", "high"]].tolist() == pytest.approx([float(x) for x in intervals.poisson(3, days)])
    assert found["interval"] == "exact Poisson 95 %"


def test_several_ways_side_by_side_each_keep_their_interval() -> None:
    rates = pd.concat([tiny(name).assign(denominator=name) for name in ("start", "average")])
    found = churn.average_churn(rates, by="denominator")
    assert found["denominator"].tolist() == ["average", "start"]
    assert found["customers"].tolist() == [2.5 + 5.5 * 3, 5 + 6 + 5]
    assert found["interval"].tolist() == ["exact Poisson 95 %", "Wilson 95 %"]
    assert found["high"].tolist() == [intervals.poisson(2, 19)[1], intervals.wilson(2, 16)[1]]


def test_only_the_last_periods() -> None:
    found = churn.average_churn(SEVERAL, last=2)
    assert (found["periods"].item(), found["customers"].item(), found["churned"].item()) == (2, 120, 6)


def test_no_period_is_no_rate() -> None:
    assert churn.average_churn(SEVERAL.iloc[:0], last=12).empty


def test_several_periods_must_have_been_split_the_same_way():
    with pytest.raises(DataError) as error:
        churn.average_churn(SEVERAL, by="country")
    assert str(error.value) == "rates is missing ['country']. Give churn_rates the same by='country'."
