"""Two groups side by side: how far apart they are, how sure that is, and what it does not say."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import optimize, special

from retention_kit import intervals
from retention_kit.exceptions import DataError
from retention_kit.sentences import phrase

_POWER = 0.8
_CONFIDENCE = 0.95

#: Columns that say what a row is a row of: two rows that differ in one are not one measure.
_BESIDE = ("age", "last_age", "within_days", "denominator")
#: A difference that is none.
_NONE = 1e-12

_CHOSEN = ("self", "assigned")


@dataclass(frozen=True)
class _Measure:
    """What two rows are compared by, and the counts it rests on."""

    name: str
    needs: tuple[str, ...]

    @property
    def is_share(self) -> bool:
        return len(self.needs) == 2


_MEASURES = (
    _Measure("retention_rate", ("retained", "customers")),
    _Measure("churn_rate", ("churned", "customers")),
    _Measure("repeat_purchase_rate", ("repeat_customers", "customers")),
    _Measure("spend_per_customer", ("spend_per_customer", "spend_sd", "customers")),
)


def compare(a: Any, b: Any, *, chosen: Literal["self", "assigned"] = "self") -> pd.DataFrame:
    """Do two groups of customers differ in retention, churn, repeat purchase or spend?

    Members against non-members, those in a test against those left alone. Each is one row of a result
    made with the same options. Only a difference whose bounds leave out zero is told from chance;
    and unless the groups were drawn at random, even that is who they are and not what was done.

    Parameters
    ----------
    a, b : DataFrame or Series
        One row each, of two separate groups of customers, that holds `customers` and one of `retained`,
        `churned`, `repeat_customers`, or `spend_per_customer` with `spend_sd`. `b` is the one to compare
        with.
    chosen : {"self", "assigned"}
        Whether customers chose their group, or were put into it at random.

    Returns
    -------
    DataFrame
        One row: `measure` (its name), `a` and `b` (a share from 0 to 1, or money), `a_customers`,
        `b_customers`, `difference` (a - b), `low`, `high` (95 %), `interval` (Newcombe for shares, Welch's
        t for means), `smallest_detectable` (the true difference that groups of these sizes would
        show in four samples of five, empty where none would), `verdict` (`a is higher`, `b is higher`
        or `cannot be told`). Its `attrs["caveat"]` is what to print beside it.

    Raises
    ------
    DataError
        When a frame is not one row, holds no counts to compare by, or was made another way than the
        other; or `chosen` is not known.

    Notes
    -----
    `smallest_detectable` is for 80 % power at 5 %, two-sided. For shares it is d in
    d = z(.975) sqrt(p (1 - p) (1/m + 1/n)) + z(.8) sqrt(r (1 - r) / m + q (1 - q) / n)
    with q the share of b, r = q + d (q - d where q is above one half: towards it, where a difference is
    hardest to see) and p both groups together. For means it is the noncentrality of Welch's t that
    80 % of samples pass, times the standard error. A planned study needs the sizes first: this one
    says what these could have shown.

    References
    ----------
    Newcombe (1998), method 10; Welch (1947), The generalization of Student's problem; Fleiss, Levin and
    Paik (2003), Statistical Methods for Rates and Proportions, section 4.2, without correction for
    continuity; Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 2.

    Examples
    --------
    Members are a column of the orders, so `by` makes the two rows:

    >>> from retention_kit import purchases
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b", "b", "c", "d", "e", "e"],
    ...     "ordered_at": "2024-01-05",
    ...     "member": ["yes"] * 4 + ["no"] * 4,
    ... })
    >>> rates = purchases.repeat_purchase_rate(orders, as_of="2024-02-01", by="member")
    >>> found = compare(rates[rates["member"] == "yes"], rates[rates["member"] == "no"])
    >>> print(found[["measure", "a_customers", "b_customers", "verdict"]].to_string(index=False))
                 measure  a_customers  b_customers        verdict
    repeat_purchase_rate            2            3 cannot be told
    """
    if chosen not in _CHOSEN:
        raise DataError(f"chosen {chosen!r} is not known. Choose one of {list(_CHOSEN)}.")
    rows = {"a": _row("a", a), "b": _row("b", b)}
    measure = _measure(rows)
    _check_made_alike(rows, {"a": a, "b": b})
    for name, row in rows.items():
        _check_counts(name, row, measure)
    found = (_of_shares if measure.is_share else _of_means)(rows["a"], rows["b"], measure)
    found["verdict"] = _verdict(found["low"], found["high"])
    frame = pd.DataFrame([{"measure": measure.name} | found])
    frame.attrs = {
        "definition": phrase("definition.comparison", measure=measure.name),
        "as_of": rows["a"].attrs.get("as_of"),
        "caveat": phrase(f"caveat.{chosen}"),
    }
    return frame


# ---------------------------------------------------------------------------------------------------


def _row(name: str, given: Any) -> pd.Series:
    if isinstance(given, pd.Series):
        return given
    if not isinstance(given, pd.DataFrame):
        raise DataError(f"{name} is a {type(given).__name__}. Give one row of a result, a DataFrame.")
    if len(given) != 1:
        raise DataError(
            f"{name} has {len(given)} rows, and one is compared. Choose it, such as "
            "rates[rates['age'] == 1], or make one of several with average_retention or average_churn."
        )
    return given.iloc[0]


def _measure(rows: dict[str, pd.Series]) -> _Measure:
    """The one measure that both rows hold."""
    held = {
        name: [measure for measure in _MEASURES if set(measure.needs) <= set(row.index)]
        for name, row in rows.items()
    }
    for name, measures in held.items():
        if not measures:
            ways = "; ".join(", ".join(measure.needs) for measure in _MEASURES)
            raise DataError(
                f"{name} holds nothing to compare by: it has {list(rows[name].index)}. "
                f"It needs one of: {ways}."
            )
    shared = [measure for measure in held["a"] if measure in held["b"]]
    if not shared:
        words = " and ".join(f"{name} holds {_names(measures)}" for name, measures in held.items())
        raise DataError(f"a and b are measured by different things: {words}. Make both with one function.")
    if len(shared) > 1:
        raise DataError(
            f"a and b both hold {_names(shared)}, and one is compared. Drop the columns of the others."
        )
    return shared[0]


def _names(measures: list[_Measure]) -> str:
    return " and ".join(measure.name for measure in measures)


def _check_made_alike(rows: dict[str, pd.Series], given: dict[str, Any]) -> None:
    """Month 1 is not month 3, and what is defined otherwise is another number."""
    a, b = rows["a"], rows["b"]
    for name in _BESIDE:
        if name in a.index and name in b.index and a[name] != b[name]:
            raise DataError(f"a has {name} {a[name]} and b has {name} {b[name]}. Compare rows of one {name}.")
    definitions = [given[name].attrs.get("definition") for name in ("a", "b")]
    if None not in definitions and definitions[0] != definitions[1]:
        raise DataError(
            f"a and b are defined differently. a: {definitions[0]} b: {definitions[1]} "
            "Make both with the same options."
        )


def _check_counts(name: str, row: pd.Series, measure: _Measure) -> None:
    """Counts that a share or a mean can rest on; a rate over something else has no such interval."""
    customers = float(row["customers"])
    if not customers >= 1 or customers != int(customers):
        raise DataError(f"{name} has {customers:g} customers. A group to compare has one at least.")
    if not measure.is_share:
        return
    counted, rate = float(row[measure.needs[0]]), row.get(measure.name)
    share, method = counted / customers, str(row.get("interval", intervals.WILSON))
    is_share = 0 <= share <= 1 and (rate is None or np.isclose(rate, share, rtol=1e-9, atol=1e-12))
    if not (is_share and method.startswith(intervals.WILSON)):
        written = "" if rate is None else f" and {measure.name} {rate:g} ({method})"
        raise DataError(
            f"{name} has {measure.needs[0]} {counted:g} of {customers:g} customers{written}, which is no "
            "share of them: its denominator is another one. Only shares of customers are compared."
        )


def _of_shares(a: pd.Series, b: pd.Series, measure: _Measure) -> dict[str, Any]:
    counted, customers = measure.needs
    (k, m), (j, n) = ((int(row[counted]), int(row[customers])) for row in (a, b))
    low, high = intervals.difference(k, m, j, n)
    return {
        "a": k / m, "b": j / n, "a_customers": m, "b_customers": n, "difference": k / m - j / n,
        "low": float(low), "high": float(high), "interval": intervals.NEWCOMBE,
        "smallest_detectable": _detectable_share(j / n, m, n),
    }  # fmt: skip


def _detectable_share(share: float, a_customers: int, b_customers: int) -> float:
    """How far from the share of b that of a must be to be told from it in 80 % of samples."""
    m, n = a_customers, b_customers
    towards = 1 if share <= 0.5 else -1
    room = 1 - share if towards > 0 else share
    apart, power = special.ndtri((1 + _CONFIDENCE) / 2), special.ndtri(_POWER)

    def excess(difference: float) -> float:
        other = share + towards * difference
        both = (m * other + n * share) / (m + n)
        alike = np.sqrt(both * (1 - both) * (1 / m + 1 / n))
        own = np.sqrt(other * (1 - other) / m + share * (1 - share) / n)
        return difference - apart * alike - power * own

    # It is convex and at most 0 where there is no difference, so there is one root at most.
    return float(optimize.brentq(excess, _NONE, room)) if excess(room) >= 0 else float("nan")


def _of_means(a: pd.Series, b: pd.Series, measure: _Measure) -> dict[str, Any]:
    """Welch: the spreads are those of the groups, the degrees of freedom Satterthwaite's."""
    mean, sd, customers = measure.needs
    (x, s, m), (y, r, n) = ((float(row[mean]), float(row[sd]), int(row[customers])) for row in (a, b))
    low, high = intervals.difference_of_means(x, s, m, y, r, n)
    _, freedom = intervals.error_of_difference(s, m, r, n)
    bound = special.stdtrit(freedom, (1 + _CONFIDENCE) / 2)
    error = (high - low) / 2 / bound  # customers who do not differ, or one alone, say nothing of chance
    return {
        "a": x, "b": y, "a_customers": m, "b_customers": n, "difference": x - y,
        "low": float(low), "high": float(high), "interval": intervals.WELCH,
        "smallest_detectable": float(special.nctdtrinc(freedom, 1 - _POWER, bound) * error),
    }  # fmt: skip


def _verdict(low: float, high: float) -> str:
    """Read from the bounds; without any, nothing can be told."""
    return "a is higher" if low > 0 else "b is higher" if high < 0 else "cannot be told"
