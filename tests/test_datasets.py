"""The tiny frames hold every edge they promise; the demo company is what its truth says."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1
from scipy.stats import chi2

from retention_kit import company, datasets

ORDERS = {
    "customer_id": "str",
    "ordered_at": "datetime64[us]",
    "order_id": "str",
    "amount": "float64",
    "country": "str",
    "channel": "str",
}
EVENTS = {"customer_id": "str", "occurred_at": "datetime64[us]", "event": "str", "country": "str"}
SUBSCRIPTIONS = {
    "customer_id": "str",
    "started_at": "datetime64[us]",
    "ended_at": "datetime64[us]",
    "mrr": "float64",
    "plan": "str",
    "cancel_reason": "str",
}
RESPONSES = {"customer_id": "str", "responded_at": "datetime64[us]", "score": "Int64", "comment": "str"}
RATINGS = dict.fromkeys(["quality", "service", "delivery", "price", "satisfaction", "effort"], "Int64")
CUSTOMERS = {
    "customer_id": "str",
    "segment": "str",
    "margin": "float64",
    "acquisition_cost": "float64",
    "contactable": "bool",
}
FRAMES = {
    "tiny_orders": ORDERS,
    "tiny_events": EVENTS,
    "tiny_subscriptions": SUBSCRIPTIONS,
    "tiny_responses": RESPONSES,
    "tiny_customers": CUSTOMERS,
    "demo_orders": ORDERS | {"product": "str"},
    "demo_events": EVENTS | {"channel": "str"},
    "demo_subscriptions": SUBSCRIPTIONS,
    "demo_responses": RESPONSES | RATINGS,
    "demo_customers": CUSTOMERS,
    "demo_invitations": {"customer_id": "str", "invited_at": "datetime64[us]"},
}
TINY_AS_OF = pd.Timestamp(datasets.TINY_AS_OF)
DEMO_AS_OF = pd.Timestamp(datasets.DEMO_AS_OF)
DEMO_START = pd.Timestamp(datasets.demo_truth().start)


# ---------------------------------------------------------------- every frame


@pytest.mark.parametrize("name", FRAMES)
def test_columns_and_types(name):
    frame = getattr(datasets, name)()
    assert frame.dtypes.astype(str).to_dict() == FRAMES[name]
    assert frame.index.equals(pd.RangeIndex(len(frame)))


@pytest.mark.parametrize("name", FRAMES)
def test_a_copy_of_its_own(name):
    first = getattr(datasets, name)()
    first["customer_id"] = "spoilt"
    assert "spoilt" not in set(getattr(datasets, name)()["customer_id"])


# ---------------------------------------------------------------- tiny: orders


@pytest.fixture
def tiny_seen():
    orders = datasets.tiny_orders()
    orders = orders[orders["ordered_at"] < TINY_AS_OF]
    return orders.assign(month=orders["ordered_at"].dt.month)


def test_tiny_orders_repeat_skip_and_return(tiny_seen):
    months = tiny_seen.groupby("customer_id")["month"].apply(list).to_dict()
    assert months["ana"] == [1, 1, 2, 4]  # twice in January, none in March, back in April
    assert months["ben"] == [1]


def test_tiny_orders_at_the_borders_of_time():
    ordered = datasets.tiny_orders().set_index("order_id")["ordered_at"]
    assert ordered["o06"] == pd.Timestamp("2024-02-01")  # a month's first moment
    assert ordered["o07"] == TINY_AS_OF - pd.Timedelta("1s")
    assert ordered["o08"].strftime("%m-%d") == "02-29"
    assert ordered["o09"] == TINY_AS_OF  # not observed
    assert ordered["o13"] > TINY_AS_OF
    assert not ordered.is_monotonic_increasing


def test_tiny_orders_triangle(tiny_seen):
    born = tiny_seen.groupby("customer_id")["month"].transform("min")
    cells = tiny_seen.assign(born=born).groupby(["born", "month"])["customer_id"].nunique()
    grid = {born: [int(cells.get((born, month), 0)) for month in range(born, 5)] for born in range(1, 5)}
    assert grid == {1: [2, 1, 0, 1], 2: [2, 0, 1], 3: [1, 1], 4: [1]}


def test_tiny_orders_other_edges(tiny_seen):
    assert (tiny_seen["amount"] == 0).sum() == 1
    assert (tiny_seen["amount"] >= 0).all()
    places = tiny_seen.groupby("customer_id")["country"].unique().apply(list).to_dict()
    assert places["ana"] == ["Austria", "Germany"]  # moves
    assert tiny_seen["country"].nunique() == 3
    assert "gus" not in set(tiny_seen["customer_id"])
    assert datasets.tiny_orders()["order_id"].is_unique


# ---------------------------------------------------------------- tiny: events


def test_tiny_events_live_the_months_of_the_tiny_orders():
    def months(frame: pd.DataFrame, moment: str) -> pd.Series:
        seen = frame[frame[moment] < TINY_AS_OF]
        return seen.groupby("customer_id")[moment].agg(lambda moments: sorted(set(moments.dt.month)))

    events, orders = datasets.tiny_events(), datasets.tiny_orders()
    assert months(events, "occurred_at").equals(months(orders, "ordered_at"))
    assert months(events, "occurred_at")["ana"] == [1, 2, 4]


def test_tiny_events_edges():
    events = datasets.tiny_events()
    of = dict(iter(events.groupby("customer_id")))
    first_days = of["ana"]["occurred_at"].dt.normalize()
    assert first_days.iloc[0] == first_days.iloc[1] != first_days.iloc[2]
    assert of["ana"]["country"].unique().tolist() == ["Austria", "Germany"]
    assert of["dan"]["event"].tolist() == ["saved_favourite", "visited"]
    assert of["dan"]["occurred_at"].iloc[1] == TINY_AS_OF
    assert of["eva"]["occurred_at"].diff().iloc[1] == pd.Timedelta("7D")
    assert of["eva"]["event"].iloc[1] == of["finn"]["event"].iloc[1] == "saved_favourite"
    first, last = of["cleo"]["occurred_at"]
    assert (first, last) == (pd.Timestamp("2024-02-01"), TINY_AS_OF - pd.Timedelta("1s"))
    assert of["gus"]["occurred_at"].iloc[0] > TINY_AS_OF
    assert not events["occurred_at"].is_monotonic_increasing


# ---------------------------------------------------------------- tiny: subscriptions


def _monthly_fees(memberships: pd.DataFrame, moment: pd.Timestamp) -> pd.Series:
    """What each customer pays a month just before `moment`."""
    open_then = memberships["ended_at"].isna() | (memberships["ended_at"] >= moment)
    paid = memberships[open_then & (memberships["started_at"] < moment)]
    return paid.groupby("customer_id")["mrr"].sum()


@pytest.mark.parametrize(
    ("month", "begin", "end"),
    [("2024-01", 0, 90), ("2024-02", 90, 120), ("2024-03", 120, 110), ("2024-04", 110, 90)],
)
def test_tiny_subscriptions_begin_and_end(month, begin, end):
    memberships = datasets.tiny_subscriptions()
    start = pd.Timestamp(month)
    assert _monthly_fees(memberships, start).sum() == begin
    assert _monthly_fees(memberships, start + pd.DateOffset(months=1)).sum() == end


def test_tiny_subscriptions_movements():
    memberships = datasets.tiny_subscriptions()
    fees = pd.DataFrame(
        {month: _monthly_fees(memberships, pd.Timestamp(2024, month, 1)) for month in range(1, 6)}
    ).fillna(0)
    changes = fees.diff(axis="columns")
    assert changes.loc["ana", 4] == 10  # a change on 1 March belongs to March
    assert changes.loc["ben", 3] == -10
    assert fees.loc["cleo"].tolist() == [0, 20, 20, 0, 10]  # leaves, comes back
    assert fees.loc["finn"].tolist() == [0, 30, 30, 30, 0]  # leaves on 1 April: April's churn
    assert fees.loc["gus"].tolist() == [0, 10, 30, 30, 10]  # drops one of two: contraction
    assert fees.loc["ivo"].tolist() == [0, 0, 0, 0, 20]  # trial, then paid
    assert "dan" not in fees.index  # joined and left between two snapshots


def test_tiny_subscriptions_edges():
    memberships = datasets.tiny_subscriptions()
    by_customer = dict(iter(memberships.groupby("customer_id")))
    dan = by_customer["dan"].iloc[0]
    assert dan["started_at"].month == dan["ended_at"].month == 2
    assert by_customer["eva"]["ended_at"].iloc[0] > TINY_AS_OF
    assert by_customer["hana"]["started_at"].iloc[0] == TINY_AS_OF
    assert pd.isna(by_customer["finn"]["cancel_reason"].iloc[0])
    first, second = by_customer["gus"].itertuples()
    assert pd.isna(first.ended_at)
    assert first.started_at < second.started_at
    assert (memberships["mrr"] == 0).sum() == 1


# ---------------------------------------------------------------- tiny: responses and customers


def test_tiny_responses_waves():
    answers = datasets.tiny_responses()
    seen = answers[answers["responded_at"] < TINY_AS_OF]
    scores = seen.groupby(seen["responded_at"].dt.month)["score"].apply(lambda wave: sorted(wave.dropna()))
    assert scores.to_dict() == {1: [3, 6, 8, 9, 10], 4: [0, 7, 8, 9, 10, 10]}


def test_tiny_responses_edges():
    answers = datasets.tiny_responses()
    assert answers["score"].isna().sum() == 2
    assert answers["customer_id"].isna().sum() == 2
    assert answers["comment"].isna().any()
    assert answers["comment"].str.contains("<b>", regex=False).sum() == 1
    assert answers.iloc[-1]["responded_at"] == TINY_AS_OF
    assert answers["customer_id"].value_counts().loc[["ana", "ben", "cleo"]].tolist() == [2, 2, 2]


def test_tiny_customers_edges():
    customers = datasets.tiny_customers().set_index("customer_id")
    everyone = set(datasets.tiny_orders()["customer_id"]) | set(datasets.tiny_subscriptions()["customer_id"])
    assert everyone - set(customers.index) == {"ivo"}
    assert set(customers.index) - everyone == {"kim", "leo"}
    assert customers.loc["ben", "margin"] < 0
    assert not customers.loc["ben", "contactable"]
    assert pd.isna(customers.loc["dan", "segment"])
    assert pd.isna(customers.loc["eva", "acquisition_cost"])
    assert customers.loc["finn", "acquisition_cost"] == 0


# ---------------------------------------------------------------- demo: the frames


def test_demo_is_the_same_every_time():
    again = company.Company(datasets.demo_truth())
    for name, frame in again.items():
        pd.testing.assert_frame_equal(frame, getattr(datasets, f"demo_{name}")())


def test_another_seed_is_another_company():
    other = company.Company(company.Truth(seed=1, customers=200))
    assert not other["orders"].equals(company.Company(company.Truth(customers=200))["orders"])


@pytest.mark.parametrize("seed", range(5))
def test_any_seed_keeps_the_promises(seed):
    frames = company.Company(company.Truth(seed=seed, customers=300))
    assert frames["orders"]["customer_id"].nunique() == 300
    assert (frames["subscriptions"]["started_at"] < DEMO_AS_OF).all()
    assert (frames["orders"]["ordered_at"] < DEMO_AS_OF).all()


def test_demo_sizes():
    assert len(datasets.demo_customers()) == 5000
    assert datasets.demo_customers()["customer_id"].is_unique
    assert 15_000 < len(datasets.demo_orders()) < 25_000
    assert 1_500 < len(datasets.demo_subscriptions()) < 4_000
    assert 1_000 < len(datasets.demo_responses()) < 2_500


def test_demo_lies_between_start_and_as_of():
    memberships = datasets.demo_subscriptions()
    times = [
        datasets.demo_orders()["ordered_at"],
        memberships["started_at"],
        memberships["ended_at"].dropna(),
        datasets.demo_responses()["responded_at"],
    ]
    for column in times:
        assert column.min() >= DEMO_START
        assert column.max() < DEMO_AS_OF


def test_demo_customers_are_known_by_id():
    known = set(datasets.demo_customers()["customer_id"])
    assert set(datasets.demo_orders()["customer_id"]) == known  # also: no id is missing
    assert set(datasets.demo_subscriptions()["customer_id"]) < known
    assert set(datasets.demo_responses()["customer_id"]) < known
    assert datasets.demo_customers()["customer_id"].str.fullmatch(r"C\d{5}").all()


def test_demo_money_is_in_cents():
    orders = datasets.demo_orders()
    assert (orders["amount"] > 0).all()
    for column in (orders["amount"], datasets.demo_customers()["acquisition_cost"]):
        assert np.allclose(column * 100, (column * 100).round(), atol=1e-6)


def test_demo_orders_in_time_with_first_contact_first():
    orders = datasets.demo_orders()
    assert orders["ordered_at"].is_monotonic_increasing
    assert orders["order_id"].is_unique
    assert (orders.groupby("customer_id")["country"].nunique() == 1).all()
    own = orders.groupby("customer_id")["channel"].transform("first")
    assert set(orders.loc[orders["channel"] != own, "channel"]) == {"direct"}


# ---------------------------------------------------------------- demo: buying and spending


@pytest.fixture(scope="module")
def weeks():
    """Each customer's repeats, last order and age in weeks, as the models count them, from whole days."""
    day = datasets.demo_orders()["ordered_at"].dt.normalize()
    days = datasets.demo_orders()[["customer_id"]].assign(day=day).drop_duplicates()
    span = days.groupby("customer_id")["day"].agg(["min", "max", "size"])
    return pd.DataFrame(
        {
            "frequency": span["size"] - 1,
            "recency": (span["max"] - span["min"]).dt.days / 7,
            "T": (DEMO_AS_OF - pd.Timedelta("1D") - span["min"]).dt.days / 7,
        }
    )


