"""Which answers count: of a score that the scale does not have, and of who answered more than once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import checks, periods, scales, session, tables
from retention_kit.exceptions import DataError, ParamsError, did_you_mean
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.phrases import Words, words
from retention_kit.scales import Scale
from retention_kit.tables import Loaded

Duplicates = Literal["all", "latest", "first"]

#: Groups of fewer answers than this are not shown: who answered might be told.
HIDDEN_UNDER = 5
#: What fewer answers than this say is little, and the row says so.
FLAGGED_UNDER = 30
HIDDEN, FEW = f"hidden: fewer than {HIDDEN_UNDER} answers", f"fewer than {FLAGGED_UNDER} answers"

OUTSIDE = "score outside the scale"
#: By which rule an answer is left out because the same customer gave another, of all time or of one period.
AGAIN = {
    ("latest", False): "answered again later",
    ("first", False): "answered before",
    ("latest", True): "answered again later in the period",
    ("first", True): "answered before in the period",
}


def select_answers(
    responses: Any,
    *,
    scale: str | Scale = "nps_0_10",
    duplicates: Duplicates = "all",
    period: Period | None = None,
    as_of: Date | None = None,
    columns: Sequence[str] = (),
) -> Loaded:
    """The answers that count, for every metric that reads them; all others accounted for by rule.

    A customer who answered twice speaks twice, unless told otherwise. Scores that the scale does not have
    go first, so the latest answer is the latest that can be read. Who is not named cannot be told from
    others: all answers without a `customer_id` are kept.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score`; with `customer_id` and `responded_at` where `duplicates` is not "all".
    scale : str or Scale
        What was asked; see `scales.read`. It also says whether other scores are refused or set aside.
    duplicates : {"all", "latest", "first"}
        Which answer of a customer counts. Of several at one moment it is the lowest.
    period : str, optional
        One answer a customer in each of these periods, rather than one in all.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.
    columns : sequence of str
        Further columns to keep of a plain frame, say those to compare by.

    Returns
    -------
    Loaded
        The rows that are left; `checks` has a row for each rule, whatever it left out.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, a score is outside the scale, or no answer is left.
    ParamsError
        When `scale` or `duplicates` is not known.

    Examples
    --------
    >>> twice = pd.DataFrame({"customer_id": ["ana", "ana", "ben"], "score": [3, 9, 10],
    ...                       "responded_at": ["2024-01-05", "2024-02-05", "2024-02-06"]})
    >>> checks = select_answers(twice, duplicates="latest", as_of="2024-03-01").checks
    >>> dict(zip(checks["rule"], checks["rows"].tolist()))
    {'read': 3, 'answered again later': 1, 'kept': 2}
    """
    if duplicates not in get_args(Duplicates):
        hint = did_you_mean(str(duplicates), get_args(Duplicates))
        raise ParamsError(
            f"duplicates {duplicates!r} is not known.{hint} Choose one of {list(get_args(Duplicates))}."
        )
    asked = () if duplicates == "all" else ("customer_id", "responded_at")
    loaded = tables.responses(responses, as_of=as_of, columns=(*columns, *asked))
    loaded = _inside(loaded, scales.read(scale))
    return loaded if duplicates == "all" else _one_each(loaded, duplicates, period)


def cautions(numbers: pd.Series) -> pd.Series:
    """What to beware of where so many answered: `HIDDEN`, `FEW` or nothing.

    >>> cautions(pd.Series([4, 29, 30])).tolist()
    ['hidden: fewer than 5 answers', 'fewer than 30 answers', '']
    """
    told = pd.Series("", index=numbers.index, dtype="str")
    return told.mask(numbers < FLAGGED_UNDER, FEW).mask(numbers < HIDDEN_UNDER, HIDDEN)


def counted_words(loaded: Loaded) -> Words:
    """Which answers a metric of these counts among, for its definition: all, or one a customer."""
    rules = set(loaded.checks["rule"])
    which = next(
        (f"{keep}{'_period' * each}" for (keep, each), rule in AGAIN.items() if rule in rules), "all"
    )
    return words(f"definition.answers.{which}")


# ---------------------------------------------------------------------------------------------------


def _inside(loaded: Loaded, scale: Scale) -> Loaded:
    """Refuse a score that the scale does not have, for it would be counted as something it is not."""
    asked = ("scores outside", scale.lowest, scale.highest)
    table = loaded.table
    if asked not in loaded.kept:
        wrong = table.filter(~scale.has(table.score))
        by_score = wrong.group_by("score").aggregate(rows=wrong.count())
        loaded.kept[asked] = by_score.order_by("score").to_pandas()
    found = loaded.kept[asked]
    if found.empty:
        return loaded
    rows = int(found["rows"].sum())
    if scale.out_of_range == "refuse":
        raise DataError(_refusal(found, rows, loaded, scale))
    kept = session.stored(table.filter(scale.has(table.score)), loaded.kind)
    return _less(loaded, kept, OUTSIDE, rows, f"{found['score'].iloc[-1]:g}")


def _refusal(found: pd.DataFrame, rows: int, loaded: Loaded, scale: Scale) -> str:
    examples = ", ".join(f"{value:g}" for value in found["score"].head(3))
    given, are = loaded.rows, "is" if rows == 1 else "are"
    asked_from_0 = scale == scales.NAMED["nps_1_10"] and (found["score"] == 0).any()
    hint = " If 0 could be given, type scale='nps_0_10'." if asked_from_0 else ""
    return (
        f"{rows:,} of {given:,} scores {are} no whole number from {scale.lowest} to {scale.highest}, such as "
        f"{examples}.{hint} Correct those rows, or let the scale set them aside: out_of_range='set_aside'."
    )


def _one_each(loaded: Loaded, duplicates: Duplicates, period: Period | None) -> Loaded:
    """Each customer's one answer; rows that are alike in all else are ordered by all other columns."""
    table = loaded.table
    keys = (
        [table.customer_id]
        if period is None
        else [table.customer_id, periods.index(table.responded_at, period)]
    )
    when = table.responded_at.desc() if duplicates == "latest" else table.responded_at
    others = [
        table[name] for name in sorted(table.columns) if name not in ("customer_id", "responded_at", "score")
    ]
    place = ibis.row_number().over(group_by=keys, order_by=[when, table.score, *others])
    ranked = table.mutate(_place=place)
    one = ranked.filter((ranked["_place"] == 0) | ranked.customer_id.isnull()).drop("_place")
    kept = session.stored(one, loaded.kind)
    left = int(kept.count().execute())
    rule = AGAIN[duplicates, period is not None]
    return _less(loaded, kept, rule, loaded.rows - left, None)


def _less(loaded: Loaded, kept: ir.Table, rule: str, rows: int, example: str | None) -> Loaded:
    """The table without the rows that a rule left out, and its account with the rule before the last row."""
    before, last = loaded.checks.iloc[:-1], loaded.checks.iloc[-1:]
    told = pd.DataFrame({"rule": [rule], "rows": [rows], "amount": [float("nan")], "example": [example]})
    told = told.astype(loaded.checks.dtypes)
    account = pd.concat([before, told, last.assign(rows=last["rows"] - rows)], ignore_index=True)
    checks.refuse_nothing_kept(loaded.kind, account)
    return replace(loaded, table=kept, checks=account)
