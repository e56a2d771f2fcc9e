"""Razorpay's webhooks and callback, with the traps of its official samples."""

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from simulator.dialect import Kind, Notice, PageUrl
from simulator.razorpay.account import RazorpayAccount, new_id
from simulator.razorpay.entities import (
    LINK_STATUSES,
    dispute_entity,
    link_entity,
    order_entity,
    payment_entity,
    refund_entity,
)
from simulator.razorpay.signing import callback_signature, webhook_signature
from simulator.records import Dispute, Happening, Json, Link, LinkStatus, News, Payment, Refund

PREFIXES: dict[Kind, str] = {
    "link": "plink_",
    "order": "order_",
    "payment": "pay_",
    "refund": "rfnd_",
    "dispute": "disp_",
    "event": "",
    "settlement": "setl_",
    "adjustment": "adj_",
}


class RazorpayDialect:
    name = "razorpay"
    one_attempt = False
    takes_late_payments = True
    merchant_captures = False

    def __init__(self, account: RazorpayAccount, page_url: PageUrl) -> None:
        self._account, self._page_url = account, page_url
        self.webhook_url = account.webhook_url

    def new_id(self, kind: Kind) -> str:
        return new_id(PREFIXES[kind])

    def reference_of(self, link: Link, payment: Payment) -> str:
        return payment.id

    def notices(self, news: News, payments: Sequence[Payment]) -> list[Notice]:
        match news:
            case News(Happening.COMPLETED):
                return []
            case News(Happening.CAPTURED, link, Payment() as payment):
                return self._capture_notices(link, payments, payment)
            case News(happening, link, Payment() as payment, refund=Refund() as refund):
                return [self._refund_notice(happening, link, payment, refund)]
            case News(happening, link, Payment() as payment, dispute=Dispute() as dispute):
                return [self._dispute_notice(happening, link, payment, dispute)]
            case News(happening, link, Payment() as payment):
                entities = {"payment": payment_entity(payment, link)}
                return [self._notice(f"payment.{happening}", entities, payment.updated_at)]
        event = f"payment_link.{LINK_STATUSES[news.link.status]}"
        entities = {"payment_link": self._link(news.link, payments)}
        return [self._notice(event, entities, news.link.created_at)]

    def webhook_headers(self, event_id: str, body: bytes, *, forged: bool) -> dict[str, str]:
        secret = new_id("") if forged else self._account.webhook_secret
        return {
            "Content-Type": "application/json",
            "User-Agent": "Razorpay-Webhook/v1",
            "X-Razorpay-Event-Id": event_id,
            "X-Razorpay-Signature": webhook_signature(body, secret),
        }

    def quoting(self, order_id: str) -> Json:
        return {"notes": {"order_id": order_id}}

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
        """Three for the payment that pays a link; fewer for money that comes late or twice."""
        at, paid = payment.updated_at, {"payment": payment_entity(payment, link)}
        notices = [self._notice("payment.captured", paid, at)]
        if link.elsewhere or sum(other.captured for other in payments) > 1:
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

    def _refund_notice(
        self, happening: Happening, link: Link, payment: Payment, refund: Refund
    ) -> Notice:
        created = happening is Happening.REFUND_CREATED
        entities = {"refund": refund_entity(refund), "payment": payment_entity(payment, link)}
        # In Razorpay's samples all of a refund's envelopes bear the time it was made.
        event = "refund.created" if created else f"refund.{refund.status}"
        return self._notice(event, entities, refund.created_at)

    def _dispute_notice(
        self, happening: Happening, link: Link, payment: Payment, dispute: Dispute
    ) -> Notice:
        opened = happening is Happening.DISPUTE_OPENED
        entities = {"payment": payment_entity(payment, link), "dispute": dispute_entity(dispute)}
        event = f"payment.dispute.{'created' if opened else dispute.status}"
        return self._notice(event, entities, dispute.updated_at)

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