def test_repeat_purchases_are_as_many_as_bg_nbd_expects():
    orders = datasets.demo_orders().groupby("customer_id")["ordered_at"].agg(["min", "size"])
    r, alpha, a, b = datasets.demo_truth().bg_nbd.values()
    # The first order is anywhere in its day; the hour shown is not the model's.
    t = (DEMO_AS_OF - orders["min"].dt.normalize()).dt.days / 7 - 0.5 / 7
    euler = hyp2f1(r, b, a + b - 1, t / (alpha + t))
    expected = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * euler)
    gap = orders["size"] - 1 - expected
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))
    assert expected.mean() == pytest.approx(2.5, abs=0.5)


def _bg_nbd_log_likelihood(parameters, summary) -> float:
    r, alpha, a, b = parameters
    x, last, age = summary["frequency"], summary["recency"], summary["T"]
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
    left = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + last)
    return float((common + np.logaddexp(alive, np.where(x > 0, left, -np.inf))).sum())


def _gamma_gamma_log_likelihood(parameters, summary) -> float:
    p, q, gamma = parameters
    x, mean = summary["frequency"], summary["monetary_value"]
    return float(
        (
            gammaln(p * x + q)
            - gammaln(p * x)
            - gammaln(q)
            + q * np.log(gamma)
            + (p * x - 1) * np.log(mean)
            + p * x * np.log(x)
            - (p * x + q) * np.log(gamma + x * mean)
        ).sum()
    )


