"""What Stripe sends by itself: the customer's browser, and signed webhooks.

Source: https://docs.stripe.com/webhooks, …/payments/checkout/custom-success-page.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from domain.errors import BadSignature, MessageNotUnderstood
from domain.events import GatewayEvent
from domain.news import Evidence, EvidenceKind
from domain.payments import LinkStatus, Payment, PaymentStatus
from gateways.base import Callback
from gateways.bodies import Json, malformed_is, mapping, parsed, text, word
from gateways.signing import as_bytes, check_hmac, sha256_hex
from gateways.stripe.account import NAME, Account, id_of, noted
from gateways.stripe.amounts import money
from gateways.stripe.disputes import dispute_from
from gateways.stripe.links import status_of
from gateways.stripe.payments import capture_from, failure_from, payment_from
from gateways.stripe.refunds import refund_from

TOLERANCE = timedelta(seconds=300)
SECONDS = re.compile(r"[0-9]{1,12}")

SESSION_EVENTS = {
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
}
PAYMENT_EVENTS = {
    "payment_intent.requires_action",
    "payment_intent.processing",
    "payment_intent.amount_capturable_updated",
    "payment_intent.succeeded",
    "payment_intent.canceled",
}
FAILED_SESSION, FAILED_ATTEMPT = (
    "checkout.session.async_payment_failed",
    "payment_intent.payment_failed",
)
CHARGE_EVENTS = {"charge.succeeded", "charge.captured"}
REFUND_EVENTS = {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
DISPUTE_EVENTS = "charge.dispute."


class Messages(Account):
    """Whatever arrives is verified before it is read; what a browser brings cannot be."""

    def read_callback(self, parameters: Mapping[str, str]) -> Callback:
        """Nothing in it is signed: it is worth as much as the secret in the address it came to."""
        reference, session = parameters.get("reference"), parameters.get("session")
        if not (reference and session):
            raise BadSignature("the callback names no session")
        return Callback(reference, session, None, sha256_hex(as_bytes(f"{reference}|{session}")))

    async def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        named = {name.lower(): value for name, value in headers.items()}
        self._check_signature(body, named.get("stripe-signature", ""))
        with malformed_is(MessageNotUnderstood("a signed webhook that is not as documented")):
            event = parsed(body)
            return event_from(
                event, Evidence(EvidenceKind.WEBHOOK, text(event, "id"), sha256_hex(body))
            )

    def _check_signature(self, body: bytes, header: str) -> None:
        """`t=1700000000,v1=…,v1=…`: one signature for each secret that is valid at Stripe's end.

        A webhook that was signed long ago, or by a clock far ahead, may be played back.
        """
        parts = [part.partition("=") for part in header.split(",")]
        times = [value for name, _, value in parts if name == "t"]
        if len(times) != 1 or not SECONDS.fullmatch(times[0]):
            raise BadSignature("the signature bears no time")
        signatures = [value for name, _, value in parts if name == "v1"]
        check_hmac(self._webhook_secrets, as_bytes(times[0]) + b"." + body, *signatures)
        if abs(self._clock().timestamp() - int(times[0])) > TOLERANCE.total_seconds():
            raise BadSignature("the signature is too old, or from the future")


def event_from(event: Json, evidence: Evidence) -> GatewayEvent:
    kind, entity = text(event, "type"), mapping(mapping(event["data"])["object"])
    session = entity if kind in SESSION_EVENTS else {}
    return GatewayEvent(
        gateway=NAME,
        event_id=evidence.reference,
        kind=kind,
        evidence=evidence,
        order_id=noted(entity, "order_id"),
        reference=noted(entity, "wire_key"),
        link_reference=text(session, "id") if session else None,
        payment=payment_in(kind, entity),
        link=ended_link(session) if session else None,
        refund=refund_from(entity, evidence) if kind in REFUND_EVENTS else None,
        dispute=dispute_from(entity, evidence) if kind.startswith(DISPUTE_EVENTS) else None,
    )


def payment_in(kind: str, entity: Json) -> Payment | None:
    if kind == FAILED_ATTEMPT:
        return failure_from(entity)
    if kind in PAYMENT_EVENTS:
        return payment_from(entity)
    if kind in CHARGE_EVENTS:
        # Without our metadata it may be anybody's, and the intent's own event tells the same.
        return capture_from(entity) if noted(entity, "order_id") else None
    return payment_of_session(kind, entity) if kind in SESSION_EVENTS else None


def payment_of_session(kind: str, session: Json) -> Payment | None:
    """The session's payment, as far as the session tells; one that expired may have had none."""
    reference = id_of(session, "payment_intent")
    if kind == "checkout.session.expired" or reference is None:
        return None
    price = money(session["amount_total"], text(session, "currency"))
    is_paid = word(session, "payment_status") == "paid"
    status = PaymentStatus.CAPTURED if is_paid else PaymentStatus.PENDING
    return Payment(
        NAME, reference, PaymentStatus.FAILED if kind == FAILED_SESSION else status, price
    )


def ended_link(session: Json) -> LinkStatus | None:
    """A session that is not open takes no other attempt; anything else is no news."""
    status = status_of(session)
    return None if status.is_live else status
