"""What purchase models foretold, held against what customers then did: which to trust, and how far.

History is split at a day. The models see what lies before it and foretell what comes after, beside two rules
that need no model: everybody goes on at the rate of before, and everybody repeats what they last did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from retention_kit import btyd, clv, intervals, periods, portfolios, predictions, summaries, tables
from retention_kit.exceptions import DataError, did_you_mean
from retention_kit.fits import Fit
from retention_kit.moments import Date, given, words
from retention_kit.sentences import phrase

#: The rules without a model that a model has to beat.
BASELINES = ("historical_mean", "last_period")
MODELS = ("bg_nbd", "mbg_nbd", "pareto_nbd")

#: Why a model with an optimum is left out: its parameters are past what its formulas can be reckoned with.
NO_NUMBER = "no number: its parameters are too large to foretell with. Try another model."

_IMPOSSIBLE = 1e-300  # a probability this small has lost its digits


def calibration_holdout(
    orders: Any, *, calibration_end: Date, as_of: Date | None = None, unit: str = "week"
) -> pd.DataFrame:
    """How did each customer buy before a day, and how often since?

    Customers who first came after that day are not in it: no model could have foretold them one by one.

    Parameters
    ----------
    orders : Loaded, frame or Ibis table
        Orders with `customer_id`, `ordered_at` and, for money, `amount`.
    calibration_end : date or str
        The first day held out.
    as_of : date or str
        The first moment not observed; the days held out end with the last whole one before it.
    unit : {"day", "week", "month", "year"}
        Of `recency`, `T` and `attrs["holdout"]`, the length of what is held out.

    Returns
    -------
    DataFrame
        The rows of `clv.summarize_customers` as of `calibration_end`, and `purchases_before` (days with a
        purchase in a stretch before the split that is as long as the one held out), `purchases_after` (in the
        one held out), and where there are amounts `spent_before`, `spent_after`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or a side of the split has no whole day or no customer.

    References
    ----------
    Fader, Hardie and Lee (2005) split CDNOW so, after 39 of 78 weeks.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "ann", "ann"],
    ...     "ordered_at": pd.to_datetime(["2024-01-01", "2024-01-08", "2024-01-15", "2024-01-25"]),
    ... })
    >>> split = calibration_holdout(orders, calibration_end="2024-01-20", as_of="2024-02-01", unit="day")
    >>> split[["customer_id", "frequency", "purchases_before", "purchases_after"]].to_dict("records")[0]
    {'customer_id': 'ann', 'frequency': 1, 'purchases_before': 1, 'purchases_after': 1}
    """
    loaded = tables.orders(orders, as_of=as_of)
    end, split = periods.first_incomplete(loaded, "day"), given("calibration_end", calibration_end)
    start = periods.index_of(split, "day")
    if start >= end:
        raise DataError(
            f"calibration_end {words(split)} leaves no whole day to hold out before "
            f"{words(loaded.observed_until)}. Type an earlier day."
        )
    before = loaded.table.filter(loaded.table.ordered_at < split)
    summary = clv.summarize_customers(
        replace(loaded, table=before, as_of=split, observed_until=split), unit=unit
    )
    if summary.empty:
        raise DataError(f"Nobody ordered before {words(split)}. Type a later calibration_end.")
    days = periods.activity(loaded, "day")
    stretches = {"before": (2 * start - end, start), "after": (start, end)}
    frame = summary
    for name, (first, last) in stretches.items():
        inside = days.filter((days.period_index >= first) & (days.period_index < last))
        sums = {f"purchases_{name}": inside.count()}
        if "amount" in inside.columns:
            sums[f"spent_{name}"] = inside.amount.sum().cast("float64")
        counted = inside.group_by("customer_id").aggregate(**sums).to_pandas()
        frame = frame.merge(counted, on="customer_id", how="left").fillna(dict.fromkeys(sums, 0))
        frame[f"purchases_{name}"] = frame[f"purchases_{name}"].astype("int64")
    frame.attrs = summary.attrs | {
        "definition": phrase("definition.calibration_holdout", split=split, days=end - start),
        "as_of": words(loaded.as_of),
        "holdout": (end - start) / summaries.UNITS[unit],
        "calibration_end": words(split),
    }
    return frame


def foretold(split: pd.DataFrame, *, models: Sequence[str] = MODELS) -> pd.DataFrame:
    """What would each model, and each rule without one, have foretold of the customers of a split?

    Parameters
    ----------
    split : DataFrame
        From `calibration_holdout`.
    models : sequence of {"bg_nbd", "mbg_nbd", "pareto_nbd"}

    Returns
    -------
    DataFrame
        The split's rows with a column of expected purchases each: the models by name, `historical_mean`
        (the customer's own rate since the first purchase goes on) and `last_period` (the same as in the
        stretch before). `attrs["fits"]` holds the fits, `attrs["left_out"]` the models that came to no
        optimum, or to no number for some customer, and why.

    Raises
    ------
    DataError
        When the frame is no split, or a model is unknown or cannot be fitted.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> split = calibration_holdout(datasets.demo_orders(), calibration_end="2024-01-01", as_of="2024-07-01")
    >>> expected = foretold(split, models=["bg_nbd"])
    >>> bool((expected["bg_nbd"] > 0).all()), list(expected.attrs["fits"])
    (True, ['bg_nbd'])
    """
    for model in models:
        if model not in MODELS:
            raise DataError(
                f"There is no model {model!r}.{did_you_mean(model, MODELS)} Choose of {list(MODELS)}."
            )
    _need(split, "purchases_after", "purchases_before", "frequency", "T")
    until = split.attrs["holdout"]
    fitted = {name: getattr(btyd, f"fit_{name}")(split) for name in models}
    left_out = {name: fit.status for name, fit in fitted.items() if not fit.converged}
    frame, found = split.copy(), {}
    for name, fit in fitted.items():
        if not fit.converged:
            continue
        expected = _expected(fit, split, until)
        if np.isfinite(expected).all():
            frame[name], found[name] = expected, fit
        else:
            left_out[name] = NO_NUMBER
    with np.errstate(invalid="ignore"):
        rate = np.where(split["T"] > 0, split["frequency"] / split["T"], 0.0)
    frame["historical_mean"], frame["last_period"] = rate * until, split["purchases_before"].astype("float64")
    frame.attrs = split.attrs | {"fits": found, "left_out": left_out}
    return frame


def compare_models(expected: pd.DataFrame) -> pd.DataFrame:
    """Which model foretold best, and how wrong was it?

    Models are ranked by the probability they gave to what each customer then did (the mean log score): the
    more they gave, the better they knew. A rule without a model gives no probabilities, and stands below with
    its errors.

    Parameters
    ----------
    expected : DataFrame
        From `foretold`.

    Returns
    -------
    DataFrame
        One row a model, the best first, then the rules: `model`, `customers`, `actual` (purchases),
        `expected`, `low`, `high` (95 %, of what will happen), `interval`, `inside` (whether `actual` lies
        between), `error` (expected / actual - 1), `rmse` (of purchases, customer by customer), `gini`
        (how well it ranks customers: 0 by chance, 1 as in hindsight), `log_score` (mean a customer),
        `lead` (of the best model over this one) with `lead_low`, `lead_high` (95 %), `log_likelihood`,
        `aic` (of the fit before the split). NaN where a rule has none.

    References
    ----------
    Gneiting and Raftery (2007), Strictly proper scoring rules, prediction, and estimation.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> split = calibration_holdout(datasets.demo_orders(), calibration_end="2024-01-01", as_of="2024-07-01")
    >>> compared = compare_models(foretold(split, models=["bg_nbd", "mbg_nbd"]))
    >>> compared["model"].tolist()
    ['bg_nbd', 'mbg_nbd', 'historical_mean', 'last_period']
    """
    found: Mapping[str, Fit] = _fits(expected)
    until, actual = expected.attrs["holdout"], expected["purchases_after"].to_numpy()
    scores = {name: _log_scores(fit, expected, until, actual) for name, fit in found.items()}
    ranked = sorted(found, key=lambda name: -scores[name].mean())
    rows = []
    for name in (*ranked, *BASELINES):
        row = {"model": name, "customers": len(expected), "actual": int(actual.sum())}
        row |= {"expected": float(expected[name].sum()), "low": np.nan, "high": np.nan, "interval": None}
        row["inside"] = None
        if name in found:
            total = portfolios.expected_totals(found[name], expected, until=until).iloc[0]
            row |= {"low": total["low"], "high": total["high"], "interval": total["interval"]}
            row["inside"] = bool(total["low"] <= actual.sum() <= total["high"])
        row["error"] = row["expected"] / actual.sum() - 1 if actual.sum() else np.nan
        row["rmse"] = float(np.sqrt(np.mean((expected[name] - actual) ** 2)))
        row["gini"] = _gini(expected[name].to_numpy(), actual)
        row |= _lead(scores[ranked[0]], scores.get(name)) if ranked else {}
        fit = found.get(name)
        row |= {"log_likelihood": fit.log_likelihood, "aic": fit.aic} if fit else {}
        rows.append(row)
    frame = pd.DataFrame(rows)
    told = {"split": expected.attrs["calibration_end"], "as_of": expected.attrs["as_of"]}
    frame.attrs = {"definition": phrase("definition.compare_models", **told), "as_of": told["as_of"]}
    return frame


def expected_and_actual(
    expected: pd.DataFrame, *, by: str = "frequency", groups: int = 8, names: Sequence[str] | None = None
) -> pd.DataFrame:
    """Where do the models foretell too much or too little?

    Parameters
    ----------
    expected : DataFrame
        From `foretold`.
    by : str
        `frequency` has a group each for 0, 1, 2 ... and the rest; `recency`, or a model's name (then it is
        calibration by what was foretold), groups of about equal size.
    groups : int
        How many at most.
    names : sequence of str, optional
        The models and rules to show; all by default.

    Returns
    -------
    DataFrame
        One row a group: `group` (the last of `frequency` ends in "+", the others are numbered from the
        lowest), `from`, `to` (of the values of `by`), `customers`, `actual` (mean purchases), `low`, `high`
        (95 %, of that mean), `interval`, and each model's mean.

    Raises
    ------
    DataError
        When there is no such column.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> split = calibration_holdout(datasets.demo_orders(), calibration_end="2024-01-01", as_of="2024-07-01")
    >>> expected_and_actual(foretold(split, models=["bg_nbd"]), groups=3)["group"].tolist()
    ['0', '1', '2+']
    """
    _need(expected, by, "purchases_after")
    names = [*_fits(expected), *BASELINES] if names is None else list(names)
    values = expected[by]
    if by == "frequency":
        number = values.clip(upper=groups - 1)
        labels = {each: f"{each}{'+' if each == groups - 1 else ''}" for each in range(groups)}
    else:
        ranks = values.rank(method="average")
        number = np.ceil(ranks / len(values) * groups).clip(1, groups).astype("int64")
        labels = {each: str(each) for each in range(1, groups + 1)}
    grouped = expected.assign(_group=number, _value=values).groupby("_group")
    frame = grouped.agg(
        **{"from": ("_value", "min"), "to": ("_value", "max"), "customers": ("_value", "size")},
        actual=("purchases_after", "mean"),
        _sd=("purchases_after", "std"),
        **{name: (name, "mean") for name in names},
    ).reset_index()
    frame.insert(0, "group", frame.pop("_group").map(labels).astype("str"))
    low, high = intervals.mean(frame["actual"], frame.pop("_sd"), frame["customers"])
    place = frame.columns.get_loc("actual") + 1
    for name, values in {"low": low, "high": high, "interval": intervals.MEAN}.items():
        frame.insert(place, name, values)
        place += 1
    told = {"split": expected.attrs["calibration_end"], "as_of": expected.attrs["as_of"]}
    frame.attrs = {"definition": phrase("definition.expected_and_actual", **told), "as_of": told["as_of"]}
    return frame


# ---------------------------------------------------------------------------------------------------


def _need(frame: pd.DataFrame, *columns: str) -> None:
    missing = [column for column in columns if column not in frame]
    if missing or "holdout" not in frame.attrs:
        raise DataError(
            f"This frame is no split: it has {[str(column) for column in frame.columns]}. "
            "Type holdouts.calibration_holdout(orders, calibration_end=...)."
        )


def _fits(expected: pd.DataFrame) -> Mapping[str, Fit]:
    if "fits" not in expected.attrs:
        raise DataError("Nothing is foretold in this frame. Type holdouts.foretold(split).")
    return expected.attrs["fits"]


def foretells(fit: Fit, summary: pd.DataFrame, until: float) -> bool:
    """Whether a fit gives every customer a number: customers much alike send parameters where none is left.

    >>> from retention_kit import btyd, simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> foretells(btyd.fit_mbg_nbd(weeks), weeks, until=26)
    True
    """
    return bool(np.isfinite(_expected(fit, summary, until)).all())


def _expected(fit: Fit, summary: pd.DataFrame, until: float) -> np.ndarray:
    """Expected purchases of each customer, without the bounds that would cost eight times as much."""
    model, cells = predictions.read(fit, summary)
    found = [
        model.p_alive(fit.theta, part.x, part.t_x, part.T) * part.of_pairs(model.purchases, fit.theta, until)
        for part in predictions.parts(cells)
    ]
    return np.concatenate(found)[cells.of_row]


def _log_scores(fit: Fit, summary: pd.DataFrame, until: float, purchases: np.ndarray) -> np.ndarray:
    """The logarithm of the probability that each customer was given to do what they did."""
    model, cells = predictions.read(fit, summary)
    found = np.empty(len(summary))
    for part in predictions.parts(cells):
        here = np.flatnonzero((cells.of_row >= part.rows.start) & (cells.of_row < part.rows.stop))
        row, n = cells.of_row[here] - part.rows.start, purchases[here]
        alive = model.p_alive(fit.theta, part.x, part.t_x, part.T)[row]
        probable = part.of_pairs(model.p_purchases, fit.theta, until, int(purchases.max()))[row, n]
        found[here] = np.log(np.maximum(alive * probable + (1 - alive) * (n == 0), _IMPOSSIBLE))
    return found


def _gini(score: np.ndarray, actual: np.ndarray) -> float:
    """How much of what was bought came from those ranked high, over what hindsight would have ranked."""
    perfect = _lift(actual.astype("float64"), actual)
    return float(_lift(score, actual) / perfect) if perfect > 0 else float("nan")


def _lift(score: np.ndarray, actual: np.ndarray) -> float:
    """Twice the covariance of what was bought and its rank by the score; those ranked alike share a rank."""
    ranks = pd.Series(score).rank().to_numpy() / len(score)
    return float(np.mean(actual * (ranks - ranks.mean())))


def _lead(best: np.ndarray, score: np.ndarray | None) -> dict[str, float]:
    if score is None:
        return dict.fromkeys(("log_score", "lead", "lead_low", "lead_high"), float("nan"))
    gap = best - score
    low, high = intervals.mean(gap.mean(), gap.std(ddof=1), len(gap)) if len(gap) > 1 else (np.nan, np.nan)
    return {
        "log_score": float(score.mean()),
        "lead": gap.mean(),
        "lead_low": float(low),
        "lead_high": float(high),
    }