def _likelihood_ratio(log_likelihood, truth: dict, summary: pd.DataFrame) -> float:
    """Twice what the best fit gains over the truth: chi-square with one degree a parameter."""
    start = np.log(list(truth.values()))
    best = minimize(lambda logs: -log_likelihood(np.exp(logs), summary), start, method="Nelder-Mead")
    return 2 * (-best.fun - log_likelihood(np.exp(start), summary))


def test_bg_nbd_is_recovered(weeks):
    truth = datasets.demo_truth().bg_nbd
    assert 0 <= _likelihood_ratio(_bg_nbd_log_likelihood, truth, weeks) < chi2(4).ppf(0.9999)
    wrong = truth | {"r": truth["r"] * 1.5}
    assert _likelihood_ratio(_bg_nbd_log_likelihood, wrong, weeks) > chi2(4).ppf(0.9999)


def test_gamma_gamma_is_recovered():
    orders = datasets.demo_orders()
    repeats = orders[orders.duplicated("customer_id")].groupby("customer_id")["amount"]
    spend = pd.DataFrame({"frequency": repeats.size(), "monetary_value": repeats.mean()})
    truth = datasets.demo_truth().gamma_gamma
    assert 0 <= _likelihood_ratio(_gamma_gamma_log_likelihood, truth, spend) < chi2(3).ppf(0.9999)
    wrong = truth | {"gamma": truth["gamma"] * 1.2}
    assert _likelihood_ratio(_gamma_gamma_log_likelihood, wrong, spend) > chi2(3).ppf(0.9999)


