"""Two years of an invented company, drawn from its `Truth`: the generator behind `datasets.demo_*`.

Larkmoor Coffee does not exist. It sells coffee and tea online, runs a membership with a monthly
fee and asks its customers once a year whether they would recommend it, and how they liked the rest.

What customers do is drawn first, from models with known parameters. What they are called (country,
channel, segment) is drawn afterwards, leaning on what they do. So groups differ, as they do in life,
and the company as a whole still follows each model exactly.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from retention_kit.company_events import draw_events
from retention_kit.company_ratings import draw_ratings
from retention_kit.company_truth import (
    ANSWER_DAYS,
    COMMENTS,
    GROWTH,
    HOURS,
    JOINING_PLANS,
    PRODUCTS,
    SCORES,
    SEASON,
    SURVEY_DAYS,
    Truth,
)

FRAMES = ("orders", "events", "subscriptions", "responses", "invitations", "customers")

_DAYS_A_WEEK = 7
_SECONDS_AN_HOUR = 3600
_SECONDS_A_DAY = 24 * _SECONDS_AN_HOUR


@dataclass(frozen=True)
class _People:
    """One entry a customer: hidden traits, then the labels that lean on them."""

    first_day: np.ndarray  # days since the start, with a fraction
    buying: np.ndarray  # orders a week while active
    leaving: np.ndarray  # chance to leave after each repeat purchase
    spending: np.ndarray  # rate of the spend gamma; mean order = p / spending
    country: np.ndarray
    channel: np.ndarray
    segment: np.ndarray
    contactable: np.ndarray
    ids: np.ndarray


class Company(Mapping[str, pd.DataFrame]):
    """Two years of the invented company: `orders`, `events`, `subscriptions`, `responses`, `invitations`
    and `customers`.

    The same truth gives the same frames, to the last digit. Each is drawn when it is first asked for.

    Examples
    --------
    >>> frames = Company(Truth(customers=50))
    >>> sorted(frames), frames["orders"]["customer_id"].nunique()
    (['customers', 'events', 'invitations', 'orders', 'responses', 'subscriptions'], 50)
    """

    def __init__(self, truth: Truth) -> None:
        # One stream a part, so that a frame is the same whichever others are drawn, or change.
        people, *streams = np.random.default_rng(truth.seed).spawn(7)
        names = ("orders", "subscriptions", "responses", "customers", "events", "ratings")
        self._streams = dict(zip(names, streams, strict=True))
        self._truth, self._people = truth, _draw_people(people, truth)

    @cached_property
    def orders(self) -> pd.DataFrame:
        return _draw_orders(self._streams["orders"], self._truth, self._people)

    @cached_property
    def subscriptions(self) -> pd.DataFrame:
        return _draw_subscriptions(self._streams["subscriptions"], self._truth, self._people)

    @cached_property
    def responses(self) -> pd.DataFrame:
        drawn = (self._truth, self._people, self.orders, self.subscriptions)
        responses = _draw_responses(self._streams["responses"], *drawn)
        return responses.assign(**draw_ratings(self._streams["ratings"], self._truth, responses["score"]))

    @cached_property
    def invitations(self) -> pd.DataFrame:
        return _invitations(self._truth, self._people, self.orders)

    @cached_property
    def customers(self) -> pd.DataFrame:
        return _draw_customers(self._streams["customers"], self._truth, self._people)

    @cached_property
    def events(self) -> pd.DataFrame:
        keenness = pd.Series(_rank(self._people.buying), self._people.ids)
        return draw_events(self._streams["events"], self._truth, self.orders, keenness)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in FRAMES:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(FRAMES)

    def __len__(self) -> int:
        return len(FRAMES)


def _draw_people(rng: np.random.Generator, truth: Truth) -> _People:
    n, buying, spend = truth.customers, truth.bg_nbd, truth.gamma_gamma
    rate = rng.gamma(buying["r"], 1 / buying["alpha"], n)
    leaving = rng.beta(buying["a"], buying["b"], n)
    spending = rng.gamma(spend["q"], 1 / spend["gamma"], n)
    staying = _rank(rate) - _rank(leaving)
    return _People(
        first_day=np.sort(_draw_first_days(rng, truth)),
        buying=rate,
        leaving=leaving,
        spending=spending,
        country=_label(rng, _rank(rate) - 0.5 * _rank(spending), truth.countries, noise=5.0),
        channel=_label(rng, staying, truth.channels, noise=3.0),
        segment=_label(rng, -_rank(spending), truth.segments, noise=1.5),
        contactable=rng.random(n) < truth.contactable,
        ids=np.char.add("C", np.char.zfill(np.arange(1, n + 1).astype(str), 5)),
    )


def _draw_first_days(rng: np.random.Generator, truth: Truth) -> np.ndarray:
    days = np.arange(np.datetime64(truth.start), np.datetime64(truth.as_of))
    month = days.astype("datetime64[M]").astype(int) % 12
    weight = SEASON[month] * np.linspace(1, 1 + GROWTH, days.size)
    return rng.choice(days.size, truth.customers, p=weight / weight.sum()) + rng.random(truth.customers)


def _rank(values: np.ndarray) -> np.ndarray:
    """Each value's rank as a share: 0 the smallest, just under 1 the largest."""
    return np.argsort(np.argsort(values)) / values.size


