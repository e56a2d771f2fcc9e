"""PayPal's orders: made, asked about, captured once the customer approved. Nothing ends them.

Source: https://developer.paypal.com/docs/api/orders/v2.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from domain.checkouts import LinkQuery
from domain.errors import OutcomeUnknown
from domain.keys import wire_key
from domain.news import Evidence, EvidenceKind, PaymentNews
from domain.payments import LinkStatus, Payment, PaymentLink, PaymentStatus
from domain.ports import LinkDraft
from gateways.base import LinkRequest
from gateways.bodies import Json, malformed_is, mapping, text, word
from gateways.http import Answer
from gateways.paypal.account import NAME, Account, evidence_of, issues_of
from gateways.paypal.amounts import amount_of, money_from
from gateways.paypal.payments import payment_from

ORDERS = "/v2/checkout/orders"
ORDER = "/v2/checkout/orders/{}"
CAPTURE = "/v2/checkout/orders/{}/capture"
PAGES = ("payer-action", "approve")

# The shortest of the times that PayPal's pages name for an order to be approved and captured.
LIFE = timedelta(hours=3)

APPROVED, COMPLETED = "APPROVED", "COMPLETED"
ALREADY_CAPTURED = "ORDER_ALREADY_CAPTURED"
NOT_APPROVED = "ORDER_NOT_APPROVED"
STILL_AT_IT = {"ORDER_COMPLETION_IN_PROGRESS", "ORDER_PREVIOUSLY_IN_PROGRESS"}
DECLINES = {
    "COMPLIANCE_VIOLATION",
    "INSTRUMENT_DECLINED",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
    "PAYEE_BLOCKED_TRANSACTION",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
    "PAYER_ACCOUNT_RESTRICTED",
    "PAYER_ACTION_REQUIRED",
    "PAYER_CANNOT_PAY",
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING",
    "TRANSACTION_BLOCKED_BY_PAYEE",
    "TRANSACTION_REFUSED",
}


class Links(Account):
    """Hosted pages that customers approve payments on."""

    def draft_link(self, request: LinkRequest) -> LinkDraft:
        """Raises `RequestRefused` for an amount that PayPal does not take."""
        key = wire_key(request.key)
        unit = {
            "custom_id": request.order_id,
            "invoice_id": key,
            "description": request.description,
            "amount": amount_of(request.amount, "a payment link"),
        }
        experience = {
            "return_url": request.callback_url,
            "cancel_url": request.callback_url,
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
            "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
        }
        body = {
            "intent": "CAPTURE",
            "purchase_units": [unit],
            "payment_source": {"paypal": {"experience_context": experience}},
        }
        return LinkDraft(request.key, key, json.dumps(body))

    async def create_payment_link(self, draft: LinkDraft) -> PaymentLink:
        answer = await self._post(ORDERS, content=draft.body, key=draft.wire_key)
        with malformed_is(answer.failure):
            return link_from(answer.body, draft.key)

    async def ask(self, query: LinkQuery) -> PaymentNews:
        """An order that PayPal does not know any more has run out; it keeps them for hours."""
        if query.reference is None:
            refused = Evidence(EvidenceKind.STATUS_QUERY, f"no order was made under {query.key}")
            return PaymentNews(NAME, query.order_id, refused, link=LinkStatus.MISSING)
        answer = await self._get(ORDER, query.reference, answers=(404,))
        if answer.status == 404:
            evidence = evidence_of([answer])
            return PaymentNews(NAME, query.order_id, evidence, link=LinkStatus.EXPIRED)
        return news_from(answer, query)

    async def close_payment_link(self, query: LinkQuery) -> None:
        """Nothing ends an order but its time; that we do not capture it makes it powerless."""

    async def capture_link(self, query: LinkQuery, key: str) -> PaymentNews:
        """An order is captured once, whatever the key; who comes second looks what became of it."""
        if query.reference is None:
            return await self.ask(query)
        answer = await self._post(
            CAPTURE, query.reference, content="{}", key=wire_key(key), answers=(422,)
        )
        if answer.status != 422:
            return news_from(answer, query)
        issues = set(issues_of(answer.body))
        if issues & STILL_AT_IT:
            raise OutcomeUnknown(str(answer.failure))
        if issues & DECLINES:
            return await self._declined(query, answer, issues & DECLINES)
        if not issues & {ALREADY_CAPTURED, NOT_APPROVED}:
            raise answer.failure
        news = await self.ask(query)
        if ALREADY_CAPTURED in issues and not news.payments:
            raise OutcomeUnknown(f"{answer.failure}, but there is no capture to be seen")
        return news

    async def _declined(self, query: LinkQuery, answer: Answer, issues: set[str]) -> PaymentNews:
        """A capture that was declined has no name of its own: it goes by its order's."""
        assert query.reference
        looked = await self._get(ORDER, query.reference)
        news = news_from(looked, query)
        with malformed_is(looked.failure):
            amount = money_from(unit_of(looked.body)["amount"])
        reason, failed = min(issues), PaymentStatus.FAILED
        payment = Payment(NAME, query.reference, failed, amount, NAME, reason)
        evidence = evidence_of([answer, looked])
        return replace(news, evidence=evidence, payments=(*news.payments, payment))


def link_from(order: Json, key: str) -> PaymentLink:
    unit_of(order, key)
    pages = {link["rel"]: link["href"] for link in order["links"]}
    return PaymentLink(
        gateway=NAME,
        key=key,
        reference=text(order, "id"),
        url=next(pages[name] for name in PAGES if pages.get(name)),
        expires_at=datetime.fromisoformat(text(order, "create_time")) + LIFE,
        status=LinkStatus.OPEN,
    )


def news_from(answer: Answer, query: LinkQuery) -> PaymentNews:
    order = answer.body
    with malformed_is(answer.failure):
        if text(order, "id") != query.reference:
            raise ValueError("another order")
        payments = payments_of(unit_of(order, query.key))
        status = status_of(order, payments)
    return PaymentNews(
        NAME,
        query.order_id,
        evidence_of([answer]),
        payments,
        status,
        awaits_capture=order.get("status") == APPROVED and status.is_live,
    )


def unit_of(order: Json, key: str | None = None) -> Json:
    """The one thing that is paid with the order. The echo: it must be the one of our key."""
    unit: Json = order["purchase_units"][0]
    if key and word(unit, "invoice_id") != wire_key(key):
        raise ValueError("an order of another reference")
    return unit


def payments_of(unit: Json) -> tuple[Payment, ...]:
    captures = mapping(unit.get("payments")).get("captures") or []
    return tuple(payment_from(each) for each in captures)


def status_of(order: Json, payments: Sequence[Payment]) -> LinkStatus:
    """An order that is completed is over only once its captures are there to be seen."""
    said = text(order, "status")
    if said == "VOIDED":
        return LinkStatus.CLOSED
    if said != COMPLETED or not payments:
        return LinkStatus.OPEN
    failed = all(payment.status is PaymentStatus.FAILED for payment in payments)
    return LinkStatus.CLOSED if failed else LinkStatus.PAID