def test_mean_spend():
    means = datasets.demo_orders().groupby("customer_id")["amount"].mean()
    error = means.std() / np.sqrt(len(means))
    assert abs(means.mean() - 5 * 28 / (4.5 - 1)) < 4 * error
    assert datasets.demo_truth().mean_order_value == 5 * 28 / (4.5 - 1)


def test_spend_does_not_hang_on_frequency():
    orders = datasets.demo_orders().groupby("customer_id")["amount"].agg(["size", "mean"])
    correlation = orders["size"].corr(orders["mean"], method="spearman")
    assert abs(correlation) < 4 / np.sqrt(len(orders))


# ---------------------------------------------------------------- demo: visits and favourites


@pytest.fixture(scope="module")
def lives():
    """Each customer's first moment, the moment a favourite was saved, and the first order."""
    events = datasets.demo_events()
    saved = events[events["event"] == "saved_favourite"].set_index("customer_id")
    assert saved.index.is_unique
    first = events.groupby("customer_id")["occurred_at"].min()
    ordered = datasets.demo_orders().groupby("customer_id")["ordered_at"].min()
    return pd.DataFrame({"first": first, "saved": saved["occurred_at"], "ordered": ordered})


def test_demo_events_are_moderate_and_in_time():
    events = datasets.demo_events()
    assert 50_000 < len(events) < 150_000
    assert events["occurred_at"].is_monotonic_increasing
    assert events["occurred_at"].min() >= DEMO_START
    assert events["occurred_at"].max() < DEMO_AS_OF
    assert events["event"].value_counts().index.tolist() == ["visited", "ordered", "saved_favourite"]


