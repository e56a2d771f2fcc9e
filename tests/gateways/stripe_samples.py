"""Stripe's documented shapes, filled with values of our own."""

import hmac
import json
from datetime import UTC, datetime
from typing import Any

from domain.checkouts import LinkQuery
from domain.keys import link_key, wire_key
from gateways.bodies import Json

SECRET_KEY = "sk_test_of_the_tests_4fk2"
WEBHOOK_SECRET, OLD_SECRET = "whsec_of_the_tests", "whsec_before_that"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)

ORDER = "ord_tests"
KEY = link_key(ORDER, 1)
REFERENCE = wire_key(KEY)
SESSION, INTENT, CHARGE = "cs_test_Aa1", "pi_Bb2", "ch_Cc3"
REFUND_ID, REFUND, DISPUTE = "rfd_abcdefghijklmnopqrstuvwxyz", "re_Ff6", "dp_Gg7"
EMAIL, NAME = "asha@example.com", "Asha Rao"
OURS = {"order_id": ORDER, "wire_key": REFERENCE}

BY_KEY = LinkQuery(ORDER, "stripe", KEY)
BY_ID = LinkQuery(ORDER, "stripe", KEY, SESSION)


def session(**changes: Any) -> Json:
    entity = {
        "id": SESSION,
        "object": "checkout.session",
        "amount_subtotal": 49900,
        "amount_total": 49900,
        "client_reference_id": ORDER,
        "created": 1790000000,
        "currency": "inr",
        "customer_details": None,
        "expires_at": 1790002700,
        "livemode": False,
        "metadata": OURS,
        "mode": "payment",
        "payment_intent": None,
        "payment_method_types": ["card", "upi"],
        "payment_status": "unpaid",
        "status": "open",
        "success_url": "https://pay.test/callbacks/stripe/t",
        "url": "https://checkout.stripe.test/c/pay/cs_test_Aa1",
    }
    return entity | changes


def paid_session(**changes: Any) -> Json:
    """What a customer typed into the page is in there."""
    customer = {"email": EMAIL, "name": NAME, "phone": None}
    paid = {"status": "complete", "payment_status": "paid", "url": None, "payment_intent": INTENT}
    return session(**paid | {"customer_details": customer} | changes)


def intent(**changes: Any) -> Json:
    entity = {
        "id": INTENT,
        "object": "payment_intent",
        "amount": 49900,
        "amount_capturable": 0,
        "amount_received": 49900,
        "created": 1790000050,
        "currency": "inr",
        "last_payment_error": None,
        "latest_charge": CHARGE,
        "livemode": False,
        "metadata": OURS,
        "payment_method_types": ["card", "upi"],
        "receipt_email": EMAIL,
        "status": "succeeded",
    }
    return entity | changes


def idle(**changes: Any) -> Json:
    """After an attempt that the bank declined."""
    error = {
        "charge": "ch_Dd4",
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "message": f"{NAME}, your card was declined",
        "payment_method": {"id": "pm_1", "type": "card", "billing_details": {"email": EMAIL}},
        "type": "card_error",
    }
    nothing = {"amount_received": 0, "status": "requires_payment_method"}
    return intent(**nothing | {"last_payment_error": error, "latest_charge": "ch_Dd4"} | changes)


def charge(**changes: Any) -> Json:
    entity = {
        "id": CHARGE,
        "object": "charge",
        "amount": 49900,
        "amount_captured": 49900,
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": {"email": EMAIL, "name": NAME},
        "captured": True,
        "created": 1790000060,
        "currency": "inr",
        "failure_code": None,
        "metadata": OURS,
        "paid": True,
        "payment_intent": INTENT,
        "payment_method_details": {"type": "upi", "upi": {"vpa": EMAIL}},
        "status": "succeeded",
    }
    return entity | changes


def failed_charge(**changes: Any) -> Json:
    failed = {"id": "ch_Dd4", "status": "failed", "captured": False, "amount_captured": 0}
    return charge(**failed | {"failure_code": "card_declined", "paid": False} | changes)


def refund(**changes: Any) -> Json:
    entity = {
        "id": REFUND,
        "object": "refund",
        "amount": 10000,
        "charge": CHARGE,
        "created": 1790000120,
        "currency": "inr",
        "metadata": {"refund_id": REFUND_ID, "order_id": ORDER},
        "payment_intent": INTENT,
        "reason": None,
        "status": "succeeded",
    }
    return entity | changes


def dispute(**changes: Any) -> Json:
    entity = {
        "id": DISPUTE,
        "object": "dispute",
        "amount": 39000,
        "charge": CHARGE,
        "created": 1790000200,
        "currency": "inr",
        "evidence": {"customer_email_address": EMAIL},
        "is_charge_refundable": False,
        "metadata": {},
        "payment_intent": INTENT,
        "reason": "product_not_received",
        "status": "needs_response",
    }
    return entity | changes


def listed(*entities: Json, more: bool = False) -> Json:
    return {"object": "list", "data": list(entities), "has_more": more, "url": "/v1/things"}


def error(code: str, kind: str = "invalid_request_error", **more: Any) -> Json:
    message = f"Something about {EMAIL} is wrong"
    return {"error": {"code": code, "message": message, "type": kind} | more}


def event(kind: str, entity: Json) -> Json:
    return {
        "id": "evt_Ee5",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1790000000,
        "data": {"object": entity},
        "livemode": False,
        "type": kind,
    }


def signed(
    body: Json | bytes, *secrets: str, at: datetime = NOW, times: str | None = None
) -> tuple[bytes, dict[str, str]]:
    """A delivery, signed once for each secret."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    second = times or str(int(at.timestamp()))
    message = second.encode() + b"." + raw
    digests = [
        hmac.new(secret.encode(), message, "sha256").hexdigest()
        for secret in secrets or (WEBHOOK_SECRET,)
    ]
    parts = [f"t={second}", *(f"v1={digest}" for digest in digests)]
    return raw, {"Stripe-Signature": ",".join(parts)}
