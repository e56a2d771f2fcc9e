"""What Razorpay sends by itself: callbacks through the browser, and webhooks.

Source: https://razorpay.com/docs/payments/payment-links/apis and …/docs/webhooks.
"""

import re
from collections.abc import Mapping

from domain.errors import BadSignature, MessageNotUnderstood
from domain.events import GatewayEvent
from domain.news import Evidence, EvidenceKind
from domain.payments import LinkStatus
from gateways.base import Callback
from gateways.bodies import Json, malformed_is, mapping, parsed, text, word
from gateways.razorpay.account import NAME, Account, noted
from gateways.razorpay.disputes import dispute_from
from gateways.razorpay.payments import payment_from
from gateways.razorpay.refunds import refund_from
from gateways.signing import as_bytes, check_hmac, sha256_hex

SIGNED_PARAMETERS = (
    "razorpay_payment_link_id",
    "razorpay_payment_link_reference_id",
    "razorpay_payment_link_status",
    "razorpay_payment_id",
)
EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

LINK_EVENTS = {
    "payment_link.partially_paid": LinkStatus.OPEN,
    "payment_link.paid": LinkStatus.PAID,
    "payment_link.cancelled": LinkStatus.CLOSED,
    "payment_link.expired": LinkStatus.EXPIRED,
}
PAYMENT_EVENTS = {"payment.authorized", "payment.captured", "payment.failed", "order.paid"} | {
    "payment_link.paid",
    "payment_link.partially_paid",
}
REFUND_EVENTS = {"refund.created", "refund.processed", "refund.failed"}
DISPUTE_EVENTS = "payment.dispute."


class Messages(Account):
    """Whatever arrives is verified before it is read."""

    def read_callback(self, parameters: Mapping[str, str]) -> Callback:
        if any(name not in parameters for name in SIGNED_PARAMETERS):
            raise BadSignature("the callback lacks what is signed")
        link, reference, status, payment = (parameters[name] for name in SIGNED_PARAMETERS)
        message = as_bytes("|".join([link, reference, status, payment]))
        check_hmac([self._key_secret], message, parameters.get("razorpay_signature"))
        return Callback(reference, link, payment or None, sha256_hex(message))

    async def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        named = {name.lower(): value for name, value in headers.items()}
        check_hmac(self._webhook_secrets, body, named.get("x-razorpay-signature"))
        digest = sha256_hex(body)
        # The id is not covered by the signature, so it may be anything.
        event_id = named.get("x-razorpay-event-id", "")
        event_id = event_id if EVENT_ID.fullmatch(event_id) else digest
        evidence = Evidence(EvidenceKind.WEBHOOK, event_id, digest)
        with malformed_is(MessageNotUnderstood("a signed webhook that is not as documented")):
            return event_from(parsed(body), evidence)


def event_from(body: Json, evidence: Evidence) -> GatewayEvent:
    kind = text(body, "event")
    link, payment, order, refund, dispute = (
        mapping(mapping(body["payload"].get(name)).get("entity"))
        for name in ("payment_link", "payment", "order", "refund", "dispute")
    )
    return GatewayEvent(
        gateway=NAME,
        event_id=evidence.reference,
        kind=kind,
        evidence=evidence,
        order_id=noted(payment, "order_id") or noted(link, "order_id") or noted(refund, "order_id"),
        reference=word(link, "reference_id") or word(order, "receipt"),
        link_reference=text(link, "id") if kind in LINK_EVENTS else word(link, "id"),
        payment=payment_from(payment) if kind in PAYMENT_EVENTS else None,
        link=LINK_EVENTS.get(kind),
        refund=refund_from(refund, evidence) if kind in REFUND_EVENTS else None,
        dispute=dispute_from(dispute, evidence) if kind.startswith(DISPUTE_EVENTS) else None,
    )
