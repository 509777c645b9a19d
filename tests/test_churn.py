"""Churn: by hand, against a plain count, and against dbt's mrr-playbook."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import churn, datasets, intervals, tables
from retention_kit.exceptions import DataError, ParamsError

AS_OF = datasets.TINY_AS_OF


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


stay = st.tuples(st.sampled_from("abcd"), st.integers(0, 120), st.integers(0, 90) | st.none())


@settings(max_examples=25, deadline=None)
@given(st.lists(stay, min_size=1, max_size=8), st.sampled_from([("month", "MS"), ("week", "W-MON")]))
def test_rates_are_those_of_a_plain_count(rows: list[tuple], length: tuple[str, str]) -> None:
    period, frequency = length
    first = pd.Timestamp("2024-01-01")
    starts = [(who, first + pd.Timedelta(days=day), n) for who, day, n in rows]
    table = memberships(*((who, at, n if n is None else at + pd.Timedelta(days=n)) for who, at, n in starts))
    if table["started_at"].min() >= pd.Timestamp("2024-04-01"):
        return

    def paying_before(moment: pd.Timestamp) -> set[str]:
        runs = (table["started_at"] < moment) & ~(table["ended_at"] < moment)
        runs &= ~(table["ended_at"] <= table["started_at"])
        return set(table.loc[runs, "customer_id"])

    moments = pd.date_range("2024-01-01", "2024-04-01", freq=frequency)
    expected = []
    for start, end in itertools.pairwise(moments):
        if paying_before(start):
            lost = paying_before(start) - paying_before(end)
            expected.append((start, len(paying_before(start)), len(lost)))
    rates = churn.churn_rates(table, as_of="2024-04-01", period=period)
    assert list(rates[["period", "customers", "churned"]].itertuples(index=False, name=None)) == expected


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
        "Choose one of ['day', 'week', 'month', 'quarter', 'year']."
    )


# -- dbt's mrr-playbook -------------------------------------------------------


@pytest.mark.realdata
def test_playbook_december(data_folder: Path) -> None:
    names = {"started_at": "start_date", "ended_at": "end_date", "mrr": "monthly_amount"}
    path = data_folder / "saas_mrr_playbook" / "subscription_periods.csv"
    loaded = tables.load_subscriptions(
        path, columns={"customer_id": "customer_id", **names}, as_of="2020-01-01"
    )
    december = churn.churn_rates(loaded).set_index("period").loc["2019-12-01"]
    assert december[["customers", "churned"]].tolist() == [42, 17]
    assert december["churn_rate"] == 17 / 42


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


def test_only_the_last_periods() -> None:
    found = churn.average_churn(SEVERAL, last=2)
    assert (found["periods"].item(), found["customers"].item(), found["churned"].item()) == (2, 120, 6)


def test_no_period_is_no_rate() -> None:
    assert churn.average_churn(SEVERAL.iloc[:0], last=12).empty


def test_several_periods_must_have_been_split_the_same_way():
    with pytest.raises(DataError) as error:
        churn.average_churn(SEVERAL, by="country")
    assert str(error.value) == "rates is missing ['country']. Give churn_rates the same by='country'."
