"""What readers are shown of an order, as values."""

from dataclasses import dataclass
from datetime import datetime

from db.tables import LetterKind, TimelineEvent
from domain.cases import CaseOutcome, CaseStatus, CaseVerdict, Decision
from domain.disputes import Dispute
from domain.invoices import CreditReason
from domain.money import Money
from domain.news import Evidence
from domain.orders import Order, OrderItem, OrderStatus
from domain.payments import LinkStatus, Payment
from domain.refunds import Refund


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
class RefundView:
    """`client` is the one whose order it is; None where the order is not known."""

    refund: Refund
    client: str | None
    reason: str
    actor: str
    automatic: bool
    evidence: Evidence | None
    requested_at: datetime
    sent_at: datetime | None
    concluded_at: datetime | None


@dataclass(frozen=True)
class DisputeView:
    dispute: Dispute
    opened_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class CaseView:
    """`why` says what it waits for; `decision` is an operator's word, `outcome` what was done."""

    case_id: str
    subject: str
    order_id: str | None
    verdict: CaseVerdict
    status: CaseStatus
    gateway: str
    payment_reference: str
    amount: Money
    evidence: Evidence
    opened_at: datetime
    why: str | None
    decision: Decision | None
    decided_at: datetime | None
    outcome: CaseOutcome | None
    refund_id: str | None
    settled_at: datetime | None


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
    """`letter_id` is the id of what it tells of: the order, or a refund."""

    letter_id: str
    kind: LetterKind
    written_at: datetime
    sent_at: datetime | None
    refused: str | None


@dataclass(frozen=True)
class InvoiceView:
    number: str
    issued_at: datetime


@dataclass(frozen=True)
class CreditNoteView:
    """`voided_at` is when the gateway took the refund back, if it did."""

    number: str
    amount: Money
    reason: CreditReason
    refund_id: str | None
    issued_at: datetime
    voided_at: datetime | None


@dataclass(frozen=True)
class OrderView:
    """Everything that is known of one order. `link` is the one made last.

    `late_capture` says that it had ended unpaid before its payment was honoured, `came_back` that
    the customer returned from the gateway's page.
    """

    order: Order
    user_id: str
    client_timestamp: datetime | None
    items: tuple[OrderItem, ...]
    timeline: tuple[TimelineEntry, ...]
    concluded_at: datetime | None = None
    link: LinkView | None = None
    late_capture: bool = False
    came_back: bool = False
    payments: tuple[PaymentView, ...] = ()
    refunds: tuple[RefundView, ...] = ()
    disputes: tuple[DisputeView, ...] = ()
    cases: tuple[CaseView, ...] = ()
    letters: tuple[LetterView, ...] = ()
    invoice: InvoiceView | None = None
    credit_notes: tuple[CreditNoteView, ...] = ()


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
