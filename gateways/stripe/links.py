"""Stripe's Checkout Sessions: made, found, asked about, expired.

Source: https://docs.stripe.com/api/checkout/sessions, …/payments/checkout.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from domain.checkouts import LinkQuery
from domain.keys import wire_key
from domain.news import PaymentNews
from domain.payments import LinkStatus, Payment, PaymentLink, PaymentStatus
from domain.ports import LinkDraft
from gateways.base import LinkRequest
from gateways.bodies import Json, malformed_is, mapping, text, word
from gateways.http import Answer
from gateways.stripe.account import NAME, Account, evidence_of, form_of, id_of, noted
from gateways.stripe.amounts import units
from gateways.stripe.payments import INTENT, payments_from

SESSIONS = "/v1/checkout/sessions"
SESSION = "/v1/checkout/sessions/{}"
EXPIRE = "/v1/checkout/sessions/{}/expire"
CHARGES = "/v1/charges"

# Documented are 30 minutes to 24 hours; ten more and ten less, for clocks that disagree.
SHORTEST_LIFE = timedelta(minutes=40)
LONGEST_LIFE = timedelta(hours=23, minutes=50)

# Stripe puts the session's id there; encoded, the braces would stay as they are.
SESSION_ID = "{CHECKOUT_SESSION_ID}"


class Links(Account):
    """Hosted pages that customers pay on."""

    def draft_link(self, request: LinkRequest) -> LinkDraft:
        """Raises `RequestRefused` for an amount that Stripe does not take."""
        key = wire_key(request.key)
        ours = {"order_id": request.order_id, "wire_key": key}
        back = f"{request.callback_url}?{urlencode({'reference': key})}&session={SESSION_ID}"
        price = {
            "currency": request.amount.currency.lower(),
            "unit_amount": units(request.amount, "payment link"),
            "product_data": {"name": request.description},
        }
        form = form_of(
            {
                "mode": "payment",
                "client_reference_id": request.order_id,
                "metadata": ours,
                "payment_intent_data": {"description": request.description, "metadata": ours},
                "line_items": {"0": {"quantity": 1, "price_data": price}},
                "adaptive_pricing": {"enabled": "false"},
                "success_url": back,
                "expires_at": int(request.expires_at.timestamp()),
            }
        )
        return LinkDraft(request.key, key, form)

    async def create_payment_link(self, draft: LinkDraft) -> PaymentLink:
        """Sent again under its key, the same form gets the same answer for at least 24 hours.

        After that the session has ended, and the form is refused: its end lies in the past.
        """
        answer = await self._send(SESSIONS, form=draft.body, key=draft.wire_key)
        with malformed_is(answer.failure):
            return link_from(answer.body, draft.key)

    async def find_payment_link(self, key: str) -> PaymentLink | None:
        """Slow: Stripe has no look-up by our key, so its list is read until the key is found."""
        answer, session = await self._look_up(key)
        with malformed_is(answer.failure):
            return link_from(session, key) if session else None

    async def ask(self, query: LinkQuery) -> PaymentNews:
        # The session comes first: once it has ended, the charges read after it are all there are.
        answer, session = await self._session(query)
        answers, payments = [answer], tuple[Payment, ...]()
        with malformed_is(answer.failure):
            reference = id_of(session, "payment_intent") if session else None
        if reference:
            answers += [await self._http.get(INTENT, reference)]
            answers += [await self._charges(reference)]
            with malformed_is(answers[-1].failure):
                payments = payments_from(answers[1].body, answers[2].body["data"])
        status = proven_status(session, payments) if session else LinkStatus.MISSING
        return PaymentNews(NAME, query.order_id, evidence_of(answers), payments, status)

    async def close_payment_link(self, query: LinkQuery) -> None:
        reference = query.reference or await self._live_session(query)
        if reference is None:
            return
        answer = await self._send(EXPIRE, reference, form="", answers=(400,))
        if answer.status == 400 and await self._live_session(query):
            raise answer.failure

    async def _session(self, query: LinkQuery) -> tuple[Answer, Json | None]:
        """The session as it stands, if there is one under our key."""
        if query.reference is None:
            return await self._look_up(query.key)
        answer = await self._http.get(SESSION, query.reference)
        with malformed_is(answer.failure):
            return answer, ours(answer.body, query.key)

    async def _look_up(self, key: str) -> tuple[Answer, Json | None]:
        async for answer in self._pages(SESSIONS, {}):
            with malformed_is(answer.failure):
                found = next((each for each in answer.body["data"] if is_ours(each, key)), None)
            if found:
                return answer, found
        return answer, None

    async def _charges(self, intent: str) -> Answer:
        answer = await self._http.get(CHARGES, query={"payment_intent": intent, "limit": "100"})
        with malformed_is(answer.failure):
            if answer.body["has_more"]:
                raise ValueError("not the whole list")
        return answer

    async def _live_session(self, query: LinkQuery) -> str | None:
        """The id of our session, while it takes payments."""
        answer, session = await self._session(query)
        with malformed_is(answer.failure):
            is_live = session is not None and status_of(session).is_live
            return text(mapping(session), "id") if is_live else None


def link_from(session: Json, key: str) -> PaymentLink:
    """A session that has ended has no address any more."""
    status = status_of(ours(session, key))
    return PaymentLink(
        gateway=NAME,
        key=key,
        reference=text(session, "id"),
        url=text(session, "url") if status.is_live else word(session, "url") or "",
        expires_at=datetime.fromtimestamp(session["expires_at"], UTC),
        status=status,
    )


def ours(session: Json, key: str) -> Json:
    """The echo: an answer about another session is no answer."""
    if not is_ours(session, key):
        raise ValueError("a session of another key")
    return session


def is_ours(session: Json, key: str) -> bool:
    return noted(session, "wire_key") == wire_key(key)


def status_of(session: Json) -> LinkStatus:
    """Once complete, a session takes no other attempt, though its money may still be on the way."""
    said = word(session, "status")
    if said == "complete":
        return LinkStatus.PAID if word(session, "payment_status") == "paid" else LinkStatus.CLOSED
    return LinkStatus.EXPIRED if said == "expired" else LinkStatus.OPEN


def proven_status(session: Json, payments: Sequence[Payment]) -> LinkStatus:
    """A complete session is open until the payment that completed it is there to be seen."""
    status = status_of(session)
    seen = any(payment.status is PaymentStatus.CAPTURED for payment in payments)
    hidden = status is LinkStatus.PAID and not seen
    hidden |= status is LinkStatus.CLOSED and not payments
    return LinkStatus.OPEN if hidden else status
