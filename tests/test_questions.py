"""Ten questions on plain frames, each answered a second time in plain pandas."""

import gc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import questions, races, with_duckdb, with_ours, with_pandas, with_polars
from benchmarks.ways import Measured
from retention_kit import session

END = pd.Timestamp(questions.AS_OF)


@pytest.fixture(scope="module")
def of() -> questions.Frames:
    return questions.frames(20_000)


def answer(name: str, of: questions.Frames) -> pd.DataFrame:
    return questions.QUESTIONS[name](of)


def seen(of: questions.Frames) -> pd.DataFrame:
    """Orders before `AS_OF`, with the month of each and that of the customer's first."""
    orders = of.orders[of.orders["ordered_at"] < END].sort_values(["ordered_at", "order_id"])
    month = orders["ordered_at"].dt.year * 12 + orders["ordered_at"].dt.month
    return orders.assign(month=month, cohort=month.groupby(orders["customer_id"]).transform("min"))


def triangle(orders: pd.DataFrame) -> pd.Series:
    """Customers by cohort and age, 0 where nobody came."""
    ages = (orders["month"] - orders["cohort"]).rename("age")
    came = orders.groupby(["cohort", ages])["customer_id"].nunique()
    last = END.year * 12 + END.month - 1
    cells = [
        (cohort, age) for cohort in sorted(orders["cohort"].unique()) for age in range(last - cohort + 1)
    ]
    return came.reindex(pd.MultiIndex.from_tuples(cells, names=["cohort", "age"]), fill_value=0)


def test_every_question_is_here() -> None:
    assert list(questions.QUESTIONS) == [
        "how many stay",
        "one curve",
        "the triangle",
        "by country",
        "new against returning money",
        "repeat rate",
        "churn last month",
        "MRR bridge",
        "NPS by wave",
        "value so far by cohort",
    ]


def test_frames_repeat_themselves_and_hold_what_makes_the_questions_hard(of: questions.Frames) -> None:
    for frame, again in zip(of, questions.frames(20_000), strict=True):
        assert len(frame) == 20_000
        pd.testing.assert_frame_equal(frame, again)
        assert frame["customer_id"].dtype == "str"
        assert frame["customer_id"].duplicated().any()
    assert (of.orders["ordered_at"] >= END).any()
    assert of.subscriptions["ended_at"].isna().any()
    assert of.responses["score"].isna().any()
    assert not of.orders["customer_id"].equals(questions.frames(20_000, seed=2).orders["customer_id"])


def test_the_triangle(of: questions.Frames) -> None:
    orders = seen(of)
    rates = answer("the triangle", of)
    expected = triangle(orders)
    assert rates["retained"].tolist() == expected.tolist()
    assert rates["age"].tolist() == expected.index.get_level_values("age").tolist()
    sizes = expected.groupby("cohort").transform("first")
    assert rates["customers"].tolist() == sizes.tolist()


@pytest.fixture(scope="module")
def orders_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return questions.orders_file(str(tmp_path_factory.mktemp("orders")), 20_000)


@pytest.mark.parametrize("task", ["cohorts", "customers"])
def test_all_ways_that_are_here_answer_the_same(task: str, orders_file: Path) -> None:
    told = {}
    for module, name in (with_pandas, task), (with_polars, task), (with_duckdb, task), (with_ours, task):
        way = module.WAYS[name]
        told[module.__name__] = way.told(way.answer(way.read(orders_file)))
    way = with_ours.WAYS[f"{task} of a frame"]
    first = way.told(way.answer(way.read(orders_file)))
    assert len(first) > 5
    for each in told.values():
        assert races.agree(each, first)
    assert not races.agree([*first[:-1], first[-1] + 1], first)


def test_one_curve_and_how_many_stay(of: questions.Frames) -> None:
    orders = seen(of)
    cells = triangle(orders)
    behind = cells.groupby("cohort").transform("first")
    expected = cells.groupby("age").sum() / behind.groupby("age").sum()
    curve = answer("one curve", of)
    assert curve["age"].tolist() == expected.index.tolist()
    assert curve["retention_rate"].tolist() == expected.tolist()
    assert answer("how many stay", of)["retention_rate"].tolist() == [expected[1]]


def test_by_country(of: questions.Frames) -> None:
    orders = seen(of)
    country = orders.groupby("customer_id")["country"].transform("first")
    rates = answer("by country", of)
    assert rates["country"].unique().tolist() == sorted(country.unique())
    for name, group in rates.groupby("country"):
        of_country = orders[country == name]
        assert group["retained"].tolist() == triangle(of_country).tolist()


def test_new_against_returning_money(of: questions.Frames) -> None:
    orders = seen(of)
    first = ~orders.duplicated("customer_id")
    found = answer("new against returning money", of)
    for row, part in zip(found.itertuples(), (orders[first], orders[~first]), strict=True):
        assert (row.customers, row.orders) == (part["customer_id"].nunique(), len(part))
        assert row.revenue == pytest.approx(part["amount"].sum())
        assert row.revenue_share == pytest.approx(part["amount"].sum() / orders["amount"].sum())
        assert row.average_order_value == pytest.approx(part["amount"].mean())