def test_each_order_is_an_event_at_its_moment():
    ordered = datasets.demo_events().query("event == 'ordered'").drop(columns="event")
    orders = datasets.demo_orders()[["customer_id", "ordered_at", "country", "channel"]]
    expected = orders.rename(columns={"ordered_at": "occurred_at"})
    keys = ["occurred_at", "customer_id"]
    pd.testing.assert_frame_equal(
        ordered.sort_values(keys, ignore_index=True), expected.sort_values(keys, ignore_index=True)
    )


def test_a_life_begins_in_the_visit_of_the_first_order(lives):
    assert (lives["first"] < lives["ordered"]).mean() > 0.99
    assert (lives["first"] <= lives["ordered"]).all()
    assert (lives["first"].dt.normalize() == lives["ordered"].dt.normalize()).all()


def test_favourites_are_saved_as_often_as_the_truth_says(lives):
    truth = datasets.demo_truth()
    assert truth.favourite_rate == (0.1 + 0.6) / 2
    days = pd.Timedelta(days=truth.favourite_days)
    observed = lives[lives["first"] + days <= DEMO_AS_OF]
    saved = (observed["saved"] - observed["first"]) < days
    assert (observed["saved"].notna() == saved).all()
    error = np.sqrt(truth.favourite_rate * (1 - truth.favourite_rate) / len(observed))
    assert abs(saved.mean() - truth.favourite_rate) < 4 * error


def test_who_saves_a_favourite_buys_more_and_would_have_anyway():
    def gap(**truth) -> tuple[float, float]:
        frames = company.Company(company.Truth(**truth))
        saved = frames["events"].query("event == 'saved_favourite'")["customer_id"]
        orders = frames["orders"].groupby("customer_id").size()
        who = orders.index.isin(saved)
        error = np.sqrt(orders[who].var() / who.sum() + orders[~who].var() / (~who).sum())
        return orders[who].mean() - orders[~who].mean(), error

    difference, error = gap()
    assert difference > 4 * error
    # Where saving does not hang on how keen a buyer is, nothing is left of the difference.
    difference, error = gap(favourite_chance={"slowest": 0.35, "keenest": 0.35})
    assert abs(difference) < 4 * error


