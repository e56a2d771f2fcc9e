"""What the ledger holds, in words that belong to no gateway.

Amounts are integers in the currency's smallest unit; times are Unix seconds.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class LinkStatus(StrEnum):
    """`completed` took a payment that the bank has yet to decide, and takes no other."""

    CREATED = "created"
    COMPLETED = "completed"
    PAID = "paid"
    CANCELED = "canceled"
    EXPIRED = "expired"


class PaymentStatus(StrEnum):
    """`refunded` is all of it: captured and refunded in full, or authorized and given back."""

    CREATED = "created"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    REFUNDED = "refunded"
    FAILED = "failed"


class RefundStatus(StrEnum):
    """A gateway may take back what was processed: `failed` ends it, nothing else does."""

    PENDING = "pending"
    PROCESSED = "processed"
    FAILED = "failed"


class DisputeStatus(StrEnum):
    OPEN = "open"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"


class Outcome(StrEnum):
    """What the customer, or the customer's bank, decides; `authorized` is a yes without capture."""

    SUCCESS = "success"
    AUTHORIZED = "authorized"
    FAILURE = "failure"
    PENDING = "pending"


class Method(StrEnum):
    CARD = "card"
    UPI = "upi"
    NETBANKING = "netbanking"
    WALLET = "wallet"


class Happening(StrEnum):
    """What a gateway tells its merchant about."""

    APPROVED = "approved"
    COMPLETED = "completed"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUND_CREATED = "refund_created"
    REFUND_SETTLED = "refund_settled"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_SETTLED = "dispute_settled"


class EntryKind(StrEnum):
    """What a line of a settlement is about; an adjustment puts right what was settled before."""

    PAYMENT = "payment"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A payment link. `details` is the dialect's own: what the merchant sent beside the money.

    One made `elsewhere` is no link of the merchant's, and not shown as one: it only stands for
    whatever else a customer may have paid through.
    """

    id: str
    dialect: str
    amount: int
    currency: str
    created_at: float
    expires_at: float
    status: LinkStatus = LinkStatus.CREATED
    order_id: str | None = None
    reference_id: str | None = None
    gateway_order_id: str | None = None
    description: str = ""
    return_url: str | None = None
    closed_at: float | None = None
    updated_at: float = 0
    elsewhere: bool = False
    details: Json = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.status is LinkStatus.CREATED

    @property
    def names(self) -> tuple[str, ...]:
        """Every id this link is known by."""
        return tuple(name for name in (self.order_id, self.reference_id, self.id) if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One attempt to pay a link. `outcome` is what it will settle as, at `settle_at` if set.

    `amount_refunded` counts pending refunds, and not those that failed. `fee`, without `tax`, is
    what a capture costs the merchant.
    """

    id: str
    link_id: str
    amount: int
    currency: str
    method: Method
    created_at: float
    status: PaymentStatus = PaymentStatus.CREATED
    outcome: Outcome = Outcome.PENDING
    settle_at: float | None = None
    captured_at: float | None = None
    amount_refunded: int = 0
    fee: int = 0
    tax: int = 0
    updated_at: float = 0

    @property
    def captured(self) -> bool:
        """Whether the merchant was given the money, whatever became of it since."""
        return self.captured_at is not None

    @property
    def is_undecided(self) -> bool:
        """Whether the bank, or the merchant, has yet to say yes or no."""
        return self.status in (PaymentStatus.CREATED, PaymentStatus.AUTHORIZED)

    @property
    def amount_left(self) -> int:
        return self.amount - self.amount_refunded


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money on its way back. `details` is the request, which `key` may repeat but not change."""

    id: str
    payment_id: str
    amount: int
    currency: str
    created_at: float
    status: RefundStatus = RefundStatus.PENDING
    receipt: str | None = None
    key: str | None = None
    updated_at: float = 0
    details: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """The customer's bank wants the money back, or so much of it."""

    id: str
    payment_id: str
    amount: int
    currency: str
    reason: str
    respond_by: float
    created_at: float
    status: DisputeStatus = DisputeStatus.OPEN
    updated_at: float = 0

    @property
    def has_ended(self) -> bool:
        return self.status not in (DisputeStatus.OPEN, DisputeStatus.UNDER_REVIEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Money on its way to the merchant's bank: all credits less all debits, at times below zero.

    `fees` are without `tax`; both are gone from `amount` already.
    """

    id: str
    dialect: str
    amount: int
    currency: str
    fees: int
    tax: int
    utr: str
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a settlement, and what it did to the merchant's balance; `fee` is without `tax`.

    `id` is the payment's, the refund's, or the adjustment's own; `source_id` is what the line is
    about: the same again, or the dispute, payment or refund that had to be put right.
    """

    id: str
    kind: EntryKind
    source_id: str
    payment_id: str
    amount: int
    currency: str
    created_at: float
    fee: int = 0
    tax: int = 0
    debit: int = 0
    credit: int = 0
    settlement_id: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened, and to what."""

    happening: Happening
    link: Link
    payment: Payment | None = None
    refund: Refund | None = None
    dispute: Dispute | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One notice to the merchant: the exact bytes that every delivery repeats."""

    id: str
    dialect: str
    name: str
    link_id: str
    payment_id: str | None
    body: bytes
    genuine: bool
    created_at: float
