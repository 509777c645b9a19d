"""Data to learn and test on: `tiny_*` frames to check by hand, `demo_*` frames of an invented company.

Every frame has our column names already, so it goes straight into any metric. Each call hands out a
copy of its own, so that changing one spoils nothing.
"""

from functools import cache

import pandas as pd

from retention_kit import company
from retention_kit.company_truth import Truth

TINY_AS_OF = "2024-05-01"
DEMO_AS_OF = Truth().as_of
DEMO_COMPANY = Truth().name


def tiny_orders() -> pd.DataFrame:
    """Thirteen orders of seven customers, to count on the fingers. Use with `as_of=TINY_AS_OF`.

    =====  ====  ====  ====  ====  ===================================================================
    who    Jan   Feb   Mar   Apr   on purpose
    =====  ====  ====  ====  ====  ===================================================================
    ana    xx    x     .     x     a repeat inside a period; a skipped period; a return after absence,
                                   from another country and channel than before
    ben    x     .     .     .     a one-time buyer
    cleo         x     .     x     orders on the first moment of a month and in the last second before
                                   `as_of`
    dan          x     .     .     29 February; then an order exactly on the `as_of` midnight: not seen
    eva                x     x     an order of amount 0, which is an order
    finn                     x     a cohort of one, just begun
    gus                            only an order after `as_of`: not a customer yet
    =====  ====  ====  ====  ====  ===================================================================

    Rows are in order of customer, not of time. Monthly cohorts: January ana and ben 2, 1, 0, 1; February
    cleo and dan 2, 0, 1; March eva 1, 1; April finn 1. The zeros are observed: nobody came, and the
    month is over. Eleven orders of six customers lie before `as_of`.

    Returns
    -------
    DataFrame
        One row an order: `customer_id`, `ordered_at`, `order_id`, `amount` (euros), `country`, `channel`.

    Examples
    --------
    >>> orders = tiny_orders()
    >>> seen = orders[orders["ordered_at"] < TINY_AS_OF]
    >>> len(orders), len(seen), seen["customer_id"].nunique(), float(seen["amount"].sum())
    (13, 11, 6, 297.5)
    """
    rows = [
        ("ana", "2024-01-05 10:00:00", "o01", 20.00, "Austria", "search"),
        ("ana", "2024-01-20 18:30:00", "o02", 30.00, "Austria", "search"),
        ("ana", "2024-02-10 09:15:00", "o03", 25.00, "Austria", "search"),
        ("ana", "2024-04-02 12:00:00", "o04", 40.00, "Germany", "direct"),
        ("ben", "2024-01-15 08:00:00", "o05", 15.00, "Germany", "social"),
        ("cleo", "2024-02-01 00:00:00", "o06", 50.00, "Germany", "search"),
        ("cleo", "2024-04-30 23:59:59", "o07", 60.00, "Germany", "search"),
        ("dan", "2024-02-29 20:45:00", "o08", 10.00, "Austria", "social"),
        ("dan", "2024-05-01 00:00:00", "o09", 35.00, "Austria", "social"),
        ("eva", "2024-03-08 11:20:00", "o10", 0.00, "Netherlands", "direct"),
        ("eva", "2024-04-11 16:05:00", "o11", 22.50, "Netherlands", "direct"),
        ("finn", "2024-04-15 07:40:00", "o12", 25.00, "Austria", "search"),
        ("gus", "2024-05-03 14:00:00", "o13", 45.00, "Germany", "search"),
    ]
    columns = ["customer_id", "ordered_at", "order_id", "amount", "country", "channel"]
    return _frame(rows, columns, dates=["ordered_at"])