def test_repeat_rate(of: questions.Frames) -> None:
    counts = seen(of)["customer_id"].value_counts()
    row = answer("repeat rate", of).iloc[0]
    assert row[["customers", "repeat_customers"]].tolist() == [len(counts), (counts >= 2).sum()]
    assert row["repeat_purchase_rate"] == (counts >= 2).mean()


def paying_before(subscriptions: pd.DataFrame, moment: pd.Timestamp) -> pd.Series:
    """What each customer paid just before a moment."""
    ended = subscriptions["ended_at"] < moment
    running = subscriptions[(subscriptions["started_at"] < moment) & ~ended]
    return running.groupby("customer_id")["mrr"].sum()


def test_churn_last_month(of: questions.Frames) -> None:
    before = paying_before(of.subscriptions, pd.Timestamp("2024-06-01"))
    after = paying_before(of.subscriptions, END)
    lost = before.index.difference(after.index)
    row = answer("churn last month", of).iloc[0]
    assert row["period"] == pd.Timestamp("2024-06-01")
    assert row[["customers", "churned"]].tolist() == [len(before), len(lost)]


def test_mrr_bridge(of: questions.Frames) -> None:
    bridge = answer("MRR bridge", of)
    gains = bridge["new"] + bridge["reactivation"] + bridge["expansion"]
    np.testing.assert_allclose(
        bridge["begin"] + gains - bridge["contraction"] - bridge["churn"], bridge["end"]
    )
    for period, row in bridge.set_index("period").iterrows():
        before, after = (
            paying_before(of.subscriptions, moment) for moment in (period, period + pd.DateOffset(months=1))
        )
        assert row["begin"] == pytest.approx(before.sum())
        assert row["end"] == pytest.approx(after.sum())
        assert row[["customers_begin", "customers_end"]].tolist() == [len(before), len(after)]
    joined = of.subscriptions.groupby("customer_id")["started_at"].min().dt.to_period("M")
    assert bridge["customers_new"].tolist() == joined.value_counts().sort_index()[: len(bridge)].tolist()


def test_nps_by_wave(of: questions.Frames) -> None:
    answers = of.responses.dropna(subset="score")
    answers = answers[answers["responded_at"] < END]
    points = pd.cut(answers["score"].astype("int64"), [-1, 6, 8, 10], labels=[-100, 0, 100]).astype("int64")
    expected = points.groupby(answers["responded_at"].dt.to_period("Q")).agg(["mean", "size"])
    waves = answer("NPS by wave", of)
    assert waves["period"].tolist() == expected.index.to_timestamp().tolist()
    assert waves["answers"].tolist() == expected["size"].tolist()
    np.testing.assert_allclose(waves["nps"], expected["mean"])


def test_value_so_far_by_cohort(of: questions.Frames) -> None:
    orders = seen(of)
    value = orders.groupby(["cohort", "customer_id"])["amount"].sum().groupby("cohort").agg(["mean", "size"])
    found = answer("value so far by cohort", of)
    assert found["customers"].tolist() == value["size"].tolist()
    np.testing.assert_allclose(found["clv_historical"], value["mean"])


def test_a_row_a_question_and_the_recipe_beside_the_triangle(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {"the triangle": 1.5, "one curve": 2.5}
    asked = []

    def apart(task: str, label: str, module: str, way: str, path: Path, *, rows: int) -> tuple:
        columns = pd.read_parquet(path).columns if path.is_file() else questions.Frames._fields
        asked.append((module, way, list(columns)[:2]))
        return Measured(task, label, rows, warm=taken.get(label, 3.0), cpu=1.0), None

    monkeypatch.setattr(questions, "apart", apart)
    monkeypatch.setattr(questions, "QUESTIONS", dict.fromkeys(taken))
    found = questions.run(100)
    assert [(one.way, one.note, one.slower) for one in found] == [
        ("the triangle", "at most 2 s: yes", None),
        ("one curve", "at most 2 s: NO", None),
        ("the triangle, by the usual pandas recipe", "", 2.0),
    ]
    assert asked == [
        ("with_pandas", "cohorts", ["customer_id", "ordered_at"]),
        ("questions", "the triangle", ["orders", "subscriptions"]),
        ("questions", "one curve", ["orders", "subscriptions"]),
    ]
    assert questions.WAYS.keys() >= taken.keys()


def test_questions_leave_no_table_behind(of: questions.Frames) -> None:
    def kept() -> int:
        gc.collect()
        return session.connection().raw_sql("SELECT count(*) FROM duckdb_tables()").fetchone()[0]

    before = kept()
    for ask in questions.QUESTIONS.values():
        ask(of)
    assert kept() == before
