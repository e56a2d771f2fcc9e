"""What readers are shown of an order, as values."""

from dataclasses import dataclass
from datetime import datetime

from db.tables import CaseStatus, LetterKind, TimelineEvent
from domain.cases import CaseVerdict
from domain.news import Evidence
from domain.orders import Order, OrderItem, OrderStatus
from domain.payments import LinkStatus, Payment


@dataclass(frozen=True)
class LinkView:
    """`url` and `status` are None while the gateway's answer is not known."""

    url: str | None
    status: LinkStatus | None
    closes_at: datetime


@dataclass(frozen=True)
class PaymentView:
    payment: Payment
    evidence: Evidence | None
    first_seen_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class CaseView:
    case_id: str
    verdict: CaseVerdict
    status: CaseStatus
    gateway: str
    payment_reference: str
    evidence: Evidence
    opened_at: datetime


@dataclass(frozen=True)
class TimelineEntry:
    at: datetime
    event: TimelineEvent
    from_status: OrderStatus | None
    status: OrderStatus
    actor: str
    evidence: Evidence | None


@dataclass(frozen=True)
class LetterView:
    kind: LetterKind
    written_at: datetime
    sent_at: datetime | None
    refused: str | None


@dataclass(frozen=True)
class OrderView:
    """Everything that is known of one order. `link` is the one made last."""

    order: Order
    user_id: str
    client_timestamp: datetime | None
    concluded_at: datetime | None
    items: tuple[OrderItem, ...]
    link: LinkView | None
    payments: tuple[PaymentView, ...]
    cases: tuple[CaseView, ...]
    timeline: tuple[TimelineEntry, ...]
    letters: tuple[LetterView, ...]


@dataclass(frozen=True)
class CheckoutView:
    """What a click on Pay needs to know."""

    order: Order
    link: LinkView | None


@dataclass(frozen=True)
class CallbackLink:
    """The link that a callback's token belongs to, to compare with what the browser brought."""

    order: Order
    key: str
    wire_key: str
    gateway_reference: str | None
