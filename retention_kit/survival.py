"""Survival: how long something lasts, when for many it is not over yet.

Knows durations and whether they ended, nothing of orders or subscriptions. `durations` says in which
forms they may be given; one of them is a curve made here.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from retention_kit import intervals
from retention_kit.durations import histogram, non_negative
from retention_kit.exceptions import DataError
from retention_kit.sentences import phrase

_Z = float(special.ndtri(0.975))
_ROUNDING = 1e-12
#: A curve is a product of many factors: what should be a half may come out a rounding above it.
_HALF = 0.5 + 1e-9
_CURVE = ("at_risk", "events", "censored", "survival", "low", "high", "interval")


def survival_curve(
    durations: Any, events: ArrayLike | None = None, *, weights: ArrayLike | None = None, by: Any = None
) -> pd.DataFrame:
    """What share lasts longer than so long (Kaplan and Meier)?

    Those still running when observation ended count for as long as they were seen: to leave them out,
    or to take them for ended, makes everything look shorter than it is. It takes for granted that they
    are like those who were observed longer. Far to the right the curve rests on few: read `at_risk`.

    Parameters
    ----------
    durations : DataFrame, or array-like of numbers
        A frame with `duration`, `event` and perhaps `customers`; a curve; or plain durations.
    events : array-like of bool, or of 0 and 1
        With plain durations: whether each has ended.
    weights : array-like of int, optional
        With plain durations: how many customers each stands for.
    by : str, list of str, or array-like
        Columns of the frame to split by; with plain durations, the group of each.

    Returns
    -------
    DataFrame
        One row a distinct duration (and group), the first always 0: the `by` columns, `duration`,
        `at_risk` (customers who lasted at least so long; one censored at a duration is at risk at it),
        `events`, `censored`, `survival` (share who last longer, 0 to 1), `low`, `high` (95 %, on the
        log(-log) scale, which cannot leave 0 to 1 and holds for few customers; NaN where survival is
        1 or 0), `interval`. At 0 survival is 1, unless some ended at once.

    Raises
    ------
    DataError
        When a column is missing, a duration is negative or no number, an event is not yes or no, or a
        weight is no count.

    References
    ----------
    Kaplan and Meier (1958), Nonparametric estimation from incomplete observations; for the bounds
    Kalbfleisch and Prentice (1980), The Statistical Analysis of Failure Time Data.

    Examples
    --------
    One ended after 2 months, one runs since 3, one ended after 4.

    >>> curve = survival_curve([2, 3, 4], [1, 0, 1])
    >>> curve[["duration", "at_risk", "survival"]].round(3).to_numpy().tolist()
    [[0.0, 3.0, 1.0], [2.0, 3.0, 0.667], [3.0, 2.0, 0.667], [4.0, 1.0, 0.0]]
    """
    curve, groups = histogram(durations, events, weights, by)
    group = _group_numbers(curve, groups)
    leaving = curve["events"] + curve["censored"]
    curve["at_risk"] = leaving[::-1].groupby(group[::-1]).cumsum()
    curve["survival"] = (1 - curve["events"] / curve["at_risk"]).groupby(group).cumprod()
    curve["low"], curve["high"] = _log_log_bounds(curve, group)
    curve["interval"] = pd.Series(intervals.LOG_LOG, index=curve.index, dtype="str")
    curve = curve[[*groups, "duration", *_CURVE]]
    curve.attrs = _told(durations, "survival_curve")
    return curve


def survival_summary(
    durations: Any,
    events: ArrayLike | None = None,
    *,
    weights: ArrayLike | None = None,
    by: Any = None,
    horizon: float | None = None,
) -> pd.DataFrame:
    """How long does it last: until half have ended, and on average up to a horizon?

    A plain mean needs the end of the very last one. A mean restricted to a horizon needs only that some
    were watched so far, and compares groups also where more than half still run.

    Parameters
    ----------
    durations, events, weights, by
        As of `survival_curve`. A curve split by groups needs the same `by`, else they are pooled.
    horizon : float, optional
        In the unit of the durations. Without it, the longest up to which every group's curve is known.

    Returns
    -------
    DataFrame
        One row a group: the `by` columns, `customers`, `events`, `median` (the first duration that no
        more than half outlast; NaN while more do) with `low`, `high` (where the curve's bounds come down
        to a half; NaN where they do not), `restricted_mean` (the area under the curve up to `horizon`;
        NaN for a group not observed so far) with `mean_low`, `mean_high` (95 %; NaN without an event
        before `horizon`), `horizon`, `interval`.

    Raises
    ------
    DataError
        As `survival_curve` does, and when `horizon` is not above 0.

    References
    ----------
    Klein and Moeschberger (2003), Survival Analysis, sections 4.2 and 4.5.

    Examples
    --------
    >>> summary = survival_summary([2, 3, 4, 4], [1, 0, 1, 1])
    >>> summary[["median", "restricted_mean", "horizon"]].to_numpy().tolist()
    [[4.0, 3.5, 4.0]]
    """
    if horizon is not None and not horizon > 0:
        raise DataError(f"horizon {horizon} is not above 0. Give it in the unit of the durations.")
    curve = survival_curve(durations, events, weights=weights, by=by)
    groups = _groups_of(curve)
    group = _group_numbers(curve, groups)
    horizon = float(_common_horizon(curve, group) if horizon is None else horizon)
    frame = curve.loc[curve["duration"] == 0, [*groups, "at_risk"]].rename(columns={"at_risk": "customers"})
    frame = frame.reset_index(drop=True)
    frame["events"] = curve["events"].groupby(group).sum()
    for name, bound in (("median", "survival"), ("low", "low"), ("high", "high")):
        reached = curve[curve[bound] <= _HALF]
        frame[name] = reached["duration"].groupby(group[reached.index]).first().astype("float64")
    frame = frame.join(_restricted_means(curve, group, horizon))
    frame["horizon"] = horizon
    frame["interval"] = pd.Series(
        f"{intervals.LOG_LOG}; mean {intervals.GREENWOOD}", index=frame.index, dtype="str"
    )
    frame.attrs = _told(durations, "survival_summary")
    return frame


def survival_at(curve: pd.DataFrame, durations: float | Sequence[float]) -> pd.DataFrame:
    """What share lasts longer than each of these durations?

    Parameters
    ----------
    curve : DataFrame
        From `survival_curve`.
    durations : number, or list of numbers
        In the unit of the curve.

    Returns
    -------
    DataFrame
        One row a group and duration asked for: the groups, `duration`, `at_risk` (customers who
        lasted at least so long), `survival`, `low`, `high`, `interval`. No row past the longest duration
        observed, unless all had ended by then.

    Raises
    ------
    DataError
        When a duration is negative or no number.

    Examples
    --------
    >>> survival_at(survival_curve([2, 3, 4], [1, 0, 1]), [1, 3.5])["survival"].round(3).tolist()
    [1.0, 0.667]
    """
    asked = non_negative(np.atleast_1d(durations))
    groups = _groups_of(curve)
    rows, durations, at_risk = _rows_at(curve, _group_numbers(curve, groups), asked)
    frame = curve.iloc[rows].assign(duration=durations, at_risk=at_risk)
    frame = frame[[*groups, "duration", "at_risk", "survival", "low", "high", "interval"]]
    frame = frame.reset_index(drop=True)
    frame.attrs = {**curve.attrs}
    return frame


def log_rank(
    durations: Any, events: ArrayLike | None = None, *, by: Any, weights: ArrayLike | None = None
) -> pd.DataFrame:
    """Do groups last differently long, or is it chance?

    It weighs early and late ends alike, and sees least where curves cross: look at them first. With very
    many customers a difference too small to matter is "significant" too. Groups that chose themselves
    differ in more than their name.

    Parameters
    ----------
    durations, events, by, weights
        As of `survival_curve`.

    Returns
    -------
    DataFrame
        One row: `groups`, `customers`, `events`, `chi_square`, `degrees_of_freedom`, `p_value` (the chance
        of a difference at least so large among groups that are alike). Both are NaN where nothing can be
        compared: one group, or no end while two groups were at risk.

    Raises
    ------
    DataError
        As `survival_curve` does.

    References
    ----------
    Mantel (1966), Evaluation of survival data and two new rank order statistics arising in its
    consideration; for ties and several groups Klein and Moeschberger (2003), section 7.3.

    Examples
    --------
    >>> test = log_rank([1, 2, 3, 4], [1, 1, 1, 1], by=["a", "a", "b", "b"])
    >>> test[["groups", "degrees_of_freedom"]].iloc[0].tolist(), round(test["chi_square"].item(), 3)
    ([2, 1], 2.882)
    """
    counted, groups = histogram(durations, events, weights, by)
    if not groups:
        raise DataError("log_rank compares groups. Say which by by='a_column', or by=[...] of each duration.")
    surplus, variance = _surplus(counted, groups)
    # One group follows from the others, and one never at risk beside another says nothing: the rank knows.
    freedom = int(np.linalg.matrix_rank(variance, rtol=_ROUNDING, hermitian=True)) if len(surplus) else 0
    inverse = np.linalg.pinv(variance, rcond=_ROUNDING, hermitian=True) if freedom else None
    chi_square = surplus @ inverse @ surplus if freedom else np.nan
    row = {
        "groups": len(surplus),
        "customers": int(counted[["events", "censored"]].to_numpy().sum()),
        "events": int(counted["events"].sum()),
        "chi_square": chi_square,
        "degrees_of_freedom": freedom,
        "p_value": special.chdtrc(freedom, chi_square) if freedom else np.nan,
    }
    frame = pd.DataFrame([row]).astype({"chi_square": "float64", "p_value": "float64"})
    frame.attrs = _told(durations, "log_rank")
    return frame


# ---------------------------------------------------------------------------------------------------


def _log_log_bounds(curve: pd.DataFrame, group: np.ndarray) -> tuple[pd.Series, pd.Series]:
    survival, variance = curve["survival"], _greenwood(curve).groupby(group).cumsum()
    judged = survival.between(0, 1, inclusive="neither")
    half = _Z * np.sqrt(variance[judged]) / np.abs(np.log(survival[judged]))
    return survival[judged] ** np.exp(half), survival[judged] ** np.exp(-half)


def _greenwood(curve: pd.DataFrame) -> pd.Series:
    """What each duration adds to the variance of log survival; statsmodels has it only without weights."""
    events, at_risk = curve["events"].astype("float64"), curve["at_risk"].astype("float64")
    return (events / (at_risk * (at_risk - events))).where(events > 0, 0.0)


def _common_horizon(curve: pd.DataFrame, group: np.ndarray) -> float:
    """The longest duration up to which every curve is known; one that came down to 0 stays there."""
    last = curve.groupby(group).last()
    return (
        last.loc[last["survival"] > 0, "duration"].min() if last["survival"].any() else last["duration"].max()
    )


def _restricted_means(curve: pd.DataFrame, group: np.ndarray, horizon: float) -> pd.DataFrame:
    """By group the area under the curve up to the horizon, and how sure it is."""
    start = curve["duration"].astype("float64").clip(upper=horizon)
    areas = curve["survival"] * (start.groupby(group).shift(-1).fillna(horizon) - start)
    beyond = areas[::-1].groupby(group[::-1]).cumsum()[::-1]
    # Where all have ended no area lies beyond, and the variance that is infinite there weighs nothing.
    parts = (beyond**2 * _greenwood(curve)).where(beyond > 0, 0.0)
    mean, error = areas.groupby(group).sum(), np.sqrt(parts.groupby(group).sum())
    error = error.where(error > 0)
    means = pd.DataFrame(
        {
            "restricted_mean": mean,
            "mean_low": (mean - _Z * error).clip(lower=0),
            "mean_high": (mean + _Z * error).clip(upper=horizon),
        }
    )
    last = curve.groupby(group).last()
    return means.where((last["duration"] >= horizon) | (last["survival"] == 0))


def _rows_at(
    curve: pd.DataFrame, group: np.ndarray, asked: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By group the rows in which the durations asked for lie, those observed, and who lasted so long."""
    known, survival, at_risk = (curve[name].to_numpy() for name in ("duration", "survival", "at_risk"))
    found = [(np.empty(0, "int64"), asked[:0], at_risk[:0])]
    for rows in _slices(group):
        observed = asked if survival[rows][-1] == 0 else asked[asked <= known[rows][-1]]
        row = rows.start + np.searchsorted(known[rows], observed, side="right") - 1
        still = np.append(at_risk[rows], 0)[np.searchsorted(known[rows], observed, side="left")]
        found.append((row, observed, still))
    rows, durations, still = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return rows, durations, still