def _label(
    rng: np.random.Generator, leaning: np.ndarray, shares: Mapping[str, float], *, noise: float
) -> np.ndarray:
    """Labels in exactly these shares; the later ones more often where `leaning` is high."""
    return _at_position(_rank(leaning + noise * rng.random(leaning.size)), shares)


def _at_position(position: np.ndarray, shares: Mapping) -> np.ndarray:
    """The label under which each position between 0 and 1 falls when the shares are laid end to end."""
    ends = np.cumsum(list(shares.values()))
    return np.array(list(shares))[np.searchsorted(ends[:-1], position, side="right")]


def _draw_orders(rng: np.random.Generator, truth: Truth, people: _People) -> pd.DataFrame:
    customer, day = _draw_order_days(rng, truth, people)
    # The day comes from the model, the hour from when people shop.
    hour = rng.choice(24, day.size, p=HOURS / HOURS.sum())
    second = day * _SECONDS_A_DAY + hour * _SECONDS_AN_HOUR
    second = second + rng.integers(0, _SECONDS_AN_HOUR, day.size)
    in_time = np.lexsort((customer, second))
    customer, second = customer[in_time], second[in_time]
    amount = rng.gamma(truth.gamma_gamma["p"], 1 / people.spending[customer])
    first = np.zeros(customer.size, dtype=bool)
    first[np.unique(customer, return_index=True)[1]] = True
    moved = ~first & (rng.random(customer.size) < 0.2)
    return pd.DataFrame(
        {
            "customer_id": people.ids[customer],
            "ordered_at": (np.datetime64(truth.start, "s") + second).astype("datetime64[us]"),
            "order_id": np.char.add("O", np.char.zfill(np.arange(1, customer.size + 1).astype(str), 6)),
            "amount": np.maximum(amount.round(2), 0.01),
            "country": people.country[customer],
            "channel": np.where(moved, "direct", people.channel[customer]),
            "product": _at_position(rng.random(customer.size), PRODUCTS),
        }
    )


def _draw_order_days(
    rng: np.random.Generator, truth: Truth, people: _People
) -> tuple[np.ndarray, np.ndarray]:
    """BG/NBD: exponential waits, and a chance to leave after each repeat purchase, never after the first."""
    end = (np.datetime64(truth.as_of) - np.datetime64(truth.start)).astype(int)
    active, now = np.arange(truth.customers), people.first_day
    customers, days = [active], [now]
    while active.size:
        now = now + rng.standard_exponential(active.size) / people.buying[active] * _DAYS_A_WEEK
        seen = now < end
        active, now = active[seen], now[seen]
        customers.append(active)
        days.append(now)
        stays = rng.random(active.size) >= people.leaving[active]
        active, now = active[stays], now[stays]
    return np.concatenate(customers), np.concatenate(days).astype(np.int64)


def _draw_subscriptions(rng: np.random.Generator, truth: Truth, people: _People) -> pd.DataFrame:
    """The membership, one row a stretch on one plan.

    A membership renews each month on the day it began, never after the 28th. At a renewal the member
    leaves, moves a plan up or down, or stays: so everyone who is a member on the first of a month has
    exactly one renewal in it, and the monthly churn rate is the hazard.
    """
    rows = _draw_stretches(rng, truth, *_draw_joining(rng, truth, people))
    rows = rows.sort_values(["started_at", "member"], ignore_index=True)
    reason = pd.Series(_at_position(rng.random(len(rows)), truth.cancel_reasons))
    told = rows["left"] & (rng.random(len(rows)) >= truth.reason_unknown)
    return pd.DataFrame(
        {
            "customer_id": people.ids[rows["member"]],
            "started_at": rows["started_at"].astype("datetime64[us]"),
            "ended_at": rows["ended_at"].astype("datetime64[us]"),
            "mrr": np.array(list(truth.fees.values()))[rows["plan"]],
            "plan": np.array(list(truth.fees))[rows["plan"]],
            "cancel_reason": reason.where(told),
        }
    )