def tiny_events() -> pd.DataFrame:
    """Sixteen things seven customers did in a shop's app. Use with `as_of=TINY_AS_OF`.

    v a visit, o an order, s a favourite saved:

    =====  ====  ====  ====  ====  ===================================================================
    who    Jan   Feb   Mar   Apr   on purpose
    =====  ====  ====  ====  ====  ===================================================================
    ana    vos   v     .     v     repeats inside a period, two of them on one day; a favourite on the
                                   fifth day; a skipped period; a return from another country
    ben    v     .     .     .     seen once
    cleo         v     .     s     a month's first moment, and the last second before `as_of`; saves a
                                   favourite far too late for any first week
    dan          s     .     .     29 February, and begins with the favourite; then a visit exactly on the
                                   `as_of` midnight: not seen
    eva                vs    v     a favourite exactly seven days after the first visit, to the second
    finn                     vs    just begun: too young to have come back
    gus                            only a visit after `as_of`: not a customer yet
    =====  ====  ====  ====  ====  ===================================================================

    Rows are in order of customer, not of time. Monthly cohorts are those of `tiny_orders`: January ana
    and ben 2, 1, 0, 1; February cleo and dan 2, 0, 1; March eva 1, 1; April finn 1. Nobody of January or
    February is seen in March: observed zeros. Fourteen events of six customers lie before `as_of`.

    Returns
    -------
    DataFrame
        One row an event: `customer_id`, `occurred_at`, `event` (`visited`, `ordered`,
        `saved_favourite`), `country`.

    Examples
    --------
    >>> events = tiny_events()
    >>> seen = events[events["occurred_at"] < TINY_AS_OF]
    >>> len(events), len(seen), seen["customer_id"].nunique()
    (16, 14, 6)
    """
    rows = [
        ("ana", "2024-01-05 10:00:00", "visited", "Austria"),
        ("ana", "2024-01-05 10:20:00", "ordered", "Austria"),
        ("ana", "2024-01-09 21:00:00", "saved_favourite", "Austria"),
        ("ana", "2024-02-10 09:15:00", "visited", "Austria"),
        ("ana", "2024-04-02 12:00:00", "visited", "Germany"),
        ("ben", "2024-01-15 08:00:00", "visited", "Germany"),
        ("cleo", "2024-02-01 00:00:00", "visited", "Germany"),
        ("cleo", "2024-04-30 23:59:59", "saved_favourite", "Germany"),
        ("dan", "2024-02-29 20:45:00", "saved_favourite", "Austria"),
        ("dan", "2024-05-01 00:00:00", "visited", "Austria"),
        ("eva", "2024-03-08 11:20:00", "visited", "Netherlands"),
        ("eva", "2024-03-15 11:20:00", "saved_favourite", "Netherlands"),
        ("eva", "2024-04-11 16:05:00", "visited", "Netherlands"),
        ("finn", "2024-04-15 07:40:00", "visited", "Austria"),
        ("finn", "2024-04-15 07:55:00", "saved_favourite", "Austria"),
        ("gus", "2024-05-03 14:00:00", "visited", "Germany"),
    ]
    return _frame(rows, ["customer_id", "occurred_at", "event", "country"], dates=["occurred_at"])


def tiny_subscriptions() -> pd.DataFrame:
    """Fourteen stretches of membership of nine customers. Use with `as_of=TINY_AS_OF`.

    - ana: expansion exactly at a month boundary (1 March, so it belongs to March).
    - ben: contraction, plus to basic, on 20 February.
    - cleo: churn on 15 March, reactivation on a smaller plan on 10 April.
    - dan: joins and leaves inside February.
    - eva: has given notice; `ended_at` is after `as_of`, so she is active.
    - finn: churn exactly at a month boundary (1 April, so it belongs to April), reason not known.
    - gus: two subscriptions in parallel; ending one of them is a contraction, not churn.
    - hana: starts exactly on the `as_of` midnight: not seen.
    - ivo: a free trial, 0 a month, that turns into a paid plan.

    ========  =====  ===  =========  ===========  =====  ============  ===
    2024      begin  new  expansion  contraction  churn  reactivation  end
    ========  =====  ===  =========  ===========  =====  ============  ===
    January       0   90          0            0      0             0   90
    February     90   30         20           10     10             0  120
    March       120    0         10            0     20             0  110
    April       110   20          0           20     30            10   90
    ========  =====  ===  =========  ===========  =====  ============  ===

    Returns
    -------
    DataFrame
        One row a stretch on one plan: `customer_id`, `started_at`, `ended_at` (exclusive; empty while
        active), `mrr` (euros a month), `plan`, `cancel_reason` (of the leavers who gave one).

    Examples
    --------
    >>> memberships = tiny_subscriptions()
    >>> active = memberships["ended_at"].isna() | (memberships["ended_at"] >= TINY_AS_OF)
    >>> float(memberships.loc[active & (memberships["started_at"] < TINY_AS_OF), "mrr"].sum())
    90.0
    """
    rows = [
        ("ana", "2024-01-01", "2024-03-01", 10.0, "basic", None),
        ("ana", "2024-03-01", None, 20.0, "plus", None),
        ("ben", "2024-01-10", "2024-02-20", 20.0, "plus", None),
        ("ben", "2024-02-20", None, 10.0, "basic", None),
        ("cleo", "2024-01-15", "2024-03-15", 20.0, "plus", "too expensive"),
        ("cleo", "2024-04-10", None, 10.0, "basic", None),
        ("dan", "2024-02-05", "2024-02-25", 10.0, "basic", "not used enough"),
        ("eva", "2024-02-01", "2024-06-01", 20.0, "plus", "moved away"),
        ("finn", "2024-01-20", "2024-04-01", 30.0, "family", None),
        ("gus", "2024-01-05", None, 10.0, "basic", None),
        ("gus", "2024-02-10", "2024-04-20", 20.0, "plus", "too expensive"),
        ("hana", "2024-05-01", None, 10.0, "basic", None),
        ("ivo", "2024-03-10", "2024-04-10", 0.0, "trial", None),
        ("ivo", "2024-04-10", None, 20.0, "plus", None),
    ]
    columns = ["customer_id", "started_at", "ended_at", "mrr", "plan", "cancel_reason"]
    return _frame(rows, columns, dates=["started_at", "ended_at"])


