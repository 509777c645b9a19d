"""Who leaves, why and when: by hand, against loops over plain rows, on published data."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import churn, datasets, exhibits, intervals, leaving, plots, policies, tables
from retention_kit.exceptions import DataError, ParamsError

AS_OF = datasets.TINY_AS_OF
REASONS = [
    *("reason", "kind", "churned", "churn_share", "low", "high"),
    *("mrr_lost", "mrr_share", "mrr_low", "mrr_high", "interval"),
]
HAZARD = ["tenure", "at_risk", "churned", "hazard", "low", "high", "interval"]


def subscriptions(*rows: tuple, columns: str = "customer_id started_at ended_at") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns.split())
    moments = ("started_at", "ended_at")
    return frame.assign(**{name: pd.to_datetime(frame[name], format="ISO8601") for name in moments})


def reasons(**how) -> pd.DataFrame:
    return leaving.churn_reasons(datasets.tiny_subscriptions(), as_of=AS_OF, **how)


# -- reasons ------------------------------------------------------------------


def test_reasons_by_hand() -> None:
    # dan, cleo and finn leave. ben, ana, gus and ivo only change or drop a plan; eva has given notice.
    found = reasons()
    assert found[["reason", "kind", "churned", "mrr_lost"]].to_numpy().tolist() == [
        ["not used enough", "unknown", 1, 10.0],
        ["too expensive", "unknown", 1, 20.0],
        ["not stated", "unknown", 1, 30.0],
    ]
    assert found["churn_share"].tolist() == [1 / 3] * 3
    assert found["mrr_share"].tolist() == [10 / 60, 20 / 60, 30 / 60]
    assert (found["low"][0], found["high"][0]) == tuple(intervals.wilson(1, 3))
    # Each customer's y is what was lost with the reason, x what was lost: dan 10 of 10, cleo 20, finn 30.
    low, high = intervals.ratio(10, 60, 100, 100, 100 + 400 + 900, 3)
    assert (found["mrr_low"][0], found["mrr_high"][0]) == (np.clip(low, 0, 1), np.clip(high, 0, 1))


def test_shape_of_the_reasons() -> None:
    found = reasons(by="plan")
    assert found.columns.tolist() == ["plan", *REASONS]
    assert found["churned"].dtype == "int64"
    assert {found[name].dtype.name for name in ("plan", "reason", "kind", "interval")} == {"str"}
    assert set(found["interval"]) == {"Wilson 95 %; mrr linearised by customer 95 %"}
    assert found.attrs["as_of"] == "2024-05-01"
    assert found.attrs["definition"] == (
        "Departures by the reason given at the end, as a share of all departures, and what those customers "
        "had paid, as a share of all that was lost; within plan."
    )


def test_groups_are_those_of_the_subscription_begun_last() -> None:
    found = reasons(by="plan")
    assert found[["plan", "reason", "churn_share"]].to_numpy().tolist() == [
        ["basic", "not used enough", 1.0],
        ["family", "not stated", 1.0],
        ["plus", "too expensive", 1.0],
    ]


def test_voluntary_and_involuntary() -> None:
    found = reasons(involuntary=["  Not used ENOUGH "]).set_index("reason")["kind"]
    assert found.to_dict() == {
        "not used enough": "involuntary",
        "too expensive": "voluntary",
        "not stated": "unknown",
    }


def test_one_row_a_kind() -> None:
    rows = [("a", "Card"), ("b", "card"), ("c", "price"), ("d", "moved"), ("e", "price"), ("f", None)]
    table = subscriptions(*((who, "2024-01-01", "2024-02-10", 10, why) for who, why in rows),
        columns="customer_id started_at ended_at mrr cancel_reason")  # fmt: skip
    found = leaving.churn_reasons(table, as_of="2024-03-01", involuntary=["CARD"], per="kind")
    assert found.columns.tolist() == REASONS[1:]
    assert found[["kind", "churned", "churn_share", "mrr_share"]].to_numpy().tolist() == [
        ["voluntary", 3, 3 / 6, 3 / 6],
        ["involuntary", 2, 2 / 6, 2 / 6],
        ["unknown", 1, 1 / 6, 1 / 6],
    ]


def test_a_misspelt_involuntary_reason_is_told() -> None:
    found = reasons(involuntary=["payment_failed", "too expensive"])
    assert found.attrs["notes"] == [
        "A reason that counts as involuntary is given by no subscription: payment_failed."
    ]
    assert reasons(involuntary=[]).attrs["notes"] == []
    assert reasons(involuntary=[])["kind"].tolist() == ["voluntary", "voluntary", "unknown"]


def test_a_blank_reason_is_none() -> None:
    table = datasets.tiny_subscriptions().assign(cancel_reason="  ")
    found = leaving.churn_reasons(table, as_of=AS_OF)
    assert found[["reason", "churned"]].to_numpy().tolist() == [["not stated", 3]]
    assert found["mrr_low"].isna().all()  # all that was lost was lost so, by everyone: nothing to judge


def test_who_leaves_twice_counts_twice_and_is_one_customer() -> None:
    once = [(f"p{i}", "2024-01-01", "2024-02-20", 20, "price") for i in range(8)]
    once += [(f"m{i}", "2024-01-01", "2024-02-20", 20, "moved") for i in range(6)]
    table = subscriptions(
        ("a", "2024-01-01", "2024-01-20", 10, "price"),
        ("a", "2024-02-01", "2024-02-20", 30, "moved"),
        *once,
        columns="customer_id started_at ended_at mrr cancel_reason",
    )
    found = leaving.churn_reasons(table, as_of="2024-03-01")
    assert found[["reason", "churned", "mrr_lost"]].to_numpy().tolist() == [
        ["price", 9, 170.0],
        ["moved", 7, 150.0],
    ]
    # a: y 10 of x 40; eight with 20 of 20, six with 0 of 20: fifteen customers, sixteen departures.
    low, high = intervals.ratio(170, 320, 100 + 8 * 400, 400 + 8 * 400, 1600 + 14 * 400, 15)
    assert [found["mrr_low"][0], found["mrr_high"][0]] == pytest.approx([float(low), float(high)])
    assert 0 < low < high < 1


def test_of_reasons_given_at_one_moment_one_is_taken_and_all_that_was_paid_is_lost() -> None:
    table = subscriptions(
        ("a", "2024-01-01", "2024-02-20", 10, "price"),
        ("a", "2024-01-01", "2024-02-20", 30, "moved"),
        columns="customer_id started_at ended_at mrr cancel_reason",
    )
    found = leaving.churn_reasons(table, as_of="2024-03-01")
    assert found[["reason", "churned", "mrr_lost"]].to_numpy().tolist() == [["moved", 1, 40.0]]


def test_only_departures_since_a_moment() -> None:
    found = reasons(start="2024-03-15")
    assert found["reason"].tolist() == ["too expensive", "not stated"]
    assert reasons(start="2024-03-16")["reason"].tolist() == ["not stated"]


def test_without_prices_there_are_counts() -> None:
    table = datasets.tiny_subscriptions().drop(columns="mrr")
    found = leaving.churn_reasons(table, as_of=AS_OF)
    # Nothing says that ivo's trial was free; he did not leave either way.
    assert found["churned"].tolist() == [1, 1, 1]
    assert found[["mrr_lost", "mrr_share", "mrr_low", "mrr_high"]].isna().all(axis=None)


def test_a_policy_decides_what_leaving_is() -> None:
    found = reasons(policy=policies.Policy(reactivation_days=30))
    assert found["reason"].tolist() == ["not used enough", "not stated"]  # cleo was away for 26 days
    assert found.attrs["notes"] == [
        "Policy custom, not the house's: a gap of at most 30 days is no loss and no return."
    ]


@pytest.mark.parametrize("per", ["reason", "kind"])
def test_nobody_left(per: str) -> None:
    table = datasets.tiny_subscriptions().assign(ended_at=pd.NaT)
    found = leaving.churn_reasons(table, as_of=AS_OF, per=per, by="plan")
    assert found.empty
    assert found.columns.tolist() == ["plan", *(REASONS if per == "reason" else REASONS[1:])]
    assert found["churned"].dtype == "int64"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"per": "reasons"},
            "per 'reasons' is not known. Did you mean 'reason'? Choose one of ['reason', 'kind'].",
        ),
    ],
)
def test_unknown_options(how: dict, message: str) -> None:
    with pytest.raises(DataError) as error:
        reasons(**how)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"involuntary": "payment failed"},
            "involuntary is a list of reasons. Type involuntary=['payment failed'].",
        ),
        (
            {"start": "soon"},
            "start 'soon' is no date without a time zone. Type one as start='2024-01-01'.",
        ),
        (
            {"start": "2024-05-01"},
            "start 2024-05-01 is not before as_of 2024-05-01, so nobody can have left in between. "
            "Give an earlier start.",
        ),
    ],
)
def test_unusable_options(how: dict, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        reasons(**how)
    assert str(error.value) == message


def test_a_table_without_reasons() -> None:
    with pytest.raises(DataError) as error:
        leaving.churn_reasons(
            datasets.tiny_subscriptions()[["customer_id", "started_at", "ended_at"]], as_of=AS_OF
        )
    assert str(error.value).startswith("subscriptions is missing ['cancel_reason'].")


def test_only_leavers_of_the_demo_gave_a_reason_and_the_true_share_gave_none() -> None:
    table = datasets.demo_subscriptions()
    found = leaving.churn_reasons(table, as_of=datasets.DEMO_AS_OF).set_index("reason")
    stated = found["churned"].drop("not stated")
    assert stated.to_dict() == table["cancel_reason"].value_counts().to_dict()
    unknown = found.loc["not stated"]
    assert unknown["low"] < datasets.demo_truth().reason_unknown < unknown["high"]


reason_rows = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.integers(0, 120),
        st.integers(0, 60) | st.none(),
        st.sampled_from([0, 10, 20]),
        st.sampled_from(["price", "card", None]),
    ),
    min_size=2,
    max_size=16,
)


@settings(max_examples=12, deadline=None)
@given(reason_rows)
def test_reasons_are_those_of_a_plain_count(rows: list[tuple]) -> None:
    as_of, days = pd.Timestamp("2024-05-10"), pd.date_range("2024-01-01", periods=200)
    table = subscriptions(
        *((who, days[a], None if n is None else days[a + n], mrr, why) for who, a, n, mrr, why in rows),
        columns="customer_id started_at ended_at mrr cancel_reason",
    )
    paid = [row for row in table.itertuples() if row.mrr and row.started_at != row.ended_at]
    expected: dict[str, tuple[int, float]] = {}
    for who, moment in {(row.customer_id, row.ended_at) for row in paid if row.ended_at < as_of}:
        mine = [row for row in paid if row.customer_id == who]
        if any(row.started_at <= moment and not row.ended_at <= moment for row in mine):
            continue
        ended = [row for row in mine if row.ended_at == moment]
        lost = sum(row.mrr for row in mine if row.started_at < moment and not row.ended_at < moment)
        reason = min((row.cancel_reason for row in ended if isinstance(row.cancel_reason, str)), default=None)
        count, money = expected.get(reason or "not stated", (0, 0))
        expected[reason or "not stated"] = (count + 1, money + lost)
    found = leaving.churn_reasons(table, as_of=as_of)
    counted = zip(found["reason"], found["churned"], found["mrr_lost"], strict=True)
    assert {reason: (count, money) for reason, count, money in counted} == expected
    if expected:
        assert found["churn_share"].sum() == pytest.approx(1)
        assert found["mrr_share"].sum() == pytest.approx(1)


# -- churn by tenure ----------------------------------------------------------


def test_hazard_by_hand() -> None:
    # First lives, whole months, of how many observed: ana 4 of 4 (stays), ben 3 of 3, cleo 2 of 3 (leaves),
    # dan 0 of 2 (leaves), eva 3 of 3, finn 2 of 3 (leaves), gus 3 of 3, ivo 0 of 0.
    found = leaving.churn_hazard(datasets.tiny_subscriptions(), as_of=AS_OF)
    assert found[["tenure", "at_risk", "churned"]].to_numpy().tolist() == [
        [0, 7, 1],
        [1, 6, 0],
        [2, 6, 2],
        [3, 1, 0],
    ]
    assert found["hazard"].tolist() == [1 / 7, 0, 2 / 6, 0]
    assert (found["low"][2], found["high"][2]) == tuple(intervals.wilson(2, 6))
    assert found.columns.tolist() == HAZARD
    assert set(found[["tenure", "at_risk", "churned"]].dtypes) == {np.dtype("int64")}
    assert found.attrs["definition"] == (
        "Customers who paid without a gap for so many whole months since their first payment and stopped "
        "before one month more was over, as a share of all who paid so long and whose next month was "
        "observed to its end."
    )
    assert found.attrs["period"] == "month"


def test_hazard_by_the_first_plan() -> None:
    found = leaving.churn_hazard(datasets.tiny_subscriptions(), as_of=AS_OF, by="plan")
    assert found[["plan", "tenure", "at_risk", "churned"]].to_numpy().tolist() == [
        ["basic", 0, 3, 1],
        ["basic", 1, 2, 0],
        ["basic", 2, 2, 0],
        ["basic", 3, 1, 0],
        ["family", 0, 1, 0],
        ["family", 1, 1, 0],
        ["family", 2, 1, 1],
        ["plus", 0, 3, 0],
        ["plus", 1, 3, 0],
        ["plus", 2, 3, 1],
    ]


def test_a_month_is_full_on_its_own_day_or_the_months_last() -> None:
    rows = [
        ("2024-01-31", "2024-02-29"),
        ("2024-01-31", "2024-02-28"),
        ("2024-01-31 09:00", "2024-02-29 08:00"),
    ]
    table = subscriptions(*((f"c{i}", *row) for i, row in enumerate(rows)))
    found = leaving.churn_hazard(table, as_of="2024-06-01")
    assert found[["tenure", "at_risk", "churned"]].to_numpy().tolist() == [[0, 3, 2], [1, 1, 1]]


def test_the_young_add_neither_losses_nor_stays() -> None:
    # Both joined in the second half of March; one left within days. Neither's first month was over.
    table = subscriptions(("a", "2024-03-20", None), ("b", "2024-03-20", "2024-03-25"))
    found = leaving.churn_hazard(table, as_of="2024-04-01")
    assert found.empty
    assert found.columns.tolist() == HAZARD
    assert set(found[["tenure", "at_risk", "churned"]].dtypes) == {np.dtype("int64")}
    assert leaving.churn_hazard(table, as_of="2024-04-20")["hazard"].tolist() == [1 / 2]


lives = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 120) | st.none(), st.sampled_from("xy")),
    min_size=2,
    max_size=16,
)
LENGTHS = {
    "day": pd.DateOffset(days=1),
    "week": pd.DateOffset(weeks=1),
    "month": pd.DateOffset(months=1),
    "quarter": pd.DateOffset(months=3),
    "year": pd.DateOffset(years=1),
}


@settings(max_examples=16, deadline=None)
@given(lives, st.sampled_from(list(LENGTHS)))
def test_hazard_is_that_of_a_plain_count(rows: list[tuple], period: str) -> None:
    first, as_of = pd.Timestamp("2023-11-28 06:00"), pd.Timestamp("2024-07-30")
    people = [
        (f"c{i}", first + pd.Timedelta(days=a), None if n is None else first + pd.Timedelta(days=a + n), plan)
        for i, (a, n, plan) in enumerate(rows)
    ]
    expected = []
    for plan in sorted({plan for *_, plan in people}):
        for tenure in range(300):
            at_risk = churned = 0
            for _, since, until, own in people:
                start, end = (since + LENGTHS[period] * k if k else since for k in (tenure, tenure + 1))
                if own == plan and end <= as_of and (until is None or until >= start):
                    at_risk += 1
                    churned += until is not None and until < end
            if not at_risk:
                break
            expected.append((plan, tenure, at_risk, churned))
    table = subscriptions(*people, columns="customer_id started_at ended_at plan")
    found = leaving.churn_hazard(table, as_of=as_of, period=period, by="plan")
    assert list(found[["plan", *HAZARD[:3]]].itertuples(index=False, name=None)) == expected


def test_the_true_churn_at_the_first_renewal_lies_in_its_interval() -> None:
    # At the first renewal everybody is still on the plan they joined on; before it nobody can leave.
    found = leaving.churn_hazard(datasets.demo_subscriptions(), as_of=datasets.DEMO_AS_OF, by="plan")
    assert set(found.loc[found["tenure"] == 0, "churned"]) == {0}
    first = found[found["tenure"] == 1].set_index("plan")
    true = pd.Series(datasets.demo_truth().monthly_churn).reindex(first.index)
    assert (first["low"] < true).all()
    assert (true < first["high"]).all()


def test_an_unknown_period() -> None:
    with pytest.raises(DataError, match=r"^period 'months' is not known\. Did you mean 'month'\?"):
        leaving.churn_hazard(datasets.tiny_subscriptions(), as_of=AS_OF, period="months")


# -- how long they stay -------------------------------------------------------


def test_survival_of_the_6mp_patients_as_subscribers() -> None:
    events, censored = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    as_of = pd.Timestamp("2024-07-01")
    left = [(as_of - pd.Timedelta(days=n + 1), as_of - pd.Timedelta(days=1)) for n in events]
    stay = [(as_of - pd.Timedelta(days=n), None) for n in censored]
    table = subscriptions(*((f"c{i}", *row) for i, row in enumerate([*left, *stay])))
    found = leaving.tenure_survival(table, as_of=as_of)
    published = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    curve = found[found["events"] > 0]
    assert dict(zip(curve["duration"], curve["survival"].round(4), strict=True)) == published
    assert found.columns.tolist() == [
        *("duration", "at_risk", "events", "censored", "survival", "low", "high", "interval")
    ]
    assert found.attrs["as_of"] == "2024-07-01"
    assert found.attrs["definition"] == (
        "Share of the customers who pay without a gap for longer than so many days since the first payment, "
        "after Kaplan and Meier."
    )


def test_survival_knows_first_lives_only_and_no_notice() -> None:
    # cleo's first life ends on 15 March, gus drops one plan of two, eva's notice is for after as_of.
    found = leaving.tenure_survival(datasets.tiny_subscriptions(), as_of=AS_OF, by="plan")
    ended = found[found["events"] > 0]
    assert ended[["plan", "duration", "events"]].to_numpy().tolist() == [
        ["basic", 20, 1],
        ["family", 72, 1],
        ["plus", 60, 1],
    ]
    assert found.groupby("plan")["at_risk"].first().to_dict() == {"basic": 3, "family": 1, "plus": 4}


def test_survival_of_nobody() -> None:
    free = datasets.tiny_subscriptions().assign(mrr=0)
    assert leaving.tenure_survival(free, as_of=AS_OF, by="plan").empty
    assert leaving.churn_hazard(free, as_of=AS_OF, by="plan").empty


@pytest.mark.realdata
def test_survival_of_the_telco_customers(data_folder: Path) -> None:
    telco = pd.read_csv(next((data_folder / "telco").glob("*.csv.gz")))
    telco = telco[telco["tenure"] > 0]
    as_of, gone = pd.Timestamp("2024-07-01"), telco["Churn"] == "Yes"
    # A month of tenure is a day here; who left did so the day before the end.
    until = as_of - pd.to_timedelta(gone.astype(int), unit="D")
    table = pd.DataFrame(
        {
            "customer_id": telco["customerID"],
            "started_at": until - pd.to_timedelta(telco["tenure"], unit="D"),
            "ended_at": until.where(gone),
            "contract": telco["Contract"],
        }
    )
    whole = leaving.tenure_survival(table, as_of=as_of).set_index("duration")["survival"]
    known = {1: 0.94596132, 6: 0.88482624, 12: 0.84319955, 24: 0.78873640, 72: 0.59279015}
    assert {at: round(whole[at], 8) for at in known} == known
    split = leaving.tenure_survival(table, as_of=as_of, by="contract").set_index(["contract", "duration"])
    monthly = split.loc["Month-to-month", "survival"]
    assert [round(monthly[at], 8) for at in (12, 24, 60)] == [0.70309664, 0.58591547, 0.29715813]
    assert tables.subscriptions(table, as_of=as_of).table.count().execute() == 7_032
    assert churn.churn_rates(table, as_of=as_of, period="day")["churned"].sum() == 1_869


# -- plots --------------------------------------------------------------------


def test_hazard_is_a_line_with_its_interval() -> None:
    ax = exhibits.axes()
    hazard = leaving.churn_hazard(datasets.tiny_subscriptions(), as_of=AS_OF)
    assert plots.churn.plot_churn_hazard(hazard.iloc[::-1], ax=ax, labels={"tenure": "Monate"}) is ax
    assert list(ax.lines[0].get_xdata()) == [0, 1, 2, 3]
    assert list(ax.lines[0].get_ydata()) == hazard["hazard"].tolist()
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (hazard["low"].min(), hazard["high"].max())
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_ylim()[0]) == ("Monate", "hazard", 0)


def test_no_hazard_is_an_empty_picture() -> None:
    ax = exhibits.axes()
    plots.churn.plot_churn_hazard(
        leaving.churn_hazard(subscriptions(("a", "2024-03-20", None)), as_of="2024-04-01"), ax=ax
    )
    ax.figure.canvas.draw()
