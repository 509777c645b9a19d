"""Who is followed after a survey: from which moment, in which group, and of whom enough was observed."""

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Literal, get_args

import ibis
import ibis.expr.types as ir

from retention_kit import answers, participation, scales, session
from retention_kit.exceptions import ParamsError, did_you_mean
from retention_kit.moments import Date
from retention_kit.scales import Scale
from retention_kit.tables import Loaded

Groups = Literal["band", "score"]

#: The group of those who were asked and did not answer.
SILENT = "non_respondents"


@dataclass(frozen=True)
class FollowUp:
    """Who is followed, from which `moment` on and how long; `group` 0 is the one to compare with."""

    responses: Loaded
    people: ir.Table
    names: dict[int, Any]
    days: int | None
    groups: Groups


def follow_up(
    responses: Any, invited: Any, days: int | None, groups: Groups, scale: str | Scale, as_of: Date | None
) -> FollowUp:
    """Each customer's first answer; the first invitation, where it passed without one.

    The first answer and not the latest: who has left gives no later one, so the latest answers are those of
    customers who were still there.
    """
    if days is not None and (not isinstance(days, Integral) or isinstance(days, bool) or days < 1):
        raise ParamsError(f"days is a whole number from 1, and it was {days!r}. Type days=90, or another.")
    if groups not in get_args(Groups):
        hint = did_you_mean(str(groups), get_args(Groups))
        raise ParamsError(f"groups {groups!r} is not known.{hint} Choose one of {list(get_args(Groups))}.")
    how = scales.read(scale)
    found = _people(responses, invited, groups, how, as_of)
    return replace(found, days=days)


def observed(asked: FollowUp, loaded: Loaded) -> tuple[ir.Table, int]:
    """Those whose whole window was observed, on the engine of what they did, and how many are left out."""
    people = session.beside(asked.people, loaded.table)
    until = loaded.observed_until
    inside = people.moment + ibis.interval(days=asked.days) <= ibis.timestamp(until)
    left_out = int((~inside).sum().fill_null(0).to_pyarrow().as_py())
    return people.filter(inside), left_out


# ---------------------------------------------------------------------------------------------------


def _people(responses: Any, invited: Any, groups: Groups, scale: Scale, as_of: Date | None) -> FollowUp:
    """Everybody who is followed; of a table that passed the door counted once, for the next metric."""
    kept = responses.kept if isinstance(responses, Loaded) else {}
    key = ("follow_up", groups, scale, str(as_of), id(invited))
    if key not in kept:
        # The invitations are kept too: another object cannot come to have their id.
        kept[key] = _first_answers(responses, invited, groups, scale, as_of), invited
    return kept[key][0]


def _first_answers(
    responses: Any, invited: Any, groups: Groups, scale: Scale, as_of: Date | None
) -> FollowUp:
    needed = ("customer_id", "responded_at")
    loaded = answers.select_answers(responses, scale=scale, duplicates="first", as_of=as_of, columns=needed)
    given = loaded.table.filter(loaded.table.customer_id.notnull())
    if groups == "score":
        places = scale.highest - given.score
        names = {scale.highest - score: score for score in range(scale.lowest, scale.highest + 1)}
    else:
        names = dict(enumerate(scales.BANDS))
        band = scale.band(given.score)
        places = ibis.cases(*((band == name, place) for place, name in names.items()))
    people = given.select("customer_id", group=places.cast("int64"), moment=given.responded_at)
    if invited is not None:
        last = max(names) + 1
        names = {**names, last: SILENT if groups == "band" else None}
        sent = participation.invitations(invited, as_of=as_of, columns=("invited_at",)).table
        people = _with_the_silent(people, sent, last)
    return FollowUp(loaded, session.stored(people, "people"), names, None, groups)


def _with_the_silent(people: ir.Table, sent: ir.Table, group: int) -> ir.Table:
    """Beside those who answered, those whose first invitation passed without an answer, from that on."""
    sent = session.beside(sent.select("customer_id", "invited_at"), people)
    first = sent.group_by("customer_id").aggregate(first=sent.invited_at.min())
    later = sent.join(first, "customer_id")
    later = later.filter(later.invited_at > later["first"])
    second = later.group_by("customer_id").aggregate(second=later.invited_at.min())
    asked = first.left_join(second, "customer_id").drop("customer_id_right")
    both = asked.outer_join(people, "customer_id")
    who = ibis.coalesce(both.customer_id, both.customer_id_right)
    in_time = both.moment.notnull() & (both.second.isnull() | (both.moment < both.second)).fill_null(True)
    in_time |= both["first"].isnull()
    return both.select(
        customer_id=who,
        group=in_time.ifelse(both.group, group),
        moment=in_time.ifelse(both.moment, both["first"]),
    )
