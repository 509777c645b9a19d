"""Who is who: ids that are written in several ways, and one person under several ids."""

from typing import Any, Literal, NamedTuple

import ibis
import ibis.expr.types as ir

from retention_kit import blanks, session
from retention_kit.contracts import IDS
from retention_kit.exceptions import DataError
from retention_kit.opened import Note
from retention_kit.sentences import phrase
from retention_kit.sources import open_source

#: How ids are compared: as they are written, or without case, blanks and leading zeros.
Ids = Literal["exact", "alike"]

_EXACT = 1 << 53  # up to here a float is one whole number; beyond, several are the same
_COLUMNS = ("other_id", "customer_id")


def settled(
    typed: ir.Table, *, ids: Ids = "exact", same_customer: Any = None
) -> tuple[ir.Table, tuple[Note, ...]]:
    """The rows under each customer's one id.

    Parameters
    ----------
    typed : Table
        Rows with `customer_id` as text.
    ids : "exact" or "alike"
        `alike` takes `A-007`, `a-007 ` and, of plain numbers, `7` and `007` for one.
    same_customer : path or frame, optional
        `other_id` and `customer_id`: of a person with several ids, each other one and the one that counts.

    Raises
    ------
    DataError
        When that file lacks a column or gives one id to two customers.
    """
    if "customer_id" not in typed.columns:
        return typed, ()
    table = typed.mutate(customer_id=_folded(typed.customer_id)) if ids == "alike" else typed
    if same_customer is None:
        return table, ()
    pairs = session.beside(_pairs(same_customer, ids), table, "ids of one person and rows")
    joined = table.left_join(pairs, table.customer_id == pairs["_other"])
    one = joined.mutate(customer_id=ibis.coalesce(joined["_one"], joined.customer_id)).drop("_other", "_one")
    counts = (
        pairs.aggregate(others=pairs.count(), customers=pairs["_one"].nunique()).to_pyarrow().to_pylist()[0]
    )
    return one, (Note("info", phrase("note.same_customer", **counts)),)


class Written(NamedTuple):
    """How the ids of a table are written, as far as it was worth a look."""

    filled: frozenset[str]  # columns of texts that `blanks.filled` would leave as they are
    bare: bool  # customers' ids have one case, no blanks and no leading zeros: no two of them are alike


def written(ours: ir.Table, *, often: bool) -> Written:
    """One look at the ids of a source.

    The session's own engine is asked, where rows are written anew. A database's rows stay as they are, and
    are filled as they are read: there it is worth a look where they are read `often`.
    """
    texts = [name for name in sorted(IDS & set(ours.columns)) if ours[name].type().is_string()]
    if not texts or not (often or session.holds(ours)):
        return Written(frozenset(), False)
    asked = {name: blanks.unfilled(ours[name]).any() for name in texts}
    if often and "customer_id" in texts:  # else nobody is told that ids are alike
        who = ours.customer_id
        asked |= {"_low": (who == who.lower()).all(), "_high": (who == who.upper()).all()}
        asked["_odd"] = (who.contains(" ") | who.startswith("0")).any()
    [found] = ours.aggregate(**asked).to_pyarrow().to_pylist()
    # Null where there is no row, or none with a text.
    filled = frozenset(name for name in texts if found[name] is False)
    one_case = found.get("_low") or found.get("_high")
    return Written(filled, bare=bool(one_case) and found["_odd"] is False)


def notes(kept: ir.Table) -> tuple[Note, ...]:
    """A warning where ids differ from others by case, blanks or leading zeros alone."""
    if "customer_id" not in kept.columns or not kept.customer_id.type().is_string():
        return ()
    each = kept.filter(kept.customer_id.notnull()).select("customer_id").distinct()
    each = each.mutate(folded=_folded(each.customer_id))
    alike = each.group_by("folded").aggregate(
        ids=each.count(), first=each.customer_id.min(), last=each.customer_id.max()
    )
    alike = alike.filter(alike.ids > 1)
    found = alike.aggregate(people=alike.count(), ids=alike.ids.sum(), folded=alike.folded.min())
    told = found.to_pyarrow().to_pylist()[0]
    if not told["people"]:
        return ()
    example = alike.filter(alike.folded == told["folded"]).to_pyarrow().to_pylist()[0]
    names = {"one": repr(example["first"]), "other": repr(example["last"])}
    return (Note("warning", phrase("note.alike_ids", ids=told["ids"], people=told["people"], **names)),)


def lost_digits(ours: ir.Table) -> tuple[Note, ...]:
    """A warning where ids are kept as floats beyond what a float can tell apart, as Excel keeps them."""
    if "customer_id" not in ours.columns or not ours.customer_id.type().is_floating():
        return ()
    beyond = int(ours.filter(ours.customer_id.abs() >= _EXACT).count().execute())
    return (Note("warning", phrase("note.lost_digits", rows=beyond)),) if beyond else ()


def _folded(customer: ir.StringValue) -> ir.StringValue:
    """An id without case, blanks and leading zeros; only one that has some is rewritten, for that costs."""
    low = customer.lower()
    bare = low.contains(" ").ifelse(low.re_replace(r"\s+", ""), low)
    return bare.startswith("0").ifelse(bare.re_replace(r"^0+(\d+)$", r"\1"), bare)


def _pairs(same_customer: Any, ids: Ids) -> ir.Table:
    source = open_source(same_customer)
    missing = [name for name in _COLUMNS if name not in source.columns]
    if missing:
        raise DataError(
            f"same_customer: {source.name} is missing {missing}. It has {list(source.columns)}. It needs "
            "other_id and customer_id: an id, and the one that counts for the same person."
        )
    raw = source.table(list(_COLUMNS))
    text = {name: raw[name].cast("string").strip() for name in _COLUMNS}
    pairs = raw.select(_other=text["other_id"], _one=text["customer_id"])
    if ids == "alike":
        pairs = pairs.mutate(_other=_folded(pairs["_other"]), _one=_folded(pairs["_one"]))
    pairs = session.stored(pairs.filter(pairs["_other"] != pairs["_one"]).distinct(), "pairs")
    counts = pairs.group_by("_other").aggregate(ones=pairs.count())
    twice = counts.filter(counts.ones > 1).order_by("_other").limit(1).to_pyarrow().to_pylist()
    if twice:
        raise DataError(
            f"same_customer: {source.name} gives {twice[0]['_other']!r} to more than one customer. Keep one."
        )
    others = pairs.select(_again=pairs["_other"])
    chained = pairs.semi_join(others, pairs["_one"] == others["_again"]).limit(1).to_pyarrow().to_pylist()
    if chained:
        other, one = chained[0]["_other"], chained[0]["_one"]
        raise DataError(
            f"same_customer: {source.name} maps {other!r} to {one!r}, which is mapped to another itself. "
            "Map each to the one that counts."
        )
    return pairs
