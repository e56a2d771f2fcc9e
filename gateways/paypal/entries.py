"""How PayPal's reports name what has happened, whichever of them it is.

Source: https://developer.paypal.com/docs/reports/reference/tcodes.
"""

from domain.payments import PaymentStatus
from domain.refunds import RefundStatus
from domain.settlements import EntryKind

REFUND_CODE = "T1107"
PAYMENT_CODES = "T00"
TRANSACTION = "TXN"

PAYMENT_STATUSES = {
    "S": PaymentStatus.CAPTURED,
    # What was reversed had been taken; that it went back is a row of its own.
    "V": PaymentStatus.CAPTURED,
    "D": PaymentStatus.FAILED,
    "P": PaymentStatus.PENDING,
}
REFUND_STATUSES = {
    "S": RefundStatus.SUCCEEDED,
    "V": RefundStatus.FAILED,
    "D": RefundStatus.FAILED,
    "P": RefundStatus.PENDING,
}


def kind_of(event_code: str, *, is_credit: bool) -> EntryKind:
    """Money that came in for something, or that went back; reversals and fees are no such."""
    if event_code == REFUND_CODE and not is_credit:
        return EntryKind.REFUND
    if event_code.startswith(PAYMENT_CODES) and is_credit:
        return EntryKind.PAYMENT
    return EntryKind.OTHER


def status_of(kind: EntryKind, said: str) -> str:
    if kind is EntryKind.PAYMENT:
        return PAYMENT_STATUSES.get(said, PaymentStatus.PENDING).value
    if kind is EntryKind.REFUND:
        return REFUND_STATUSES.get(said, RefundStatus.PENDING).value
    return PaymentStatus.UNKNOWN.value
