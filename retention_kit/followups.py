"""Who is followed after a survey: from which moment, and what was counted of them by each score."""

from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, Literal, get_args

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import answers, participation, scales, session
from retention_kit.exceptions import ParamsError, did_you_mean
from retention_kit.moments import Date
from retention_kit.scales import Scale
from retention_kit.tables import Loaded

Groups = Literal["band", "score"]

#: The band of those who were asked and did not answer.
SILENT = "non_respondents"

#: From best to worst, as rows stand.
ORDER = (*scales.BANDS, SILENT)


@dataclass(frozen=True)
class FollowUp:
    """Who is followed, from which `moment` on: a row of `people` each, without `score` of who kept silent."""

    responses: Loaded
    people: ir.Table
    scale: Scale
    kept: dict[Any, Any] = field(default_factory=dict, compare=False)


def follow_up(responses: Any, invited: Any, scale: str | Scale, as_of: Date | None) -> FollowUp:
    """Each customer's first answer; the first invitation, where it passed without one.

    The first answer and not the latest: who has left gives no later one, so the latest answers are those of
    customers who were still there. Of a table that passed the door it is found once, for the next metric.
    """
    how = scales.read(scale)
    kept = responses.kept if isinstance(responses, Loaded) else {}
    key = ("follow_up", how, str(as_of), id(invited))
    if key not in kept:
        # The invitations are kept too: another object cannot come to have their id.
        kept[key] = _first_answers(responses, invited, how, as_of), invited
    return kept[key][0]


def left(asked: FollowUp, loaded: Loaded, days: int) -> tuple[pd.DataFrame, int]:
    """By score the `customers` who paid as their window began, and of them the `churned`, gone as it ends."""
    return _counted(asked, loaded, ("left", days), lambda: _left(asked, loaded, days))


def bought(asked: FollowUp, loaded: Loaded, days: int) -> tuple[pd.DataFrame, int]:
    """By score the `customers` followed, the `retained`, and `mean` and `sd` of what each of them spent."""
    return _counted(asked, loaded, ("bought", days), lambda: _bought(asked, loaded, days))


def moments(each: ir.Table, value: ir.FloatingValue, **sums: ir.Value) -> pd.DataFrame:
    """By score how many `customers` there are, the `mean` of a value and its standard deviation, `sd`."""
    sums = {"customers": each.count(), "mean": value.mean(), "sd": value.std(how="sample")} | sums
    return each.group_by("score").aggregate(**sums).to_pandas()


def grouped(frame: pd.DataFrame, asked: FollowUp, groups: Groups) -> pd.DataFrame:
    """The rows by score with what they are shown by, best first: `band`, or `score` itself.

    Raises
    ------
    ParamsError
        When `groups` is not known.
    """
    if groups not in get_args(Groups):
        hint = did_you_mean(str(groups), get_args(Groups))
        raise ParamsError(f"groups {groups!r} is not known.{hint} Choose one of {list(get_args(Groups))}.")
    frame = frame.sort_values("score", ascending=False, ignore_index=True)  # no score comes last
    score = frame["score"].astype("float64")
    if groups == "score":
        return frame.assign(score=score.round().astype("Int64"))
    scale = asked.scale
    bands = [score >= scale.promoters_from, score >= scale.passives_from, score.notna()]
    band = pd.Series(np.select(bands, ORDER[:-1], SILENT), index=frame.index, dtype="str")
    return frame.drop(columns="score").assign(band=band)


# ---------------------------------------------------------------------------------------------------


def _first_answers(responses: Any, invited: Any, scale: Scale, as_of: Date | None) -> FollowUp:
    needed = ("customer_id", "responded_at")
    loaded = answers.select_answers(responses, scale=scale, as_of=as_of, columns=needed)
    given = loaded.table.filter(loaded.table.customer_id.notnull())
    given = given.select("customer_id", "score", moment=given.responded_at)
    first = given.group_by("customer_id").aggregate(moment=given.moment.min())
    at_first = given.join(first, ["customer_id", "moment"])
    people = at_first.group_by("customer_id", "moment").aggregate(score=at_first.score.min())
    if invited is not None:
        sent = participation.invitations(invited, as_of=as_of, columns=("invited_at",)).table
        sent = session.beside(sent.select("customer_id", "invited_at"), people, "invitations and answers")
        people = _with_the_silent(people, sent)
    return FollowUp(loaded, session.stored(people, "people"), scale)