def tiny_responses() -> pd.DataFrame:
    """Fourteen answers in two waves, January and April. Use with `as_of=TINY_AS_OF`.

    Both ends of every band stand in it: 0 and 6, 7 and 8, 9 and 10. One blank score in each wave; one
    answer without a customer in each; comments missing, and one that would break a careless HTML page;
    three people in both waves, one up (ben), one down (cleo), one steady (ana); one answer exactly on
    the `as_of` midnight: not seen.

    January: 2 promoters, 1 passive, 2 detractors, NPS 0. April: 3, 2, 1, NPS 100 × 2 / 6. Together: 5,
    3, 3, NPS 100 × 2 / 11.

    Returns
    -------
    DataFrame
        One row an answer: `customer_id`, `responded_at`, `score` (0 to 10, empty where blank), `comment`.

    Examples
    --------
    >>> answers = tiny_responses()
    >>> seen = answers[answers["responded_at"] < TINY_AS_OF]
    >>> len(seen), int(seen["score"].count())
    (13, 11)
    """
    rows = [
        ("ana", "2024-01-10 09:00:00", 10, "Fresh and quick."),
        ("ben", "2024-01-10 12:30:00", 6, "Late twice."),
        ("cleo", "2024-01-11 08:15:00", 8, None),
        ("finn", "2024-01-11 19:00:00", 9, None),
        (None, "2024-01-12 10:00:00", 3, "Nobody answers the phone."),
        ("gus", "2024-01-12 11:45:00", None, "Will answer later."),
        ("ana", "2024-04-10 09:30:00", 9, None),
        ("ben", "2024-04-10 13:00:00", 7, "Better than in winter."),
        ("cleo", "2024-04-10 20:10:00", 0, "Price > value & the <b>box</b> was crushed."),
        ("dan", "2024-04-11 07:50:00", 10, None),
        ("eva", "2024-04-11 15:25:00", 8, None),
        (None, "2024-04-12 09:05:00", 10, None),
        ("ivo", "2024-04-12 17:00:00", None, None),
        ("hana", "2024-05-01 00:00:00", 2, "Too late to count."),
    ]
    frame = _frame(rows, ["customer_id", "responded_at", "score", "comment"], dates=["responded_at"])
    return frame.astype({"score": "Int64"})


def tiny_customers() -> pd.DataFrame:
    """Ten customers' traits, with gaps. Everyone of the other tiny tables but ivo, who is missing here.

    - ben may not be contacted, and costs more than he brings (negative margin).
    - dan has no segment; eva no known acquisition cost; finn cost nothing to win.
    - gus and hana are known before anything of theirs is seen in the orders; kim and leo never appear
      in any other table.

    Returns
    -------
    DataFrame
        One row a customer: `customer_id`, `segment`, `margin` (share of the amount),
        `acquisition_cost` (euros), `contactable`.

    Examples
    --------
    >>> tiny_customers()["segment"].value_counts(dropna=False).to_dict()
    {'household': 6, 'office': 3, nan: 1}
    """
    rows = [
        ("ana", "household", 0.40, 10.0, True),
        ("ben", "office", -0.05, 25.0, False),
        ("cleo", "household", 0.40, 15.0, True),
        ("dan", None, 0.30, 12.0, True),
        ("eva", "office", 0.25, None, True),
        ("finn", "household", 0.35, 0.0, True),
        ("gus", "household", 0.40, 8.0, True),
        ("hana", "office", 0.25, 20.0, True),
        ("kim", "household", 0.40, 9.0, False),
        ("leo", "household", 0.38, 11.0, True),
    ]
    return _frame(rows, ["customer_id", "segment", "margin", "acquisition_cost", "contactable"], dates=[])


def _frame(rows: list[tuple], columns: list[str], *, dates: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(dates, "datetime64[us]"))


