"""Cases: disagreements about one payment that stand beside its order until they are settled."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.money import Money
from domain.news import Evidence
from domain.payments import Payment, PaymentStatus


class CaseVerdict(StrEnum):
    """What is wrong with a payment, seen from its order."""

    AMOUNT_MISMATCH = "amount_mismatch"
    CURRENCY_MISMATCH = "currency_mismatch"
    DUPLICATE_PAYMENT = "duplicate_payment"
    LATE_CAPTURE = "late_capture"
    LATE_AUTHORIZATION = "late_authorization"
    UNKNOWN_ORDER = "unknown_order"
    OK_UNPAID = "ok_unpaid"


class CaseStatus(StrEnum):
    """`open` is being dealt with, `waiting` needs an operator's word, `settled` is done."""

    OPEN = "open"
    WAITING = "waiting"
    SETTLED = "settled"


class Remedy(StrEnum):
    """What can be done about a case."""

    HONOUR = "honour"
    REFUND = "refund"
    DISMISS = "dismiss"


class CaseOutcome(StrEnum):
    """How a case was settled.

    `given_back` and `captured` are what the gateway did by itself with an authorized payment;
    what was captured late is a case of its own.
    """

    HONOURED = "honoured"
    REFUNDED = "refunded"
    DISMISSED = "dismissed"
    GIVEN_BACK = "given_back"
    CAPTURED = "captured"


@dataclass(frozen=True)
class Case:
    """One disagreement: there is at most one per gateway, payment and verdict.

    Money for an order that we do not know has no `order_id`. `approved_by` is the operator who
    let a reconciliation move money past its budget: its refunds ask no other budget.
    """

    order_id: str | None
    verdict: CaseVerdict
    payment: Payment
    evidence: Evidence
    approved_by: str | None = None

    @property
    def subject(self) -> str:
        """What the case is about: its order, or the payment if that is nobody's."""
        return self.order_id or self.payment.identity


@dataclass(frozen=True)
class CaseRecord:
    """A case as it is recorded, with the last word of an operator, and how many were given.

    A word is given once; only a remedy that failed asks for another.
    """

    case_id: str
    case: Case
    status: CaseStatus
    decision: Remedy | None = None
    decided_by: str | None = None
    words: int = 0


@dataclass(frozen=True)
class Decision:
    """An operator's word on a case: given once, with a reason that is kept."""

    case_id: str
    remedy: Remedy
    actor: str
    reason: str


@dataclass(frozen=True)
class OrderPolicy:
    """What decides about late money for one order: its end, its products, today's catalogue."""

    honours_late: bool
    ended_at: datetime | None
    same_price: bool
    is_paid: bool = False


def mismatch(payment: Payment, price: Money) -> CaseVerdict | None:
    """What the echo says: None if the gateway took exactly the price of the order."""
    if payment.amount.currency != price.currency:
        return CaseVerdict.CURRENCY_MISMATCH
    return None if payment.amount == price else CaseVerdict.AMOUNT_MISMATCH


def late_verdict(payment: Payment, price: Money, *, order_is_paid: bool) -> CaseVerdict | None:
    """What a payment means for an order that has ended without it; None if it moved no money."""
    if payment.status is PaymentStatus.AUTHORIZED:
        return CaseVerdict.LATE_AUTHORIZATION
    if payment.status is not PaymentStatus.CAPTURED:
        return None
    late = CaseVerdict.DUPLICATE_PAYMENT if order_is_paid else CaseVerdict.LATE_CAPTURE
    return mismatch(payment, price) or late