def _draw_joining(rng: np.random.Generator, truth: Truth, people: _People) -> tuple[np.ndarray, np.ndarray]:
    """Who becomes a member, keener buyers more often, and from which day; half with their first order."""
    joins = rng.random(truth.customers) < 0.2 + 0.3 * _rank(people.buying)
    waits = np.where(rng.random(truth.customers) < 0.5, 0.0, rng.exponential(60, truth.customers))
    day = np.datetime64(truth.start) + (people.first_day + waits).astype(int)
    month = day.astype("datetime64[M]")
    late = (day - month.astype(day.dtype)).astype(int) >= 28
    day = np.where(late, (month + 1).astype(day.dtype), day)
    member = np.flatnonzero(joins & (day < np.datetime64(truth.as_of)))
    return member, day[member]


def _draw_stretches(
    rng: np.random.Generator, truth: Truth, member: np.ndarray, joined: np.ndarray
) -> pd.DataFrame:
    """Renewal by renewal, who leaves, changes plan or comes back; a row whenever a stretch ends."""
    churn, up, down = (
        np.array(list(rates.values()))
        for rates in (truth.monthly_churn, truth.monthly_upgrade, truth.monthly_downgrade)
    )
    first_month = joined.astype("datetime64[M]")
    day = joined - first_month.astype(joined.dtype)
    months = (np.datetime64(truth.as_of, "M") - np.datetime64(truth.start, "M")).astype(int)
    plan = np.searchsorted(np.cumsum(JOINING_PLANS)[:-1], rng.random(member.size))
    active = np.ones(member.size, dtype=bool)
    back = np.full(member.size, -1)  # renewal at which a former member returns; -1 is never
    since = joined.copy()
    rows = []
    for renewal in range(1, months + 1):
        now = (first_month + renewal).astype(joined.dtype) + day
        seen = now < np.datetime64(truth.as_of)
        draw = np.where(active & seen, rng.random(member.size), 1.0)
        leaves = draw < churn[plan]
        rises = ~leaves & (draw < (churn + up)[plan])
        falls = ~leaves & ~rises & (draw < (churn + up + down)[plan])
        returns = ~active & seen & (back == renewal)
        rows.append(_stretches(leaves | rises | falls, member, since, now, plan, leaves))
        plan = plan + rises - falls
        active = (active & ~leaves) | returns
        since = np.where(rises | falls | returns, now, since)
        gap = rng.integers(1, truth.return_months + 1, member.size)
        comes_back = leaves & (rng.random(member.size) < truth.return_rate)
        back = np.where(comes_back, renewal + gap, back)
    never = np.full(member.size, np.datetime64("NaT"), dtype=joined.dtype)
    rows.append(_stretches(active, member, since, never, plan, ~active))
    return pd.concat(rows, ignore_index=True)


def _stretches(which: np.ndarray, member, started_at, ended_at, plan, left) -> pd.DataFrame:
    columns = {"member": member, "started_at": started_at, "ended_at": ended_at, "plan": plan, "left": left}
    return pd.DataFrame({name: values[which] for name, values in columns.items()})


def _draw_responses(
    rng: np.random.Generator,
    truth: Truth,
    people: _People,
    orders: pd.DataFrame,
    subscriptions: pd.DataFrame,
) -> pd.DataFrame:
    """The yearly survey: asked of those who bought in the year before and may be contacted."""
    character = rng.random(truth.customers)
    waves = []
    for wave, first_day in truth.waves.items():
        opens = pd.Timestamp(first_day)
        asked = _asked(people, orders, opens)
        customer = np.flatnonzero(asked & (rng.random(truth.customers) < truth.response_rate))
        # Low scores come somewhat more often from slow buyers and from those about to leave.
        lean = truth.liking
        liking = lean["buying"] * _rank(people.buying) + lean["leaving"] * _rank(people.leaving)
        liking = liking + lean["character"] * character
        liking = liking + lean["leaves_soon"] * _leaves_soon(people, subscriptions, opens)
        liking = liking[customer] + lean["chance"] * rng.random(customer.size)
        score = _draw_scores(rng, truth.score_shares[wave], people.segment[customer], liking)
        waits = rng.exponential(ANSWER_DAYS, customer.size)
        waits = np.minimum(waits, SURVEY_DAYS * rng.random(customer.size))
        answered = (
            opens + pd.Timedelta("9h") + pd.to_timedelta((waits * _SECONDS_A_DAY).astype(np.int64), unit="s")
        )
        waves.append(
            pd.DataFrame(
                {
                    "customer_id": people.ids[customer],
                    "responded_at": answered.astype("datetime64[us]"),
                    "score": pd.array(score, dtype="Int64"),
                    "comment": _draw_comments(rng, truth, score),
                }
            )
        )
    responses = pd.concat(waves).sort_values(["responded_at", "customer_id"], ignore_index=True)
    blank = rng.random(len(responses)) < truth.blank_rate
    return responses.assign(score=responses["score"].mask(blank))