def _surplus(counted: pd.DataFrame, groups: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Of each group, its events less those expected if all were alike; and the covariance of these."""
    moment, times = pd.factorize(counted["duration"], sort=True)
    group = _group_numbers(counted, groups)
    shape = (len(times), group.max(initial=-1) + 1)
    events, leaving = np.zeros(shape), np.zeros(shape)
    events[moment, group] = counted["events"]
    leaving[moment, group] = counted["events"] + counted["censored"]
    at_risk = leaving[::-1].cumsum(axis=0)[::-1]
    ended, risk = events.sum(axis=1), at_risk.sum(axis=1)
    share = at_risk / risk[:, None]
    surplus = (events - share * ended[:, None]).sum(axis=0)
    # Hypergeometric: of those at risk, so many end, drawn without regard to the group.
    spread = ended * (risk - ended) / np.maximum(risk - 1, 1)
    variance = np.diag(spread @ share) - (share * spread[:, None]).T @ share
    return surplus, variance


def _group_numbers(frame: pd.DataFrame, groups: list[str]) -> np.ndarray:
    """The number of each row's group, in the order in which they come."""
    if not groups:
        return np.zeros(len(frame), dtype="int64")
    return frame.groupby(groups, dropna=False, sort=False).ngroup().to_numpy()


def _slices(group: np.ndarray) -> list[slice]:
    edges = np.flatnonzero(np.diff(group, prepend=-1, append=-1))
    return [slice(start, end) for start, end in itertools.pairwise(edges)]


def _groups_of(curve: pd.DataFrame) -> list[str]:
    """A curve's own groups: the columns before `duration`."""
    return list(curve.columns[: curve.columns.get_loc("duration")])


def _told(given: Any, name: str) -> dict[str, Any]:
    about = given.attrs if isinstance(given, pd.DataFrame) else {}
    return {"as_of": None, **about, "definition": phrase(f"definition.{name}")}
