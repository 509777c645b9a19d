"""What each kind of table must hold and may hold, in our names."""

from dataclasses import dataclass, replace

#: Columns that say who or which: text, however a source keeps it.
IDS = frozenset({"customer_id", "order_id"})


@dataclass(frozen=True)
class Contract:
    """What one kind of table must and may hold, and by which rules a row is set aside."""

    kind: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    dates: tuple[str, ...]
    numbers: tuple[str, ...]
    moment: str | None
    value: str | None
    needs_customer: bool = True
    needs_value: bool = True
    value_missing: str = "no amount"


ORDERS = Contract(
    kind="orders",
    required=("customer_id", "ordered_at"),
    optional=("order_id", "amount", "currency"),
    dates=("ordered_at",),
    numbers=("amount", "margin", "cost_to_serve", "acquisition_cost"),
    moment="ordered_at",
    value="amount",
)
EVENTS = Contract(
    kind="events",
    required=("customer_id", "occurred_at"),
    optional=("event",),
    dates=("occurred_at",),
    numbers=(),
    moment="occurred_at",
    value=None,
)
SUBSCRIPTIONS = Contract(
    kind="subscriptions",
    required=("customer_id", "started_at", "ended_at"),
    optional=(
        *("mrr", "plan", "cancel_reason", "currency", "cancelled_at", "paused", "discount"),
        *("margin", "cost_to_serve"),
    ),
    dates=("started_at", "ended_at", "cancelled_at"),
    numbers=("mrr", "discount", "margin", "cost_to_serve"),
    moment="started_at",
    value="mrr",
    value_missing="no mrr",
)
# Subscriptions whose rows say what was paid for a stretch: invoices, renewals, transactions of an app store.
PAID_STRETCHES = replace(
    SUBSCRIPTIONS,
    optional=("amount", *(name for name in SUBSCRIPTIONS.optional if name != "mrr")),
    numbers=("amount", *(name for name in SUBSCRIPTIONS.numbers if name != "mrr")),
    value="amount",
    value_missing="no amount",
)
RESPONSES = Contract(
    kind="responses",
    required=("score",),
    optional=("customer_id", "responded_at", "comment"),
    dates=("responded_at",),
    numbers=("score", "weight"),
    moment="responded_at",
    value="score",
    needs_customer=False,
    value_missing="no answer",
)
CUSTOMERS = Contract(
    kind="customers",
    required=("customer_id",),
    optional=("segment", "margin", "cost_to_serve", "acquisition_cost", "referred_by", "contactable"),
    dates=(),
    numbers=("margin", "cost_to_serve", "acquisition_cost"),
    moment=None,
    value=None,
)
INVITATIONS = Contract(
    kind="invitations",
    required=("customer_id",),
    optional=("invited_at",),
    dates=("invited_at",),
    numbers=(),
    moment="invited_at",
    value=None,
)
_ALL = (ORDERS, EVENTS, SUBSCRIPTIONS, RESPONSES, CUSTOMERS, INVITATIONS)
BY_KIND = {contract.kind: contract for contract in _ALL}

#: Tables of what customers do, row by row as they do it: every behavioural metric reads either.
BEHAVIOUR = (ORDERS.kind, EVENTS.kind)
