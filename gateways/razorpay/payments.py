"""Razorpay's payments: reading them, and capturing those that were only authorized.

Source: https://razorpay.com/docs/api/payments/capture and …/docs/payments/payments.
"""

import json

from domain.money import Money
from domain.news import PaymentNews
from domain.payments import Payment, PaymentStatus
from gateways.bodies import Json, code, malformed_is, text
from gateways.http import Answer, GatewayClient, in_doubt_if_refused
from gateways.razorpay.account import NAME, Account, error_text, evidence_of, items_of

PAYMENT = "/v1/payments/{}"
CAPTURE = "/v1/payments/{}/capture"

STATUSES = {
    "created": PaymentStatus.PENDING,
    "authorized": PaymentStatus.AUTHORIZED,
    "captured": PaymentStatus.CAPTURED,
    "refunded": PaymentStatus.CAPTURED,
    "failed": PaymentStatus.FAILED,
}


class Payments(Account):
    """Payments that customers have made."""

    async def ask_payment(self, order_id: str, reference: str) -> PaymentNews:
        with in_doubt_if_refused():
            answer = await self._http.get(PAYMENT, reference, answers=(400,))
            if answer.status == 400 and not is_unknown(answer):
                raise answer.failure
        found = () if answer.status == 400 else (same_payment(answer, reference),)
        return PaymentNews(NAME, order_id, evidence_of([answer]), found)

    async def capture(self, payment: Payment) -> Payment:
        """Take all that was authorized; Razorpay captures no other amount.

        It answers 400 for whatever is not `authorized`, so a refusal is looked into: only a
        payment that could be captured and was not raises `RequestRefused`.
        """
        money = payment.amount
        wish = json.dumps({"amount": money.minor, "currency": money.currency})
        answer = await self._http.post(CAPTURE, payment.reference, content=wish, answers=(400,))
        if answer.status != 400:
            return same_payment(answer, payment.reference)
        _, found = await fetched_payment(self._http, payment.reference)
        if found.status.may_still_capture:
            raise answer.failure
        return found


async def fetched_payment(http: GatewayClient, reference: str) -> tuple[Answer, Payment]:
    answer = await http.get(PAYMENT, reference)
    return answer, same_payment(answer, reference)


def same_payment(answer: Answer, reference: str) -> Payment:
    """The echo: an answer about another payment is no answer."""
    with malformed_is(answer.failure):
        payment = payment_from(answer.body)
        if payment.reference != reference:
            raise ValueError("another payment")
    return payment


def is_unknown(answer: Answer) -> bool:
    """Whether it has nothing under that id; it says so with 400, not with 404."""
    return "does not exist" in error_text(answer.body)


def payments_from(body: Json) -> tuple[Payment, ...]:
    """Every attempt on an order."""
    return tuple(payment_from(item) for item in items_of(body))


def payment_from(entity: Json) -> Payment:
    status = status_of(entity)
    reason = code(entity, "error_reason") or code(entity, "error_code")
    return Payment(
        gateway=NAME,
        reference=text(entity, "id"),
        status=status,
        amount=Money(entity["amount"], text(entity, "currency")),
        method=code(entity, "method"),
        failure=reason if status is PaymentStatus.FAILED else None,
    )


def status_of(entity: Json) -> PaymentStatus:
    """`refunded` is also what was never captured and given back by Razorpay itself."""
    said = text(entity, "status")
    if said != "refunded" or entity.get("captured") is not False:
        return STATUSES.get(said, PaymentStatus.PENDING)
    all_back = entity.get("amount_refunded") == entity["amount"]
    return PaymentStatus.CANCELED if all_back else PaymentStatus.AUTHORIZED
