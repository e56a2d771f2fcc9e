"""Stripe's refunds: sent under a key, looked for by our id when an answer is lost.

Source: https://docs.stripe.com/api/refunds, …/refunds.
"""

from dataclasses import replace
from urllib.parse import parse_qsl

from domain.keys import wire_key
from domain.money import Money
from domain.news import Evidence
from domain.ports import RefundDraft
from domain.refunds import Refund, RefundNews, RefundQuery, RefundStatus
from gateways.bodies import Json, code, malformed_is, mapping, text, word
from gateways.http import Answer, in_doubt_if_refused
from gateways.stripe.account import NAME, Account, evidence_of, form_of, id_of, noted
from gateways.stripe.amounts import money, units
from gateways.stripe.payments import INTENT, same_payment

REFUNDS = "/v1/refunds"
REFUND = "/v1/refunds/{}"
OUR_PREFIX = "rfd_"

STATUSES = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


class Refunds(Account):
    """Money that goes back the way it came."""

    def draft_refund(self, refund: Refund) -> RefundDraft:
        """Raises `RequestRefused` for an amount that Stripe does not give back."""
        notes = {"refund_id": refund.refund_id, "order_id": refund.order_id}
        fields = {
            "payment_intent": refund.payment_reference,
            "amount": units(refund.amount, "refund"),
            "metadata": {name: value for name, value in notes.items() if value},
        }
        key = wire_key(refund.refund_id)
        return RefundDraft(refund.refund_id, refund.payment_reference, key, form_of(fields))

    async def refund(self, draft: RefundDraft) -> RefundNews:
        answer = await self._send(REFUNDS, form=draft.body, key=draft.wire_key, answers=(400,))
        if answer.status == 400:
            return await self._refused(draft, answer)
        with malformed_is(answer.failure):
            return echoed(answer.body, query_of(draft), evidence_of([answer]))

    async def ask_refund(self, query: RefundQuery) -> RefundNews | None:
        with in_doubt_if_refused():
            if query.reference is None:
                return await self._look_up_refund(query)
            answer = await self._http.get(REFUND, query.reference)
        with malformed_is(answer.failure):
            return echoed(answer.body, query, evidence_of([answer]))

    async def _refused(self, draft: RefundDraft, answer: Answer) -> RefundNews:
        """Too little may be left of the payment because this very refund was made before."""
        with in_doubt_if_refused():
            if found := await self._look_up_refund(query_of(draft)):
                return found
        if is_key_reused(answer):
            return await self._unclear(draft, answer)
        raise answer.failure

    async def _look_up_refund(self, query: RefundQuery) -> RefundNews | None:
        """The refund that bears our id; the latest refunds come first."""
        answers: list[Answer] = []
        async for answer in self._pages(REFUNDS, {"payment_intent": query.payment_reference}):
            answers.append(answer)
            with malformed_is(answer.failure):
                items = answer.body["data"]
                ours = next((item for item in items if is_ours(item, query.refund_id)), None)
                if ours is not None:
                    return echoed(ours, query, evidence_of(answers))
        return None

    async def _unclear(self, draft: RefundDraft, answer: Answer) -> RefundNews:
        """The key was used, yet no refund is found: money may have moved, and nobody can tell."""
        looked = await self._http.get(INTENT, draft.payment_reference)
        payment = same_payment(looked, draft.payment_reference)
        return RefundNews(
            gateway=NAME,
            refund_id=draft.refund_id,
            status=RefundStatus.NEEDS_REVIEW,
            evidence=evidence_of([answer, looked]),
            payment_reference=draft.payment_reference,
            amount=asked_for(draft, payment.amount.currency),
            failure=str(answer.failure),
        )


def query_of(draft: RefundDraft) -> RefundQuery:
    return RefundQuery(draft.refund_id, NAME, draft.payment_reference)


def asked_for(draft: RefundDraft, currency: str) -> Money:
    return money(int(dict(parse_qsl(draft.body))["amount"]), currency)


def echoed(entity: Json, query: RefundQuery, evidence: Evidence) -> RefundNews:
    """The news of the refund that was asked about; what speaks of another needs a person."""
    news = replace(refund_from(entity, evidence), refund_id=query.refund_id)
    known = query.reference
    is_same = news.reference == known if known else is_ours(entity, query.refund_id)
    if is_same and news.payment_reference == query.payment_reference:
        return news
    what = "of another payment" if is_same else "another refund"
    return replace(
        news,
        status=RefundStatus.NEEDS_REVIEW,
        payment_reference=query.payment_reference,
        reference=known,
        failure=f"the answer tells of {news.reference}, {what}",
    )


def refund_from(entity: Json, evidence: Evidence) -> RefundNews:
    said = text(entity, "status")
    status = STATUSES.get(said, RefundStatus.PENDING)
    reason = code(entity, "failure_reason") or said
    return RefundNews(
        gateway=NAME,
        refund_id=our_id(entity),
        status=status,
        evidence=evidence,
        payment_reference=id_of(entity, "payment_intent") or text(entity, "charge"),
        amount=money(entity["amount"], text(entity, "currency")),
        reference=text(entity, "id"),
        failure=reason if status is RefundStatus.FAILED else None,
    )


def our_id(entity: Json) -> str | None:
    """Our id, if we asked for the refund; metadata may hold anybody's."""
    name = noted(entity, "refund_id") or ""
    return name if name.startswith(OUR_PREFIX) else None


def is_ours(entity: Json, refund_id: str) -> bool:
    return noted(entity, "refund_id") == refund_id


def is_key_reused(answer: Answer) -> bool:
    """Whether our key stands for another request."""
    return word(mapping(answer.body.get("error")), "type") == "idempotency_error"
