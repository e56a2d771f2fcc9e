"""Stripe's events and the way back from its page, which nobody signs."""

import json
from collections.abc import Sequence

from simulator.alarm import Clock
from simulator.dialect import Kind, Notice, PageUrl
from simulator.records import (
    Dispute,
    Happening,
    Json,
    Link,
    News,
    Outcome,
    Payment,
    Refund,
    RefundStatus,
)
from simulator.stripe.account import VERSION, StripeAccount, new_id
from simulator.stripe.entities import (
    charge_entity,
    dispute_entity,
    intent_entity,
    intent_id,
    refund_entity,
    session_entity,
)
from simulator.stripe.signing import signature_header

SESSION_ID = "{CHECKOUT_SESSION_ID}"


class StripeDialect:
    name = "stripe"
    one_attempt = True
    takes_late_payments = False
    merchant_captures = False

    def __init__(self, account: StripeAccount, page_url: PageUrl, clock: Clock) -> None:
        self._account, self._page_url, self._clock = account, page_url, clock
        self.webhook_url = account.webhook_url
        self._live = account.is_live

    def new_id(self, kind: Kind) -> str:
        prefixes: dict[Kind, str] = {
            "link": self._account.session_prefix,
            "order": "pi_",
            "payment": "ch_",
            "refund": "re_",
            "dispute": "dp_",
            "event": "evt_",
            "settlement": "po_",
            "adjustment": "txn_",
        }
        return new_id(prefixes[kind])

    def reference_of(self, link: Link, payment: Payment) -> str:
        return intent_id(link, payment)

    def notices(self, news: News, payments: Sequence[Payment]) -> list[Notice]:
        match news:
            case News(payment=Payment() as payment, refund=Refund() as refund):
                return self._refund_notices(news.happening, news.link, payment, refund)
            case News(payment=Payment() as payment, dispute=Dispute() as dispute):
                return [self._dispute_notice(news.happening, news.link, payment, dispute)]
            case News(Happening.COMPLETED, link):
                return [self._session("completed", link, payments)]
            case News(Happening.AUTHORIZED, link):
                return self._authorized_notices(link, payments)
            case News(Happening.CAPTURED, link, Payment() as payment):
                return self._capture_notices(link, payments, payment)
            case News(Happening.FAILED, link, Payment() as payment):
                return self._failure_notices(link, payments, payment)
        return self._expiry_notices(news.link, payments)

    def webhook_headers(self, event_id: str, body: bytes, *, forged: bool) -> dict[str, str]:
        """Signed anew for every delivery, with the time of it."""
        secrets = (new_id("whsec_"),) if forged else self._account.webhook_secrets
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature_header(body, secrets, int(self._clock())),
        }

    def quoting(self, order_id: str) -> Json:
        return {"payment_intent_data": {"metadata": {"order_id": order_id}}}

    def return_url(self, link: Link, payment: Payment, *, forged: bool) -> str | None:
        """Nothing is signed, so what is forged names a session that does not exist."""
        if not link.return_url:
            return None
        session = new_id(self._account.session_prefix) if forged else link.id
        return link.return_url.replace(SESSION_ID, session)

    def _authorized_notices(self, link: Link, payments: Sequence[Payment]) -> list[Notice]:
        """Where the capture follows at once, nobody hears of the step between."""
        if any(payment.captured for payment in payments):
            return []
        return [self._intent("amount_capturable_updated", link, payments)]

    def _capture_notices(
        self, link: Link, payments: Sequence[Payment], payment: Payment
    ) -> list[Notice]:
        held = payment.outcome is Outcome.AUTHORIZED
        notices = [
            self._charge("captured" if held else "succeeded", link, payment, fee_known=False),
            self._intent("succeeded", link, payments),
            self._charge("updated", link, payment),
        ]
        if link.elsewhere or held:
            return notices
        waited = payment.outcome is Outcome.PENDING or payment.settle_at != payment.created_at
        kind = "async_payment_succeeded" if waited else "completed"
        return [*notices, self._session(kind, link, payments)]

    def _failure_notices(
        self, link: Link, payments: Sequence[Payment], payment: Payment
    ) -> list[Notice]:
        notices = [
            self._charge("failed", link, payment),
            self._intent("payment_failed", link, payments),
        ]
        if link.is_open:
            return notices
        return [*notices, self._session("async_payment_failed", link, payments)]

    def _expiry_notices(self, link: Link, payments: Sequence[Payment]) -> list[Notice]:
        notices = [self._intent("canceled", link, payments)] if payments else []
        return [*notices, self._session("expired", link, payments)]

    def _refund_notices(
        self, happening: Happening, link: Link, payment: Payment, refund: Refund
    ) -> list[Notice]:
        entity = refund_entity(refund, payment, link)
        if happening is Happening.REFUND_CREATED:
            notices = [self._notice("refund.created", entity)]
            if refund.status is not RefundStatus.FAILED:
                notices.append(self._charge("refunded", link, payment))
            return notices
        notices = [self._notice("refund.updated", entity)]
        if refund.status is RefundStatus.FAILED:
            notices.append(self._notice("refund.failed", entity))
        return notices

    def _dispute_notice(
        self, happening: Happening, link: Link, payment: Payment, dispute: Dispute
    ) -> Notice:
        entity = dispute_entity(dispute, payment, link, livemode=self._live)
        ending = "closed" if dispute.has_ended else "updated"
        opened = happening is Happening.DISPUTE_OPENED
        return self._notice(f"charge.dispute.{'created' if opened else ending}", entity)

    def _session(self, kind: str, link: Link, payments: Sequence[Payment]) -> Notice:
        url = self._page_url(link.id)
        entity = session_entity(link, payments, url, livemode=self._live)
        return self._notice(f"checkout.session.{kind}", entity)

    def _intent(self, kind: str, link: Link, payments: Sequence[Payment]) -> Notice:
        entity = intent_entity(link, payments, livemode=self._live)
        return self._notice(f"payment_intent.{kind}", entity)

    def _charge(self, kind: str, link: Link, payment: Payment, *, fee_known: bool = True) -> Notice:
        entity = charge_entity(payment, link, fee_known=fee_known, livemode=self._live)
        return self._notice(f"charge.{kind}", entity)

    def _notice(self, name: str, entity: Json) -> Notice:
        event_id = self.new_id("event")
        envelope = {
            "id": event_id,
            "object": "event",
            "api_version": VERSION,
            "created": int(self._clock()),
            "data": {"object": entity},
            "livemode": self._live,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": name,
        }
        return Notice(name, json.dumps(envelope, indent=2).encode(), event_id)
