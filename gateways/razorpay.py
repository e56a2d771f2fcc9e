"""Razorpay, Payment Links v1. Amounts travel as integers in minor units, also in yen and dinars.

Wire facts: https://razorpay.com/docs/api/payments/payment-links and …/docs/webhooks.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.checkouts import LinkQuery
from domain.errors import BadSignature, MessageNotUnderstood, OutcomeUnknown, RequestRefused
from domain.events import GatewayEvent
from domain.keys import wire_key
from domain.money import Money, decimals
from domain.news import Evidence, EvidenceKind, PaymentNews
from domain.payments import LinkStatus, Payment, PaymentLink, PaymentStatus
from domain.ports import LinkDraft
from gateways.base import Callback, Capabilities, LinkRequest
from gateways.bodies import Json, code, malformed_is, mapping, parsed, text, word
from gateways.http import Answer, GatewayClient
from gateways.signing import as_bytes, check_hmac, sha256_hex

NAME = "razorpay"
LINKS = "/v1/payment_links"
LINK = "/v1/payment_links/{}"
CANCEL = "/v1/payment_links/{}/cancel"
PAYMENTS = "/v1/orders/{}/payments"

CURRENCIES = (
    "INR AED AUD BHD CAD CHF DKK EUR GBP HKD JPY KWD MYR NOK NZD OMR QAR SAR SEK SGD THB USD ZAR"
)
LEAST = {"INR": 100}

# Documented is "more than 15 minutes"; twice that, for clocks that disagree.
SHORTEST_LIFE = timedelta(minutes=30)

PAYMENT_STATUSES = {
    "created": PaymentStatus.PENDING,
    "authorized": PaymentStatus.AUTHORIZED,
    "captured": PaymentStatus.CAPTURED,
    "refunded": PaymentStatus.CAPTURED,
    "failed": PaymentStatus.FAILED,
}
LINK_STATUSES = {
    "created": LinkStatus.OPEN,
    "partially_paid": LinkStatus.OPEN,
    "paid": LinkStatus.PAID,
    "cancelled": LinkStatus.CLOSED,
    "expired": LinkStatus.EXPIRED,
}
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
SIGNED_PARAMETERS = (
    "razorpay_payment_link_id",
    "razorpay_payment_link_reference_id",
    "razorpay_payment_link_status",
    "razorpay_payment_id",
)
EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Razorpay:
    """Payment links of one Razorpay account, test or live: the key decides."""

    name = NAME
    capabilities = Capabilities(
        currencies=frozenset(CURRENCIES.split()),
        lookup_by_order_id=True,
        can_cancel_link=True,
        shortest_link_life=SHORTEST_LIFE,
        longest_link_life=timedelta(days=180),
    )

    def __init__(
        self, *, http: GatewayClient, key_id: str, key_secret: str, webhook_secrets: Sequence[str]
    ) -> None:
        self._http = replace(http, auth=(key_id, key_secret), explain=error_text)
        self._key_secret = key_secret
        self._webhook_secrets = tuple(webhook_secrets)

    def draft_link(self, request: LinkRequest) -> LinkDraft:
        """Raises `RequestRefused` for an amount that Razorpay does not take."""
        self._check_amount(request.amount)
        key = wire_key(request.key)
        body = {
            "amount": request.amount.minor,
            "currency": request.amount.currency,
            "accept_partial": False,
            "reference_id": key,
            "description": request.description,
            "expire_by": int(request.expires_at.timestamp()),
            "callback_url": request.callback_url,
            "callback_method": "get",
            "notify": {"sms": False, "email": False},
            "reminder_enable": False,
            "notes": {"order_id": request.order_id, "key": request.key},
        }
        return LinkDraft(request.key, key, json.dumps(body))

    async def create_payment_link(self, draft: LinkDraft) -> PaymentLink:
        answer = await self._http.post(LINKS, content=draft.body, answers=(400, 429))
        if is_duplicate(answer):
            if link := await self.find_payment_link(draft.key):
                return link
            raise OutcomeUnknown(f"{answer.failure}, but there is no link of that reference")
        if is_quota(answer):
            raise RequestRefused(str(answer.failure))
        if answer.status in (400, 429):
            raise answer.failure
        with malformed_is(answer.failure):
            return link_from(answer.body, draft.key)

    async def find_payment_link(self, key: str) -> PaymentLink | None:
        answer, link = await self._look_up(key)
        with malformed_is(answer.failure):
            return link_from(link, key) if link else None

    async def ask(self, query: LinkQuery) -> PaymentNews:
        # The link comes first: once it has ended, the payments read after it are all there are.
        answer, link = await self._link(query)
        with malformed_is(answer.failure):
            order = text(link, "order_id") if link and link.get("order_id") else None
        answers, payments = [answer], tuple[Payment, ...]()
        if order:
            answers.append(await self._http.get(PAYMENTS, order))
            with malformed_is(answers[-1].failure):
                payments = payments_from(answers[-1].body)
        status = proven_status(link, payments) if link else LinkStatus.MISSING
        return PaymentNews(self.name, query.order_id, evidence_of(answers), payments, status)

    async def close_payment_link(self, query: LinkQuery) -> None:
        reference = query.reference or await self._live_link(query)
        if reference is None:
            return
        answer = await self._http.post(CANCEL, reference, content="{}", answers=(400,))
        if answer.status == 400 and await self._live_link(query):
            raise answer.failure

    def read_callback(self, parameters: Mapping[str, str]) -> Callback:
        if any(name not in parameters for name in SIGNED_PARAMETERS):
            raise BadSignature("the callback lacks what is signed")
        link, reference, status, payment = (parameters[name] for name in SIGNED_PARAMETERS)
        message = as_bytes("|".join([link, reference, status, payment]))
        check_hmac([self._key_secret], message, parameters.get("razorpay_signature"))
        return Callback(reference, link, payment or None, sha256_hex(message))

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        named = {name.lower(): value for name, value in headers.items()}
        check_hmac(self._webhook_secrets, body, named.get("x-razorpay-signature"))
        digest = sha256_hex(body)
        # The id is not covered by the signature, so it may be anything.
        event_id = named.get("x-razorpay-event-id", "")
        event_id = event_id if EVENT_ID.fullmatch(event_id) else digest
        evidence = Evidence(EvidenceKind.WEBHOOK, event_id, digest)
        with malformed_is(MessageNotUnderstood("a signed webhook that is not as documented")):
            return event_from(parsed(body), evidence)

    def _check_amount(self, amount: Money) -> None:
        if amount.currency not in self.capabilities.currencies:
            raise RequestRefused(f"no payment links in {amount.currency}")
        if amount.minor < LEAST.get(amount.currency, 1):
            raise RequestRefused(f"too little for a payment link in {amount.currency}")
        if decimals(amount.currency) == 3 and amount.minor % 10:
            raise RequestRefused(f"amounts in {amount.currency} must end in 0")

    async def _link(self, query: LinkQuery) -> tuple[Answer, Json | None]:
        """The link as it stands, if there is one under our key."""
        if query.reference is None:
            return await self._look_up(query.key)
        answer = await self._http.get(LINK, query.reference)
        with malformed_is(answer.failure):
            return answer, ours(answer.body, query.key)

    async def _look_up(self, key: str) -> tuple[Answer, Json | None]:
        answer = await self._http.get(LINKS, query={"reference_id": wire_key(key)})
        with malformed_is(answer.failure):
            links = answer.body["payment_links"]
            return answer, next((link for link in links if is_ours(link, key)), None)

    async def _live_link(self, query: LinkQuery) -> str | None:
        """The id of our link, while it takes payments."""
        answer, link = await self._link(query)
        with malformed_is(answer.failure):
            return text(link, "id") if link and status_of(link).is_live else None


def link_from(entity: Json, key: str) -> PaymentLink:
    return PaymentLink(
        gateway=NAME,
        key=key,
        reference=text(entity, "id"),
        url=text(entity, "short_url"),
        expires_at=datetime.fromtimestamp(entity["expire_by"], UTC),
        status=status_of(ours(entity, key)),
    )


def ours(entity: Json, key: str) -> Json:
    """The echo: an answer about another link is no answer."""
    if not is_ours(entity, key):
        raise ValueError("a link of another reference")
    return entity


def is_ours(entity: Json, key: str) -> bool:
    return word(entity, "reference_id") == wire_key(key)


def status_of(link: Json) -> LinkStatus:
    return LINK_STATUSES.get(word(link, "status") or "", LinkStatus.OPEN)


def proven_status(link: Json, payments: Sequence[Payment]) -> LinkStatus:
    """A link that counts money is open until the payment of that money is there to be seen."""
    status = status_of(link)
    counts_money = status is LinkStatus.PAID or bool(link.get("amount_paid"))
    seen = any(payment.status is PaymentStatus.CAPTURED for payment in payments)
    return LinkStatus.OPEN if counts_money and not seen else status


def payments_from(body: Json) -> tuple[Payment, ...]:
    """Every attempt on an order; a list that says it is longer than it is proves nothing."""
    items = body["items"]
    if body.get("count", len(items)) != len(items):
        raise ValueError("not the whole list")
    return tuple(payment_from(item) for item in items)


def payment_from(entity: Json) -> Payment:
    status = PAYMENT_STATUSES.get(text(entity, "status"), PaymentStatus.PENDING)
    reason = code(entity, "error_reason") or code(entity, "error_code")
    return Payment(
        gateway=NAME,
        reference=text(entity, "id"),
        status=status,
        amount=Money(entity["amount"], text(entity, "currency")),
        method=code(entity, "method"),
        failure=reason if status is PaymentStatus.FAILED else None,
    )


def evidence_of(answers: Sequence[Answer]) -> Evidence:
    calls = ", ".join(answer.call for answer in answers)
    digest = sha256_hex(*(answer.raw for answer in answers))
    return Evidence(EvidenceKind.STATUS_QUERY, calls, digest)


def event_from(body: Json, evidence: Evidence) -> GatewayEvent:
    kind = text(body, "event")
    link, payment, order = (
        mapping(mapping(body["payload"].get(name)).get("entity"))
        for name in ("payment_link", "payment", "order")
    )
    return GatewayEvent(
        gateway=NAME,
        event_id=evidence.reference,
        kind=kind,
        evidence=evidence,
        order_id=noted(payment) or noted(link),
        reference=word(link, "reference_id") or word(order, "receipt"),
        link_reference=text(link, "id") if kind in LINK_EVENTS else word(link, "id"),
        payment=payment_from(payment) if kind in PAYMENT_EVENTS else None,
        link=LINK_EVENTS.get(kind),
    )


def noted(entity: Json) -> str | None:
    return word(mapping(entity.get("notes")), "order_id")


def error_text(body: Json) -> str:
    error = mapping(body.get("error"))
    return ": ".join(filter(None, [word(error, "code"), word(error, "description")]))


def is_duplicate(answer: Answer) -> bool:
    """Whether a link of our reference exists or is being made; two wordings are in use."""
    said = error_text(answer.body).lower()
    return answer.status == 400 and "reference" in said and "already" in said


def is_quota(answer: Answer) -> bool:
    """Whether a test account has made all the links it may ever make."""
    said = error_text(answer.body)
    return answer.status == 429 and "RATE_LIMIT_EXCEEDED" in said and "test mode" in said
