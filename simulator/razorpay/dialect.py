"""Razorpay's webhooks and callback, with the traps of its official samples."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal
from urllib.parse import urlencode

from simulator.dialect import Notice, PageUrl
from simulator.razorpay.account import RazorpayAccount, new_id
from simulator.razorpay.entities import LINK_STATUSES, link_entity, order_entity, payment_entity
from simulator.razorpay.signing import callback_signature, webhook_signature
from simulator.records import Happening, Json, Link, LinkStatus, Payment, PaymentStatus

PREFIXES = {"order": "order_", "payment": "pay_", "event": ""}


class RazorpayDialect:
    name = "razorpay"

    def __init__(self, account: RazorpayAccount, page_url: PageUrl) -> None:
        self._account, self._page_url = account, page_url
        self.webhook_url = account.webhook_url

    def new_id(self, kind: Literal["order", "payment", "event"]) -> str:
        return new_id(PREFIXES[kind])

    def notices(
        self, happening: Happening, link: Link, payments: Sequence[Payment], payment: Payment | None
    ) -> list[Notice]:
        if happening is Happening.CAPTURED and payment:
            return self._capture_notices(link, payments, payment)
        if happening is Happening.FAILED and payment:
            entities = {"payment": payment_entity(payment, link)}
            return [self._notice("payment.failed", entities, payment.updated_at)]
        event = f"payment_link.{LINK_STATUSES[link.status]}"
        entities = {"payment_link": self._link(link, payments)}
        return [self._notice(event, entities, link.created_at)]

    def webhook_headers(self, event_id: str, body: bytes, *, forged: bool) -> dict[str, str]:
        secret = new_id("") if forged else self._account.webhook_secret
        return {
            "Content-Type": "application/json",
            "User-Agent": "Razorpay-Webhook/v1",
            "X-Razorpay-Event-Id": event_id,
            "X-Razorpay-Signature": webhook_signature(body, secret),
        }

    def return_url(self, link: Link, payment: Payment, *, forged: bool) -> str | None:
        if not link.return_url:
            return None
        reference, status = link.reference_id or "", LINK_STATUSES[LinkStatus.PAID]
        secret = new_id("") if forged else self._account.key_secret
        query = {
            "razorpay_payment_id": payment.id,
            "razorpay_payment_link_id": link.id,
            "razorpay_payment_link_reference_id": reference,
            "razorpay_payment_link_status": status,
            "razorpay_signature": callback_signature(
                link.id, reference, status, payment.id, secret
            ),
        }
        separator = "&" if "?" in link.return_url else "?"
        return f"{link.return_url}{separator}{urlencode(query)}"

    def _capture_notices(
        self, link: Link, payments: Sequence[Payment], payment: Payment
    ) -> list[Notice]:
        """Four for the payment that pays a link; fewer for money that comes late or twice."""
        at, paid = payment.updated_at, {"payment": payment_entity(payment, link)}
        authorized = {"payment": payment_entity(authorized_before(payment), link)}
        notices = [
            self._notice("payment.authorized", authorized, at),
            self._notice("payment.captured", paid, at),
        ]
        if sum(other.captured for other in payments) > 1:
            return notices
        order = {"order": order_entity(link, payments)}
        notices.append(self._notice("order.paid", paid | order, at))
        if link.status is LinkStatus.PAID:
            entities = {
                "payment_link": self._link(link, payments),
                **self._order_dump(order),
                **paid,
            }
            # In Razorpay's samples this envelope bears the time the link was made, not paid.
            notices.append(self._notice("payment_link.paid", entities, link.created_at))
        return notices

    def _notice(self, event: str, entities: Json, at: float) -> Notice:
        envelope = {
            "entity": "event",
            "account_id": f"acc_{self._account.merchant_id}",
            "event": event,
            "contains": list(entities),
            "payload": {name: {"entity": entity} for name, entity in entities.items()},
            "created_at": int(at),
        }
        return Notice(event, json.dumps(envelope, ensure_ascii=False).encode())

    def _link(self, link: Link, payments: Sequence[Payment]) -> Json:
        return link_entity(link, payments, self._page_url(link.id))

    def _order_dump(self, order: Json) -> Json:
        """The order inside payment_link.paid is an internal dump: its id lacks the prefix."""
        entity = order["order"]
        extra = {
            "id": entity["id"].removeprefix("order_"),
            "merchant_id": self._account.merchant_id,
            "product_type": "payment_link_v2",
            "payment_capture": True,
            "authorized": True,
        }
        return {"order": entity | extra}


def authorized_before(payment: Payment) -> Payment:
    """The payment as it was just before its capture: its snapshot has no fee yet."""
    return replace(payment, status=PaymentStatus.AUTHORIZED)
