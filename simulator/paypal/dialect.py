"""PayPal's events, and the way back from its page, which nobody signs."""

import json
from collections.abc import Sequence
from functools import cache
from urllib.parse import urlencode
from uuid import uuid4

from simulator.alarm import Clock
from simulator.dialect import Kind, Notice, PageUrl
from simulator.paypal.account import PayPalAccount, new_event_id, new_id
from simulator.paypal.api import CERTIFICATE
from simulator.paypal.entities import Entities, moment
from simulator.paypal.signing import Identity, new_identity, transmission
from simulator.records import (
    Dispute,
    Happening,
    Json,
    Link,
    News,
    Payment,
    Refund,
    RefundStatus,
)

REFUND_EVENTS = {
    RefundStatus.PENDING: "PAYMENT.REFUND.PENDING",
    RefundStatus.PROCESSED: "PAYMENT.CAPTURE.REFUNDED",
    RefundStatus.FAILED: "PAYMENT.REFUND.FAILED",
}


class PayPalDialect:
    name = "paypal"
    one_attempt = False
    takes_late_payments = False
    merchant_captures = True

    def __init__(
        self,
        account: PayPalAccount,
        identity: Identity,
        page_url: PageUrl,
        api_url: str,
        clock: Clock,
    ) -> None:
        self._account, self._identity, self._clock = account, identity, clock
        self._page_url, self._api_url, self._entities = page_url, api_url, Entities(api_url)
        self.webhook_url = account.webhook_url

    def new_id(self, kind: Kind) -> str:
        if kind == "event":
            return new_event_id()
        return f"PP-D-{new_id()[:5]}" if kind == "dispute" else new_id()

    def reference_of(self, link: Link, payment: Payment) -> str:
        return payment.id

    def notices(self, news: News, payments: Sequence[Payment]) -> list[Notice]:
        match news:
            case News(refund=Refund() as refund):
                return self._refund_notices(news.happening, refund)
            case News(dispute=Dispute() as dispute):
                return [self._dispute_notice(news.happening, news.link, dispute)]
            case News(Happening.APPROVED, link):
                return [self._order("APPROVED", link, payments)]
            case News(Happening.COMPLETED, link, Payment() as payment):
                return [self._capture("PENDING", link, payment)]
            case News(Happening.CAPTURED, link, Payment() as payment):
                completed = self._capture("COMPLETED", link, payment)
                return (
                    [completed]
                    if link.elsewhere
                    else [
                        completed,
                        self._order("COMPLETED", link, payments),
                    ]
                )
            case News(Happening.FAILED, link, Payment() as payment) if not link.is_open:
                return [self._capture("DECLINED", link, payment)]
        return []

    def webhook_headers(self, event_id: str, body: bytes, *, forged: bool) -> dict[str, str]:
        """Each delivery is a transmission of its own; a forger has a key, but no certificate."""
        return transmission(
            forger() if forged else self._identity,
            body,
            self._account.webhook_id,
            f"{self._api_url}{CERTIFICATE}",
            str(uuid4()),
            self._clock(),
        )

    def quoting(self, order_id: str) -> Json:
        return {"purchase_units": [{"custom_id": order_id}]}

    def return_url(self, link: Link, payment: Payment, *, forged: bool) -> str | None:
        """Nothing is signed, so what is forged names an order that does not exist."""
        if not link.return_url:
            return None
        order = new_id() if forged else link.id
        return f"{link.return_url}?{urlencode({'token': order, 'PayerID': 'SIMULATED2PAYR'})}"

    def _refund_notices(self, happening: Happening, refund: Refund) -> list[Notice]:
        """Only what a refund has become is told, or that it takes its time."""
        entity = self._entities.refund(refund)
        opened = happening is Happening.REFUND_CREATED
        if opened and refund.status is not RefundStatus.PENDING:
            return []
        return [self._notice(REFUND_EVENTS[refund.status], "refund", entity)]

    def _dispute_notice(self, happening: Happening, link: Link, dispute: Dispute) -> Notice:
        ending = "RESOLVED" if dispute.has_ended else "UPDATED"
        kind = "CREATED" if happening is Happening.DISPUTE_OPENED else ending
        entity = self._entities.dispute(dispute, link)
        return self._notice(f"CUSTOMER.DISPUTE.{kind}", "dispute", entity)

    def _order(self, kind: str, link: Link, payments: Sequence[Payment]) -> Notice:
        entity = self._entities.order(link, payments, self._page_url(link.id))
        return self._notice(f"CHECKOUT.ORDER.{kind}", "checkout-order", entity)

    def _capture(self, kind: str, link: Link, payment: Payment) -> Notice:
        entity = self._entities.capture(payment, link)
        return self._notice(f"PAYMENT.CAPTURE.{kind}", "capture", entity)

    def _notice(self, name: str, kind: str, entity: Json) -> Notice:
        event_id = new_event_id()
        envelope = {
            "id": event_id,
            "event_version": "1.0",
            "create_time": moment(self._clock()),
            "resource_type": kind,
            "resource_version": "2.0",
            "event_type": name,
            "summary": name.replace(".", " ").capitalize(),
            "resource": entity,
            "links": [],
        }
        return Notice(name, json.dumps(envelope).encode(), event_id)


@cache
def forger() -> Identity:
    """Somebody with a key of their own."""
    return new_identity()
