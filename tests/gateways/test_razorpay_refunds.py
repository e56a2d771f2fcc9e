"""Razorpay's refunds: what is sent, every answer it may bring, and looking for what was lost."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import httpx
import pytest

from domain.errors import GatewayUnavailable, OutcomeUnknown, RequestRefused
from domain.keys import derived_id, new_id, wire_key
from domain.money import Money
from domain.news import EvidenceKind
from domain.ports import RefundDraft
from domain.refunds import Refund, RefundNews, RefundQuery, RefundStatus
from gateways.bodies import Json
from gateways.razorpay import Razorpay
from tests.gateways import razorpay_samples as sample
from tests.gateways.razorpay_samples import ORDER, PAYMENT, REFUND, REFUND_ID
from tests.gateways.wire import Wire, failures, reply

SEND = f"POST /v1/payments/{PAYMENT}/refund"
LIST, FETCH = f"GET /v1/payments/{PAYMENT}/refunds", f"GET /v1/refunds/{REFUND}"
FETCH_PAYMENT = f"GET /v1/payments/{PAYMENT}"

WANTED = Refund(REFUND_ID, ORDER, "razorpay", PAYMENT, Money(10000, "INR"))
BY_RECEIPT = RefundQuery(REFUND_ID, "razorpay", PAYMENT)
BY_REFERENCE = replace(BY_RECEIPT, reference=REFUND)

IN_PROGRESS = "Another request with the same idempotency key is still in progress."
OTHER_REQUEST = "Different request with the same idempotency key has already been processed."
RECEIPT_USED = "Duplicate receipt found for this refund request."
NOTHING_LEFT = "The payment has been fully refunded already."
USED_BEFORE = [(OTHER_REQUEST, 409), (OTHER_REQUEST, 400), (RECEIPT_USED, 400)]
USED_BEFORE += [("A refund with this receipt exists already", 400)]
REFUSALS = [
    "The amount must be at least INR 1.00.",
    "The refund amount provided is greater than amount captured.",
    "Refund is not supported by the bank because the payment is more than 6 months old",
    "Your account does not have enough balance to carry out the refund operation.",
    "invalid request sent",
    "A dispute of this payment is in progress",
    "The id provided does not exist",
    NOTHING_LEFT,
]
STATUSES = {
    "pending": RefundStatus.PENDING,
    "processed": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "reversed": RefundStatus.FAILED,
    "created": RefundStatus.PENDING,
    "FAILED": RefundStatus.PENDING,
}
NOT_OURS = [
    sample.refund(id="rfnd_1", receipt="Receipt No. 31", notes={"comment": REFUND_ID}),
    sample.refund(id="rfnd_2", receipt=None, notes=[]),
    sample.refund(id="rfnd_3", receipt=[], notes={"refund_id": None}),
]


@pytest.fixture
def draft(razorpay: Razorpay) -> RefundDraft:
    return razorpay.draft_refund(WANTED)


def test_a_draft_asks_for_exactly_the_refund(draft: RefundDraft) -> None:
    assert (draft.refund_id, draft.payment_reference) == (REFUND_ID, PAYMENT)
    assert draft.wire_key == wire_key(REFUND_ID)
    assert json.loads(draft.body) == {
        "amount": 10000,
        "speed": "normal",
        "receipt": REFUND_ID,
        "notes": {"refund_id": REFUND_ID, "order_id": ORDER},
    }


def test_a_draft_of_money_without_an_order_names_none(razorpay: Razorpay) -> None:
    draft = razorpay.draft_refund(replace(WANTED, order_id=None))
    assert json.loads(draft.body)["notes"] == {"refund_id": REFUND_ID}


def test_keys_and_receipts_are_of_a_form_that_is_taken(razorpay: Razorpay) -> None:
    for refund_id in (new_id("rfd"), derived_id("rfd", "client", "key")):
        draft = razorpay.draft_refund(replace(WANTED, refund_id=refund_id))
        assert len(json.loads(draft.body)["receipt"]) <= 40
        assert len(draft.wire_key) >= 10
        assert draft.wire_key.isascii()
        assert draft.wire_key.isalnum()


def test_two_refunds_of_one_amount_have_two_keys(razorpay: Razorpay) -> None:
    one, other = (razorpay.draft_refund(replace(WANTED, refund_id=name)) for name in "ab")
    assert one.wire_key != other.wire_key
    assert razorpay.draft_refund(WANTED) == razorpay.draft_refund(WANTED)


@pytest.mark.parametrize(
    "amount",
    [Money(100, "INR"), Money(1, "JPY"), Money(1250, "USD"), Money(99_990, "KWD"), Money(9, "XAU")],
)
def test_amounts_travel_in_minor_units(razorpay: Razorpay, amount: Money) -> None:
    draft = razorpay.draft_refund(replace(WANTED, amount=amount))
    assert json.loads(draft.body)["amount"] == amount.minor


@pytest.mark.parametrize(
    "amount", [Money(99, "INR"), Money(0, "USD"), Money(-1, "JPY"), Money(99_991, "KWD")]
)
def test_an_amount_that_it_does_not_give_back_is_refused(razorpay: Razorpay, amount: Money) -> None:
    with pytest.raises(RequestRefused, match=amount.currency):
        razorpay.draft_refund(replace(WANTED, amount=amount))


async def test_the_draft_is_sent_word_for_word_under_its_key(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft
) -> None:
    answer = reply(sample.refund())
    wire.on(SEND, answer)
    news = await razorpay.refund(draft)
    assert wire.calls == [SEND]
    assert wire.last.content == draft.body.encode()
    assert wire.last.headers["x-refund-idempotency"] == wire_key(REFUND_ID)
    assert wire.last.headers["content-type"] == "application/json"
    assert wire.last.headers["authorization"].startswith("Basic ")
    assert (news.gateway, news.refund_id, news.reference) == ("razorpay", REFUND_ID, REFUND)
    assert (news.payment_reference, news.amount) == (PAYMENT, Money(10000, "INR"))
    assert (news.status, news.failure) == (RefundStatus.SUCCEEDED, None)
    assert (news.evidence.kind, news.evidence.reference) == (EvidenceKind.STATUS_QUERY, SEND)
    assert news.evidence.digest == sha256(answer.content).hexdigest()


@pytest.mark.parametrize(("word", "status"), STATUSES.items())
async def test_every_word_for_a_refund_has_a_status(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft, word: str, status: RefundStatus
) -> None:
    for route in (SEND, FETCH):
        wire.on(route, reply(sample.refund(status=word)))
    wire.on(LIST, reply(sample.collection(sample.refund(status=word))))
    told = [await razorpay.refund(draft)]
    told += [news for by in (BY_RECEIPT, BY_REFERENCE) if (news := await razorpay.ask_refund(by))]
    failure = word if status is RefundStatus.FAILED else None
    assert [(news.status, news.failure) for news in told] == [(status, failure)] * 3


async def test_while_the_same_request_is_in_progress_nothing_more_happens(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft
) -> None:
    wire.on(SEND, reply(sample.error(IN_PROGRESS), 409))
    with pytest.raises(GatewayUnavailable, match="in progress"):
        await razorpay.refund(draft)
    assert wire.calls == [SEND]


@pytest.mark.parametrize(("description", "status"), [*USED_BEFORE, (NOTHING_LEFT, 400), ("", 409)])
async def test_what_is_refused_may_have_been_done_before(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft, description: str, status: int
) -> None:
    wire.on(SEND, reply(sample.error(description), status))
    wire.on(LIST, reply(sample.collection(*NOT_OURS, sample.refund())))
    news = await razorpay.refund(draft)
    assert wire.calls == [SEND, LIST]
    assert (news.status, news.reference) == (RefundStatus.SUCCEEDED, REFUND)
    assert news.evidence.reference == f"{LIST}?count=100&skip=0"


@pytest.mark.parametrize(("description", "status"), USED_BEFORE)
async def test_a_used_key_without_a_refund_is_for_a_person_to_look_at(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft, description: str, status: int
) -> None:
    conflict = reply(sample.error(description), status)
    payment = reply(sample.payment(currency="USD"))
    wire.on(SEND, conflict)
    wire.on(LIST, reply(sample.collection()))
    wire.on(FETCH_PAYMENT, payment)
    news = await razorpay.refund(draft)
    assert (news.status, news.refund_id) == (RefundStatus.NEEDS_REVIEW, REFUND_ID)
    assert (news.payment_reference, news.reference) == (PAYMENT, None)
    assert news.amount == Money(10000, "USD")
    assert description in (news.failure or "")
    assert news.evidence.reference == f"{SEND}, {FETCH_PAYMENT}"
    assert news.evidence.digest == sha256(conflict.content + payment.content).hexdigest()


async def test_a_conflict_of_another_kind_is_of_unknown_outcome(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft
) -> None:
    wire.on(SEND, reply(sample.error("Conflict"), 409))
    wire.on(LIST, reply(sample.collection()))
    with pytest.raises(OutcomeUnknown, match="409 BAD_REQUEST_ERROR: Conflict"):
        await razorpay.refund(draft)


@pytest.mark.parametrize("description", REFUSALS)
async def test_a_refusal_is_believed_when_no_refund_is_found(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft, description: str
) -> None:
    wire.on(SEND, reply(sample.error(description), 400))
    wire.on(LIST, reply(sample.collection(*NOT_OURS)), reply(sample.collection()))
    with pytest.raises(RequestRefused) as raised:
        await razorpay.refund(draft)
    said = f"POST /v1/payments/{{}}/refund: 400 BAD_REQUEST_ERROR: {description}"
    assert str(raised.value) == said


@pytest.mark.parametrize(("description", "status"), USED_BEFORE)
@pytest.mark.parametrize("blind", [LIST, FETCH_PAYMENT])
async def test_where_nobody_may_look_it_stays_unknown(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft, blind: str, description: str, status: int
) -> None:
    wire.on(SEND, reply(sample.error(description), status))
    wire.on(LIST, reply(sample.collection()))
    wire.on(blind, reply(sample.error("The id provided does not exist"), 400))
    with pytest.raises(OutcomeUnknown, match="does not exist"):
        await razorpay.refund(draft)


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (httpx.ReadTimeout("x"), OutcomeUnknown),
        (httpx.ConnectError("x"), GatewayUnavailable),
        (httpx.Response(500), OutcomeUnknown),
        (httpx.Response(429), GatewayUnavailable),
        (httpx.Response(200, json={"items": None}), OutcomeUnknown),
    ],
)
async def test_a_refusal_that_could_not_be_looked_into_is_not_believed(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft, status: int, trouble: Any, error: Any
) -> None:
    wire.on(SEND, reply(sample.error(NOTHING_LEFT), status))
    wire.on(LIST, trouble)
    with pytest.raises(error):
        await razorpay.refund(draft)


@pytest.mark.parametrize("kind", failures())
async def test_a_lost_answer_is_never_a_refusal(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft, kind: type[httpx.RequestError]
) -> None:
    wire.on(SEND, kind("x"))
    with pytest.raises((GatewayUnavailable, OutcomeUnknown)):
        await razorpay.refund(draft)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
        (504, OutcomeUnknown),
        (503, GatewayUnavailable),
        (429, GatewayUnavailable),
        (408, OutcomeUnknown),
        (302, OutcomeUnknown),
        (401, GatewayUnavailable),
        (403, GatewayUnavailable),
        (404, RequestRefused),
    ],
)
async def test_every_other_status_says_what_it_means_for_money(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft, status: int, error: type[Exception]
) -> None:
    said = "Internal server error - Failed to fetch idempotency record"
    wire.on(SEND, reply(sample.error(said, "SERVER_ERROR"), status))
    with pytest.raises(error):
        await razorpay.refund(draft)
    assert wire.calls == [SEND]


BROKEN: list[Json] = [
    {},
    sample.refund(id=None),
    sample.refund(amount=None),
    sample.refund(amount="100.00"),
    sample.refund(amount=100.0),
    sample.refund(currency="rupees"),
    sample.refund(payment_id=7),
    sample.refund(status=None),
]


@pytest.mark.parametrize("body", BROKEN)
async def test_an_answer_that_cannot_be_read_leaves_it_unknown(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft, body: Json
) -> None:
    for route in (SEND, FETCH):
        wire.on(route, reply(body))
    with pytest.raises(OutcomeUnknown, match="not understood"):
        await razorpay.refund(draft)
    with pytest.raises(OutcomeUnknown, match="not understood"):
        await razorpay.ask_refund(BY_REFERENCE)


@pytest.mark.parametrize("body", BROKEN[1:])
async def test_a_listed_refund_of_ours_that_cannot_be_read_is_not_overlooked(
    wire: Wire, razorpay: Razorpay, body: Json
) -> None:
    wire.on(LIST, reply(sample.collection(body)))
    with pytest.raises(OutcomeUnknown, match="not understood"):
        await razorpay.ask_refund(BY_RECEIPT)


@pytest.mark.parametrize(
    "body", [{}, {"items": None}, {"items": [None]}, {"count": 2, "items": [NOT_OURS[0]]}]
)
async def test_a_list_that_is_none_does_not_mean_that_there_is_no_refund(
    wire: Wire, razorpay: Razorpay, body: Json
) -> None:
    wire.on(LIST, reply(body))
    with pytest.raises(OutcomeUnknown):
        await razorpay.ask_refund(BY_RECEIPT)


@pytest.mark.parametrize(
    "echo", [{"receipt": None}, {"notes": []}, {"notes": None}, {"receipt": "Receipt No. 31"}]
)
async def test_our_receipt_or_our_note_is_enough(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft, echo: Json
) -> None:
    wire.on(SEND, reply(sample.refund(**echo)))
    wire.on(LIST, reply(sample.collection(*NOT_OURS, sample.refund(**echo))))
    for news in (await razorpay.refund(draft), await razorpay.ask_refund(BY_RECEIPT)):
        assert news
        assert (news.status, news.reference) == (RefundStatus.SUCCEEDED, REFUND)


def doubted(news: RefundNews | None) -> tuple[Any, ...]:
    assert news
    assert "the answer tells of rfnd_" in (news.failure or "")
    return news.status, news.refund_id, news.payment_reference, news.reference


async def test_an_answer_about_another_refund_is_for_a_person_to_look_at(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft
) -> None:
    review = RefundStatus.NEEDS_REVIEW
    for other in NOT_OURS:
        wire.on(SEND, reply(other))
        wire.on(FETCH, reply(other))
        assert doubted(await razorpay.refund(draft)) == (review, REFUND_ID, PAYMENT, None)
        asked = await razorpay.ask_refund(BY_REFERENCE)
        assert doubted(asked) == (review, REFUND_ID, PAYMENT, REFUND)


async def test_a_refund_of_another_payment_is_for_a_person_to_look_at(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft
) -> None:
    other, review = sample.refund(payment_id="pay_other"), RefundStatus.NEEDS_REVIEW
    for route in (SEND, FETCH):
        wire.on(route, reply(other))
    wire.on(LIST, reply(sample.collection(other)))
    assert doubted(await razorpay.refund(draft)) == (review, REFUND_ID, PAYMENT, None)
    listed, fetched = [await razorpay.ask_refund(by) for by in (BY_RECEIPT, BY_REFERENCE)]
    assert doubted(listed) == (review, REFUND_ID, PAYMENT, None)
    assert doubted(fetched) == (review, REFUND_ID, PAYMENT, REFUND)


@pytest.mark.parametrize("change", [{"amount": 9999}, {"currency": "USD"}])
async def test_another_amount_is_told_as_it_is_and_then_doubted(
    wire: Wire, razorpay: Razorpay, draft: RefundDraft, change: Json
) -> None:
    wire.on(SEND, reply(sample.refund(**change)))
    news = await razorpay.refund(draft)
    told = sample.refund(**change)
    assert news.amount == Money(told["amount"], told["currency"])
    assert WANTED.joined(news).status is RefundStatus.NEEDS_REVIEW


async def test_a_refund_is_fetched_by_its_reference(wire: Wire, razorpay: Razorpay) -> None:
    """One that was made in the dashboard bears no receipt of ours."""
    wire.on(FETCH, reply(sample.refund(receipt=None, notes=[], status="pending")))
    news = await razorpay.ask_refund(BY_REFERENCE)
    assert wire.calls == [FETCH]
    assert news
    assert (news.refund_id, news.status) == (REFUND_ID, RefundStatus.PENDING)
    assert news.evidence.reference == FETCH


@pytest.mark.parametrize("others", [[], NOT_OURS])
async def test_where_none_bears_our_receipt_there_is_none(
    wire: Wire, razorpay: Razorpay, others: list[Json]
) -> None:
    wire.on(LIST, reply(sample.collection(*others)), reply(sample.collection()))
    assert await razorpay.ask_refund(BY_RECEIPT) is None


def page(start: int, end: int, *more: Json) -> httpx.Response:
    others = [sample.refund(id=f"rfnd_{n}", receipt=f"r{n}", notes=[]) for n in range(start, end)]
    return reply(sample.collection(*others, *more))


@pytest.mark.parametrize("size", [100, 10])
async def test_every_page_is_looked_through(wire: Wire, razorpay: Razorpay, size: int) -> None:
    pages = page(0, size), page(size, 2 * size), page(2 * size, 2 * size + 1, sample.refund())
    wire.on(LIST, *pages)
    news = await razorpay.ask_refund(BY_RECEIPT)
    skips = [request.url.params["skip"] for request in wire.requests]
    assert skips == ["0", str(size), str(2 * size)]
    assert {request.url.params["count"] for request in wire.requests} == {"100"}
    assert news
    assert news.reference == REFUND
    raw = b"".join(each.content for each in pages)
    assert news.evidence.digest == sha256(raw).hexdigest()
    assert news.evidence.reference == ", ".join(f"{LIST}?count=100&skip={n}" for n in skips)


async def test_a_list_without_an_end_proves_nothing(wire: Wire, razorpay: Razorpay) -> None:
    wire.on(LIST, page(0, 100))
    with pytest.raises(OutcomeUnknown, match="without an end"):
        await razorpay.ask_refund(BY_RECEIPT)
    assert len(wire.calls) == 100


@pytest.mark.parametrize("query", [BY_RECEIPT, BY_REFERENCE])
@pytest.mark.parametrize("status", [400, 404])
async def test_a_question_that_is_refused_says_nothing_of_the_refund(
    wire: Wire, razorpay: Razorpay, query: RefundQuery, status: int
) -> None:
    refused = reply(sample.error("The id provided does not exist"), status)
    for route in (LIST, FETCH):
        wire.on(route, refused)
    with pytest.raises(OutcomeUnknown, match=f"{status} BAD_REQUEST_ERROR"):
        await razorpay.ask_refund(query)


@pytest.mark.parametrize("query", [BY_RECEIPT, BY_REFERENCE])
async def test_a_gateway_that_is_down_can_be_asked_later(
    wire: Wire, razorpay: Razorpay, query: RefundQuery
) -> None:
    for route in (LIST, FETCH):
        wire.on(route, reply({}, 503, retry_after="7"))
    with pytest.raises(GatewayUnavailable) as raised:
        await razorpay.ask_refund(query)
    assert raised.value.retry_after