def test_visits_after_an_order_are_as_many_as_the_truth_says():
    truth = datasets.demo_truth()
    events, orders = datasets.demo_events(), datasets.demo_orders()
    visits = (events["event"] == "visited").sum() - len(orders) - (events["event"] == "saved_favourite").sum()
    age = (DEMO_AS_OF - orders["ordered_at"].dt.normalize()).dt.days - 1
    # Whole days, one at least: seen when the wait is below the order's age in whole days.
    expected = truth.visits_after_order * (1 - np.exp(-np.maximum(age, 0) / truth.visit_days)).sum()
    assert abs(visits - expected) < 4 * np.sqrt(expected)


def test_visits_after_an_order_come_as_soon_as_the_truth_says():
    events, orders = datasets.demo_events(), datasets.demo_orders()
    once = orders[~orders.duplicated("customer_id", keep=False)].set_index("customer_id")["ordered_at"]
    once = once[once < DEMO_AS_OF - pd.Timedelta("200D")].dt.normalize()
    saved = events.loc[events["event"] == "saved_favourite", "customer_id"]
    visits = events[events["customer_id"].isin(once.index.difference(saved)) & (events["event"] == "visited")]
    days = (visits["occurred_at"].dt.normalize() - visits["customer_id"].map(once)).dt.days
    waits = days[days > 0]
    mean = 1 + 1 / (
        np.exp(1 / datasets.demo_truth().visit_days) - 1
    )  # whole days, the next one at the soonest
    assert waits.min() == 1
    assert abs(waits.mean() - mean) < 4 * waits.std() / np.sqrt(len(waits))


# ---------------------------------------------------------------- demo: the membership


@pytest.fixture(scope="module")
def stretches():
    """Each stretch on a plan: the renewals it met and how the last one went."""
    rows = datasets.demo_subscriptions()
    following = rows[["customer_id", "started_at", "mrr"]].rename(
        columns={"started_at": "ended_at", "mrr": "next_mrr"}
    )
    rows = rows.merge(following, on=["customer_id", "ended_at"], how="left", validate="one_to_one")
    # Renewals fall on one day of each month: before `as_of`, the last of them is in the month before it.
    until = rows["ended_at"].fillna(DEMO_AS_OF - pd.Timedelta("1D"))
    renewals = (
        (until.dt.year - rows["started_at"].dt.year) * 12 + until.dt.month - rows["started_at"].dt.month
    )
    closed = rows["ended_at"].notna()
    return rows.assign(
        renewals=renewals,
        churn=closed & rows["next_mrr"].isna(),
        upgrade=rows["next_mrr"] > rows["mrr"],
        downgrade=rows["next_mrr"] < rows["mrr"],
    )


@pytest.mark.parametrize("event", ["churn", "upgrade", "downgrade"])
@pytest.mark.parametrize("plan", ["basic", "plus", "family"])
def test_hazard_by_plan(stretches, plan, event):
    truth = getattr(datasets.demo_truth(), f"monthly_{event}")[plan]
    rows = stretches[stretches["plan"] == plan]
    renewals, events = rows["renewals"].sum(), rows[event].sum()
    assert renewals > 1_000
    assert abs(events / renewals - truth) <= 4 * np.sqrt(truth * (1 - truth) / renewals)


def test_churn_of_those_there_on_the_first_is_the_hazard():
    rows = datasets.demo_subscriptions()
    lost = expected = variance = 0.0
    for month in pd.date_range("2022-09-01", "2024-06-01", freq="MS"):
        after = month + pd.DateOffset(months=1)
        begin = _monthly_fees(rows, month)
        lost += len(begin.index.difference(_monthly_fees(rows, after).index))
        plan = begin.map({9.0: 0.060, 19.0: 0.040, 39.0: 0.028})
        expected += plan.sum()
        variance += (plan * (1 - plan)).sum()
    assert abs(lost - expected) < 4 * np.sqrt(variance)


