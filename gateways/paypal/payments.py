"""PayPal's captures: what a customer has paid. An order that is `COMPLETED` need not be paid.

Source: https://developer.paypal.com/docs/api/payments/v2, there "captures".
"""

from domain.news import PaymentNews
from domain.payments import Payment, PaymentStatus
from gateways.bodies import Json, code, malformed_is, mapping, text
from gateways.http import Answer, in_doubt_if_refused
from gateways.paypal.account import NAME, Account, evidence_of
from gateways.paypal.amounts import money_from

CAPTURE = "/v2/payments/captures/{}"

STATUSES = {
    "PENDING": PaymentStatus.PENDING,
    "COMPLETED": PaymentStatus.CAPTURED,
    "PARTIALLY_REFUNDED": PaymentStatus.CAPTURED,
    "REFUNDED": PaymentStatus.CAPTURED,
    "DECLINED": PaymentStatus.FAILED,
    "DENIED": PaymentStatus.FAILED,
    "FAILED": PaymentStatus.FAILED,
}


class Payments(Account):
    """Payments that we have taken."""

    async def ask_payment(self, order_id: str, reference: str) -> PaymentNews:
        with in_doubt_if_refused():
            answer = await self._get(CAPTURE, reference, answers=(404,))
        found = () if answer.status == 404 else (same_payment(answer, reference),)
        return PaymentNews(NAME, order_id, evidence_of([answer]), found)

    async def capture(self, payment: Payment) -> Payment:
        """Nothing here is only authorized, so that the payment is left as it is."""
        answer = await self._get(CAPTURE, payment.reference)
        return same_payment(answer, payment.reference)


def same_payment(answer: Answer, reference: str) -> Payment:
    """The echo: an answer about another payment is no answer."""
    with malformed_is(answer.failure):
        payment = payment_from(answer.body)
        if payment.reference != reference:
            raise ValueError("another payment")
    return payment


def payment_from(entity: Json) -> Payment:
    status = STATUSES.get(text(entity, "status"), PaymentStatus.PENDING)
    reason = code(mapping(entity.get("status_details")), "reason") or code(entity, "status")
    return Payment(
        gateway=NAME,
        reference=text(entity, "id"),
        status=status,
        amount=money_from(entity["amount"]),
        method=NAME,
        failure=reason if status is PaymentStatus.FAILED else None,
    )
