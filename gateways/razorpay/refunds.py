"""Razorpay's refunds: sent under a key, looked for by our receipt when an answer is lost.

Source: https://razorpay.com/docs/api/refunds, there "Create a Normal Refund (Idempotent Request)".
"""

import json
from dataclasses import replace

from domain.errors import GatewayUnavailable, OutcomeUnknown
from domain.keys import wire_key
from domain.money import Money
from domain.news import Evidence
from domain.ports import RefundDraft
from domain.refunds import Refund, RefundNews, RefundQuery, RefundStatus
from gateways.bodies import Json, malformed_is, parsed, text, word
from gateways.http import Answer, in_doubt_if_refused
from gateways.razorpay.account import NAME, Account, error_text, evidence_of, items_of, noted
from gateways.razorpay.amounts import check_amount
from gateways.razorpay.payments import fetched_payment

REFUND_PAYMENT = "/v1/payments/{}/refund"
REFUNDS_OF_PAYMENT = "/v1/payments/{}/refunds"
REFUND = "/v1/refunds/{}"
KEY_HEADER = "X-Refund-Idempotency"
OUR_PREFIX = "rfd_"
PAGE, MOST = 100, 10_000

# `reversed` is named in …/docs/payments/refunds/faqs: the money came back to the merchant.
STATUSES = {
    "pending": RefundStatus.PENDING,
    "processed": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "reversed": RefundStatus.FAILED,
}


class Refunds(Account):
    """Money that goes back the way it came."""

    def draft_refund(self, refund: Refund) -> RefundDraft:
        """Raises `RequestRefused` for an amount that Razorpay does not give back."""
        check_amount(refund.amount, "a refund")
        notes = {"refund_id": refund.refund_id, "order_id": refund.order_id}
        body = {
            "amount": refund.amount.minor,
            "speed": "normal",
            "receipt": refund.refund_id,
            "notes": {name: value for name, value in notes.items() if value},
        }
        key = wire_key(refund.refund_id)
        return RefundDraft(refund.refund_id, refund.payment_reference, key, json.dumps(body))

    async def refund(self, draft: RefundDraft) -> RefundNews:
        answer = await self._http.post(
            REFUND_PAYMENT,
            draft.payment_reference,
            content=draft.body,
            headers={KEY_HEADER: draft.wire_key},
            answers=(400, 409),
        )
        if is_in_progress(answer):
            raise GatewayUnavailable(str(answer.failure))
        if is_used_before(answer) or answer.status == 409:
            return await self._in_conflict(draft, answer)
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

    async def _in_conflict(self, draft: RefundDraft, answer: Answer) -> RefundNews:
        """Something was done under our key or receipt: it is looked for."""
        with in_doubt_if_refused():
            if found := await self._look_up_refund(query_of(draft)):
                return found
            if is_used_before(answer):
                return await self._unclear(draft, answer)
        raise OutcomeUnknown(str(answer.failure))

    async def _refused(self, draft: RefundDraft, answer: Answer) -> RefundNews:
        """Too little may be left of the payment because this very refund was made before."""
        if found := await self._look_up_refund(query_of(draft)):
            return found
        raise answer.failure

    async def _look_up_refund(self, query: RefundQuery) -> RefundNews | None:
        """The refund that bears our receipt or note; the latest refunds come first."""
        answers: list[Answer] = []
        seen = 0
        while seen < MOST:
            page = {"count": str(PAGE), "skip": str(seen)}
            answer = await self._http.get(REFUNDS_OF_PAYMENT, query.payment_reference, query=page)
            answers.append(answer)
            with malformed_is(answer.failure):
                items = items_of(answer.body)
                ours = next((item for item in items if is_ours(item, query.refund_id)), None)
                if ours is not None:
                    return echoed(ours, query, evidence_of(answers))
            if not items:
                return None
            seen += len(items)
        raise OutcomeUnknown(f"GET {REFUNDS_OF_PAYMENT}: a list without an end")

    async def _unclear(self, draft: RefundDraft, answer: Answer) -> RefundNews:
        """The key was used, yet no refund is found: money may have moved, and nobody can tell."""
        looked, payment = await fetched_payment(self._http, draft.payment_reference)
        return RefundNews(
            gateway=NAME,
            refund_id=draft.refund_id,
            status=RefundStatus.NEEDS_REVIEW,
            evidence=evidence_of([answer, looked]),
            payment_reference=draft.payment_reference,
            amount=Money(parsed(draft.body.encode())["amount"], payment.amount.currency),
            failure=str(answer.failure),
        )


def query_of(draft: RefundDraft) -> RefundQuery:
    return RefundQuery(draft.refund_id, NAME, draft.payment_reference)


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
    return RefundNews(
        gateway=NAME,
        refund_id=our_id(entity),
        status=status,
        evidence=evidence,
        payment_reference=text(entity, "payment_id"),
        amount=Money(entity["amount"], text(entity, "currency")),
        reference=text(entity, "id"),
        failure=said if status is RefundStatus.FAILED else None,
    )


def our_id(entity: Json) -> str | None:
    """Our id, if we asked for the refund; a receipt may be anybody's."""
    names = [noted(entity, "refund_id"), word(entity, "receipt")]
    return next((name for name in names if name and name.startswith(OUR_PREFIX)), None)


def is_ours(entity: Json, refund_id: str) -> bool:
    return refund_id in (word(entity, "receipt"), noted(entity, "refund_id"))


def is_in_progress(answer: Answer) -> bool:
    """Whether the same request is being dealt with at this moment; there are two kinds of 409."""
    return answer.status == 409 and "in progress" in error_text(answer.body).lower()


def is_used_before(answer: Answer) -> bool:
    """Whether our key or receipt stands for another request; the pages disagree on 400 or 409."""
    said = error_text(answer.body).lower()
    repeated = "already" in said or "duplicate" in said
    return repeated and ("idempotency" in said or "receipt" in said)
