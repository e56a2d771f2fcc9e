"""Cases: disagreements about one order that stand beside it until they are settled."""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Case:
    """One disagreement: there is at most one per gateway, payment and verdict."""

    order_id: str
    verdict: CaseVerdict
    payment: Payment
    evidence: Evidence


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
