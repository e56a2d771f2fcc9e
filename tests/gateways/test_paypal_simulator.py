"""PayPal's adapter against the simulator, a real process that shares no code with it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio

from domain.checkouts import LinkQuery
from domain.disputes import DisputeStatus
from domain.errors import (
    BadSignature,
    FileRefused,
    GatewayUnavailable,
    OutcomeUnknown,
    RequestRefused,
)
from domain.events import GatewayEvent
from domain.keys import capture_key, link_key, new_id, wire_key
from domain.money import Money
from domain.news import PaymentNews
from domain.payments import LinkStatus, PaymentLink, PaymentStatus
from domain.ports import LinkDraft
from domain.reconciliations import Period
from domain.refunds import Refund, RefundQuery, RefundStatus
from domain.settlements import START, Report
from gateways.base import LinkRequest
from gateways.http import GatewayClient, connection
from gateways.paypal import PayPal
from tests.support.simulator import Simulator, running_simulator
from tests.support.webhook_receiver import WebhookReceiver

PRICE = Money(1250, "USD")
CALLBACK = "http://127.0.0.1:9/callbacks/paypal/t0ken"


@pytest_asyncio.fixture(scope="module")
async def simulator(receiver: WebhookReceiver) -> AsyncIterator[Simulator]:
    async with running_simulator(paypal_webhook_url=receiver.url, retry_base=0.1) as running:
        yield running


@pytest_asyncio.fixture
async def connected(simulator: Simulator) -> AsyncIterator[Callable[..., PayPal]]:
    """PayPal as the simulator plays it; keywords change the options."""
    async with connection(simulator.paypal_url) as http:

        def made(**options: Any) -> PayPal:
            known: dict[str, Any] = {
                "client_id": simulator.paypal_client_id,
                "client_secret": simulator.paypal_client_secret,
                "webhook_ids": ["THE-ONE-BEFORE", simulator.paypal_webhook_id],
                "certificates_at": simulator.paypal_url,
                "ca": simulator.paypal_ca,
            }
            return PayPal(http=GatewayClient(http), **known | options)

        yield made


@pytest.fixture
def paypal(connected: Callable[..., PayPal]) -> PayPal:
    return connected()


@pytest.fixture
def order_id() -> str:
    return new_id("ord")


@pytest.fixture
def draft(paypal: PayPal, order_id: str) -> LinkDraft:
    return paypal.draft_link(wish(order_id))


@pytest_asyncio.fixture
async def link(paypal: PayPal, draft: LinkDraft) -> PaymentLink:
    return await paypal.create_payment_link(draft)


@pytest.fixture
def query(order_id: str, link: PaymentLink) -> LinkQuery:
    return LinkQuery(order_id, "paypal", link.key, link.reference)


@pytest_asyncio.fixture
async def paid(
    paypal: PayPal, simulator: Simulator, link: PaymentLink, query: LinkQuery
) -> PaymentNews:
    await simulator.pay(link.url)
    return await paypal.capture_link(query, capture_key(link.key, 1))


def wish(order_id: str, amount: Money = PRICE, attempt: int = 1) -> LinkRequest:
    return LinkRequest(
        order_id=order_id,
        key=link_key(order_id, attempt),
        amount=amount,
        description=f"Order {order_id}",
        callback_url=CALLBACK,
        expires_at=datetime.now(UTC) + timedelta(minutes=15),
    )


async def read(paypal: PayPal, receiver: WebhookReceiver, order_id: str, kind: str) -> GatewayEvent:
    """The event of that kind, as soon as the receiver has it."""
    await receiver.until(
        lambda _: any(each.json["event_type"] == kind for each in receiver.so_far(order_id))
    )
    (found, *_) = [e for e in receiver.so_far(order_id) if e.json["event_type"] == kind]
    return await paypal.read_webhook(found.body, found.headers)


# Links -----------------------------------------------------------------------------------------


async def test_a_link_is_made(link: PaymentLink, simulator: Simulator) -> None:
    assert link.url == f"{simulator.base_url}/pay/{link.reference}"
    assert link.status is LinkStatus.OPEN
    life = link.expires_at - datetime.now(UTC)
    assert timedelta(hours=2, minutes=59) < life <= timedelta(hours=3)


async def test_the_same_draft_again_is_the_same_link(
    paypal: PayPal, draft: LinkDraft, link: PaymentLink, simulator: Simulator, order_id: str
) -> None:
    assert await paypal.create_payment_link(draft) == link
    assert len((await simulator.ledger(order_id))["links"]) == 1


async def test_a_lost_answer_is_learned_by_sending_the_draft_again(
    paypal: PayPal, draft: LinkDraft, simulator: Simulator, order_id: str
) -> None:
    await simulator.faults(order_id, lost_create_answer=1)
    with pytest.raises(OutcomeUnknown):
        await paypal.create_payment_link(draft)
    link = await paypal.create_payment_link(draft)
    ledger = await simulator.ledger(order_id)
    assert [each["id"] for each in ledger["links"]] == [link.reference]


async def test_two_at_once_are_one_link(
    paypal: PayPal, draft: LinkDraft, simulator: Simulator, order_id: str
) -> None:
    await simulator.faults(order_id, slow=0.3)
    answers = await asyncio.gather(
        *(paypal.create_payment_link(draft) for _ in range(3)), return_exceptions=True
    )
    links = [each for each in answers if isinstance(each, PaymentLink)]
    busy = [each for each in answers if isinstance(each, GatewayUnavailable)]
    assert len(links) == 1
    assert len(busy) == 2
    assert len((await simulator.ledger(order_id))["links"]) == 1


@pytest.mark.parametrize(
    ("amount", "value"),
    [
        (Money(1800, "JPY"), "1800"),
        (Money(120000, "HUF"), "1200"),
        (Money(5, "EUR"), "0.05"),
    ],
)
async def test_amounts_travel_as_decimals_of_the_currency(
    paypal: PayPal, simulator: Simulator, order_id: str, amount: Money, value: str
) -> None:
    draft = paypal.draft_link(wish(order_id, amount))
    assert f'"value": "{value}"' in draft.body
    link = await paypal.create_payment_link(draft)
    await simulator.pay(link.url)
    news = await paypal.capture_link(
        LinkQuery(order_id, "paypal", link.key, link.reference), capture_key(link.key, 1)
    )
    assert [payment.amount for payment in news.payments] == [amount]


@pytest.mark.parametrize("amount", [Money(49900, "INR"), Money(1250, "KWD"), Money(150, "HUF")])
def test_what_paypal_does_not_take_is_not_asked_for(
    paypal: PayPal, order_id: str, amount: Money
) -> None:
    with pytest.raises(RequestRefused):
        paypal.draft_link(wish(order_id, amount))


# Approval and capture --------------------------------------------------------------------------


async def test_an_order_nobody_has_approved(paypal: PayPal, query: LinkQuery) -> None:
    news = await paypal.ask(query)
    assert (news.link, news.payments, news.awaits_capture) == (LinkStatus.OPEN, (), False)
    early = await paypal.capture_link(query, capture_key(query.key, 1))
    assert (early.link, early.payments) == (LinkStatus.OPEN, ())


async def test_an_approved_order_awaits_its_capture(
    paypal: PayPal, simulator: Simulator, link: PaymentLink, query: LinkQuery
) -> None:
    await simulator.pay(link.url)
    news = await paypal.ask(query)
    assert (news.link, news.payments, news.awaits_capture) == (LinkStatus.OPEN, (), True)


async def test_a_captured_order_is_paid(
    paid: PaymentNews, paypal: PayPal, query: LinkQuery
) -> None:
    (payment,) = paid.payments
    assert (paid.link, paid.awaits_capture) == (LinkStatus.PAID, False)
    assert (payment.status, payment.amount) == (PaymentStatus.CAPTURED, PRICE)
    asked = await paypal.ask(query)
    assert (asked.payments, asked.link) == (paid.payments, LinkStatus.PAID)
    told = await paypal.ask_payment(query.order_id, payment.reference)
    assert told.payments == (payment,)


async def test_a_second_capture_finds_what_the_first_took(
    paypal: PayPal, paid: PaymentNews, query: LinkQuery, simulator: Simulator
) -> None:
    same = await paypal.capture_link(query, capture_key(query.key, 1))
    other = await paypal.capture_link(query, capture_key(query.key, 2))
    assert same.payments == other.payments == paid.payments
    assert len((await simulator.ledger(query.order_id))["payments"]) == 1


async def test_a_lost_capture_is_found_under_the_same_key(
    paypal: PayPal, simulator: Simulator, link: PaymentLink, query: LinkQuery
) -> None:
    await simulator.pay(link.url)
    await simulator.faults(query.order_id, lost_capture_answer=1)
    with pytest.raises(OutcomeUnknown):
        await paypal.capture_link(query, capture_key(link.key, 1))
    news = await paypal.capture_link(query, capture_key(link.key, 1))
    assert [payment.status for payment in news.payments] == [PaymentStatus.CAPTURED]


async def test_a_declined_capture_leaves_the_order_open(
    paypal: PayPal, simulator: Simulator, link: PaymentLink, query: LinkQuery
) -> None:
    await simulator.pay(link.url, outcome="failure")
    news = await paypal.capture_link(query, capture_key(link.key, 1))
    (payment,) = news.payments
    assert (payment.status, payment.failure) == (PaymentStatus.FAILED, "INSTRUMENT_DECLINED")
    assert (news.link, news.awaits_capture) == (LinkStatus.OPEN, False)
    await simulator.pay(link.url)
    again = await paypal.capture_link(query, capture_key(link.key, 2))
    assert again.link is LinkStatus.PAID


async def test_a_capture_that_is_pending_is_not_paid(
    paypal: PayPal, simulator: Simulator, link: PaymentLink, query: LinkQuery
) -> None:
    await simulator.pay(link.url, outcome="pending")
    news = await paypal.capture_link(query, capture_key(link.key, 1))
    assert [payment.status for payment in news.payments] == [PaymentStatus.PENDING]
    await simulator.settle(news.payments[0].reference, "failure")
    after = await paypal.ask(query)
    assert [payment.status for payment in after.payments] == [PaymentStatus.FAILED]
    assert after.link is LinkStatus.CLOSED


async def test_another_amount_is_told_as_it_is(
    paypal: PayPal, simulator: Simulator, link: PaymentLink, query: LinkQuery
) -> None:
    await simulator.faults(query.order_id, wrong_amount=100)
    await simulator.pay(link.url)
    news = await paypal.capture_link(query, capture_key(link.key, 1))
    assert [payment.amount for payment in news.payments] == [Money(100, "USD")]


async def test_an_order_that_paypal_has_forgotten_has_run_out(
    paypal: PayPal, query: LinkQuery
) -> None:
    news = await paypal.ask(replace(query, reference="0" * 17))
    assert (news.link, news.payments) == (LinkStatus.EXPIRED, ())


async def test_without_a_reference_there_is_no_order(paypal: PayPal, order_id: str) -> None:
    news = await paypal.ask(LinkQuery(order_id, "paypal", link_key(order_id, 1)))
    assert news.link is LinkStatus.MISSING


async def test_an_order_of_another_key_is_no_answer(
    paypal: PayPal, link: PaymentLink, query: LinkQuery
) -> None:
    with pytest.raises(OutcomeUnknown):
        await paypal.ask(replace(query, key=link_key("ord_other", 1)))


# The token -------------------------------------------------------------------------------------


async def test_one_token_serves_all_who_ask_at_once(
    connected: Callable[..., PayPal], query: LinkQuery
) -> None:
    fresh = connected()
    asked: list[str] = []
    fetch = fresh._token._fetch

    async def counted() -> None:
        asked.append("token")
        await fetch()

    fresh._token._fetch = counted  # type: ignore[method-assign]
    await asyncio.gather(*(fresh.ask(query) for _ in range(10)))
    assert asked == ["token"]


async def test_a_token_that_was_withdrawn_is_renewed_once(
    paypal: PayPal, query: LinkQuery, simulator: Simulator
) -> None:
    await paypal.ask(query)
    before = await paypal._token.current()
    await simulator.restart()
    assert (await paypal.ask(query)).link is LinkStatus.OPEN
    assert await paypal._token.current() != before


async def test_a_token_is_renewed_before_it_ends(
    connected: Callable[..., PayPal], query: LinkQuery
) -> None:
    now = [datetime.now(UTC)]
    timed = connected(clock=lambda: now[0])
    first = await timed._token.current()
    now[0] += timedelta(seconds=32_400) - timedelta(minutes=6)
    assert await timed._token.current() == first
    now[0] += timedelta(minutes=2)
    assert await timed._token.current() != first


async def test_with_wrong_keys_nothing_happens(
    connected: Callable[..., PayPal], draft: LinkDraft
) -> None:
    with pytest.raises(GatewayUnavailable, match="401 invalid_client"):
        await connected(client_secret="wr0ng").create_payment_link(draft)


async def test_a_busy_gateway_says_when_to_come_again(
    paypal: PayPal, simulator: Simulator, draft: LinkDraft, order_id: str
) -> None:
    await simulator.faults(order_id, rate_limited={"times": 1, "retry_after": 7})
    with pytest.raises(GatewayUnavailable) as caught:
        await paypal.create_payment_link(draft)
    assert caught.value.retry_after == timedelta(seconds=7)


# Refunds ---------------------------------------------------------------------------------------


def a_refund(paid: PaymentNews, minor: int = 500) -> Refund:
    payment = paid.payments[0]
    amount = Money(minor, "USD")
    return Refund(new_id("rfd"), paid.order_id, "paypal", payment.reference, amount)


async def test_a_refund_goes_back_once(
    paypal: PayPal, paid: PaymentNews, simulator: Simulator
) -> None:
    draft = paypal.draft_refund(refund := a_refund(paid))
    first, second = await paypal.refund(draft), await paypal.refund(draft)
    assert (first.status, first.amount) == (RefundStatus.SUCCEEDED, refund.amount)
    assert first.reference == second.reference
    assert len((await simulator.ledger(paid.order_id))["refunds"]) == 1
    asked = await paypal.ask_refund(replace(RefundQuery.of(refund), reference=first.reference))
    assert asked
    assert (asked.refund_id, asked.status) == (refund.refund_id, RefundStatus.SUCCEEDED)


async def test_a_refund_whose_answer_was_lost_is_found(
    paypal: PayPal, paid: PaymentNews, simulator: Simulator
) -> None:
    refund = a_refund(paid)
    assert await paypal.ask_refund(RefundQuery.of(refund)) is None
    await simulator.faults(paid.order_id, lost_refund_answer=1)
    with pytest.raises(OutcomeUnknown):
        await paypal.refund(paypal.draft_refund(refund))
    found = await paypal.ask_refund(RefundQuery.of(refund))
    assert found
    assert (found.refund_id, found.payment_reference) == (
        refund.refund_id,
        refund.payment_reference,
    )


async def test_a_refund_under_a_forgotten_key_is_not_made_twice(
    paypal: PayPal, paid: PaymentNews, simulator: Simulator
) -> None:
    """The invoice id of a refund is ours, so that the second is refused and the first is found."""
    draft = paypal.draft_refund(a_refund(paid))
    first = await paypal.refund(draft)
    again = await paypal.refund(replace(draft, wire_key=wire_key("another")))
    assert again.reference == first.reference
    assert len((await simulator.ledger(paid.order_id))["refunds"]) == 1


async def test_too_much_is_refused(paypal: PayPal, paid: PaymentNews) -> None:
    with pytest.raises(RequestRefused, match="REFUND_AMOUNT_EXCEEDED"):
        await paypal.refund(paypal.draft_refund(a_refund(paid, PRICE.minor + 1)))


async def test_a_refund_that_is_taken_back(
    paypal: PayPal, paid: PaymentNews, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    await simulator.faults(paid.order_id, refund_pending=True)
    refund = a_refund(paid)
    news = await paypal.refund(paypal.draft_refund(refund))
    assert news.status is RefundStatus.PENDING
    assert news.reference
    for outcome, status, kind in (
        ("processed", RefundStatus.SUCCEEDED, "PAYMENT.CAPTURE.REFUNDED"),
        ("failed", RefundStatus.FAILED, "PAYMENT.REFUND.FAILED"),
    ):
        await simulator.settle_refund(news.reference, outcome)
        asked = await paypal.ask_refund(replace(RefundQuery.of(refund), reference=news.reference))
        assert asked
        assert asked.status is status
        told = await read(paypal, receiver, refund.refund_id, kind)
        assert told.refund
        assert (told.refund.status, told.refund.refund_id) == (status, refund.refund_id)


# Messages --------------------------------------------------------------------------------------


async def test_webhooks_tell_approval_and_capture(
    paypal: PayPal,
    simulator: Simulator,
    link: PaymentLink,
    query: LinkQuery,
    receiver: WebhookReceiver,
) -> None:
    await simulator.pay(link.url)
    approved = await read(paypal, receiver, query.order_id, "CHECKOUT.ORDER.APPROVED")
    assert approved.awaits_capture
    assert approved.payment is None
    news = await paypal.capture_link(query, capture_key(link.key, 1))
    captured = await read(paypal, receiver, query.order_id, "PAYMENT.CAPTURE.COMPLETED")
    completed = await read(paypal, receiver, query.order_id, "CHECKOUT.ORDER.COMPLETED")
    assert captured.payment == completed.payment == news.payments[0]
    assert captured.outcome == completed.outcome, "siblings say the same"
    for event in (approved, captured, completed):
        assert event.order_id == query.order_id
        assert event.reference == wire_key(link.key)
        assert event.link_reference == link.reference


async def test_a_callback_is_unsigned_and_names_the_order(
    paypal: PayPal, simulator: Simulator, link: PaymentLink
) -> None:
    answer = await simulator.pay(link.url)
    back = urlsplit(answer.headers["Location"])
    callback = paypal.read_callback(dict(parse_qsl(back.query)))
    assert (callback.wire_key, callback.link_reference) == (None, link.reference)
    with pytest.raises(BadSignature):
        paypal.read_callback({"PayerID": "x"})


async def test_a_dispute(
    paypal: PayPal, paid: PaymentNews, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    payment = paid.payments[0].reference
    dispute = await simulator.dispute(payment)
    opened = await read(paypal, receiver, payment, "CUSTOMER.DISPUTE.CREATED")
    assert opened.dispute
    assert opened.dispute.status is DisputeStatus.OPEN
    await simulator.settle_dispute(dispute["id"], "lost")
    ended = await read(paypal, receiver, payment, "CUSTOMER.DISPUTE.RESOLVED")
    assert ended.dispute
    assert (ended.dispute.status, ended.dispute.amount) == (DisputeStatus.LOST, PRICE)


async def test_a_webhook_signed_by_a_forger_is_refused(
    paypal: PayPal, simulator: Simulator, query: LinkQuery, receiver: WebhookReceiver
) -> None:
    await simulator.forge(query.order_id)
    (forged, *_) = await receiver.about(query.order_id, 1)
    with pytest.raises(BadSignature):
        await paypal.read_webhook(forged.body, forged.headers)


# Reports ---------------------------------------------------------------------------------------


async def test_what_was_taken_and_given_back_is_listed(paypal: PayPal, paid: PaymentNews) -> None:
    payment, refund = paid.payments[0], a_refund(paid)
    await paypal.refund(paypal.draft_refund(refund))
    # Its books are kept by whole seconds.
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    await asyncio.sleep((end - datetime.now(UTC)).total_seconds())
    period = Period(end - timedelta(days=1), end)
    entries = {
        entry.reference: entry
        async for chunk in paypal.read_report(Report.TRANSACTIONS, period, START)
        for entry in chunk.entries
    }
    taken = entries[payment.reference]
    assert (taken.kind, taken.status) == ("payment", "captured")
    assert (taken.amount_minor, taken.currency) == (PRICE.minor, PRICE.currency)
    assert (taken.our_id, taken.order_reference) == (
        paid.order_id,
        wire_key(link_key(paid.order_id, 1)),
    )
    back = next(e for e in entries.values() if e.our_id == refund.refund_id)
    assert (back.kind, back.status, back.amount_minor) == ("refund", "succeeded", 500)
    assert back.payment_reference == payment.reference


async def test_what_lies_ahead_is_not_answered_yet(paypal: PayPal) -> None:
    now = datetime.now(UTC)
    period = Period(now - timedelta(days=1), now + timedelta(hours=1))
    with pytest.raises(GatewayUnavailable, match="reach to"):
        async for _ in paypal.read_report(Report.TRANSACTIONS, period, START):
            pass


async def test_a_settlement_file_is_read_to_its_end(
    paypal: PayPal, paid: PaymentNews, simulator: Simulator
) -> None:
    """The simulator's, with strangers in it; and one that was cut off is not believed."""
    payment, refund = paid.payments[0], a_refund(paid)
    await paypal.refund(paypal.draft_refund(refund))
    await simulator.pay_out()
    name = "/simulator/files/paypal/STL-20260601.01.011.csv"
    content = (await simulator.http.get(name, params={"strangers": 2})).content
    chunks = list(paypal.read_file(BytesIO(content), START))
    assert chunks[-1].is_last
    entries = {entry.reference: entry for chunk in chunks for entry in chunk.entries}
    taken = entries[payment.reference]
    assert (taken.kind, taken.status, taken.amount_minor) == ("payment", "captured", PRICE.minor)
    assert (taken.our_id, taken.order_reference) == (
        paid.order_id,
        wire_key(link_key(paid.order_id, 1)),
    )
    assert taken.settled_at
    back = next(entry for entry in entries.values() if entry.our_id == refund.refund_id)
    assert (back.kind, back.payment_reference) == ("refund", payment.reference)
    cut = (await simulator.http.get(name, params={"cut": True})).content
    with pytest.raises(FileRefused):
        list(paypal.read_file(BytesIO(cut), START))
