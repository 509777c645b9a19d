"""Two groups compared: against published intervals and sample sizes, by simulation, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from retention_kit import activation, churn, comparisons, datasets, intervals, purchases, retention, spending
from retention_kit.exceptions import DataError

COLUMNS = [
    *("measure", "a", "b", "a_customers", "b_customers", "difference", "low", "high", "interval"),
    *("smallest_detectable", "verdict"),
]


def kept(retained: int, customers: int, **more) -> pd.DataFrame:
    return pd.DataFrame([{"retained": retained, "customers": customers} | more])


def spent(mean: float, sd: float, customers: int) -> pd.DataFrame:
    return pd.DataFrame([{"spend_per_customer": mean, "spend_sd": sd, "customers": customers}])


def detectable(a: pd.DataFrame, b: pd.DataFrame) -> float:
    return comparisons.compare(a, b)["smallest_detectable"].item()


def asked(a, b, **how) -> str:
    with pytest.raises(DataError) as error:
        comparisons.compare(a, b, **how)
    return str(error.value)


# -- published numbers --------------------------------------------------------


def test_the_difference_of_shares_is_newcombes() -> None:
    """Newcombe (1998), table II, a: 56/70 against 48/80, method 10: 0.0524 to 0.3339."""
    row = comparisons.compare(kept(56, 70), kept(48, 80)).iloc[0]
    assert row[["a", "b", "difference"]].tolist() == [56 / 70, 48 / 80, 56 / 70 - 48 / 80]
    assert (round(row["low"], 4), round(row["high"], 4)) == (0.0524, 0.3339)
    assert row["interval"] == "Newcombe 95 %"
    assert row["verdict"] == "a is higher"


def test_the_difference_of_means_is_welchs() -> None:
    """The sleep of Cushny and Peebles (1905), used by Student and by R's t.test: -3.3654832 to 0.2054832."""
    one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    two = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    a, b = (spent(np.mean(hours), np.std(hours, ddof=1), 10) for hours in (one, two))
    row = comparisons.compare(a, b).iloc[0]
    assert row["difference"] == pytest.approx(0.75 - 2.33)
    assert (round(row["low"], 7), round(row["high"], 7)) == (-3.3654832, 0.2054832)
    assert row["interval"] == "Welch 95 %"
    assert row["verdict"] == "cannot be told"


def test_welch_with_unequal_sizes_is_scipys() -> None:
    a, b = spent(15.0, 8.75**0.5, 13), spent(12.0, 39.0**0.5, 11)
    row = comparisons.compare(a, b).iloc[0]
    test = stats.ttest_ind_from_stats(15.0, 8.75**0.5, 13, 12.0, 39.0**0.5, 11, equal_var=False)
    error = (8.75 / 13 + 39 / 11) ** 0.5
    freedom = error**4 / ((8.75 / 13) ** 2 / 12 + (39 / 11) ** 2 / 10)
    assert 3 / error == pytest.approx(test.statistic)
    assert 2 * stats.t.sf(3 / error, freedom) == pytest.approx(test.pvalue)
    half = stats.t.ppf(0.975, freedom) * error
    assert row[["low", "high"]].tolist() == pytest.approx([3 - half, 3 + half])


@pytest.mark.parametrize(
    ("effect", "customers"),
    [(0.2, 393), (0.3, 175), (0.5, 64), (0.6, 45), (0.7, 34), (0.8, 26), (0.9, 21), (1.0, 17)],
)
def test_detectable_means_are_cohens(effect: float, customers: int) -> None:
    """Cohen (1988), table 2.4.1: customers a group for 80 % power at 5 %, two-sided, in spreads."""
    # He rounds 393.4 to 393, so one customer more is enough and one fewer is not.
    more, fewer = (detectable(spent(0, 1, n), spent(0, 1, n)) for n in (customers + 1, customers - 1))
    assert more <= effect < fewer


def test_detectable_shares_are_those_of_r() -> None:
    """R's ?power.prop.test: (0.9, 1) needs n = 74 a group at least for 80 % power."""
    assert detectable(kept(74, 74), kept(74, 74)) <= 0.1 < detectable(kept(73, 73), kept(73, 73))


