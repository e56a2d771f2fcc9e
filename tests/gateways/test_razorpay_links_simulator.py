"""Links and payments against the simulator, a real process that shares no code with us."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio

from domain.checkouts import LinkQuery
from domain.errors import BadSignature, GatewayUnavailable, OutcomeUnknown, RequestRefused
from domain.events import GatewayEvent
from domain.keys import link_key, new_id, wire_key
from domain.money import Money
from domain.payments import LinkStatus, PaymentLink, PaymentStatus
from domain.ports import LinkDraft
from gateways.base import Gateway, LinkRequest
from gateways.razorpay import SHORTEST_LIFE
from gateways.registry import gateways
from tests.support.simulator import Simulator
from tests.support.webhook_receiver import WebhookReceiver

PRICE = Money(49900, "INR")


@pytest.fixture(scope="module")
def razorpay(simulated: Gateway) -> Gateway:
    return simulated


@pytest.fixture
def order_id() -> str:
    return new_id("ord")


@pytest.fixture
def draft(razorpay: Gateway, order_id: str) -> LinkDraft:
    return razorpay.draft_link(wish(order_id))


@pytest_asyncio.fixture
async def link(razorpay: Gateway, draft: LinkDraft) -> PaymentLink:
    return await razorpay.create_payment_link(draft)


@pytest.fixture
def query(order_id: str, link: PaymentLink) -> LinkQuery:
    return LinkQuery(order_id, "razorpay", link.key, link.reference)


def wish(order_id: str, amount: Money = PRICE) -> LinkRequest:
    return LinkRequest(
        order_id=order_id,
        key=link_key(order_id, 1),
        amount=amount,
        description=f"Order {order_id}",
        callback_url="http://127.0.0.1:9/callbacks/razorpay/t0ken",
        expires_at=datetime.now(UTC) + SHORTEST_LIFE,
    )


async def links_of(simulator: Simulator, order_id: str) -> int:
    return len((await simulator.ledger(order_id))["links"])


async def test_a_link_is_made_and_found(razorpay: Gateway, link: PaymentLink) -> None:
    assert link.status is LinkStatus.OPEN
    assert link.url.endswith(f"/pay/{link.reference}")
    assert abs(link.expires_at - datetime.now(UTC) - SHORTEST_LIFE) < timedelta(minutes=1)
    assert await razorpay.find_payment_link(link.key) == link


@pytest.mark.parametrize(
    "amount", [Money(1800, "JPY"), Money(295_990, "KWD"), Money(1250, "USD"), Money(100, "INR")]
)
async def test_the_simulator_takes_what_we_draft(
    razorpay: Gateway, simulator: Simulator, order_id: str, amount: Money
) -> None:
    made = await razorpay.create_payment_link(razorpay.draft_link(wish(order_id, amount)))
    await simulator.pay(made.url)
    news = await razorpay.ask(LinkQuery(order_id, "razorpay", made.key, made.reference))
    assert [payment.amount for payment in news.payments] == [amount]


async def test_every_currency_we_declare_is_taken(razorpay: Gateway) -> None:
    for currency in sorted(razorpay.capabilities.currencies):
        draft = razorpay.draft_link(wish(new_id("ord"), Money(1000, currency)))
        assert (await razorpay.create_payment_link(draft)).status is LinkStatus.OPEN


async def test_the_same_draft_again_is_the_same_link(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: LinkDraft, link: PaymentLink
) -> None:
    assert await razorpay.create_payment_link(draft) == link
    assert await links_of(simulator, order_id) == 1


async def test_a_lost_answer_leaves_one_link_to_be_found(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: LinkDraft
) -> None:
    await simulator.faults(order_id, lost_create_answer=1)
    with pytest.raises(OutcomeUnknown):
        await razorpay.create_payment_link(draft)
    found = await razorpay.find_payment_link(draft.key)
    assert found
    assert found == await razorpay.create_payment_link(draft)
    assert await links_of(simulator, order_id) == 1


async def test_a_draft_that_grew_too_old_is_refused(razorpay: Gateway, order_id: str) -> None:
    old = replace(wish(order_id), expires_at=datetime.now(UTC) + timedelta(minutes=14))
    with pytest.raises(RequestRefused, match="15 minutes"):
        await razorpay.create_payment_link(razorpay.draft_link(old))


async def test_with_wrong_keys_nothing_happens(simulator: Simulator, draft: LinkDraft) -> None:
    keys = {"key_id": simulator.key_id, "key_secret": "wr0ng", "webhook_secrets": []}
    async with gateways({"razorpay": keys | {"base_url": simulator.base_url}}) as known:
        with pytest.raises(GatewayUnavailable, match=r"401 .*our keys") as raised:
            await known["razorpay"].create_payment_link(draft)
    assert "wr0ng" not in str(raised.value)


async def test_a_link_is_open_until_it_is_paid(
    razorpay: Gateway, simulator: Simulator, query: LinkQuery, link: PaymentLink
) -> None:
    news = await razorpay.ask(query)
    assert (news.link, news.payments) == (LinkStatus.OPEN, ())
    await simulator.pay(link.url, outcome="failure", method="card")
    await simulator.pay(link.url, outcome="success", method="upi")
    news = await razorpay.ask(query)
    assert news.link is LinkStatus.PAID
    failed, captured = news.payments
    assert (failed.status, failed.method) == (PaymentStatus.FAILED, "card")
    assert failed.failure == "payment_failed"
    assert (captured.status, captured.method) == (PaymentStatus.CAPTURED, "upi")
    assert (captured.amount, captured.failure) == (PRICE, None)


async def test_more_than_ten_attempts_are_all_seen(
    razorpay: Gateway, simulator: Simulator, query: LinkQuery, link: PaymentLink
) -> None:
    for _ in range(11):
        await simulator.pay(link.url, outcome="failure")
    await simulator.pay(link.url)
    news = await razorpay.ask(query)
    assert len(news.payments) == 12
    assert sum(payment.status is PaymentStatus.CAPTURED for payment in news.payments) == 1


async def test_a_pending_payment_is_pending_even_when_the_link_has_ended(
    razorpay: Gateway, simulator: Simulator, query: LinkQuery, link: PaymentLink
) -> None:
    await simulator.pay(link.url, outcome="pending", method="netbanking")
    await razorpay.close_payment_link(query)
    news = await razorpay.ask(query)
    (payment,) = news.payments
    assert news.link is LinkStatus.CLOSED
    assert payment.status.may_still_capture
    await simulator.settle(payment.reference)
    news = await razorpay.ask(query)
    assert [each.status for each in news.payments] == [PaymentStatus.CAPTURED]


async def test_closing_twice_is_closing_once(
    razorpay: Gateway, simulator: Simulator, query: LinkQuery, link: PaymentLink
) -> None:
    await razorpay.close_payment_link(query)
    await razorpay.close_payment_link(query)
    await razorpay.close_payment_link(replace(query, reference=None))
    assert (await razorpay.ask(query)).link is LinkStatus.CLOSED
    assert (await simulator.pay(link.url)).status_code == 409


async def test_a_paid_link_is_left_paid(
    razorpay: Gateway, simulator: Simulator, query: LinkQuery, link: PaymentLink
) -> None:
    await simulator.pay(link.url)
    await razorpay.close_payment_link(query)
    assert (await razorpay.ask(query)).link is LinkStatus.PAID


async def test_a_link_known_by_its_key_alone_is_closed(razorpay: Gateway, query: LinkQuery) -> None:
    by_key = replace(query, reference=None)
    await razorpay.close_payment_link(by_key)
    assert (await razorpay.ask(by_key)).link is LinkStatus.CLOSED


async def test_a_link_that_was_never_made_is_missing(razorpay: Gateway, order_id: str) -> None:
    unknown = LinkQuery(order_id, "razorpay", link_key(order_id, 1))
    await razorpay.close_payment_link(unknown)
    news = await razorpay.ask(unknown)
    assert (news.link, news.is_hint) == (LinkStatus.MISSING, False)


async def test_a_reference_that_does_not_exist_is_refused(
    razorpay: Gateway, query: LinkQuery
) -> None:
    unknown = replace(query, reference="plink_00000000000000")
    with pytest.raises(RequestRefused):
        await razorpay.ask(unknown)
    with pytest.raises(RequestRefused):
        await razorpay.close_payment_link(unknown)


async def test_a_wrong_amount_is_reported_as_it_was_captured(
    razorpay: Gateway, simulator: Simulator, order_id: str, query: LinkQuery, link: PaymentLink
) -> None:
    await simulator.faults(order_id, wrong_amount=49800)
    await simulator.pay(link.url)
    news = await razorpay.ask(query)
    assert [payment.amount for payment in news.payments] == [Money(49800, "INR")]
    assert not news.payments[0].matches(PRICE)


async def test_server_errors_are_of_unknown_outcome(
    razorpay: Gateway, simulator: Simulator, order_id: str, query: LinkQuery
) -> None:
    await simulator.faults(order_id, server_errors=1)
    with pytest.raises(OutcomeUnknown, match="500 SERVER_ERROR"):
        await razorpay.ask(query)
    assert (await razorpay.ask(query)).link is LinkStatus.OPEN


async def test_a_rate_limit_says_how_long_to_wait(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: LinkDraft
) -> None:
    await simulator.faults(order_id, rate_limited={"times": 1, "retry_after": 3})
    with pytest.raises(GatewayUnavailable) as raised:
        await razorpay.create_payment_link(draft)
    assert raised.value.retry_after == timedelta(seconds=3)
    assert (await razorpay.create_payment_link(draft)).status is LinkStatus.OPEN


async def test_a_gateway_that_is_down_did_nothing(
    razorpay: Gateway, simulator: Simulator, order_id: str, draft: LinkDraft
) -> None:
    await simulator.faults(order_id, unavailable_for=600)
    with pytest.raises(GatewayUnavailable):
        await razorpay.create_payment_link(draft)
    assert await links_of(simulator, order_id) == 0


async def test_the_callback_of_a_payment_is_read(
    razorpay: Gateway, simulator: Simulator, link: PaymentLink
) -> None:
    redirect = await simulator.pay(link.url)
    callback = razorpay.read_callback(dict(parse_qsl(urlsplit(redirect.headers["location"]).query)))
    assert (callback.wire_key, callback.link_reference) == (wire_key(link.key), link.reference)
    ledger = await simulator.ledger()
    assert callback.payment_reference in {payment["id"] for payment in ledger["payments"]}


async def test_a_callback_signed_by_another_is_forged(
    razorpay: Gateway, simulator: Simulator, order_id: str, link: PaymentLink
) -> None:
    await simulator.faults(order_id, wrong_callback_signature=True)
    redirect = await simulator.pay(link.url)
    with pytest.raises(BadSignature):
        razorpay.read_callback(dict(parse_qsl(urlsplit(redirect.headers["location"]).query)))


async def webhooks(
    razorpay: Gateway, receiver: WebhookReceiver, order_id: str, number: int
) -> list[GatewayEvent]:
    """The first webhooks about an order, read."""
    name = order_id.encode()
    await receiver.until(lambda got: sum(name in each.body for each in got) >= number)
    mine = [each for each in receiver.received if name in each.body]
    return [await razorpay.read_webhook(each.body, each.headers) for each in mine]


async def test_four_webhooks_tell_of_one_payment(
    razorpay: Gateway,
    simulator: Simulator,
    receiver: WebhookReceiver,
    query: LinkQuery,
    link: PaymentLink,
) -> None:
    await simulator.pay(link.url, method="wallet")
    events = await webhooks(razorpay, receiver, query.order_id, 4)
    told = {event.kind: event for event in events}
    assert len({event.event_id for event in events}) == 4
    assert {event.order_id for event in events} == {query.order_id}
    assert told["payment.authorized"].payment != told["payment.captured"].payment
    (asked,) = (await razorpay.ask(query)).payments
    for kind in ("payment.captured", "order.paid", "payment_link.paid"):
        assert told[kind].payment == asked
    paid = told["payment_link.paid"]
    assert (paid.link, paid.link_reference) == (LinkStatus.PAID, link.reference)
    assert paid.reference == wire_key(link.key)


async def test_failures_and_ends_are_told(
    razorpay: Gateway,
    simulator: Simulator,
    receiver: WebhookReceiver,
    query: LinkQuery,
    link: PaymentLink,
) -> None:
    await simulator.pay(link.url, outcome="failure")
    await razorpay.close_payment_link(query)
    events = await webhooks(razorpay, receiver, query.order_id, 2)
    told = {event.kind: event for event in events}
    assert told["payment.failed"].payment in (await razorpay.ask(query)).payments
    assert told["payment_link.cancelled"].link is LinkStatus.CLOSED
    assert told["payment_link.cancelled"].link_reference == link.reference


async def test_a_webhook_signed_by_another_is_forged(
    razorpay: Gateway, simulator: Simulator, receiver: WebhookReceiver, link: PaymentLink
) -> None:
    await simulator.forge(link.reference)
    await receiver.until(lambda got: any(each.is_about(link.reference) for each in got))
    forged = next(each for each in receiver.received if each.is_about(link.reference))
    with pytest.raises(BadSignature):
        await razorpay.read_webhook(forged.body, forged.headers)
