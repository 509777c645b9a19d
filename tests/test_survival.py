"""Survival: by hand, against statsmodels and plain loops, on published data; and its picture."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from retention_kit import exhibits, survival
from retention_kit.exceptions import DataError
from retention_kit.plots.survival import plot_survival

Z = 1.959963984540054
COLUMNS = ["duration", "at_risk", "events", "censored", "survival", "low", "high", "interval"]

# Weeks of remission of 42 children with leukaemia, 6-mercaptopurine against placebo: Freireich and others
# (1963), Blood 21, 699-716.
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
RELAPSED = [1] * 9 + [0] * 12
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
TRIAL = pd.DataFrame(
    {
        "duration": TREATED + PLACEBO,
        "event": RELAPSED + [1] * 21,
        "arm": ["6-MP"] * 21 + ["placebo"] * 21,
    }
)


# -- the curve ----------------------------------------------------------------


def test_curve_by_hand() -> None:
    # Of five, one ends after 1; one of the four left after 2, where another is last seen and still at risk;
    # of the two left one is last seen at 3, and the last one ends after 5.
    curve = survival.survival_curve([1, 2, 2, 3, 5], [True, True, False, False, True])
    assert curve[["duration", "at_risk", "events", "censored"]].to_numpy().tolist() == [
        [0, 5, 0, 0], [1, 5, 1, 0], [2, 4, 1, 1], [3, 2, 0, 1], [5, 1, 1, 0],
    ]  # fmt: skip
    expected = [1, 4 / 5, 4 / 5 * 3 / 4, 4 / 5 * 3 / 4, 0]
    assert curve["survival"].tolist() == pytest.approx(expected, abs=1e-15)


def test_bounds_by_hand() -> None:
    # Greenwood after 2: 1 / (5 * 4) + 1 / (4 * 3); on the scale of log(-log) over |log S|.
    curve = survival.survival_curve([1, 2, 2, 3, 5], [1, 1, 0, 0, 1])
    half = Z * math.sqrt(1 / 20 + 1 / 12) / abs(math.log(3 / 5))
    at_two = curve[curve["duration"] == 2].iloc[0]
    assert at_two["low"] == pytest.approx((3 / 5) ** math.exp(half))
    assert at_two["high"] == pytest.approx((3 / 5) ** math.exp(-half))
    # Where all last, or none, the data do not say how far it could be off.
    assert curve["low"].isna().tolist() == curve["high"].isna().tolist() == [True, False, False, False, True]
    assert set(curve["interval"]) == {"log-log Greenwood 95 %"}


def test_shape() -> None:
    curve = survival.survival_curve(TRIAL, by="arm")
    assert curve.columns.tolist() == ["arm", *COLUMNS]
    types = ["str", *["int64"] * 4, *["float64"] * 3, "str"]
    assert curve.dtypes.astype(str).tolist() == types
    assert curve.index.equals(pd.RangeIndex(len(curve)))
    assert curve[["arm", "duration"]].equals(curve[["arm", "duration"]].sort_values(["arm", "duration"]))
    assert curve.attrs == {
        "as_of": None,
        "definition": "Share who last longer than each duration, after Kaplan and Meier.",
    }


def test_all_forms_are_one() -> None:
    asked = survival.survival_curve(TRIAL, by="arm")
    arm = TRIAL["arm"]
    counted = TRIAL.groupby(["arm", "duration", "event"], as_index=False).size()
    forms = [
        survival.survival_curve(TRIAL["duration"], TRIAL["event"], by=arm),
        survival.survival_curve(TRIAL["duration"].to_numpy(), TRIAL["event"].astype(bool), by=arm),
        survival.survival_curve(
            counted["duration"].tolist(),
            counted["event"].tolist(),
            weights=counted["size"],
            by=counted["arm"],
        ),
        survival.survival_curve(counted.rename(columns={"size": "customers"}), by="arm"),
        survival.survival_curve(asked, by="arm"),
        survival.survival_curve(TRIAL.astype({"duration": "Int64", "event": "boolean"}), by=["arm"]),
    ]
    for form in forms:
        pd.testing.assert_frame_equal(form, asked)
    groups = survival.survival_curve([1, 2], [1, 0], by=["a", "b"])
    assert groups.columns[0] == "group"


def test_a_curve_of_groups_without_by_is_that_of_all() -> None:
    pooled = survival.survival_curve(survival.survival_curve(TRIAL, by="arm"))
    pd.testing.assert_frame_equal(pooled, survival.survival_curve(TRIAL))


def test_attrs_of_a_frame_are_kept() -> None:
    frame = TRIAL.copy()
    frame.attrs = {"as_of": "2024-05-01", "definition": "days"}
    assert survival.survival_curve(frame).attrs["as_of"] == "2024-05-01"
    assert survival.survival_summary(frame).attrs["as_of"] == "2024-05-01"


spell = st.tuples(st.integers(0, 6), st.booleans(), st.integers(1, 4), st.sampled_from(["a", "b", None]))
spells = st.lists(spell, min_size=1, max_size=25)


@settings(max_examples=30)
@given(spells)
def test_curve_is_that_of_loops(rows: list[tuple]) -> None:
    frame = pd.DataFrame(rows, columns=["duration", "event", "customers", "plan"]).astype({"plan": "str"})
    curve = survival.survival_curve(frame, by="plan")
    found = {
        (None if pd.isna(row.plan) else row.plan, row.duration): row for row in curve.itertuples(index=False)
    }
    expected = {}
    for plan in {row[3] for row in rows}:
        people = [(t, event) for t, event, count, of in rows for _ in range(count) if of == plan]
        surviving = Fraction(1)
        for t in sorted({0, *(t for t, _ in people)}):
            at_risk = sum(1 for u, _ in people if u >= t)
            ended = sum(1 for u, event in people if u == t and event)
            surviving *= 1 - Fraction(ended, at_risk)
            left = sum(1 for u, event in people if u == t and not event)
            expected[plan, t] = (at_risk, ended, left, surviving)
    assert set(found) == set(expected)
    for key, row in found.items():
        at_risk, ended, left, surviving = expected[key]
        assert (row.at_risk, row.events, row.censored) == (at_risk, ended, left)
        assert row.survival == pytest.approx(float(surviving), abs=1e-12)
        if 0 < surviving < 1:
            assert 0 < row.low < row.survival < row.high < 1


@settings(max_examples=30)
@given(spells)
def test_bounds_are_those_of_statsmodels_customer_by_customer(rows: list[tuple]) -> None:
    """With weights statsmodels has another variance, so each customer gets a row."""
    frame = pd.DataFrame(rows, columns=["duration", "event", "customers", "plan"])
    each = frame.loc[frame.index.repeat(frame["customers"])]
    fitted = SurvfuncRight(each["duration"], each["event"].astype(int))
    curve = survival.survival_curve(frame)
    curve = curve[curve["events"] > 0]
    s, error = fitted.surv_prob, fitted.surv_prob_se
    inside = (s > 0) & (s < 1)
    half = Z * error[inside] / s[inside] / np.abs(np.log(s[inside]))
    np.testing.assert_allclose(curve["low"][inside], s[inside] ** np.exp(half), rtol=1e-9)
    np.testing.assert_allclose(curve["high"][inside], s[inside] ** np.exp(-half), rtol=1e-9)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_without_censoring_survival_is_a_plain_share(durations: list[int]) -> None:
    curve = survival.survival_curve(durations, [1] * len(durations))
    shares = [sum(d > t for d in durations) / len(durations) for t in curve["duration"]]
    assert curve["survival"].tolist() == pytest.approx(shares, abs=1e-12)


def test_bounds_hold_the_truth_as_often_as_they_say() -> None:
    """40 customers, half of them still running when last seen: 95 % within simulation error."""
    random = np.random.default_rng(7)
    rounds = 500
    lasts, seen = random.exponential(10, (rounds, 40)), random.uniform(0, 20, (rounds, 40))
    curve = survival.survival_curve(
        np.minimum(lasts, seen).ravel(), (lasts <= seen).ravel(), by=np.repeat(np.arange(rounds), 40)
    )
    at_seven = survival.survival_at(curve, 7)
    truth = math.exp(-7 / 10)
    held = (at_seven["low"] <= truth) & (truth <= at_seven["high"])
    assert 0.925 < held.mean() < 0.975


# -- median and restricted mean -----------------------------------------------


def test_summary_by_hand() -> None:
    # Survival 3/4 after 2, 3/8 after 5 (1 of 2: one was last seen at 3), and never lower: 8 is not an end.
    summary = survival.survival_summary([2, 3, 5, 8], [1, 0, 1, 0]).iloc[0]
    assert summary[["customers", "events", "median", "horizon"]].tolist() == [4, 2, 5, 8]
    assert summary["restricted_mean"] == pytest.approx(2 * 1 + 3 * 3 / 4 + 3 * 3 / 8)
    # The area beyond each end squared, times d / (n (n - d)).
    beyond_2, beyond_5 = 3 * 3 / 4 + 3 * 3 / 8, 3 * 3 / 8
    error = math.sqrt(beyond_2**2 / (4 * 3) + beyond_5**2 / (2 * 1))
    assert summary["mean_low"] == pytest.approx(summary["restricted_mean"] - Z * error)
    assert summary["mean_high"] == pytest.approx(summary["restricted_mean"] + Z * error)
    assert summary["interval"] == "log-log Greenwood 95 %; mean normal Greenwood 95 %"


def test_shape_of_the_summary() -> None:
    summary = survival.survival_summary(TRIAL, by="arm")
    assert summary.columns.tolist() == [
        *("arm", "customers", "events", "median", "low", "high"),
        *("restricted_mean", "mean_low", "mean_high", "horizon", "interval"),
    ]
    assert summary.dtypes.astype(str).tolist() == ["str", "int64", "int64", *["float64"] * 7, "str"]


@settings(max_examples=30)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=30, unique=True))
def test_without_censoring_the_restricted_mean_is_the_mean(durations: list[int]) -> None:
    """And its standard error the usual one, with n where a sample has n - 1."""
    row = survival.survival_summary(durations, [True] * len(durations), horizon=1000).iloc[0]
    mean, error = np.mean(durations), np.std(durations) / math.sqrt(len(durations))
    assert row["restricted_mean"] == pytest.approx(mean)
    assert row["mean_low"] == pytest.approx(max(mean - Z * error, 0))
    assert row["mean_high"] == pytest.approx(mean + Z * error)
    assert row["median"] == sorted(durations)[(len(durations) - 1) // 2]


@settings(max_examples=30)
@given(spells)
def test_the_median_is_the_first_that_half_do_not_outlast(rows: list[tuple]) -> None:
    frame = pd.DataFrame(rows, columns=["duration", "event", "customers", "plan"])
    curve, row = survival.survival_curve(frame), survival.survival_summary(frame).iloc[0]
    if pd.isna(row["median"]):
        assert (curve["survival"] > 0.5).all()
    else:
        assert (curve.loc[curve["duration"] < row["median"], "survival"] > 0.5).all()
        assert survival.survival_at(curve, row["median"])["survival"].item() <= 0.5 + 1e-9
        assert pd.isna(row["low"]) or row["low"] <= row["median"]
        assert pd.isna(row["high"]) or row["high"] >= row["median"]
    if pd.notna(row["mean_low"]):
        assert 0 <= row["mean_low"] <= row["restricted_mean"] <= row["mean_high"] <= row["horizon"]


def test_a_horizon_past_what_was_seen_has_no_mean() -> None:
    two = survival.survival_summary([2, 4, 3], [1, 0, 1], by=["a", "a", "b"], horizon=9)
    # Of a, one is last seen at 4; b is over after 3 and stays at nothing.
    assert two["restricted_mean"].fillna(-1).tolist() == [-1, 3]
    assert survival.survival_summary([2, 4, 9, 3], [1, 0, 0, 1], by=list("aabb"))["horizon"].tolist() == [
        4,
        4,
    ]
    assert survival.survival_summary([2, 4], [1, 1], by=["a", "b"])["horizon"].tolist() == [4, 4]


# -- the curve at a time ------------------------------------------------------


def test_survival_at_by_hand() -> None:
    curve = survival.survival_curve([1, 2, 2, 3, 6], [1, 1, 0, 0, 0])
    found = survival.survival_at(curve, [0, 1.5, 2, 4, 7])
    assert found.columns.tolist() == ["duration", "at_risk", "survival", "low", "high", "interval"]
    assert found[["duration", "at_risk"]].to_numpy().tolist() == [[0, 5], [1.5, 4], [2, 4], [4, 1]]
    # Seven was not observed: no row.
    assert found["survival"].tolist() == pytest.approx([1, 4 / 5, 3 / 5, 3 / 5])


def test_survival_at_stays_at_nothing_once_all_have_ended() -> None:
    curve = survival.survival_curve([1, 2, 5], [1, 1, 0], by=["a", "a", "b"])
    found = survival.survival_at(curve, 4)
    assert found[["group", "at_risk", "survival"]].to_numpy().tolist() == [["a", 0, 0.0], ["b", 1, 1.0]]


# -- groups compared ----------------------------------------------------------


def test_log_rank_by_hand() -> None:
    # a ends at 1 and 2, b at 3 and 4. Of a, 2/4 and 1/3 are expected; the variance is 1/4 + 2/9.
    test = survival.log_rank([1, 2, 3, 4], [1, 1, 1, 1], by=list("aabb")).iloc[0]
    chi_square = (2 - 1 / 2 - 1 / 3) ** 2 / (1 / 4 + 2 / 9)
    assert test[["groups", "customers", "events", "degrees_of_freedom"]].tolist() == [2, 4, 4, 1]
    assert test["chi_square"] == pytest.approx(chi_square)
    assert test["p_value"] == pytest.approx(stats.chi2.sf(chi_square, 1))


@settings(max_examples=30)
@given(spells)
def test_log_rank_is_that_of_statsmodels_customer_by_customer(rows: list[tuple]) -> None:
    frame = pd.DataFrame(rows, columns=["duration", "event", "customers", "plan"]).fillna({"plan": "c"})
    each = frame.loc[frame.index.repeat(frame["customers"])]
    first = each.loc[each["event"], "duration"].min()
    assume((each.groupby("plan")["duration"].max() >= first).all() and each["plan"].nunique() > 1)
    test = survival.log_rank(frame, by="plan").iloc[0]
    try:
        chi_square, p_value = survdiff(each["duration"], each["event"].astype(int), each["plan"])
    except np.linalg.LinAlgError:  # nothing to compare
        assume(False)
    assume(test["degrees_of_freedom"] == each["plan"].nunique() - 1)
    assert test["chi_square"] == pytest.approx(chi_square, rel=1e-6)
    assert test["p_value"] == pytest.approx(p_value, abs=1e-9)


def test_log_rank_leaves_out_who_was_never_at_risk_beside_another() -> None:
    # Of c nobody was seen as long as the first end.
    durations, events = [5, 6, 7, 8, 1], [1, 1, 1, 1, 0]
    three = survival.log_rank(durations, events, by=list("aabbc")).iloc[0]
    two = survival.log_rank(durations[:4], events[:4], by=list("aabb")).iloc[0]
    assert (three["groups"], three["degrees_of_freedom"]) == (3, 1)
    assert three["chi_square"] == pytest.approx(two["chi_square"])


@pytest.mark.parametrize(
    ("durations", "events", "by"),
    [([1, 2], [1, 1], "aa"), ([1, 2], [0, 0], "ab"), ([3, 3], [1, 1], "ab")],
    ids=["one group", "no end", "all end together"],
)
def test_log_rank_where_nothing_can_be_compared(durations: list, events: list, by: str) -> None:
    test = survival.log_rank(durations, events, by=list(by)).iloc[0]
    assert test["degrees_of_freedom"] == 0
    assert test[["chi_square", "p_value"]].isna().all()


# -- edges --------------------------------------------------------------------


def test_nobody_is_a_frame_without_rows() -> None:
    nobody = TRIAL.iloc[:0]
    curve = survival.survival_curve(nobody, by="arm")
    assert curve.empty
    assert curve.dtypes.to_dict() == survival.survival_curve(TRIAL, by="arm").dtypes.to_dict()
    summary = survival.survival_summary(nobody, by="arm")
    assert summary.empty
    assert summary.dtypes.to_dict() == survival.survival_summary(TRIAL, by="arm").dtypes.to_dict()
    assert survival.survival_at(curve, [1, 2]).empty
    assert survival.log_rank(nobody, by="arm")["groups"].item() == 0
    assert survival.survival_curve([], []).columns.tolist() == COLUMNS


def test_a_weight_of_nothing_is_nobody() -> None:
    curve = survival.survival_curve([1, 2], [1, 1], weights=[0, 3], by=["a", "b"])
    assert curve["group"].unique().tolist() == ["b"]


def test_nothing_ended() -> None:
    curve = survival.survival_curve([1, 4], [0, 0])
    assert curve["survival"].tolist() == [1, 1, 1]
    row = survival.survival_summary(curve).iloc[0]
    assert row["restricted_mean"] == 4
    assert row[["median", "low", "high", "mean_low", "mean_high"]].isna().all()


def test_one_customer() -> None:
    ended, running = survival.survival_curve([3], [1]), survival.survival_curve([3], [0])
    assert ended["survival"].tolist() == [1, 0]
    assert running["survival"].tolist() == [1, 1]
    assert ended[["low", "high"]].isna().all(axis=None)


def test_all_at_duration_0() -> None:
    curve = survival.survival_curve([0, 0, 0], [1, 0, 0])
    assert curve[["duration", "at_risk", "events", "censored"]].to_numpy().tolist() == [[0, 3, 1, 2]]
    assert curve["survival"].item() == pytest.approx(2 / 3)
    row = survival.survival_summary(curve).iloc[0]
    assert row[["restricted_mean", "horizon"]].tolist() == [0, 0]


def test_a_histogram_of_millions_is_as_quick_as_its_rows() -> None:
    frame = pd.DataFrame({"duration": [30, 30, 60], "event": [1, 0, 0], "customers": [10**9, 10**9, 10**9]})
    curve = survival.survival_curve(frame)
    assert curve["survival"].tolist() == pytest.approx([1, 2 / 3, 2 / 3])
    assert curve["at_risk"].tolist() == [3 * 10**9, 3 * 10**9, 10**9]


# -- messages -----------------------------------------------------------------


def asked(question) -> str:
    with pytest.raises(DataError) as error:
        question()
    return str(error.value)


def test_what_is_refused_is_so_here_too() -> None:
    hint = "Give numbers (of days, say) from 0 up."
    assert asked(lambda: survival.survival_curve([3, -1], [1, 1])) == (
        f"durations holds -1 (1 of 2 values). {hint}"
    )
    curve = survival.survival_curve([1], [1])
    assert asked(lambda: survival.survival_at(curve, "soon")) == (
        f"durations holds soon (1 of 1 values). {hint}"
    )


def test_groups_and_horizons_that_are_none() -> None:
    assert asked(lambda: survival.log_rank(TRIAL, by=None)) == (
        "log_rank compares groups. Say which by by='a_column', or by=[...] of each duration."
    )
    assert asked(lambda: survival.survival_summary(TRIAL, horizon=0)) == (
        "horizon 0 is not above 0. Give it in the unit of the durations."
    )


# -- published data -----------------------------------------------------------


def test_remission_published() -> None:
    """The 6-MP curve of every textbook; its bounds as Stata lists them (`sts list`, log(-log)).

    Listed by G. Rodriguez, Princeton, pop509, The Gehan Survival Data.
    """
    curve = survival.survival_curve(TREATED, RELAPSED)
    found = survival.survival_at(curve, [6, 7, 10, 13, 16, 22, 23])
    assert found["survival"].round(4).tolist() == [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert found["low"].round(4).tolist() == [0.6197, 0.5631, 0.5032, 0.4316, 0.3675, 0.2678, 0.1881]
    assert found["high"].round(4).tolist() == [0.9516, 0.9228, 0.8894, 0.8491, 0.8049, 0.7468, 0.6801]


def test_median_and_mean_of_remission_published() -> None:
    """Medians 23 and 8 weeks; with log(-log) bounds 13 and none, 4 and 11 (SAS PROC LIFETEST).

    The mean up to 35 weeks is Klein and Moeschberger's example 4.3: 23.287, standard error 2.83.
    """
    treated, placebo = (row for _, row in survival.survival_summary(TRIAL, by="arm").iterrows())
    assert treated[["median", "low"]].tolist() == [23, 13]
    assert pd.isna(treated["high"])
    assert placebo[["median", "low", "high"]].tolist() == [8, 4, 11]
    assert round(treated["restricted_mean"], 3) == 23.287
    assert round((treated["mean_high"] - treated["restricted_mean"]) / Z, 2) == 2.83
    assert treated["horizon"] == 35
    assert placebo["restricted_mean"] == pytest.approx(sum(PLACEBO) / 21)


def test_log_rank_of_remission_published() -> None:
    # Klein and Moeschberger; also R's survdiff: 16.8 on 1 degree of freedom, p = 4e-05.
    test = survival.log_rank(TRIAL, by="arm").iloc[0]
    assert round(test["chi_square"], 2) == 16.79
    assert test["degrees_of_freedom"] == 1
    assert round(test["p_value"], 6) == 4.2e-05


@pytest.mark.realdata
def test_telco(data_folder: Path) -> None:
    customers = pd.read_csv(data_folder / "telco" / "Telco-Customer-Churn.csv.gz")
    frame = pd.DataFrame(
        {
            "duration": customers["tenure"],
            "event": customers["Churn"] == "Yes",
            "contract": customers["Contract"],
        }
    )
    curve = survival.survival_curve(frame)
    assert (curve["at_risk"].iloc[0], curve["events"].sum()) == (7043, 1869)
    assert survival.survival_at(curve, [1, 6, 12, 24, 36, 48, 60, 72])["survival"].round(8).tolist() == [
        0.94596132, 0.88482624, 0.84319955, 0.78873640, 0.74854541, 0.70884018, 0.66440391, 0.59279015,
    ]  # fmt: skip
    by_contract = survival.survival_curve(frame, by="contract")
    found = survival.survival_at(by_contract, [12, 24, 60])
    monthly = found[found["contract"] == "Month-to-month"]
    assert monthly["survival"].round(8).tolist() == [0.70309664, 0.58591547, 0.29715813]
    assert survival.log_rank(by_contract, by="contract")["degrees_of_freedom"].item() == 2


# -- the picture --------------------------------------------------------------


@pytest.fixture
def ax():
    return exhibits.axes()


def test_a_curve_is_drawn_as_steps_with_a_band(ax) -> None:
    curve = survival.survival_curve(TREATED, RELAPSED)
    plot_survival(curve, ax=ax, labels={"survival": "Noch da", "duration": "Wochen"})
    (line,) = ax.lines
    assert line.get_drawstyle() == "steps-post"
    assert list(line.get_xdata()) == curve["duration"].tolist()
    assert list(line.get_ydata()) == curve["survival"].tolist()
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (curve["low"].min(), curve["high"].max())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Wochen", "Noch da")
    assert ax.get_ylim()[0] == ax.get_xlim()[0] == 0
    assert ax.get_legend() is None


def test_each_group_has_a_curve_and_a_name(ax) -> None:
    groups = pd.Series(["$a$ and $b$", "_x", None], name="plan", dtype="str")
    plot_survival(survival.survival_curve([1, 2, 3], [1, 0, 1], by=groups), ax=ax)
    assert len({to_hex(line.get_color()) for line in ax.lines}) == 3
    legend = ax.get_legend()
    assert legend.get_title().get_text() == "plan"
    assert [text.get_text() for text in legend.get_texts()] == ["$a$ and $b$", "x", "–"]
    ax.figure.canvas.draw()


def test_nobody_is_an_empty_picture(ax) -> None:
    plot_survival(survival.survival_curve(TRIAL.iloc[:0], by="arm"), ax=ax)
    assert not ax.lines