def test_reasons_are_of_leavers_only(stretches):
    truth = datasets.demo_truth()
    assert not stretches.loc[~stretches["churn"], "cancel_reason"].notna().any()
    left = stretches[stretches["churn"]]
    unknown = left["cancel_reason"].isna().mean()
    assert abs(unknown - 0.15) < 4 * np.sqrt(0.15 * 0.85 / len(left))
    told = left["cancel_reason"].dropna()
    assert sum(truth.cancel_reasons.values()) == pytest.approx(1)
    for reason, share in truth.cancel_reasons.items():
        assert abs((told == reason).mean() - share) < 4 * np.sqrt(share * (1 - share) / len(told))


def test_stretches_never_overlap_and_some_come_back(stretches):
    rows = stretches.sort_values(["customer_id", "started_at"])
    next_start = rows.groupby("customer_id")["started_at"].shift(-1)
    followed = next_start.notna()
    assert (rows.loc[followed, "ended_at"] <= next_start[followed]).all()
    away = (next_start - rows["ended_at"])[rows["churn"] & followed]
    assert away.between("28D", "184D").all()  # 1 to 6 months
    # Of leavers whose six months are over, one in five is back.
    old = rows["churn"] & (rows["ended_at"] < DEMO_AS_OF - pd.DateOffset(months=6))
    assert abs(followed[old].mean() - 0.2) < 4 * np.sqrt(0.2 * 0.8 / old.sum())


def test_nobody_is_a_member_before_the_first_order():
    first = datasets.demo_orders().groupby("customer_id")["ordered_at"].min().dt.normalize()
    rows = datasets.demo_subscriptions()
    assert (rows["started_at"] >= rows["customer_id"].map(first)).all()


# ---------------------------------------------------------------- demo: the survey, the customers


@pytest.fixture(scope="module")
def answers():
    rows = datasets.demo_responses().dropna(subset="score")
    rows = rows.merge(datasets.demo_customers(), on="customer_id", validate="many_to_one")
    band = np.where(rows["score"] >= 9, "promoters", np.where(rows["score"] >= 7, "passives", "detractors"))
    return rows.assign(band=band, wave=rows["responded_at"].dt.year.astype(str))


@pytest.mark.parametrize("wave", ["2023", "2024"])
@pytest.mark.parametrize("segment", ["household", "office", "café"])
def test_bands_by_wave_and_segment(answers, wave, segment):
    bands = answers.loc[(answers["wave"] == wave) & (answers["segment"] == segment), "band"]
    truth = datasets.demo_truth().score_shares[wave][segment]
    assert sum(truth.values()) == pytest.approx(1)
    for band, share in truth.items():
        assert abs((bands == band).mean() - share) < 4 * np.sqrt(share * (1 - share) / len(bands))


def test_answers_are_within_a_wave_once_each(answers):
    assert not answers.duplicated(["customer_id", "wave"]).any()
    assert answers["contactable"].all()
    for wave, opens in datasets.demo_truth().waves.items():
        waited = answers.loc[answers["wave"] == wave, "responded_at"] - pd.Timestamp(opens)
        assert waited.between("0D", "29D").all()
    assert answers["score"].between(0, 10).all()


def test_detractors_buy_less_afterwards(answers):
    first_wave = answers[answers["wave"] == "2023"]
    orders = datasets.demo_orders()
    later = orders[orders["ordered_at"].between("2023-04-05", "2023-10-05")]["customer_id"].unique()
    bought = first_wave["customer_id"].isin(later).groupby(first_wave["band"]).mean()
    assert 0.05 < bought["promoters"] - bought["detractors"] < 0.35


def test_everyone_who_answers_was_asked_in_that_wave(answers):
    asked = datasets.demo_invitations()
    asked["wave"] = asked["invited_at"].dt.year.astype(str)
    assert not asked.duplicated(["customer_id", "wave"]).any()
    both = answers.merge(asked, on=["customer_id", "wave"], validate="one_to_one")
    assert len(both) == len(answers)
    assert (both["responded_at"] >= both["invited_at"]).all()


@pytest.mark.parametrize("wave", ["2023", "2024"])
def test_as_many_answer_as_the_truth_says(wave):
    asked = (datasets.demo_invitations()["invited_at"].dt.year.astype(str) == wave).sum()
    answered = (datasets.demo_responses()["responded_at"].dt.year.astype(str) == wave).sum()
    truth = datasets.demo_truth().response_rate
    assert abs(answered / asked - truth) < 4 * np.sqrt(truth * (1 - truth) / asked)