def _asked(people: _People, orders: pd.DataFrame, opens: pd.Timestamp) -> np.ndarray:
    """Who bought in the year before a survey opens, and may be contacted."""
    recent = orders["ordered_at"].between(opens - pd.Timedelta("365D"), opens, inclusive="left")
    return people.contactable & _among(people, orders.loc[recent, "customer_id"])


def _invitations(truth: Truth, people: _People, orders: pd.DataFrame) -> pd.DataFrame:
    """One row an invitation; all of a wave are sent at nine in the morning of its first day."""
    waves = []
    for first_day in truth.waves.values():
        asked = people.ids[_asked(people, orders, pd.Timestamp(first_day))]
        sent = pd.Series(pd.Timestamp(first_day) + pd.Timedelta("9h"), index=range(asked.size))
        waves.append(pd.DataFrame({"customer_id": asked, "invited_at": sent.astype("datetime64[us]")}))
    return pd.concat(waves, ignore_index=True)


def _leaves_soon(people: _People, subscriptions: pd.DataFrame, opens: pd.Timestamp) -> np.ndarray:
    """Who is a member when the survey opens and no longer one half a year later."""

    def members(moment: pd.Timestamp) -> np.ndarray:
        active = (subscriptions["started_at"] <= moment) & ~(subscriptions["ended_at"] <= moment)
        return _among(people, subscriptions.loc[active, "customer_id"])

    return members(opens) & ~members(opens + pd.Timedelta("180D"))


def _among(people: _People, customer_id: pd.Series) -> np.ndarray:
    return np.isin(people.ids, customer_id.to_numpy(dtype=people.ids.dtype))


def _draw_scores(
    rng: np.random.Generator,
    shares: Mapping[str, Mapping[str, float]],
    segment: np.ndarray,
    liking: np.ndarray,
) -> np.ndarray:
    """Scores drawn from the segment's true shares, then handed out in order of liking.

    Handing out moves no score between segments, so the shares stay those of the draw.
    """
    score = np.empty(segment.size, dtype=np.int64)
    for name, bands in shares.items():
        inside = np.flatnonzero(segment == name)
        chance = {
            value: bands[band] * share for band, spread in SCORES.items() for value, share in spread.items()
        }
        drawn = np.sort(_at_position(rng.random(inside.size), chance))
        score[inside[np.argsort(liking[inside])]] = drawn
    return score


def _draw_comments(rng: np.random.Generator, truth: Truth, score: np.ndarray) -> pd.Series:
    comments = pd.Series(None, index=range(score.size), dtype="str")
    for band, (openings, details) in COMMENTS.items():
        writes = np.isin(score, list(SCORES[band])) & (rng.random(score.size) < truth.comment_rates[band])
        opening, detail = rng.choice(openings, writes.sum()), rng.choice(details, writes.sum())
        comments[writes] = np.char.add(np.char.add(opening, " "), detail)
    return comments


def _draw_customers(rng: np.random.Generator, truth: Truth, people: _People) -> pd.DataFrame:
    spread = 0.25  # of the log of the cost; the mean stays where the truth puts it
    noise = rng.lognormal(-(spread**2) / 2, spread, truth.customers)
    cost = pd.Series(people.channel).map(truth.acquisition_costs).to_numpy() * noise
    margin = pd.Series(people.segment).map(truth.margins).to_numpy() + rng.normal(0, 0.03, truth.customers)
    return pd.DataFrame(
        {
            "customer_id": people.ids,
            "segment": people.segment,
            "margin": margin.round(3),
            "acquisition_cost": cost.round(2),
            "contactable": people.contactable,
        }
    )
