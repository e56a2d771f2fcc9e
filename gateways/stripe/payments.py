"""Stripe's payments: a PaymentIntent is what we call a payment, a failed charge is an attempt.

Source: https://docs.stripe.com/api/payment_intents, …/payments/paymentintents/lifecycle.
"""

from collections.abc import Callable, Sequence

from domain.keys import wire_key
from domain.money import Money
from domain.news import PaymentNews
from domain.payments import Payment, PaymentStatus
from gateways.bodies import Json, code, malformed_is, mapping, text, word
from gateways.http import Answer, in_doubt_if_refused
from gateways.stripe.account import NAME, Account, evidence_of, id_of
from gateways.stripe.amounts import money

INTENT = "/v1/payment_intents/{}"
CHARGE, CHARGE_PREFIX = "/v1/charges/{}", "ch_"
CAPTURE = "/v1/payment_intents/{}/capture"

STATUSES = {
    "requires_action": PaymentStatus.PENDING,
    "processing": PaymentStatus.PENDING,
    "requires_capture": PaymentStatus.AUTHORIZED,
    "canceled": PaymentStatus.CANCELED,
    "succeeded": PaymentStatus.CAPTURED,
}
CHARGE_STATUSES = {"succeeded": PaymentStatus.AUTHORIZED, "failed": PaymentStatus.FAILED}
# Nothing is under way: the customer has yet to try, or to try again.
IDLE = ("requires_payment_method", "requires_confirmation")


class Payments(Account):
    """Payments that customers have made."""

    async def ask_payment(self, order_id: str, reference: str) -> PaymentNews:
        is_attempt = reference.startswith(CHARGE_PREFIX)
        with in_doubt_if_refused():
            path = CHARGE if is_attempt else INTENT
            answer = await self._http.get(path, reference, answers=(404,))
        found: tuple[Payment, ...] = ()
        if answer.status != 404:
            found = (same_payment(answer, reference, charge_from if is_attempt else payment_from),)
        return PaymentNews(NAME, order_id, evidence_of([answer]), found)

    async def capture(self, payment: Payment) -> Payment:
        """Take all that was authorized.

        Stripe answers 400 for whatever does not wait for its capture, so a refusal is looked into:
        only a payment that could be captured and was not raises `RequestRefused`.
        """
        reference = payment.reference
        key = wire_key(f"{reference}:capture")
        answer = await self._send(CAPTURE, reference, form="", key=key, answers=(400, 402))
        if answer.status not in (400, 402):
            return same_payment(answer, reference)
        found = same_payment(await self._http.get(INTENT, reference), reference)
        if found.status.may_still_capture:
            raise answer.failure
        return found


def same_payment(
    answer: Answer, reference: str, read: Callable[[Json], Payment] | None = None
) -> Payment:
    """The echo: an answer about another payment is no answer."""
    with malformed_is(answer.failure):
        payment = (read or payment_from)(answer.body)
        if payment.reference != reference:
            raise ValueError("another payment")
    return payment


def payments_from(intent: Json, charges: Sequence[Json]) -> tuple[Payment, ...]:
    """Every attempt: the failed charges, and what the intent has come to.

    An idle intent tells of no payment, unless its last attempt failed without a charge.
    """
    attempts = tuple(charge_from(charge) for charge in charges if is_failed(charge))
    error = mapping(intent.get("last_payment_error"))
    if word(intent, "status") in IDLE and (not error or id_of(error, "charge")):
        return attempts
    taken = next((charge for charge in charges if not is_failed(charge)), {})
    return (*attempts, payment_from(intent, method_of(taken)))


def payment_from(intent: Json, method: str | None = None) -> Payment:
    status = status_of(intent)
    return Payment(
        gateway=NAME,
        reference=text(intent, "id"),
        status=status,
        amount=amount_of(intent, status),
        method=method or method_of(mapping(intent.get("latest_charge"))),
        failure=failure_of(intent) if status is PaymentStatus.FAILED else None,
    )


def failure_from(intent: Json) -> Payment:
    """The attempt of which an event says that it failed, under the name that a query gives it."""
    error = mapping(intent.get("last_payment_error"))
    reference = id_of(error, "charge") or text(intent, "id")
    price = money(intent["amount"], text(intent, "currency"))
    method = code(mapping(error.get("payment_method")), "type")
    return Payment(NAME, reference, PaymentStatus.FAILED, price, method, failure_of(intent))


def charge_from(charge: Json) -> Payment:
    """A charge by its own name, as we call those that failed."""
    status = CHARGE_STATUSES.get(text(charge, "status"), PaymentStatus.PENDING)
    if status is PaymentStatus.AUTHORIZED and charge.get("captured") is True:
        status = PaymentStatus.CAPTURED
    return Payment(
        gateway=NAME,
        reference=text(charge, "id"),
        status=status,
        amount=money(charge["amount"], text(charge, "currency")),
        method=method_of(charge),
        failure=code(charge, "failure_code") if status is PaymentStatus.FAILED else None,
    )


def capture_from(charge: Json) -> Payment | None:
    """What a charge that has taken the money says of its intent, and alone says by which method."""
    reference = id_of(charge, "payment_intent")
    if reference is None or charge.get("captured") is not True or is_failed(charge):
        return None
    price = money(charge["amount_captured"], text(charge, "currency"))
    return Payment(NAME, reference, PaymentStatus.CAPTURED, price, method_of(charge))


def amount_of(intent: Json, status: PaymentStatus) -> Money:
    """What was taken, once something was; until then what is asked for."""
    name = "amount_received" if status is PaymentStatus.CAPTURED else "amount"
    return money(intent[name], text(intent, "currency"))


def status_of(intent: Json) -> PaymentStatus:
    said = text(intent, "status")
    if said in IDLE and mapping(intent.get("last_payment_error")):
        return PaymentStatus.FAILED
    return STATUSES.get(said, PaymentStatus.PENDING)


def failure_of(intent: Json) -> str | None:
    error = mapping(intent.get("last_payment_error"))
    return code(error, "code") or code(error, "decline_code")


def method_of(charge: Json) -> str | None:
    return code(mapping(charge.get("payment_method_details")), "type")


def is_failed(charge: Json) -> bool:
    return word(charge, "status") == "failed"
