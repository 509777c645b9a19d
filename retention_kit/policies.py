"""Named policies: the choices by which billing tools read different figures from the same subscriptions.

A policy changes the subscriptions before anything is counted (`applied`), so every metric follows it
alike, and says what a churn rate is divided by. Its defaults are the house's definition; `presets` says what
the tools document of theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import billing, moments, periods, yamls
from retention_kit.exceptions import DataError, ParamsError, did_you_mean
from retention_kit.opened import Note
from retention_kit.phrases import Phrase
from retention_kit.sentences import phrase
from retention_kit.tables import Loaded

_CHOICES = {
    "churn_date": ("period_end", "cancel"),
    "same_month": ("counted", "ignored"),
    "pauses": ("churn", "kept"),
    "discounts": ("net", "gross"),
    "overlaps": ("added", "forbidden"),
    "denominator": ("start", "start_plus_new", "average", "exposure", "due_for_renewal"),
}
#: The choices that change the subscriptions themselves.
_APPLIED = ("churn_date", "same_month", "reactivation_days", "pauses", "discounts")
#: What presets document and no choice is left of: `recurring` has gross and net churn side by side.
_TOLD = ("revenue_churn",)
#: Cells of a preset that settle nothing: the house's own choice is used.
_UNSETTLED = ("not stated", "varies")
#: How a text column says that a subscription is paused, and that it is not.
_YES, _NO = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


@dataclass(frozen=True)
class Policy:
    """What counts as what; each default is the house's definition.

    Attributes
    ----------
    name : str
    churn_date : {"period_end", "cancel"}
        A subscription ends at `ended_at`, or at `cancelled_at` where that is earlier.
    same_month : {"counted", "ignored"}
        An unbroken stretch of paying (the first or a later one) that begins and ends inside one calendar
        month is a gain and a loss of that month, or never was.
    reactivation_days : int, optional
        A gap of at most so many days is no loss and no return: the customer goes on paying what was paid
        before it. None: any gap is both. Losses of the last so many days can still turn out to be gaps.
    pauses : {"churn", "kept"}
        Subscriptions marked `paused` (a pause is a row of its own) count as nothing paid, or pay what was
        paid before: the price of the customer's paused subscription that ended last before the pause.
    discounts : {"net", "gross"}
        What is paid is `mrr` less `discount` (currency units a month, at least 0), or `mrr` as it stands.
    overlaps : {"added", "forbidden"}
        What a customer pays for several subscriptions at once is added up; or there is one at a time, and
        rows that overlap (a plan changed whose old row never ended, an export with rows twice) are refused.
    denominator : {"start", "start_plus_new", "average", "exposure", "due_for_renewal"}
        What `churn.churn_rates` divides by, unless it is told another. (Of revenue both rates are always
        there: gross, and net of what gains take off.)
    """

    name: str = "custom"
    churn_date: Literal["period_end", "cancel"] = "period_end"
    same_month: Literal["counted", "ignored"] = "counted"
    reactivation_days: int | None = None
    pauses: Literal["churn", "kept"] = "churn"
    discounts: Literal["net", "gross"] = "net"
    denominator: str = "start"
    overlaps: Literal["added", "forbidden"] = "added"

    def __post_init__(self) -> None:
        for field, known in _CHOICES.items():
            value = getattr(self, field)
            if value not in known:
                hint = did_you_mean(str(value), known)
                raise ParamsError(f"{field} {value!r} is not known.{hint} Choose one of {list(known)}.")
        days = self.reactivation_days
        if days is not None and (isinstance(days, bool) or not isinstance(days, int) or days < 1):
            raise ParamsError(
                "reactivation_days is a whole number of days from 1, or None for any gap, and it was "
                f"{days!r}. Type 30 for a month."
            )


def named(policy: str | Policy) -> Policy:
    """The policy of a name; a `Policy` passes.

    Raises
    ------
    ParamsError
        When there is no policy of that name.

    Examples
    --------
    >>> named("profitwell").same_month, named("house") == Policy("house")
    ('ignored', True)
    """
    if isinstance(policy, Policy):
        return policy
    known = _documented()
    if policy not in known:
        hint = did_you_mean(str(policy), known)
        raise ParamsError(f"policy {policy!r} is not known.{hint} Choose one of {list(known)}.")
    settled = {field: _used(field, cell) for field, cell in known[policy].items() if field not in _TOLD}
    return Policy(policy, **settled)


def presets() -> pd.DataFrame:
    """What do the named policies say, and where is it written?

    Only what public documentation states, in our words. Tools change their rules and let accounts choose:
    ask the client which settings are on before a figure is called explained.

    Returns
    -------
    DataFrame
        One row a policy and field: `preset`, `field`, `value` (as documented, or "not stated", or "varies"
        where it hangs on a setting), `used` (the value `named` gives; where nothing is settled the house's),
        `says`, `source` (title and address of the document).

    Examples
    --------
    >>> cells = presets()
    >>> stripe = cells[(cells["preset"] == "stripe") & (cells["field"] == "pauses")]
    >>> stripe[["value", "used"]].to_numpy().tolist()
    [['not stated', 'churn']]
    """
    rows = [
        {
            "preset": preset,
            "field": field,
            "value": str(cell["value"]),
            "used": _word(_used(field, cell)),
            "says": cell.get("says", "").strip(),
            "source": ", ".join(cell[key] for key in ("title", "address") if key in cell) or "not stated",
        }
        for preset, cells in _documented().items()
        for field, cell in cells.items()
    ]
    frame = pd.DataFrame(rows).astype("str")
    frame.attrs = {"definition": phrase("definition.policy_presets")}
    return frame


def applied(loaded: Loaded, policy: str | Policy = "house") -> Loaded:
    """The subscriptions as a policy reads them, lazily; a policy other than the house's is told in `notes`.

    What was read by a policy is not read once more: by the same one it stays as it is, by another it is
    refused, for what a policy takes away another cannot bring back.

    Raises
    ------
    ParamsError
        When there is no policy of that name.
    DataError
        When the policy differs from the house's in something that a missing column would tell, `paused`
        holds neither yes nor no, a customer has two subscriptions at once where the policy forbids it, or
        the subscriptions were read by another policy.

    Examples
    --------
    >>> from retention_kit import tables
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann"],
    ...     "started_at": pd.to_datetime(["2024-01-01"]),
    ...     "ended_at": pd.to_datetime(["2024-03-01"]),
    ...     "cancelled_at": pd.to_datetime(["2024-02-10"]),
    ...     "mrr": [20],
    ... })
    >>> by_the_day = applied(tables.subscriptions(fees, as_of="2024-04-01"), Policy(churn_date="cancel"))
    >>> by_the_day.table.ended_at.to_pandas().dt.strftime("%Y-%m-%d").tolist()
    ['2024-02-10']
    """
    chosen = named(policy)
    if loaded.policy is not None:
        return _as_before(loaded, chosen)
    asked = ("policy", chosen)
    if asked in loaded.kept:
        return loaded.kept[asked]
    read = loaded
    # What is paid comes first, then until when, and only then which gaps and stretches there are.
    for step in (_discounted, _paused, _cancelled, _one_at_a_time, _bridged, _without_passers_by):
        read = step(read, chosen)
    departures = _departures(chosen)
    if departures:
        note = Note("warning", phrase("note.policy", name=chosen.name, departures=departures))
        read = replace(read, notes=(*read.notes, note))
    if read is not loaded:
        read = loaded.kept[asked] = replace(read, policy=chosen)
    return read


def is_paused(table: ir.Table) -> ir.BooleanValue:
    """The column `paused` as yes or no; blank is no.

    A text column is read once, for a word that means neither would silently be no pause at all.

    Raises
    ------
    DataError
        When a text is neither yes nor no.
    """
    value = table.paused
    kind = value.type()
    if kind.is_null():
        return ibis.literal(False)
    if kind.is_boolean() or kind.is_numeric():
        return value.cast("boolean").fill_null(False)
    word = value.cast("string").strip().lower()
    strange = table.select(word=word).filter(lambda t: t.word.notnull() & ~t.word.isin((*_YES, *_NO)))
    found = strange.aggregate(word=strange.word.min()).to_pyarrow().to_pylist()[0]["word"]
    if found is not None:
        raise DataError(
            f"paused holds {found!r}, which is neither yes nor no. Map a condition, such as "
            "columns={'paused': \"status = 'paused'\"}."
        )
    return word.isin(_YES).fill_null(False)


# ---------------------------------------------------------------------------------------------------


@cache
def _documented() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    return yamls.load(Path(str(resources.files("retention_kit"))) / "policies.yaml").values


def _used(field: str, cell: Mapping[str, Any]) -> Any:
    value = cell["value"]
    if value in _UNSETTLED:
        value = _documented()["house"][field]["value"]
    return None if value == "none" else value


def _word(value: Any) -> str:
    return "none" if value is None else str(value)


def _as_before(loaded: Loaded, chosen: Policy) -> Loaded:
    if loaded.policy == chosen:
        return loaded
    raise DataError(
        f"{loaded.kind} were read by policy {loaded.policy.name!r} already, and now {chosen.name!r} is asked "
        "for. Give them as they were loaded, or the same policy again."
    )


def _departures(policy: Policy) -> list[Phrase]:
    """What the policy does otherwise than the house, in words."""
    house = Policy("house")
    others = [field for field in _APPLIED if getattr(policy, field) != getattr(house, field)]
    return [phrase(f"note.departure.{field}", days=policy.reactivation_days or 0) for field in others]


def _lacks(loaded: Loaded, policy: Policy, field: str, column: str) -> DataError:
    return DataError(
        f"policy {policy.name!r} ({field}: {getattr(policy, field)}) needs {column}, and {loaded.kind} has "
        f"{list(loaded.table.columns)}. Map it with columns={{{column!r}: 'your_name'}}, or take "
        "policy='house'."
    )


def _discounted(loaded: Loaded, policy: Policy) -> Loaded:
    table = loaded.table
    known = {"mrr", "discount"} <= set(table.columns)
    if policy.discounts == "gross":
        if not known:
            raise _lacks(loaded, policy, "discounts", "discount" if "mrr" in table.columns else "mrr")
        return loaded
    if not known:
        return loaded
    paid = ibis.greatest(table.mrr.cast("float64") - table.discount.cast("float64").fill_null(0.0), 0.0)
    return replace(loaded, table=table.mutate(mrr=paid))


def _paused(loaded: Loaded, policy: Policy) -> Loaded:
    if "paused" not in loaded.table.columns:
        if policy.pauses == "kept":
            raise _lacks(loaded, policy, "pauses", "paused")
        return loaded
    table = loaded.table.mutate(_paused=is_paused(loaded.table))
    if policy.pauses == "churn":
        table = table.filter(~table._paused)
    elif "mrr" in table.columns:
        table = _paying_on(table)
    return replace(loaded, table=table.select(*loaded.table.columns))


def _paying_on(table: ir.Table) -> ir.Table:
    """Paused rows at the prices paid before; what was never paid before keeps its own price.

    Of several that pause at one moment each takes an equal part of as many prices, the highest first, so
    that the customer's sum is what it was.
    """
    at_once = ["customer_id", "started_at"]
    pauses = table.filter(table._paused).group_by(at_once).aggregate(_rows=lambda t: t.count())
    ended = table.filter(~table._paused & table.ended_at.notnull() & (table.ended_at > table.started_at))
    ended = ended.select("customer_id", _over=ended.ended_at, _price=ended.mrr.cast("float64"))
    before = pauses.join(ended, ["customer_id", ended._over <= pauses.started_at])
    ranked = before.mutate(
        _last=before._over.max().over(group_by=at_once),
        _rank=ibis.row_number().over(group_by=at_once, order_by=[ibis.desc("_over"), ibis.desc("_price")]),
    )
    counted = ranked.filter((ranked._over == ranked._last) & (ranked._rank < ranked._rows))
    prices = counted.group_by(at_once).aggregate(_each=counted._price.sum() / counted._rows.max())
    joined = table.left_join(prices, at_once)
    known = joined._paused & joined._each.notnull()
    return joined.mutate(mrr=ibis.ifelse(known, joined._each, joined.mrr.cast("float64")))


def _cancelled(loaded: Loaded, policy: Policy) -> Loaded:
    if policy.churn_date == "period_end":
        return loaded
    table = loaded.table
    if "cancelled_at" not in table.columns:
        raise _lacks(loaded, policy, "churn_date", "cancelled_at")
    earlier = table.cancelled_at.notnull() & (table.ended_at.isnull() | (table.cancelled_at < table.ended_at))
    cancelled = ibis.greatest(table.cancelled_at, table.started_at)
    return replace(loaded, table=table.mutate(ended_at=ibis.ifelse(earlier, cancelled, table.ended_at)))


def _one_at_a_time(loaded: Loaded, policy: Policy) -> Loaded:
    """Refuses what is paid for while an earlier subscription of the same customer still runs."""
    if policy.overlaps == "added":
        return loaded
    table = billing.paying(loaded).table
    rows = table.select("customer_id", "started_at", until=table.ended_at.fill_null(billing.NEVER))
    earlier = ibis.window(group_by="customer_id", order_by=["started_at", "until"], preceding=(None, 1))
    rows = rows.mutate(runs_until=rows.until.max().over(earlier))
    double = rows.filter(rows.started_at < rows.runs_until)
    counts = {"rows": double.count(), "customers": double.customer_id.nunique()}
    found = double.aggregate(**counts, first=double.customer_id.min()).to_pyarrow().to_pylist()[0]
    if found["rows"]:
        one = double.filter(double.customer_id == found["first"])
        raise DataError(
            f"policy {policy.name!r} (overlaps: forbidden) allows one subscription at a time, and "
            f"{found['rows']} of {loaded.kind} ({found['customers']} customers) begin while another of the "
            f"same customer runs, such as that of {found['first']!r} from "
            f"{moments.words(pd.Timestamp(one.started_at.min().to_pyarrow().as_py()))}. "
            "End the earlier row there, or take overlaps='added'."
        )
    return loaded


def _bridged(loaded: Loaded, policy: Policy) -> Loaded:
    """What ended just before a short gap goes on until the customer pays again."""
    if policy.reactivation_days is None:
        return loaded
    steps, table = billing.levels(loaded), loaded.table
    longest = steps.since + ibis.interval(days=policy.reactivation_days)
    gaps = steps.filter((steps.cents == 0) & steps.until.notnull() & (steps.until <= longest))
    gaps = gaps.select("customer_id", _stopped=gaps.since, _resumed=gaps.until)
    joined = table.left_join(gaps, ["customer_id", table.ended_at == gaps._stopped])
    # What was over at once never paid, and would begin to if it were made longer.
    goes_on = joined._resumed.notnull() & (joined.ended_at > joined.started_at)
    longer = joined.mutate(ended_at=ibis.ifelse(goes_on, joined._resumed, joined.ended_at))
    return replace(loaded, table=longer.select(*table.columns))


def _without_passers_by(loaded: Loaded, policy: Policy) -> Loaded:
    """Without the stretches of paying that begin and end inside one calendar month."""
    if policy.same_month == "counted":
        return loaded
    steps, table = billing.levels(loaded), loaded.table
    edges = steps.filter((steps.cents == 0) != (steps.cents_before == 0))
    left = edges.since.lead().over(group_by="customer_id", order_by="since")
    edges = edges.mutate(_joined=edges.since, _left=left)
    inside = periods.index(edges._joined, "month") == periods.index(edges._left, "month")
    brief = edges.filter((edges.cents > 0) & inside).select("customer_id", "_joined", "_left")
    during = [table.started_at >= brief._joined, table.started_at < brief._left]
    joined = table.left_join(brief, ["customer_id", *during])
    return replace(loaded, table=joined.filter(joined._joined.isnull()).select(*table.columns))
