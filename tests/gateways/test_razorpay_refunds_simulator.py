"""Captures, refunds and disputes against the simulator: a real process, no code of ours."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from domain.checkouts import LinkQuery
from domain.disputes import DisputeStatus
from domain.errors import GatewayUnavailable, OutcomeUnknown, RequestRefused
from domain.events import GatewayEvent
from domain.keys import link_key, new_id, wire_key
from domain.money import Money
from domain.payments import Payment, PaymentLink, PaymentStatus
from domain.ports import RefundDraft
from domain.refunds import Refund, RefundNews, RefundQuery, RefundStatus
from gateways.base import Gateway, LinkRequest
from gateways.razorpay import SHORTEST_LIFE
from tests.support.simulator import Simulator
from tests.support.webhook_receiver import WebhookReceiver

PRICE, PART = Money(49900, "INR"), Money(10000, "INR")

Wish = Callable[..., Refund]


@pytest.fixture(scope="module")
def razorpay(simulated: Gateway) -> Gateway:
    return simulated


@pytest.fixture
def order_id() -> str:
    return new_id("ord")


@pytest_asyncio.fixture
async def link(razorpay: Gateway, order_id: str) -> PaymentLink:
    return await new_link(razorpay, order_id)


@pytest_asyncio.fixture
async def payment(
    razorpay: Gateway, simulator: Simulator, order_id: str, link: PaymentLink
) -> Payment:
    return await paid(razorpay, simulator, order_id, link)


@pytest.fixture
def wish(order_id: str, payment: Payment) -> Wish:
    """Refunds of the payment, each under an id of its own."""
    return lambda amount=PART: Refund(
        new_id("rfd"), order_id, "razorpay", payment.reference, amount
    )


@pytest.fixture
def draft(razorpay: Gateway, wish: Wish) -> RefundDraft:
    return razorpay.draft_refund(wish())


async def new_link(razorpay: Gateway, order_id: str, amount: Money = PRICE) -> PaymentLink:
    request = LinkRequest(
        order_id=order_id,
        key=link_key(order_id, 1),
        amount=amount,
        description=f"Order {order_id}",
        callback_url="http://127.0.0.1:9/callbacks/razorpay/t0ken",
        expires_at=datetime.now(UTC) + SHORTEST_LIFE,
    )
    return await razorpay.create_payment_link(razorpay.draft_link(request))


async def paid(
    razorpay: Gateway,
    simulator: Simulator,
    order_id: str,
    link: PaymentLink,
    outcome: str = "success",
) -> Payment:
    await simulator.pay(link.url, outcome=outcome)
    return (await asked(razorpay, order_id, link))[-1]


async def asked(razorpay: Gateway, order_id: str, link: PaymentLink) -> tuple[Payment, ...]:
    query = LinkQuery(order_id, "razorpay", link.key, link.reference)
    return (await razorpay.ask(query)).payments


def by_receipt(draft: RefundDraft) -> RefundQuery:
    return RefundQuery(draft.refund_id, "razorpay", draft.payment_reference)


async def refunds_of(simulator: Simulator, order_id: str) -> list[dict[str, Any]]:
    refunds: list[dict[str, Any]] = (await simulator.ledger(order_id))["refunds"]
    return refunds


def facts(news: RefundNews | None) -> tuple[Any, ...]:
    """All but the evidence, which names the call."""
    assert news
    return news.refund_id, news.status, news.payment_reference, news.amount, news.reference


async def test_what_is_only_authorized_is_captured_once(
    razorpay: Gateway, simulator: Simulator, order_id: str, link: PaymentLink
) -> None:
    held = await paid(razorpay, simulator, order_id, link, "authorized")
    assert held.status is PaymentStatus.AUTHORIZED
    taken = await razorpay.capture(held)
    assert taken == replace(held, status=PaymentStatus.CAPTURED)
    assert await razorpay.capture(held) == taken
    assert await asked(razorpay, order_id, link) == (taken,)


async def test_what_was_given_back_is_canceled_and_not_captured_any_more(
    razorpay: Gateway, simulator: Simulator, order_id: str, link: PaymentLink
) -> None:
    held = await paid(razorpay, simulator, order_id, link, "authorized")
    await simulator.release(held.reference)
    given_back = replace(held, status=PaymentStatus.CANCELED)
    assert await asked(razorpay, order_id, link) == (given_back,)
    assert await razorpay.capture(held) == given_back


async def test_a_payment_is_captured_in_full_or_not_at_all(
    razorpay: Gateway, simulator: Simulator, order_id: str, link: PaymentLink
) -> None:
    held = await paid(razorpay, simulator, order_id, link, "authorized")
    for wrong in (PART, Money(PRICE.minor, "USD")):
        with pytest.raises(RequestRefused, match="400"):
            await razorpay.capture(replace(held, amount=wrong))
    with pytest.raises(RequestRefused, match="does not exist"):
        await razorpay.capture(replace(held, reference="pay_00000000000000"))
    assert await asked(razorpay, order_id, link) == (held,)


async def test_a_second_payment_of_a_paid_order_is_not_captured(
    razorpay: Gateway, simulator: Simulator, order_id: str, link: PaymentLink, payment: Payment
) -> None:
    await simulator.pay_late(order_id, status="authorized")
    late = next(each for each in await asked(razorpay, order_id, link) if each != payment)
    with pytest.raises(RequestRefused, match="already paid"):
        await razorpay.capture(late)


async def test_a_refund_is_sent_and_found(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: RefundDraft
) -> None:
    assert await razorpay.ask_refund(by_receipt(draft)) is None
    sent = await razorpay.refund(draft)
    assert (sent.status, sent.amount, sent.failure) == (RefundStatus.SUCCEEDED, PART, None)
    assert facts(await razorpay.ask_refund(by_receipt(draft))) == facts(sent)
    by_reference = replace(by_receipt(draft), reference=sent.reference)
    assert facts(await razorpay.ask_refund(by_reference)) == facts(sent)
    (made,) = await refunds_of(simulator, order_id)
    assert (made["id"], made["receipt"]) == (sent.reference, draft.refund_id)


async def test_the_same_draft_again_is_the_same_refund(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: RefundDraft
) -> None:
    assert await razorpay.refund(draft) == await razorpay.refund(draft)
    assert len(await refunds_of(simulator, order_id)) == 1


async def test_two_refunds_of_one_amount_are_two_until_nothing_is_left(
    razorpay: Gateway, simulator: Simulator, order_id: str, link: PaymentLink, wish: Wish
) -> None:
    for _ in range(2):
        await razorpay.refund(razorpay.draft_refund(wish()))
    with pytest.raises(RequestRefused, match="greater than amount captured"):
        await razorpay.refund(razorpay.draft_refund(wish(Money(29901, "INR"))))
    await razorpay.refund(razorpay.draft_refund(wish(Money(29900, "INR"))))
    with pytest.raises(RequestRefused, match="fully refunded already"):
        await razorpay.refund(razorpay.draft_refund(wish()))
    given_back = [refund["amount"] for refund in await refunds_of(simulator, order_id)]
    assert sorted(given_back) == [10000, 10000, 29900]
    (payment,) = await asked(razorpay, order_id, link)
    assert (payment.status, payment.amount) == (PaymentStatus.CAPTURED, PRICE)


@pytest.mark.parametrize(
    ("price", "part"),
    [
        (Money(1800, "JPY"), Money(1, "JPY")),
        (Money(295_990, "KWD"), Money(99_990, "KWD")),
        (Money(1250, "USD"), Money(1250, "USD")),
        (Money(200, "INR"), Money(100, "INR")),
    ],
)
async def test_the_simulator_gives_back_what_we_draft(
    razorpay: Gateway, simulator: Simulator, order_id: str, price: Money, part: Money
) -> None:
    link = await new_link(razorpay, order_id, price)
    payment = await paid(razorpay, simulator, order_id, link)
    refund = Refund(new_id("rfd"), order_id, "razorpay", payment.reference, part)
    news = await razorpay.refund(razorpay.draft_refund(refund))
    assert (news.status, news.amount) == (RefundStatus.SUCCEEDED, part)


async def test_a_lost_answer_leaves_one_refund_to_be_found(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: RefundDraft
) -> None:
    await simulator.faults(order_id, lost_refund_answer=1)
    with pytest.raises(OutcomeUnknown):
        await razorpay.refund(draft)
    found = await razorpay.ask_refund(by_receipt(draft))
    assert facts(found) == facts(await razorpay.refund(draft))
    assert len(await refunds_of(simulator, order_id)) == 1


async def test_while_one_is_in_progress_the_same_again_has_to_wait(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: RefundDraft
) -> None:
    await simulator.faults(order_id, slow=0.3)
    both = [razorpay.refund(draft), razorpay.refund(draft)]
    told = await asyncio.gather(*both, return_exceptions=True)
    (waits,) = [each for each in told if isinstance(each, GatewayUnavailable)]
    (sent,) = [each for each in told if isinstance(each, RefundNews)]
    assert "in progress" in str(waits)
    assert facts(await razorpay.refund(draft)) == facts(sent)
    assert len(await refunds_of(simulator, order_id)) == 1


async def test_a_key_that_stands_for_another_request_is_for_a_person_to_look_at(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: RefundDraft, wish: Wish
) -> None:
    await razorpay.refund(draft)
    other = replace(razorpay.draft_refund(wish()), wire_key=draft.wire_key)
    news = await razorpay.refund(other)
    assert facts(news) == (
        other.refund_id,
        RefundStatus.NEEDS_REVIEW,
        other.payment_reference,
        PART,
        None,
    )
    assert "Different request with the same idempotency key" in (news.failure or "")
    assert len(await refunds_of(simulator, order_id)) == 1


async def test_another_body_under_our_key_leads_to_the_refund_made_before(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: RefundDraft
) -> None:
    sent = await razorpay.refund(draft)
    again = replace(draft, body=draft.body.replace("10000", "10001"))
    assert facts(await razorpay.refund(again)) == facts(sent)
    assert len(await refunds_of(simulator, order_id)) == 1


async def test_a_used_receipt_leads_to_the_refund_made_before(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: RefundDraft
) -> None:
    """So that even a forgotten key makes no second refund."""
    sent = await razorpay.refund(draft)
    forgotten = replace(draft, wire_key=wire_key("another"))
    assert facts(await razorpay.refund(forgotten)) == facts(sent)
    assert len(await refunds_of(simulator, order_id)) == 1


async def test_a_refund_is_pending_until_it_is_not(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: RefundDraft
) -> None:
    await simulator.faults(order_id, refund_pending=True)
    sent = await razorpay.refund(draft)
    assert sent.status is RefundStatus.PENDING
    assert sent.reference
    by_reference = replace(by_receipt(draft), reference=sent.reference)
    for outcome, status in (("processed", "succeeded"), ("failed", "failed")):
        await simulator.settle_refund(sent.reference, outcome)
        for query in (by_receipt(draft), by_reference):
            news = await razorpay.ask_refund(query)
            assert news
            assert (news.status, news.reference) == (status, sent.reference)


async def test_a_refund_may_fail_at_once(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: RefundDraft
) -> None:
    await simulator.faults(order_id, refund_fails=True)
    news = await razorpay.refund(draft)
    assert (news.status, news.failure) == (RefundStatus.FAILED, "failed")


async def test_without_money_on_the_account_nothing_moves(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: RefundDraft
) -> None:
    await simulator.faults(order_id, refund_refused="balance")
    with pytest.raises(RequestRefused, match="not have enough balance"):
        await razorpay.refund(draft)
    assert await refunds_of(simulator, order_id) == []


async def test_what_was_not_captured_is_not_refunded(
    razorpay: Gateway, simulator: Simulator, order_id: str, link: PaymentLink
) -> None:
    held = await paid(razorpay, simulator, order_id, link, "authorized")
    refund = Refund(new_id("rfd"), order_id, "razorpay", held.reference, PART)
    with pytest.raises(RequestRefused, match="should be captured"):
        await razorpay.refund(razorpay.draft_refund(refund))


async def test_the_first_of_many_refunds_is_still_found(
    razorpay: Gateway, draft: RefundDraft, wish: Wish
) -> None:
    sent = await razorpay.refund(draft)
    for number in range(11):
        amount = Money(100 + number, "INR")
        await razorpay.refund(razorpay.draft_refund(wish(amount)))
    assert facts(await razorpay.ask_refund(by_receipt(draft))) == facts(sent)


async def test_what_does_not_exist_cannot_be_asked_about(
    razorpay: Gateway, draft: RefundDraft
) -> None:
    query = by_receipt(draft)
    unknown = [replace(query, reference="rfnd_0"), replace(query, payment_reference="pay_0")]
    for each in unknown:
        with pytest.raises(OutcomeUnknown, match="does not exist"):
            await razorpay.ask_refund(each)
    with pytest.raises(RequestRefused, match="does not exist"):
        await razorpay.refund(replace(draft, payment_reference="pay_0"))


async def test_trouble_at_the_gateway_is_never_a_refusal(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: RefundDraft
) -> None:
    for error, fault in (
        (OutcomeUnknown, {"server_errors": 1}),
        (GatewayUnavailable, {"rate_limited": {"times": 1, "retry_after": 3}}),
        (GatewayUnavailable, {"unavailable_for": 600}),
    ):
        await simulator.faults(order_id, **fault)
        with pytest.raises(error):
            await razorpay.refund(draft)
    assert await refunds_of(simulator, order_id) == []
    await simulator.faults(order_id)
    assert (await razorpay.refund(draft)).status is RefundStatus.SUCCEEDED


async def test_a_payment_without_an_order_is_refunded(
    razorpay: Gateway, simulator: Simulator
) -> None:
    stray = await simulator.pay_elsewhere(PRICE.minor)
    refund = Refund(new_id("rfd"), None, "razorpay", stray["id"], PRICE)
    draft = razorpay.draft_refund(refund)
    assert facts(await razorpay.refund(draft)) == facts(
        await razorpay.ask_refund(by_receipt(draft))
    )


async def told(
    razorpay: Gateway, receiver: WebhookReceiver, name: str, kind: str
) -> list[GatewayEvent]:
    """The webhooks of one kind about a payment, once there is one."""
    wanted = f'"event": "{kind}"'.encode()
    await receiver.until(
        lambda got: any(name.encode() in each.body and wanted in each.body for each in got)
    )
    mine = [each for each in receiver.received if name.encode() in each.body]
    events = [await razorpay.read_webhook(each.body, each.headers) for each in mine]
    return [event for event in events if event.kind == kind]


async def test_webhooks_tell_what_becomes_of_a_refund(
    razorpay: Gateway,
    simulator: Simulator,
    receiver: WebhookReceiver,
    order_id: str,
    draft: RefundDraft,
) -> None:
    await simulator.faults(order_id, refund_pending=True)
    sent = await razorpay.refund(draft)
    assert sent.reference
    for word, status in (("created", "pending"), ("processed", "succeeded"), ("failed", "failed")):
        if word != "created":
            await simulator.settle_refund(sent.reference, word)
        (event,) = await told(razorpay, receiver, draft.payment_reference, f"refund.{word}")
        assert facts(event.refund) == facts(await razorpay.ask_refund(by_receipt(draft)))
        assert (event.order_id, event.payment, event.link) == (order_id, None, None)
        assert event.outcome == f"{sent.reference}:{status}"


async def test_a_refund_from_the_dashboard_is_nobodys_and_can_be_asked_about(
    razorpay: Gateway,
    simulator: Simulator,
    receiver: WebhookReceiver,
    order_id: str,
    payment: Payment,
) -> None:
    made = await simulator.http.post(
        f"/v1/payments/{payment.reference}/refund",
        json={"amount": 700, "receipt": "Receipt No. 31"},
        auth=(simulator.key_id, simulator.key_secret),
    )
    (event,) = await told(razorpay, receiver, payment.reference, "refund.processed")
    assert event.refund
    assert (event.refund.refund_id, event.refund.reference) == (None, made.json()["id"])
    assert event.order_id == order_id
    query = RefundQuery("rfd_theirs", "razorpay", payment.reference, event.refund.reference)
    news = await razorpay.ask_refund(query)
    assert news
    assert (news.status, news.amount) == (RefundStatus.SUCCEEDED, Money(700, "INR"))


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("under_review", DisputeStatus.OPEN),
        ("won", DisputeStatus.WON),
        ("lost", DisputeStatus.LOST),
        ("closed", DisputeStatus.WON),
    ],
)
async def test_a_dispute_is_told_from_its_beginning_to_its_end(
    razorpay: Gateway,
    simulator: Simulator,
    receiver: WebhookReceiver,
    order_id: str,
    payment: Payment,
    outcome: str,
    status: DisputeStatus,
) -> None:
    opened = await simulator.dispute(payment.reference, reason="chargeback", amount=39000)
    (event,) = await told(razorpay, receiver, payment.reference, "payment.dispute.created")
    assert event.dispute
    assert (event.dispute.reference, event.dispute.status) == (opened["id"], DisputeStatus.OPEN)
    assert (event.dispute.amount, event.dispute.reason) == (Money(39000, "INR"), "chargeback")
    assert (event.order_id, event.payment) == (order_id, None)
    await simulator.settle_dispute(opened["id"], outcome)
    (event,) = await told(razorpay, receiver, payment.reference, f"payment.dispute.{outcome}")
    assert event.dispute
    assert (event.dispute.payment_reference, event.dispute.status) == (payment.reference, status)