def _with_the_silent(people: ir.Table, sent: ir.Table) -> ir.Table:
    """Beside those who answered, those whose first invitation passed without an answer, from that on.

    It passed where a second one had been sent by the time of the first answer.
    """
    both = people.outer_join(sent, "customer_id")
    both = both.select(
        "moment", "score", "invited_at", who=ibis.coalesce(both.customer_id, both.customer_id_right)
    )
    sent_before = both.invited_at.nunique(where=both.invited_at <= both.moment)
    each = both.group_by("who", "moment", "score").aggregate(first=both.invited_at.min(), before=sent_before)
    in_time = each.moment.notnull() & (each.before <= 1)
    return each.select(
        customer_id=each.who,
        moment=in_time.ifelse(each.moment, each["first"]),
        score=in_time.ifelse(each.score, ibis.null("float64")),
    )


def _counted(
    asked: FollowUp, loaded: Loaded, key: tuple, count: Callable[[], tuple[pd.DataFrame, int]]
) -> tuple[pd.DataFrame, int]:
    """What is found by score, and how many are left out: found once, whatever groups are then asked for."""
    where = (*key, id(loaded))
    if where not in asked.kept:
        asked.kept[where] = *count(), loaded
    frame, left_out, _ = asked.kept[where]
    return frame.copy(), left_out


def _left(asked: FollowUp, loaded: Loaded, days: int) -> tuple[pd.DataFrame, int]:
    """By score how many paid as their window began, and how many of them do not as it ends."""
    people, left_out = _observed(asked, loaded, days)
    table = loaded.table
    paid = table.filter(table.mrr > 0) if "mrr" in table.columns else table
    rows = people.join(paid.select("customer_id", "started_at", "ended_at"), "customer_id")
    begins, ends = rows.moment, rows.moment + ibis.interval(days=days)
    each = rows.group_by("customer_id", "score").aggregate(
        there=_pays(rows, begins).max(), stays=_pays(rows, ends).max()
    )
    each = each.filter(each.there == 1)
    sums = {"customers": each.count(), "churned": each.count() - each.stays.sum()}
    return each.group_by("score").aggregate(**sums).to_pandas(), left_out


def _pays(rows: ir.Table, moment: ir.TimestampValue) -> ir.IntegerValue:
    """1 for a subscription that runs at a moment; `ended_at` is the first moment it does not."""
    runs = (rows.started_at <= moment) & (rows.ended_at.isnull() | (rows.ended_at > moment))
    return runs.cast("int64")


def _bought(asked: FollowUp, loaded: Loaded, days: int) -> tuple[pd.DataFrame, int]:
    """By score how many are followed, how many bought inside the window, and what they spent in it."""
    people, left_out = _observed(asked, loaded, days)
    rows = loaded.table.join(people, "customer_id")
    ends = rows.moment + ibis.interval(days=days)
    at = rows[loaded.moment]
    rows = rows.filter((at > rows.moment) & (at < ends))
    spent = rows.amount.cast("float64").sum() if loaded.paid else ibis.literal(0.0)
    each = people.left_join(
        rows.group_by("customer_id").aggregate(times=rows.count(), spent=spent), "customer_id"
    )
    each = each.select("score", came=each.times.notnull(), spent=each.spent.fill_null(0.0))
    return moments(each, each.spent, retained=each.came.sum()), left_out


def _observed(asked: FollowUp, loaded: Loaded, days: int) -> tuple[ir.Table, int]:
    """Those whose whole window was observed, on the engine of what they did, and how many are left out.

    Raises
    ------
    ParamsError
        When `days` is no number of days.
    """
    if not isinstance(days, Integral) or isinstance(days, bool) or days < 1:
        raise ParamsError(f"days is a whole number from 1, and it was {days!r}. Type days=90, or another.")
    people = session.beside(asked.people, loaded.table, "answers and what customers did")
    inside = people.moment + ibis.interval(days=days) <= ibis.timestamp(loaded.observed_until)
    left_out = int((~inside).sum().fill_null(0).to_pyarrow().as_py())
    return people.filter(inside), left_out
