"""How unevenly customers' value is spread: the share of the best tenth, and the curve behind it."""

import numpy as np
import pandas as pd

from retention_kit.exceptions import DataError, ParamsError
from retention_kit.sentences import phrase

#: What `interval` says.
BOOTSTRAP = "bootstrap of customers 95 %"
_DRAWS = 400
_POINTS = 101


def lorenz_curve(values: pd.DataFrame, value: str) -> pd.DataFrame:
    """What share of all value do the least valuable so many per cent of customers bring?

    Parameters
    ----------
    values : DataFrame
        One row a customer.
    value : str
        The column to add up, such as `expected_value`; nobody may be below zero.

    Returns
    -------
    DataFrame
        101 rows: `customer_share` from 0 to 1, the least valuable first, and their `value_share`.

    Raises
    ------
    DataError
        When there is no such column, it has missing or negative values, or adds up to nothing.

    References
    ----------
    Lorenz (1905), Methods of measuring the concentration of wealth.

    Examples
    --------
    >>> values = pd.DataFrame({"worth": [0.0, 10.0, 30.0, 60.0]})
    >>> lorenz_curve(values, "worth").set_index("customer_share")["value_share"][[0.5, 0.75]].tolist()
    [0.1, 0.4]
    """
    each = _checked(values, value)
    share = np.linspace(0, 1, _POINTS)
    so_far = np.concatenate([[0], np.cumsum(np.sort(each))]) / each.sum()
    frame = pd.DataFrame({"customer_share": share})
    frame["value_share"] = np.interp(share * len(each), np.arange(len(each) + 1), so_far)
    frame.attrs = {"definition": phrase("definition.lorenz_curve"), "as_of": values.attrs.get("as_of")}
    return frame


def top_share(values: pd.DataFrame, value: str, *, top: float = 0.1, seed: int = 0) -> pd.DataFrame:
    """What share of all value do the most valuable customers bring?

    Parameters
    ----------
    values, value
        As in `lorenz_curve`.
    top : float
        How many count as the most valuable: 0.1 is the best tenth. Of a customer on the line a part counts.
    seed : int
        The same seed draws the same customers for the interval.

    Returns
    -------
    DataFrame
        One row: `customers`, `top_customers`, `total_value`, `top_value`, `top_share`, `low`, `high` (95 %,
        as customers might have been others), `interval`, `gini` (0: all alike, 1: one has all).

    Raises
    ------
    DataError
        As `lorenz_curve`.
    ParamsError
        When `top` is no share between 0 and 1.

    Examples
    --------
    >>> values = pd.DataFrame({"worth": [0.0, 10.0, 30.0, 60.0]})
    >>> best = top_share(values, "worth", top=0.25)
    >>> best["top_share"].item(), best["gini"].item()
    (0.6, 0.5)
    """
    if not 0 < top < 1:
        raise ParamsError(f"top is a share between 0 and 1, and it was {top}. Type 0.1 for the best tenth.")
    each = np.sort(_checked(values, value))[::-1]
    n, rng = len(each), np.random.default_rng(seed)
    weights = (np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(_DRAWS if n > 1 else 0))
    drawn = [_top(each, weight, top) for weight in weights]
    known = [share for share in drawn if np.isfinite(share)]
    low, high = np.quantile(known, [0.025, 0.975]) if known else (np.nan, np.nan)
    share, ranks = _top(each, np.ones(n), top), np.arange(n, 0, -1)
    row = {"customers": n, "top_customers": n * top}
    row |= {"total_value": each.sum(), "top_value": share * each.sum()}
    row |= {"top_share": share, "low": low, "high": high, "interval": BOOTSTRAP}
    row["gini"] = 2 * float(ranks @ each) / (n * each.sum()) - (n + 1) / n
    frame = pd.DataFrame([row])
    told = phrase("definition.top_share", top=top)
    frame.attrs = {"definition": told, "as_of": values.attrs.get("as_of")}
    return frame


def _top(each: np.ndarray, weight: np.ndarray, top: float) -> float:
    """The share of the best, of values from the largest down, each standing for so many customers."""
    so_far = np.cumsum(weight)
    counted = np.clip(so_far[-1] * top - (so_far - weight), 0, weight)
    whole = float(weight @ each)
    return float(counted @ each) / whole if whole > 0 else float("nan")


def _checked(values: pd.DataFrame, value: str) -> np.ndarray:
    if value not in values:
        raise DataError(f"There is no column {value!r}. The frame has {[str(name) for name in values]}.")
    each = values[value].to_numpy(dtype="float64")
    if np.isnan(each).any() or (each < 0).any():
        raise DataError(
            f"{value} is missing or negative for some customers. Keep those whose value is known."
        )
    if not each.sum() > 0:
        raise DataError(f"{value} adds up to nothing, so there is nothing to share.")
    return each