@pytest.mark.parametrize(("k", "n", "m"), [(29, 58, 58), (100, 1000, 200), (0, 50, 500), (70, 90, 30)])
def test_detectable_shares_have_four_in_five(k: int, n: int, m: int) -> None:
    """Against the power function of statsmodels, which is written for the same test."""
    from statsmodels.stats.proportion import power_proportions_2indep

    found = detectable(kept(m // 2, m), kept(k, n))
    signed = found if k / n <= 0.5 else -found
    power = power_proportions_2indep(signed, k / n, m, ratio=n / m, alpha=0.05, return_results=False)
    assert power == pytest.approx(0.8, abs=2e-4)  # statsmodels counts the far tail too


def test_detectable_differences_are_detected_four_times_in_five() -> None:
    rng = np.random.default_rng(7)
    m, n, share = 400, 600, 0.3
    d = detectable(kept(120, m), kept(180, n))
    low, _ = intervals.difference(rng.binomial(m, share + d, 20_000), m, rng.binomial(n, share, 20_000), n)
    assert (low > 0).mean() == pytest.approx(0.8, abs=0.015)


# -- what it says -------------------------------------------------------------


def test_the_verdict_is_read_from_the_bounds() -> None:
    assert comparisons.compare(kept(48, 80), kept(56, 70))["verdict"].item() == "b is higher"
    assert comparisons.compare(kept(5, 10), kept(4, 10))["verdict"].item() == "cannot be told"
    assert comparisons.compare(spent(30, 5, 100), spent(20, 5, 100))["verdict"].item() == "a is higher"


@pytest.mark.parametrize(
    ("counted", "measure"),
    [("retained", "retention_rate"), ("churned", "churn_rate"), ("repeat_customers", "repeat_purchase_rate")],
)
def test_each_share_by_its_name(counted: str, measure: str) -> None:
    rows = [pd.DataFrame([{counted: k, "customers": 10, measure: k / 10}]) for k in (3, 4)]
    found = comparisons.compare(*rows)
    assert found["measure"].item() == measure
    assert found[["a", "b"]].iloc[0].tolist() == [0.3, 0.4]


def test_shape() -> None:
    for rows in ((kept(5, 10), kept(4, 10)), (spent(30, 5, 100), spent(20, 5, 100))):
        found = comparisons.compare(*rows)
        assert found.columns.tolist() == COLUMNS
        assert found[["a_customers", "b_customers"]].dtypes.tolist() == ["int64", "int64"]
        numbers = ["a", "b", "difference", "low", "high", "smallest_detectable"]
        assert set(found[numbers].dtypes) == {np.dtype("float64")}
        assert found[["measure", "interval", "verdict"]].dtypes.tolist() == ["str"] * 3


def test_the_caveat_hangs_on_who_chose() -> None:
    by_self = comparisons.compare(kept(5, 10), kept(4, 10))
    assert by_self.attrs == {
        "definition": "Retention rate of a less that of b, for two separate groups of customers.",
        "as_of": None,
        "caveat": (
            "The groups chose themselves, so they differed before: the difference is not the effect of "
            "belonging to one of them, and those who do not would not gain it by joining."
        ),
    }
    assert comparisons.compare(kept(5, 10), kept(4, 10), chosen="assigned").attrs["caveat"] == (
        "The groups were drawn at random, so the difference is the effect of what was done to one of them, "
        "within the bounds given: on these customers, in that time."
    )


def test_rows_of_our_nouns() -> None:
    rates = retention.retention_rates(datasets.demo_orders(), as_of=datasets.DEMO_AS_OF, by="channel")
    month_1 = retention.average_retention(rates, by="channel").query("age == 1")
    direct, social = (month_1[month_1["channel"] == name] for name in ("direct", "social"))
    found = comparisons.compare(direct, social).iloc[0]
    assert found["a"] == direct["retention_rate"].item()
    assert found["verdict"] == "a is higher"
    as_rows = comparisons.compare(direct.iloc[0], social.iloc[0])
    pd.testing.assert_series_equal(as_rows.iloc[0], found)
    assert as_rows.attrs["as_of"] == datasets.DEMO_AS_OF

    saved = activation.activation(
        datasets.demo_events(), event="saved_favourite", within_days=14, as_of=datasets.DEMO_AS_OF
    )
    found = comparisons.compare(saved.iloc[[0]], saved.iloc[[1]])
    assert found["difference"].item() == saved["difference"].iloc[0]
    assert found["low"].item() == saved["difference_low"].iloc[0]

    again = purchases.repeat_purchase_rate(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF, by="country")
    found = comparisons.compare(again.iloc[[0]], again.iloc[[1]])
    assert found[["a", "b"]].iloc[0].tolist() == [1 / 3, 1 / 2]


def test_months_may_differ_and_be_compared() -> None:
    july, august = (kept(k, 10, period=month) for k, month in ((4, "2024-07-01"), (5, "2024-08-01")))
    assert comparisons.compare(july, august)["difference"].item() == pytest.approx(-0.1)


# -- invariants ---------------------------------------------------------------

share = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(a=share, b=share)
def test_turned_round_the_difference_changes_sign(a: tuple[int, int], b: tuple[int, int]) -> None:
    one, other = (comparisons.compare(kept(*x), kept(*y)).iloc[0] for x, y in ((a, b), (b, a)))
    assert one["difference"] == -other["difference"]
    assert (one["low"], one["high"]) == (pytest.approx(-other["high"]), pytest.approx(-other["low"]))
    turned = {"a is higher": "b is higher", "b is higher": "a is higher", "cannot be told": "cannot be told"}
    assert one["verdict"] == turned[other["verdict"]]


@given(a=share, b=share)
def test_four_times_the_customers_detect_less(a: tuple[int, int], b: tuple[int, int]) -> None:
    few = detectable(kept(*a), kept(*b))
    many = detectable(kept(4 * a[0], 4 * a[1]), kept(4 * b[0], 4 * b[1]))
    assert np.isnan(few) or 0 < many < few <= 1


means = st.tuples(st.floats(-1e3, 1e3), st.floats(0.01, 1e3), st.integers(2, 10_000))


@given(a=means, b=means)
def test_a_detectable_mean_is_further_than_the_bounds_are_wide(a: tuple, b: tuple) -> None:
    row = comparisons.compare(spent(*a), spent(*b)).iloc[0]
    half = (row["high"] - row["low"]) / 2
    assert row["low"] + half == pytest.approx(row["difference"], abs=1e-6)
    assert half < row["smallest_detectable"] < 2.2 * half


# -- edges --------------------------------------------------------------------


def test_groups_too_small_to_show_anything() -> None:
    row = comparisons.compare(kept(1, 1), kept(0, 1)).iloc[0]
    assert row["difference"] == 1
    assert np.isnan(row["smallest_detectable"])
    assert row["verdict"] == "cannot be told"


def test_nobody_kept_in_either() -> None:
    row = comparisons.compare(kept(0, 100), kept(0, 100)).iloc[0]
    assert row["difference"] == 0
    assert row["low"] < 0 < row["high"]
    assert 0.05 < row["smallest_detectable"] < 0.1  # not 0, though nobody differs in the counts


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (spent(5, np.nan, 1), spent(6, 1, 10)),  # one customer has no spread
        (spent(5, 0, 10), spent(6, 0, 10)),  # nobody differs
        (spent(0.1, 1e-17, 10), spent(0.3, 1e-17, 10)),  # nor here, but for rounding
    ],
)
def test_customers_who_do_not_differ_tell_nothing(a: pd.DataFrame, b: pd.DataFrame) -> None:
    row = comparisons.compare(a, b).iloc[0]
    assert row[["low", "high", "smallest_detectable"]].isna().all()
    assert row["verdict"] == "cannot be told"


