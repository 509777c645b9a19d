"""Which model should speak for a client's customers: fitted, held against a holdout, chosen; or why none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from retention_kit import btyd, clv, holdouts, periods, tables
from retention_kit.exceptions import DataError
from retention_kit.fits import Fit
from retention_kit.moments import Date
from retention_kit.sentences import phrase

#: The share of the observed time that is held out.
HELD_OUT = 0.25
#: Fewer customers who came back than this say too little for a model of four numbers.
FEWEST = 30
_SHORTEST = 90  # days of history


@dataclass(frozen=True)
class Choice:
    """The model that foretold best what it had not seen, fitted to all there is.

    Attributes
    ----------
    summary : DataFrame
        Of all customers, in weeks.
    compared, expected : DataFrame or None
        From `holdouts.compare_models` and `foretold`; None where no model could be tried.
    purchases, spend : Fit or None
        The chosen model of purchases, and that of spend; None where there is none to trust.
    left_out : mapping
        Models that came to no optimum, and what was the matter.
    reason : str
        Why nothing is foretold; blank where something is.
    """

    summary: pd.DataFrame = field(repr=False)
    compared: pd.DataFrame | None = field(default=None, repr=False)
    expected: pd.DataFrame | None = field(default=None, repr=False)
    purchases: Fit | None = None
    spend: Fit | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


def choose_model(orders: Any, *, as_of: Date | None = None) -> Choice:
    """Which purchase model do the data prefer, and does any deserve trust?

    The last quarter of the observed time is held out, the models are fitted to what lies before and ranked
    by the probability they gave to what each customer then did. The best that also fits all data is chosen.
    It never fails for the data's sake: where no model can be fitted, `reason` says why and what to show.

    Parameters
    ----------
    orders : Loaded, frame or Ibis table
        Orders with `customer_id`, `ordered_at` and, for spend, `amount`.
    as_of : date or str
        The first moment not observed.

    Returns
    -------
    Choice

    Raises
    ------
    DataError
        When a column or `as_of` is missing.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> choice = choose_model(datasets.demo_orders(), as_of="2024-07-01")
    >>> choice.purchases.model, choice.spend.status
    ('bg_nbd', 'optimum')
    """
    loaded = tables.orders(orders, as_of=as_of)
    summary = clv.summarize_customers(loaded, unit="week")
    split = split_day(loaded)
    reason = _too_little(loaded, summary, split)
    if reason:
        return Choice(summary, reason=reason)
    try:
        expected = holdouts.foretold(holdouts.calibration_holdout(loaded, calibration_end=split))
    except DataError:  # customers too much alike for four numbers
        return Choice(summary, reason=phrase("clv.no_optimum"))
    left_out = dict(expected.attrs["left_out"])
    if not expected.attrs["fits"]:
        return Choice(summary, left_out=left_out, reason=phrase("clv.no_optimum"))
    compared = holdouts.compare_models(expected)
    for model in compared["model"][compared["log_score"].notna()]:
        fit = getattr(btyd, f"fit_{model}")(summary)
        if fit.converged and holdouts.foretells(fit, summary, expected.attrs["holdout"]):
            return Choice(summary, compared, expected, fit, _spend(summary), left_out)
        left_out[model] = holdouts.NO_NUMBER if fit.converged else fit.status
    return Choice(summary, left_out=left_out, reason=phrase("clv.no_optimum"))


def split_day(orders: Any, *, as_of: Date | None = None) -> pd.Timestamp:
    """The first day held out: that which leaves a quarter of the observed time after it, in whole weeks.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> split_day(datasets.demo_orders(), as_of="2024-07-01")
    Timestamp('2024-01-01 00:00:00')
    """
    loaded = tables.orders(orders, as_of=as_of)
    first, end = _observed(loaded)
    return periods.start_of(end - 7 * round((end - first) * HELD_OUT / 7), "day")


def _observed(loaded: tables.Loaded) -> tuple[int, int]:
    return periods.index_of(loaded.observed_from, "day"), periods.first_incomplete(loaded, "day")


def _too_little(loaded: tables.Loaded, summary: pd.DataFrame, split: pd.Timestamp) -> str:
    first, end = _observed(loaded)
    if end - first < _SHORTEST:
        return phrase("clv.too_short", days=end - first, needed=_SHORTEST)
    days = (periods.start_of(end, "day") - split).days
    early = summary[summary["T"] * 7 > days]
    back = int((early["frequency"] > 0).sum())
    return phrase("clv.too_few", customers=back, needed=FEWEST) if back < FEWEST else ""


def _spend(summary: pd.DataFrame) -> Fit | None:
    """The model of spend, where there is money and a mean to speak of."""
    if "monetary_value" not in summary:
        return None
    try:
        fit = btyd.fit_gamma_gamma(summary)
    except DataError:  # nobody who came back spent anything
        return None
    return fit if fit.converged else None
