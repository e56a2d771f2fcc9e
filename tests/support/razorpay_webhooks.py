"""Webhooks as Razorpay would send them, signed with any secret, for what the simulator won't do."""

import hmac
import json
from uuid import uuid4

import httpx

from domain.keys import link_key, wire_key
from tests.support.service import Json, Service


def paid(order_id: str, *, payment_id: str | None = None, amount: int = 49900) -> Json:
    """The body of `payment_link.paid` for the order's first link."""
    payment_id = payment_id or f"pay_{uuid4().hex[:14]}"
    notes = {"order_id": order_id}
    payment = {
        "id": payment_id,
        "entity": "payment",
        "amount": amount,
        "currency": "INR",
        "status": "captured",
        "method": "upi",
        "notes": notes,
    }
    link = {
        "id": f"plink_{uuid4().hex[:14]}",
        "reference_id": wire_key(link_key(order_id, 1)),
        "amount": amount,
        "amount_paid": amount,
        "currency": "INR",
        "status": "paid",
        "notes": notes,
    }
    return event("payment_link.paid", payment_link=link, payment=payment)


def captured(order_id: str, paid_body: Json) -> Json:
    """Another event that says the same of the same payment."""
    return event("payment.captured", payment=paid_body["payload"]["payment"]["entity"])


def event(kind: str, **entities: Json) -> Json:
    payload = {name: {"entity": entity} for name, entity in entities.items()}
    return {"entity": "event", "event": kind, "payload": payload, "created_at": 1790000000}


async def deliver(
    service: Service,
    body: Json | bytes,
    *,
    event_id: str | None = None,
    secret: str | None = None,
    gateway: str = "razorpay",
) -> httpx.Response:
    """Send the event with a valid signature, unless another secret is given."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    key = (secret or service.simulator.webhook_secret).encode()
    headers = {
        "X-Razorpay-Signature": hmac.new(key, raw, "sha256").hexdigest(),
        "X-Razorpay-Event-Id": event_id or uuid4().hex[:14],
    }
    return await service.stranger.post(f"/webhooks/{gateway}", content=raw, headers=headers)