# -- messages -----------------------------------------------------------------


def test_more_than_one_row_or_none() -> None:
    two = pd.concat([kept(1, 2), kept(1, 2)])
    message = (
        "{} has {} rows, and one is compared. Choose it, such as rates[rates['age'] == 1], or make one of "
        "several with average_retention or average_churn."
    )
    assert asked(two, kept(1, 2)) == message.format("a", 2)
    assert asked(kept(1, 2), two.iloc[:0]) == message.format("b", 0)


def test_no_row_of_a_result() -> None:
    assert asked(0.5, kept(1, 2)) == "a is a float. Give one row of a result, a DataFrame."


def test_a_rate_without_its_counts() -> None:
    bare = pd.DataFrame([{"retention_rate": 0.5}])
    assert asked(bare, kept(1, 2)) == (
        "a holds nothing to compare by: it has ['retention_rate']. It needs one of: retained, customers; "
        "churned, customers; repeat_customers, customers; spend_per_customer, spend_sd, customers."
    )


def test_different_measures() -> None:
    churned = pd.DataFrame([{"churned": 1, "customers": 2}])
    assert asked(kept(1, 2), churned) == (
        "a and b are measured by different things: a holds retention_rate and b holds churn_rate. "
        "Make both with one function."
    )
    both = kept(1, 2, churned=1)
    assert asked(both, both) == (
        "a and b both hold retention_rate and churn_rate, and one is compared. "
        "Drop the columns of the others."
    )
    assert comparisons.compare(both, churned)["measure"].item() == "churn_rate"


