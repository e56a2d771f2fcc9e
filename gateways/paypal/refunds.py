"""PayPal's refunds: sent under a request id, looked for in the order where an answer was lost.

Source: https://developer.paypal.com/docs/api/payments/v2, there "captures_refund" and "refunds".
"""

import json
from dataclasses import replace

from domain.errors import OutcomeUnknown
from domain.keys import wire_key
from domain.news import Evidence
from domain.ports import RefundDraft
from domain.refunds import Refund, RefundNews, RefundQuery, RefundStatus
from gateways.bodies import Json, code, malformed_is, mapping, text, word
from gateways.http import Answer, in_doubt_if_refused
from gateways.paypal.account import NAME, Account, evidence_of, issues_of, up_from
from gateways.paypal.amounts import amount_of, money_from
from gateways.paypal.links import ORDER
from gateways.paypal.payments import CAPTURE

REFUND_CAPTURE = "/v2/payments/captures/{}/refund"
REFUND = "/v2/payments/refunds/{}"
OUR_PREFIX = "rfd_"
DUPLICATE = "DUPLICATE_INVOICE_ID"
MADE_BEFORE = {DUPLICATE, "CAPTURE_FULLY_REFUNDED", "REFUND_AMOUNT_EXCEEDED"}

STATUSES = {
    "PENDING": RefundStatus.PENDING,
    "COMPLETED": RefundStatus.SUCCEEDED,
    "FAILED": RefundStatus.FAILED,
    "CANCELLED": RefundStatus.FAILED,
    "REVERSED": RefundStatus.FAILED,
}


class Refunds(Account):
    """Money that goes back the way it came."""

    def draft_refund(self, refund: Refund) -> RefundDraft:
        """Raises `RequestRefused` for an amount that PayPal does not give back."""
        body = {
            "amount": amount_of(refund.amount, "a refund"),
            "custom_id": refund.refund_id,
            "invoice_id": refund.refund_id,
        }
        key = wire_key(refund.refund_id)
        return RefundDraft(refund.refund_id, refund.payment_reference, key, json.dumps(body))

    async def refund(self, draft: RefundDraft) -> RefundNews:
        answer = await self._post(
            REFUND_CAPTURE,
            draft.payment_reference,
            content=draft.body,
            key=draft.wire_key,
            answers=(422,),
        )
        if answer.status == 422:
            return await self._refused(query_of(draft), answer)
        with malformed_is(answer.failure):
            return echoed(answer.body, query_of(draft), evidence_of([answer]))

    async def ask_refund(self, query: RefundQuery) -> RefundNews | None:
        with in_doubt_if_refused():
            if query.reference is None:
                return await self._look_up_refund(query)
            answer = await self._get(REFUND, query.reference)
        with malformed_is(answer.failure):
            return echoed(answer.body, query, evidence_of([answer]))

    async def _refused(self, query: RefundQuery, answer: Answer) -> RefundNews:
        """Too little may be left of the capture because this very refund was made before."""
        issues = MADE_BEFORE.intersection(issues_of(answer.body))
        if not issues:
            raise answer.failure
        with in_doubt_if_refused():
            if found := await self._look_up_refund(query):
                return found
        if DUPLICATE in issues:
            raise OutcomeUnknown(f"{answer.failure}, but there is no such refund to be seen")
        raise answer.failure

    async def _look_up_refund(self, query: RefundQuery) -> RefundNews | None:
        """PayPal lists refunds nowhere but in the order whose capture they give back."""
        capture = await self._get(CAPTURE, query.payment_reference)
        with malformed_is(capture.failure):
            order = order_of(capture.body)
            if order is None:
                raise ValueError("a capture of no order")
        answer = await self._get(ORDER, order)
        with malformed_is(answer.failure):
            units = [mapping(unit.get("payments")) for unit in answer.body["purchase_units"]]
            refunds = [refund for paid in units for refund in paid.get("refunds") or []]
            ours = next((each for each in refunds if is_ours(each, query.refund_id)), None)
            return echoed(ours, query, evidence_of([capture, answer])) if ours else None


def query_of(draft: RefundDraft) -> RefundQuery:
    return RefundQuery(draft.refund_id, NAME, draft.payment_reference)


def order_of(capture: Json) -> str | None:
    """The order that the capture is of; some answers name it in one place, some in the other."""
    related = mapping(mapping(capture.get("supplementary_data")).get("related_ids"))
    return word(related, "order_id") or up_from(capture, "orders")


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
    status = STATUSES.get(text(entity, "status"), RefundStatus.PENDING)
    reason = code(mapping(entity.get("status_details")), "reason") or code(entity, "status")
    capture = up_from(entity, "captures")
    if capture is None:
        raise ValueError("a refund of no capture")
    return RefundNews(
        gateway=NAME,
        refund_id=our_id(entity),
        status=status,
        evidence=evidence,
        payment_reference=capture,
        amount=money_from(entity["amount"]),
        reference=text(entity, "id"),
        failure=reason if status is RefundStatus.FAILED else None,
    )


def our_id(entity: Json) -> str | None:
    """Our id, if we asked for the refund; a custom id may be anybody's."""
    names = [word(entity, "custom_id"), word(entity, "invoice_id")]
    return next((name for name in names if name and name.startswith(OUR_PREFIX)), None)


def is_ours(entity: Json, refund_id: str) -> bool:
    return refund_id in (word(entity, "custom_id"), word(entity, "invoice_id"))
