"""Razorpay's payment links: made, found, asked about, ended.

Source: https://razorpay.com/docs/api/payments/payment-links.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from domain.checkouts import LinkQuery
from domain.errors import OutcomeUnknown, RequestRefused
from domain.keys import wire_key
from domain.news import PaymentNews
from domain.payments import LinkStatus, Payment, PaymentLink, PaymentStatus
from domain.ports import LinkDraft
from gateways.base import LinkRequest
from gateways.bodies import Json, malformed_is, text, word
from gateways.http import Answer
from gateways.razorpay.account import NAME, Account, error_text, evidence_of
from gateways.razorpay.amounts import CURRENCIES, check_amount
from gateways.razorpay.payments import payments_from

LINKS = "/v1/payment_links"
LINK = "/v1/payment_links/{}"
CANCEL = "/v1/payment_links/{}/cancel"
PAYMENTS_OF_ORDER = "/v1/orders/{}/payments"

# Documented is "more than 15 minutes"; twice that, for clocks that disagree.
SHORTEST_LIFE = timedelta(minutes=30)

STATUSES = {
    "created": LinkStatus.OPEN,
    "partially_paid": LinkStatus.OPEN,
    "paid": LinkStatus.PAID,
    "cancelled": LinkStatus.CLOSED,
    "expired": LinkStatus.EXPIRED,
}


class Links(Account):
    """Hosted pages that customers pay on."""

    def draft_link(self, request: LinkRequest) -> LinkDraft:
        """Raises `RequestRefused` for an amount that Razorpay does not take."""
        if request.amount.currency not in CURRENCIES:
            raise RequestRefused(f"no payment links in {request.amount.currency}")
        check_amount(request.amount, "a payment link")
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
        answer, link = await self._look_up_link(key)
        with malformed_is(answer.failure):
            return link_from(link, key) if link else None

    async def ask(self, query: LinkQuery) -> PaymentNews:
        # The link comes first: once it has ended, the payments read after it are all there are.
        answer, link = await self._link(query)
        with malformed_is(answer.failure):
            order = text(link, "order_id") if link and link.get("order_id") else None
        answers, payments = [answer], tuple[Payment, ...]()
        if order:
            answers.append(await self._http.get(PAYMENTS_OF_ORDER, order))
            with malformed_is(answers[-1].failure):
                payments = payments_from(answers[-1].body)
        status = proven_status(link, payments) if link else LinkStatus.MISSING
        return PaymentNews(NAME, query.order_id, evidence_of(answers), payments, status)

    async def close_payment_link(self, query: LinkQuery) -> None:
        reference = query.reference or await self._live_link(query)
        if reference is None:
            return
        answer = await self._http.post(CANCEL, reference, content="{}", answers=(400,))
        if answer.status == 400 and await self._live_link(query):
            raise answer.failure

    async def _link(self, query: LinkQuery) -> tuple[Answer, Json | None]:
        """The link as it stands, if there is one under our key."""
        if query.reference is None:
            return await self._look_up_link(query.key)
        answer = await self._http.get(LINK, query.reference)
        with malformed_is(answer.failure):
            return answer, ours(answer.body, query.key)

    async def _look_up_link(self, key: str) -> tuple[Answer, Json | None]:
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
    return STATUSES.get(word(link, "status") or "", LinkStatus.OPEN)


def proven_status(link: Json, payments: Sequence[Payment]) -> LinkStatus:
    """A link that counts money is open until the payment of that money is there to be seen."""
    status = status_of(link)
    counts_money = status is LinkStatus.PAID or bool(link.get("amount_paid"))
    seen = any(payment.status is PaymentStatus.CAPTURED for payment in payments)
    return LinkStatus.OPEN if counts_money and not seen else status


def is_duplicate(answer: Answer) -> bool:
    """Whether a link of our reference exists or is being made; two wordings are in use."""
    said = error_text(answer.body).lower()
    return answer.status == 400 and "reference" in said and "already" in said


def is_quota(answer: Answer) -> bool:
    """Whether a test account has made all the links it may ever make."""
    said = error_text(answer.body)
    return answer.status == 429 and "RATE_LIMIT_EXCEEDED" in said and "test mode" in said
