"""Ten questions a shop asks, one line each on a plain DataFrame, and frames of any size to ask them of."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.ways import AS_OF, Measured, Way, apart, beside
from retention_kit import churn, clv, mrr, nps, purchases, retention

BUDGET = 2.0  # seconds a question may take of a million rows
_FIRST_DAY = np.datetime64("2022-07-01")
_DAYS = 731  # up to AS_OF
_COUNTRIES = ["AT", "CZ", "DE", "FR", "NL", "PL", "SK"]
_FEES = {"basic": 9.99, "plus": 19.99, "family": 34.5}


class Frames(NamedTuple):
    """What the questions are asked of."""

    orders: pd.DataFrame
    subscriptions: pd.DataFrame
    responses: pd.DataFrame


Question = Callable[[Frames], pd.DataFrame]

QUESTIONS: dict[str, Question] = {
    "how many stay": lambda of: _average(of).query("age == 1"),
    "one curve": lambda of: _average(of),
    "the triangle": lambda of: retention.retention_rates(of.orders, as_of=AS_OF),
    "by country": lambda of: retention.retention_rates(of.orders, as_of=AS_OF, by="country"),
    "new against returning money": lambda of: purchases.first_and_returning(of.orders, as_of=AS_OF),
    "repeat rate": lambda of: purchases.repeat_purchase_rate(of.orders, as_of=AS_OF),
    "churn last month": lambda of: churn.churn_rates(of.subscriptions, as_of=AS_OF).tail(1),
    "MRR bridge": lambda of: mrr.mrr_movements(of.subscriptions, as_of=AS_OF),
    "NPS by wave": lambda of: nps.nps(of.responses, as_of=AS_OF, period="quarter"),
    "value so far by cohort": lambda of: clv.clv_historical(of.orders, as_of=AS_OF),
}


def run(rows: int) -> list[Measured]:
    """A row a question, each of a plain frame: wrapping, checking and counting are in the figure."""
    task = f"Ten questions, each of a plain frame of {rows:,} rows"
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in frames(rows)._asdict().items():
            frame.to_parquet(Path(folder) / f"{name}.parquet")
        usual, _ = apart(
            task,
            "the triangle, by the usual pandas recipe",
            "with_pandas",
            "cohorts",
            Path(folder) / "orders.parquet",
            rows=rows,
        )
        asked = [apart(task, name, "questions", name, Path(folder), rows=rows)[0] for name in QUESTIONS]
    triangle = list(QUESTIONS).index("the triangle")
    usual = beside([asked[triangle], usual])[1]
    return [one._replace(note=within(one.warm, BUDGET)) for one in asked] + [usual]


def within(taken: float, budget: float) -> str:
    """Whether it kept to what it may take."""
    return f"at most {budget:g} s: {'yes' if taken <= budget else 'NO'}"


def _read(folder: Path) -> Frames:
    return Frames(*(pd.read_parquet(folder / f"{name}.parquet") for name in Frames._fields))


WAYS = {name: Way(_read, ask) for name, ask in QUESTIONS.items()}


def _average(of: Frames) -> pd.DataFrame:
    return retention.average_retention(retention.retention_rates(of.orders, as_of=AS_OF))


def frames(rows: int, *, seed: int = 1) -> Frames:
    """Orders, subscriptions and answers of so many rows each, with text ids, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return Frames(orders(rng, rows), _subscriptions(rng, rows), _responses(rng, rows))


def orders(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Four orders a customer on average, after a day of the customer's own; a few came after `AS_OF`."""
    customer = rng.integers(0, max(rows // 4, 1), rows)
    born = rng.integers(0, _DAYS, customer.max() + 1)[customer]
    day = np.minimum(born + rng.exponential(120, rows).astype("int64"), _DAYS + 10)
    ordered_at = _moments(rng, day)
    return pd.DataFrame(
        {
            "customer_id": _ids("customer", customer),
            "ordered_at": ordered_at,
            "order_id": _ids("order", rng.permutation(rows)),
            "amount": rng.gamma(2, 20, rows).round(2),
            "country": rng.choice(_COUNTRIES, rows),
        }
    )


def orders_file(folder: str, rows: int) -> Path:
    """So many orders with text ids, moments and amounts, as a Parquet file in the folder."""
    path = Path(folder) / "orders.parquet"
    orders(np.random.default_rng(1), rows)[["customer_id", "ordered_at", "amount"]].to_parquet(path)
    return path


def _subscriptions(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """One subscription after the other for some, with gaps or without; a third still active."""
    customer = rng.integers(0, max(rows * 3 // 4, 1), rows)
    begins = rng.integers(0, _DAYS, rows)
    ends = begins + rng.integers(1, 400, rows)
    plan = rng.choice(list(_FEES), rows)
    ended_at = pd.Series(_FIRST_DAY.astype("datetime64[us]") + ends.astype("timedelta64[D]"))
    return pd.DataFrame(
        {
            "customer_id": _ids("customer", customer),
            "started_at": _FIRST_DAY.astype("datetime64[us]") + begins.astype("timedelta64[D]"),
            "ended_at": ended_at.mask(rng.random(rows) < 0.3),
            "mrr": pd.Series(plan).map(_FEES),
            "plan": plan,
        }
    )


def _responses(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Answers in quarterly waves of two weeks, one score in fifty left blank."""
    day = rng.integers(0, 8, rows) * 91 + rng.integers(0, 14, rows)
    score = pd.Series(rng.binomial(10, rng.beta(6, 2, rows)), dtype="Int64")
    return pd.DataFrame(
        {
            "customer_id": _ids("customer", rng.integers(0, max(rows // 4, 1), rows)),
            "responded_at": _moments(rng, day),
            "score": score.mask(rng.random(rows) < 0.02),
        }
    )


def _moments(rng: np.random.Generator, day: np.ndarray) -> np.ndarray:
    seconds = rng.integers(0, 86_400, len(day)).astype("timedelta64[s]")
    return _FIRST_DAY.astype("datetime64[us]") + day.astype("timedelta64[D]") + seconds


def _ids(word: str, numbers: np.ndarray) -> pd.Series:
    return pd.Series(word + "-", index=range(len(numbers)), dtype="str") + pd.Series(numbers).astype(str)
