"""Razorpay's documented shapes, filled with values of our own."""

import hmac
import json
from typing import Any

from domain.checkouts import LinkQuery
from domain.keys import wire_key
from gateways.bodies import Json

KEY_ID = "rzp_test_4fk2mb"
KEY_SECRET = "api-secret-of-the-tests"
WEBHOOK_SECRET = "webhook-secret-of-the-tests"

ORDER = "ord_tests"
KEY = "ord_tests:link:1"
REFERENCE = wire_key(KEY)
LINK, GATEWAY_ORDER, PAYMENT = "plink_Aa1", "order_Bb2", "pay_Cc3"
REFUND_ID, REFUND, DISPUTE = "rfd_abcdefghijklmnopqrstuvwxyz", "rfnd_Ff6", "disp_Gg7"
EMAIL, PHONE = "asha@example.com", "+915550001111"

BY_KEY = LinkQuery(ORDER, "razorpay", KEY)
BY_ID = LinkQuery(ORDER, "razorpay", KEY, LINK)


def link(**changes: Any) -> Json:
    entity = {
        "accept_partial": False,
        "amount": 49900,
        "amount_paid": 0,
        "cancelled_at": 0,
        "created_at": 1790000000,
        "currency": "INR",
        "customer": [],
        "description": "Order ord_tests",
        "expire_by": 1790002700,
        "expired_at": 0,
        "id": LINK,
        "notes": {"order_id": ORDER, "key": KEY},
        "order_id": None,
        "payments": None,
        "reference_id": REFERENCE,
        "short_url": "https://rzp.test/i/Aa1",
        "status": "created",
        "updated_at": 1790000000,
        "user_id": "",
    }
    return entity | changes


def payment(**changes: Any) -> Json:
    entity = {
        "id": PAYMENT,
        "entity": "payment",
        "amount": 49900,
        "currency": "INR",
        "status": "captured",
        "order_id": GATEWAY_ORDER,
        "method": "upi",
        "amount_refunded": 0,
        "captured": True,
        "vpa": "asha@upi",
        "email": EMAIL,
        "contact": PHONE,
        "notes": {"order_id": ORDER, "key": KEY},
        "fee": 1178,
        "tax": 180,
        "error_code": None,
        "error_description": None,
        "error_reason": None,
        "created_at": 1790000060,
    }
    return entity | changes


def failed(**changes: Any) -> Json:
    said = f"Payment of {EMAIL} was declined by the bank"
    errors = {"error_code": "GATEWAY_ERROR", "error_description": said}
    reason = {"error_reason": "payment_timed_out", "status": "failed", "captured": False}
    return payment(**errors | reason | changes)


def given_back(**changes: Any) -> Json:
    """Authorized, never captured, and refunded by Razorpay itself."""
    back = {"status": "refunded", "captured": False, "refund_status": "full", "fee": None}
    return payment(**back | {"amount_refunded": 49900} | changes)


def refund(**changes: Any) -> Json:
    entity = {
        "id": REFUND,
        "entity": "refund",
        "amount": 10000,
        "currency": "INR",
        "payment_id": PAYMENT,
        "notes": {"refund_id": REFUND_ID, "order_id": ORDER},
        "receipt": REFUND_ID,
        "acquirer_data": {"arn": None},
        "created_at": 1790000120,
        "batch_id": None,
        "status": "processed",
        "speed_processed": "normal",
        "speed_requested": "normal",
    }
    return entity | changes


def dispute(**changes: Any) -> Json:
    entity = {
        "id": DISPUTE,
        "entity": "dispute",
        "payment_id": PAYMENT,
        "amount": 39000,
        "currency": "INR",
        "amount_deducted": 0,
        "reason_code": "goods_or_services_not_received",
        "respond_by": 1790400000,
        "status": "open",
        "phase": "chargeback",
        "evidence": {"summary": None},
        "created_at": 1790000200,
    }
    return entity | changes


def collection(*entities: Json) -> Json:
    return {"entity": "collection", "count": len(entities), "items": list(entities)}


def links(*entities: Json) -> Json:
    return {"payment_links": list(entities)}


def error(description: str, code: str = "BAD_REQUEST_ERROR") -> Json:
    nothing: Json = {"field": None, "source": "NA", "step": None, "reason": "NA", "metadata": []}
    return {"error": {"code": code, "description": description, **nothing}}


def event(kind: str, **entities: Json) -> Json:
    return {
        "entity": "event",
        "account_id": "acc_Dd4",
        "event": kind,
        "contains": list(entities),
        "payload": {name: {"entity": entity} for name, entity in entities.items()},
        "created_at": 1790000000,
    }


def signed(body: Json | bytes, secret: str = WEBHOOK_SECRET) -> tuple[bytes, dict[str, str]]:
    """A delivery, as the raw body and the headers that Razorpay sends with it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = hmac.new(secret.encode(), raw, "sha256").hexdigest()
    return raw, {"X-Razorpay-Signature": signature, "X-Razorpay-Event-Id": "Ee5"}