@pytest.mark.parametrize("question", list(RATINGS))
def test_ratings_have_the_shares_of_the_truth(question):
    answers = datasets.demo_responses()[question]
    shares = answers.value_counts(normalize=True)
    truth = datasets.demo_truth().rating_shares[question]
    assert sum(truth.values()) == pytest.approx(1)
    assert shares.astype(float).to_dict() == pytest.approx(dict(truth), abs=0.01)
    blank = datasets.demo_truth().rating_blank_rate
    assert abs(answers.isna().mean() - blank) < 4 * np.sqrt(blank * (1 - blank) / len(answers))


def test_ratings_go_with_the_score_as_strongly_as_the_truth_says():
    truth = company.Truth(customers=20_000, waves={"2024": "2024-03-04"})
    frame = company.Company(truth)["responses"]
    found = frame[[*truth.loadings, "score"]].astype("float64").corr(method="spearman")["score"]
    # Spearman's of two normals, of which both were cut into a few steps: a little below it, and never above.
    expected = pd.Series(truth.loadings).map(lambda loading: 6 / np.pi * np.arcsin(loading / 2))
    assert ((found - expected).loc[list(truth.loadings)]).between(-0.07, 0.02).all()


def test_ratings_have_nothing_in_common_but_the_score():
    truth = company.Truth(loadings=dict.fromkeys(["quality", "price"], 0.0))
    frame = company.Company(truth)["responses"].dropna()
    found = frame[["quality", "price", "score"]].astype("float64").corr()
    assert found.abs().where(found < 1).max().max() < 4 / np.sqrt(len(frame))


def test_ratings_move_no_answer():
    without = company.Company(company.Truth(customers=300, loadings={}))["responses"]
    with_ratings = company.Company(company.Truth(customers=300))["responses"]
    pd.testing.assert_frame_equal(with_ratings[list(without)], without)


def test_some_comment_and_detractors_more(answers):
    wrote = answers["comment"].notna().groupby(answers["band"]).mean()
    for band, rate in datasets.demo_truth().comment_rates.items():
        size = (answers["band"] == band).sum()
        assert abs(wrote[band] - rate) < 4 * np.sqrt(rate * (1 - rate) / size)


def test_shares_of_customers():
    truth = datasets.demo_truth()
    segments = datasets.demo_customers()["segment"].value_counts(normalize=True)
    assert segments.to_dict() == pytest.approx(dict(truth.segments), abs=0.001)
    first = datasets.demo_orders().drop_duplicates("customer_id")
    assert first["country"].value_counts(normalize=True).to_dict() == pytest.approx(
        dict(truth.countries), abs=0.001
    )
    assert first["channel"].value_counts(normalize=True).to_dict() == pytest.approx(
        dict(truth.channels), abs=0.001
    )


def test_margins_and_costs_follow_the_truth():
    truth = datasets.demo_truth()
    first = datasets.demo_orders().drop_duplicates("customer_id")[["customer_id", "channel"]]
    customers = datasets.demo_customers().merge(first, on="customer_id")
    for by, column, means in (
        ("segment", "margin", truth.margins),
        ("channel", "acquisition_cost", truth.acquisition_costs),
    ):
        for label, mean in means.items():
            values = customers.loc[customers[by] == label, column]
            assert abs(values.mean() - mean) < 4 * values.std() / np.sqrt(len(values))


def test_the_report_will_be_believable(weeks):
    """Month-1 retention near a quarter, and falling slowly; two in three come back at all."""
    orders = datasets.demo_orders()
    month = orders["ordered_at"].dt.year * 12 + orders["ordered_at"].dt.month
    born = month.groupby(orders["customer_id"]).transform("min")
    full_year = born <= 2023 * 12 + 6  # cohorts whose twelfth month is over
    cells = orders[full_year].groupby((month - born)[full_year])["customer_id"].nunique()
    retention = cells / cells[0]
    assert 0.20 < retention[1] < 0.30
    assert 0.08 < retention[12] < retention[6] < retention[1]
    assert 0.55 < (weeks["frequency"] > 0).mean() < 0.75