def demo_orders() -> pd.DataFrame:
    """Two years of orders of an invented shop with 5,000 customers. Use with `as_of=DEMO_AS_OF`.

    The shop opens on the first day of the data, so no old customer is taken for a new one. Purchases
    follow BG/NBD in weeks and amounts gamma-gamma, with the parameters of `demo_truth()`. The hour of
    the day is scenery: two orders of a customer may fall on one day.

    Returns
    -------
    DataFrame
        One row an order, in order of time: `customer_id`, `ordered_at`, `order_id`, `amount` (euros, to
        the cent), `country` (stays with a customer), `channel` (one order in five of those after the
        first comes by "direct" instead of the customer's own), `product`.

    Examples
    --------
    >>> orders = demo_orders()
    >>> orders["customer_id"].nunique(), bool(orders["ordered_at"].max() < pd.Timestamp(DEMO_AS_OF))
    (5000, True)
    """
    return _demo()["orders"].copy()


def demo_events() -> pd.DataFrame:
    """What the invented shop's customers did in its shop and app. Use with `as_of=DEMO_AS_OF`.

    Every order of `demo_orders()` is an `ordered` at the same moment, in a visit that began shortly
    before it; each order brings some visits on later days; and keen buyers save a favourite more often.
    How often is in `demo_truth()`, and so is what saving one does to later buying: nothing. Who saves one
    comes back more all the same, because they would have come back anyway.

    Returns
    -------
    DataFrame
        One row an event, in order of time: `customer_id`, `occurred_at`, `event` (`visited`, `ordered`,
        `saved_favourite`), `country`, `channel` (of the order it belongs to).

    Examples
    --------
    >>> events = demo_events()
    >>> sorted(events["event"].unique()), bool((events["event"] == "ordered").sum() == len(demo_orders()))
    (['ordered', 'saved_favourite', 'visited'], True)
    """
    return _demo()["events"].copy()


def demo_subscriptions() -> pd.DataFrame:
    """The invented shop's membership with a monthly fee. Use with `as_of=DEMO_AS_OF`.

    A membership renews each month on the day it began. At each renewal a member leaves, moves a plan up
    or down, or stays, with the chances of `demo_truth()`; some leavers come back months later. So the
    monthly churn rate of those who were members on the first of the month is the true hazard.

    Returns
    -------
    DataFrame
        One row a stretch on one plan, in order of `started_at`: `customer_id`, `started_at`, `ended_at`
        (exclusive; empty while active), `mrr` (euros a month), `plan`, `cancel_reason` (of the leavers
        who gave one; empty at a change of plan).

    Examples
    --------
    >>> sorted(demo_subscriptions()["plan"].unique())
    ['basic', 'family', 'plus']
    """
    return _demo()["subscriptions"].copy()


def demo_responses() -> pd.DataFrame:
    """The invented shop's yearly survey, March 2023 and March 2024. Use with `as_of=DEMO_AS_OF`.

    Asked are those of `demo_invitations()`. Low scores come somewhat more often from those about to leave;
    how often each band occurs in a segment is in `demo_truth().score_shares`.

    Returns
    -------
    DataFrame
        One row an answer, in order of time: `customer_id`, `responded_at`, `score` (0 to 10, a few
        blank), `comment` (of some); `quality`, `service`, `delivery`, `price`, `satisfaction` (1 to 5) and
        `effort` (1 to 7, where 7 found it easy), some blank.

    Examples
    --------
    >>> demo_responses()["responded_at"].dt.year.unique().tolist()
    [2023, 2024]
    """
    return _demo()["responses"].copy()


def demo_invitations() -> pd.DataFrame:
    """Who was asked in the invented shop's survey: who bought in the year before and may be contacted.

    Returns
    -------
    DataFrame
        One row an invitation: `customer_id`, `invited_at`.

    Examples
    --------
    >>> demo_invitations()["invited_at"].dt.year.unique().tolist()
    [2023, 2024]
    """
    return _demo()["invitations"].copy()


def demo_customers() -> pd.DataFrame:
    """What the invented shop knows of each customer beside the orders.

    Returns
    -------
    DataFrame
        One row a customer: `customer_id`, `segment`, `margin` (share of the amount), `acquisition_cost`
        (euros), `contactable`.

    Examples
    --------
    >>> demo_customers()["segment"].value_counts().to_dict()
    {'household': 3500, 'office': 1000, 'café': 500}
    """
    return _demo()["customers"].copy()


def demo_truth() -> Truth:
    """The parameters the `demo_*` frames were generated from, to hold an estimate against.

    Examples
    --------
    >>> demo_truth().monthly_churn["basic"], round(demo_truth().mean_order_value, 2)
    (0.06, 40.0)
    """
    return Truth()


@cache
def _demo() -> company.Company:
    return company.Company(demo_truth())