def test_one_measure_at_two_ages() -> None:
    assert asked(kept(1, 2, age=1), kept(1, 2, age=3)) == (
        "a has age 1 and b has age 3. Compare rows of one age."
    )


def test_one_measure_by_two_definitions() -> None:
    a, b = kept(1, 2), kept(1, 2)
    a.attrs, b.attrs = {"definition": "Back in month 1."}, {"definition": "Back in month 1 or later."}
    assert asked(a, b) == (
        "a and b are defined differently. a: Back in month 1. b: Back in month 1 or later. "
        "Make both with the same options."
    )


def test_counts_that_are_no_share() -> None:
    simple = kept(17, 42, retention_rate=17 / 38, interval="t 95 %")
    assert asked(simple, simple) == (
        "a has retained 17 of 42 customers and retention_rate 0.447368 (t 95 %), which is no share of them: "
        "its denominator is another one. Only shares of customers are compared."
    )
    assert asked(kept(1, 2), kept(3, 2)) == (
        "b has retained 3 of 2 customers, which is no share of them: its denominator is another one. "
        "Only shares of customers are compared."
    )


def test_a_rate_over_an_average_or_an_exposure_is_no_share() -> None:
    how = {"as_of": datasets.TINY_AS_OF}
    start = churn.churn_rates(datasets.tiny_subscriptions(), **how).iloc[[1]]
    assert comparisons.compare(start, start)["difference"].item() == 0
    # Averages and exposures can be whole numbers, and look like counts of customers.
    average = pd.DataFrame([{"churned": 3, "customers": 39.0, "churn_rate": 3 / 39}])
    average["interval"] = intervals.POISSON
    assert asked(average, average) == (
        "a has churned 3 of 39 customers and churn_rate 0.0769231 (exact Poisson 95 %), which is no share of "
        "them: its denominator is another one. Only shares of customers are compared."
    )
    other = churn.churn_rates(datasets.tiny_subscriptions(), denominator="start_plus_new", **how)
    assert asked(start, other.iloc[[1]]).startswith("a and b are defined differently. a: ")


def test_spend_of_a_test_and_a_control_group() -> None:
    people = pd.DataFrame({"customer_id": list("abcdef"), "arm": ["test"] * 3 + ["control"] * 3})
    rows = [("a", 30.0), ("b", 10.0), ("d", 5.0), ("e", 10.0), ("f", 9.0)]
    orders = pd.DataFrame(rows, columns=["customer_id", "amount"]).assign(ordered_at="2024-01-05")
    spend = spending.spend_per_customer(orders, as_of="2024-02-01", customers=people, by="arm")
    test, control = (spend[spend["arm"] == name] for name in ("test", "control"))
    found = comparisons.compare(test, control, chosen="assigned").iloc[0]
    assert found[["a", "b", "difference"]].tolist() == pytest.approx([40 / 3, 24 / 3, 16 / 3])
    interval = stats.ttest_ind([30, 10, 0], [5, 10, 9], equal_var=False).confidence_interval(0.95)
    assert found[["low", "high"]].tolist() == pytest.approx([interval.low, interval.high])
    assert found["verdict"] == "cannot be told"


@pytest.mark.parametrize(("customers", "words"), [(0, "0"), (38.5, "38.5"), (np.nan, "nan")])
def test_no_customers(customers: float, words: str) -> None:
    nobody = pd.DataFrame([{"retained": 0.0, "customers": customers}])
    assert asked(kept(1, 2), nobody) == f"b has {words} customers. A group to compare has one at least."


def test_an_unknown_way_to_choose() -> None:
    assert asked(kept(1, 2), kept(1, 2), chosen="random") == (
        "chosen 'random' is not known. Choose one of ['self', 'assigned']."
    )
