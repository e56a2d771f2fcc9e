"""What PayPal sends by itself: customers who come back, unsigned, and webhooks, signed.

Source: https://developer.paypal.com/api/rest/webhooks and …/api/rest/webhooks/event-names.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zlib import crc32

from domain.errors import BadSignature, MessageNotUnderstood
from domain.events import GatewayEvent
from domain.news import Evidence, EvidenceKind
from domain.payments import LinkStatus
from gateways.base import Callback
from gateways.bodies import Json, malformed_is, mapping, parsed, text, word
from gateways.certificates import check_rsa
from gateways.paypal.account import NAME, Account
from gateways.paypal.disputes import dispute_from
from gateways.paypal.links import APPROVED, payments_of, status_of, unit_of
from gateways.paypal.payments import payment_from
from gateways.paypal.refunds import order_of, refund_from
from gateways.signing import as_bytes, sha256_hex

REFERENCE = re.compile(r"[A-Za-z0-9-]{1,36}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)
ALGORITHM = "SHA256withRSA"
SIGNED_HEADERS = tuple(
    f"paypal-{name}"
    for name in (
        "transmission-id",
        "transmission-time",
        "transmission-sig",
        "cert-url",
        "auth-algo",
    )
)
# A webhook that we did not take comes again for three days, perhaps with its first time.
OLDEST, NEWEST = timedelta(days=3, hours=12), timedelta(minutes=5)

ORDER_APPROVED = "CHECKOUT.ORDER.APPROVED"
ORDER_COMPLETED = "CHECKOUT.ORDER.COMPLETED"
APPROVAL_REVERSED = "CHECKOUT.PAYMENT-APPROVAL.REVERSED"
CAPTURE_EVENTS = {
    f"PAYMENT.CAPTURE.{word}" for word in ("COMPLETED", "PENDING", "DECLINED", "DENIED")
}
REFUND_EVENTS = {"PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"} | {
    f"PAYMENT.REFUND.{word}" for word in ("PENDING", "COMPLETED", "FAILED", "CANCELLED")
}
DISPUTE_EVENTS = "CUSTOMER.DISPUTE."


class Messages(Account):
    """Whatever arrives is verified before it is read."""

    def read_callback(self, parameters: Mapping[str, str]) -> Callback:
        """Nothing is signed: the caller compares the order's id with the one that is stored."""
        token, payer = parameters.get("token", ""), parameters.get("PayerID", "")
        if not REFERENCE.fullmatch(token):
            raise BadSignature("the callback names no order")
        return Callback(None, token, None, sha256_hex(as_bytes(f"{token}|{payer}")))

    async def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        await self._check_origin(body, {name.lower(): value for name, value in headers.items()})
        digest = sha256_hex(body)
        with malformed_is(MessageNotUnderstood("a signed webhook that is not as documented")):
            event = parsed(body)
            return event_from(event, Evidence(EvidenceKind.WEBHOOK, text(event, "id"), digest))

    async def _check_origin(self, body: bytes, headers: Mapping[str, str]) -> None:
        """The signature covers the id of our webhook, and a checksum of the bytes."""
        signed = [headers.get(name, "") for name in SIGNED_HEADERS]
        if not self._webhook_ids or not all(text.isascii() and text for text in signed):
            raise BadSignature("the webhook lacks what is signed, or there is no id for it")
        transmission, moment, signature, url, algorithm = signed
        if algorithm != ALGORITHM:
            raise BadSignature("another algorithm")
        self._check_age(moment)
        messages = [
            as_bytes(f"{transmission}|{moment}|{ours}|{crc32(body)}") for ours in self._webhook_ids
        ]
        check_rsa(await self._certificates.key_at(url), messages, signature)

    def _check_age(self, moment: str) -> None:
        if not MOMENT.fullmatch(moment):
            raise BadSignature("a time that does not read")
        with malformed_is(BadSignature("a time that does not exist")):
            age = self._clock() - datetime.fromisoformat(moment)
        if not -NEWEST <= age <= OLDEST:
            raise BadSignature("too old, or from the future")


def event_from(body: Json, evidence: Evidence) -> GatewayEvent:
    kind, resource = text(body, "event_type"), mapping(body["resource"])
    event = GatewayEvent(NAME, evidence.reference, kind, evidence)
    if kind in (ORDER_APPROVED, ORDER_COMPLETED):
        return _of_order(event, resource)
    if kind == APPROVAL_REVERSED:
        return replace(event, link_reference=text(resource, "order_id"), link=LinkStatus.CLOSED)
    if kind in CAPTURE_EVENTS:
        return _of_capture(event, resource)
    if kind in REFUND_EVENTS:
        return replace(event, refund=refund_from(resource, evidence))
    if kind.startswith(DISPUTE_EVENTS):
        return replace(event, dispute=dispute_from(resource, evidence))
    return event


def _of_order(event: GatewayEvent, order: Json) -> GatewayEvent:
    unit = unit_of(order)
    payments = payments_of(unit)
    approved = text(order, "status") == APPROVED
    return replace(
        event,
        order_id=word(unit, "custom_id"),
        reference=word(unit, "invoice_id"),
        link_reference=text(order, "id"),
        payment=payments[0] if payments else None,
        link=status_of(order, payments) if payments or approved else None,
        awaits_capture=approved,
    )


def _of_capture(event: GatewayEvent, capture: Json) -> GatewayEvent:
    return replace(
        event,
        order_id=word(capture, "custom_id"),
        reference=word(capture, "invoice_id"),
        link_reference=order_of(capture),
        payment=payment_from(capture),
    )
