"""What every adapter must do, whoever the gateway is: adding one means passing this.

Each test runs for every gateway in the registry, with the kit that its adapter brings.
"""

import json
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.checkouts import LinkQuery
from domain.errors import (
    BadSignature,
    GatewayUnavailable,
    MessageNotUnderstood,
    OutcomeUnknown,
    RequestRefused,
)
from domain.events import GatewayEvent
from domain.keys import capture_key, link_key, new_id
from domain.money import Money
from domain.payments import LinkStatus, Payment, PaymentLink, PaymentStatus
from domain.ports import LinkDraft
from domain.refunds import Refund, RefundQuery, RefundStatus
from gateways.base import Gateway, LinkRequest
from gateways.registry import GATEWAYS, gateways
from tests.gateways.kits import KITS, Delivery, Kit, raw
from tests.gateways.wire import Wire, failures, reply
from tests.support.simulator import Simulator
from tests.support.webhook_receiver import WebhookReceiver

PRICE, PART = 49900, 10000
ORDER, REFUND_ID = "ord_tests", "rfd_abcdefghijklmnopqrstuvwxyz"
MUTATIONS = 1000

every = pytest.mark.parametrize("kit", KITS.values(), ids=KITS)
captures = count(1)
every_event = pytest.mark.parametrize(
    ("kit", "kind"), [(kit, kind) for kit in KITS.values() for kind in kit.events]
)


def of_(gateway: Gateway, minor: int) -> Money:
    """So much money that the gateway takes."""
    return Money(minor, "INR" if "INR" in gateway.capabilities.currencies else "USD")


def test_every_gateway_brings_its_kit() -> None:
    assert KITS.keys() == GATEWAYS.keys()


# What is asked of a gateway ---------------------------------------------------------------------


def wish(gateway: Gateway, order_id: str, amount: Money | None = None) -> LinkRequest:
    return LinkRequest(
        order_id=order_id,
        key=link_key(order_id, 1),
        amount=amount or of_(gateway, PRICE),
        description=f"Order {order_id}",
        callback_url=f"http://127.0.0.1:9/callbacks/{gateway.name}/t0ken",
        expires_at=datetime.now(UTC) + gateway.capabilities.shortest_link_life,
    )


def draft_of(gateway: Gateway, order_id: str, amount: Money | None = None) -> LinkDraft:
    return gateway.draft_link(wish(gateway, order_id, amount))


def a_refund(gateway: Gateway, payment: str, refund_id: str = REFUND_ID) -> Refund:
    return Refund(refund_id, ORDER, gateway.name, payment, of_(gateway, PART))


def calls(kit: Kit, gateway: Gateway) -> dict[str, Callable[[], Awaitable[object]]]:
    """Every call there is, about the order and the payment of the samples."""
    query = LinkQuery(ORDER, kit.name, link_key(ORDER, 1), kit.link)
    payment = Payment(kit.name, kit.payment, PaymentStatus.AUTHORIZED, of_(gateway, PRICE))
    refund = RefundQuery(REFUND_ID, kit.name, kit.payment, kit.refund)
    return {
        "create": lambda: gateway.create_payment_link(draft_of(gateway, ORDER)),
        "ask": lambda: gateway.ask(query),
        "close": lambda: gateway.close_payment_link(query),
        "capture": lambda: gateway.capture(payment),
        "capture_link": lambda: gateway.capture_link(query, capture_key(query.key, 1)),
        "ask_payment": lambda: gateway.ask_payment(ORDER, kit.payment),
        "refund": lambda: gateway.refund(gateway.draft_refund(a_refund(gateway, kit.payment))),
        "ask_refund": lambda: gateway.ask_refund(refund),
        "look_up_refund": lambda: gateway.ask_refund(replace(refund, reference=None)),
    }


CALLS = (
    *("create", "ask", "close", "capture", "capture_link", "ask_payment"),
    *("refund", "ask_refund", "look_up_refund"),
)
# A refused question leaves what it was about in doubt.
DOUBTFUL = {"ask_payment", "ask_refund", "look_up_refund"}
every_call = pytest.mark.parametrize(
    ("kit", "call"),
    [
        pytest.param(kit, call, id=f"{kit.name}-{call}")
        for kit in KITS.values()
        for call in CALLS
        if call not in kit.silent
    ],
)


@pytest.fixture
async def adapter(kit: Kit, wire: Wire) -> Gateway:
    gateway = kit.adapter(wire)
    kit.play(wire)
    return gateway


# On the wire ------------------------------------------------------------------------------------


@every_call
async def test_what_is_documented_is_understood(kit: Kit, adapter: Gateway, call: str) -> None:
    await calls(kit, adapter)[call]()


@every_call
@pytest.mark.parametrize("kind", failures())
async def test_every_failure_of_httpx_has_its_meaning(
    kit: Kit, wire: Wire, adapter: Gateway, call: str, kind: type[httpx.RequestError]
) -> None:
    wire.always(kind("said the wire"))
    nothing_sent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    meaning = GatewayUnavailable if kind in nothing_sent else OutcomeUnknown
    with pytest.raises(meaning):
        await calls(kit, adapter)[call]()


STATUSES: dict[int, type[Exception]] = {
    **dict.fromkeys((401, 403, 429, 503), GatewayUnavailable),
    **dict.fromkeys((301, 302, 307, 408, 500, 502, 504), OutcomeUnknown),
    **dict.fromkeys((405, 422), RequestRefused),
}


@every_call
@pytest.mark.parametrize(("status", "meaning"), STATUSES.items())
async def test_every_status_has_its_meaning(
    kit: Kit, wire: Wire, adapter: Gateway, call: str, status: int, meaning: type[Exception]
) -> None:
    wire.always(reply({"error": {}}, status))
    doubtful = meaning is RequestRefused and call in DOUBTFUL
    with pytest.raises(OutcomeUnknown if doubtful else meaning):
        await calls(kit, adapter)[call]()


@every_call
@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"{}", b"null", b"\xff", b'{"id": 1'])
async def test_a_success_that_does_not_read_leaves_the_outcome_unknown(
    kit: Kit, wire: Wire, adapter: Gateway, call: str, content: bytes
) -> None:
    wire.always(httpx.Response(200, content=content))
    if call == "close" and content == b"{}":
        return  # what the gateway says of a link that it has closed is not read
    with pytest.raises(OutcomeUnknown):
        await calls(kit, adapter)[call]()


@every_call
@pytest.mark.parametrize("status", [200, 400, 404, 409, 500])
async def test_no_secret_and_nothing_personal_is_told(
    kit: Kit,
    wire: Wire,
    adapter: Gateway,
    call: str,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    private = {"customer": list(kit.private), "echo": list(kit.secrets)}
    wire.always(reply(private, status))
    with caplog.at_level(logging.DEBUG):
        try:
            await calls(kit, adapter)[call]()
            told = ""
        except (GatewayUnavailable, OutcomeUnknown, RequestRefused) as error:
            told = "".join(traceback.format_exception(error))
    told += caplog.text + repr(adapter) + repr(vars(adapter).get("_http"))
    assert not [word for word in (*kit.secrets, *kit.private) if word in told]


@every_call
async def test_an_answer_about_another_is_no_answer(
    kit: Kit, wire: Wire, adapter: Gateway, call: str
) -> None:
    kit.play_others(wire)
    if call == "close":
        return  # nothing is concluded from what it says
    if call in ("refund", "ask_refund"):
        news = await calls(kit, adapter)[call]()
        assert getattr(news, "status", None) is RefundStatus.NEEDS_REVIEW
    elif call == "look_up_refund":
        assert await calls(kit, adapter)[call]() is None
    else:
        with pytest.raises(OutcomeUnknown):
            await calls(kit, adapter)[call]()


@every
async def test_words_that_nobody_knows_are_undecided(
    kit: Kit, wire: Wire, adapter: Gateway
) -> None:
    kit.play(wire, status="brand_new")
    query = LinkQuery(ORDER, kit.name, link_key(ORDER, 1), kit.link)
    news = await adapter.ask(query)
    assert news.link is LinkStatus.OPEN
    assert [payment.status.may_still_capture for payment in news.payments] == [True]
    refund = await adapter.refund(adapter.draft_refund(a_refund(adapter, kit.payment)))
    assert refund.status is RefundStatus.PENDING
    assert not news.is_final_answer


# Webhooks ---------------------------------------------------------------------------------------


@every_event
async def test_every_event_is_understood(kit: Kit, kind: str, wire: Wire) -> None:
    gateway, (_, said) = kit.adapter(wire), kit.events[kind]
    body, headers = kit.signed(raw(kit.event(kind)), kit.webhook_secrets[0], kit.now)
    event = await gateway.read_webhook(body, headers)
    assert (event.gateway, event.kind) == (kit.name, kind)
    assert (event.payment.status if event.payment else None) == said.payment
    assert event.link == said.link
    assert (event.refund.status if event.refund else None) == said.refund
    assert (event.dispute.status if event.dispute else None) == said.dispute
    assert event.evidence.digest


@every
async def test_while_a_secret_is_changed_both_are_good(kit: Kit, wire: Wire) -> None:
    gateway, body = kit.adapter(wire), raw(kit.event(next(iter(kit.events))))
    for secret in kit.webhook_secrets:
        await gateway.read_webhook(*kit.signed(body, secret, kit.now))


@every
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff", b'{"id": ', b"[" * 100_000])
async def test_what_is_signed_but_does_not_read_says_so(kit: Kit, wire: Wire, body: bytes) -> None:
    with pytest.raises(MessageNotUnderstood):
        await kit.adapter(wire).read_webhook(*kit.signed(body, kit.webhook_secrets[0], kit.now))


@every
async def test_the_time_of_a_webhook_is_bounded_on_both_sides(kit: Kit, wire: Wire) -> None:
    if kit.tolerance is None:
        return  # its signature covers no time
    gateway, body = kit.adapter(wire), raw(kit.event(next(iter(kit.events))))
    second, secret = timedelta(seconds=1), kit.webhook_secrets[0]
    oldest, newest = kit.tolerance
    for edge in (newest, -oldest):
        await gateway.read_webhook(*kit.signed(body, secret, kit.now + edge))
    for edge in (newest + second, -oldest - second, timedelta(days=400)):
        with pytest.raises(BadSignature):
            await gateway.read_webhook(*kit.signed(body, secret, kit.now + edge))


@every
async def test_no_bit_of_a_body_may_change(kit: Kit, wire: Wire) -> None:
    gateway, original = kit.adapter(wire), raw(kit.event(next(iter(kit.events))))
    _, headers = kit.signed(original, kit.webhook_secrets[0], kit.now)
    for at in range(len(original)):
        for changed in (original[at] ^ 1, original[at] ^ 128):
            body = original[:at] + bytes([changed]) + original[at + 1 :]
            with pytest.raises(BadSignature):
                await gateway.read_webhook(body, headers)
    for end in range(len(original)):
        with pytest.raises(BadSignature):
            await gateway.read_webhook(original[:end], headers)


@st.composite
def forgeries(draw: st.DrawFn, kit: Kit) -> Delivery:
    """A delivery of which something is not as the gateway sent it."""
    kind = draw(st.sampled_from(sorted(kit.events)))
    original, secret = raw(kit.event(kind)), kit.webhook_secrets[0]
    way = draw(st.sampled_from(["body", "encoding", "signature", "secret", "header"]))
    body, headers = kit.signed(original, secret, kit.now)
    if way == "body":
        body = draw(mutated(original))
        assume(body != original)
    elif way == "encoding":
        body = draw(st.sampled_from(encoded_anew(original)))
    elif way == "secret":
        wrong = draw(st.text() | st.sampled_from([secret.upper(), secret + " ", "whsec_", "x"]))
        assume(wrong not in kit.webhook_secrets)
        body, headers = kit.signed(original, wrong, kit.now)
    elif way == "signature":
        change = draw(mutated(b"0" * 16)).decode("latin-1").replace(",", ";")
        body, headers = kit.signed(original, secret, kit.now, lambda good: change + good[16:])
        assume(headers != kit.signed(original, secret, kit.now)[1])
    else:
        headers = draw(st.sampled_from([{}, dict.fromkeys(headers, ""), upside_down(headers)]))
    return body, headers


@st.composite
def mutated(draw: st.DrawFn, original: bytes) -> bytes:
    """The same with a stretch of it replaced, cut out, or something put in."""
    start = draw(st.integers(0, len(original)))
    end = draw(st.integers(start, min(start + 4, len(original))))
    return original[:start] + draw(st.binary(max_size=4)) + original[end:]


def encoded_anew(original: bytes) -> list[bytes]:
    """The same JSON in other bytes."""
    content, text = json.loads(original), original.decode()
    others = [json.dumps(content, indent=1).encode(), json.dumps(content, sort_keys=True).encode()]
    others += [json.dumps(content, separators=(",", ":")).encode(), text.encode("utf-16")]
    others += [b"\xef\xbb\xbf" + original, original + b"\n", b" " + original, text.encode("utf-7")]
    return [other for other in others if other != original]


def upside_down(headers: dict[str, str]) -> dict[str, str]:
    return {name: value[::-1] for name, value in headers.items()}


@every
def test_no_forgery_is_accepted(kit: Kit) -> None:
    accepted: list[GatewayEvent] = []
    tried = 0

    @settings(max_examples=MUTATIONS, deadline=None, database=None)
    @given(forgeries(kit))
    def forge(delivery: Delivery) -> None:
        nonlocal tried
        tried += 1
        reading = kit.adapter(Wire()).read_webhook(*delivery)
        try:
            reading.send(None)
        except BadSignature:
            return
        except StopIteration as done:
            accepted.append(done.value)
        raise AssertionError(delivery)

    forge()
    assert (accepted, tried >= MUTATIONS) == ([], True)


# Against the simulator --------------------------------------------------------------------------


@pytest.fixture
def order_id() -> str:
    return new_id("ord")


@asynccontextmanager
async def connected(kit: Kit, simulator: Simulator) -> AsyncIterator[Gateway]:
    async with gateways({kit.name: kit.options(simulator)}) as known:
        yield known[kit.name]


@pytest.fixture
async def live(kit: Kit, simulator: Simulator) -> AsyncIterator[Gateway]:
    """The adapter, as the simulator plays its gateway."""
    async with connected(kit, simulator) as gateway:
        yield gateway


@pytest.fixture
async def link(live: Gateway, order_id: str) -> PaymentLink:
    return await live.create_payment_link(draft_of(live, order_id))


def query_of(link: PaymentLink, order_id: str) -> LinkQuery:
    return LinkQuery(order_id, link.gateway, link.key, link.reference)


async def pay(
    live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str, **form: str
) -> None:
    """The customer pays; or approves, and it is taken where that is up to us."""
    await simulator.pay(link.url, **form)
    if live.capabilities.needs_capture:
        key = capture_key(link.key, next(captures))
        await live.capture_link(query_of(link, order_id), key)


async def paid(live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str) -> Payment:
    """The payment of a link that was paid."""
    await pay(live, simulator, link, order_id)
    (payment,) = (await live.ask(query_of(link, order_id))).payments
    assert payment.status is PaymentStatus.CAPTURED
    return payment


async def links_of(simulator: Simulator, order_id: str) -> list[str]:
    return [link["status"] for link in (await simulator.ledger(order_id))["links"]]


@every
async def test_one_key_makes_one_link(
    kit: Kit, live: Gateway, simulator: Simulator, order_id: str
) -> None:
    draft = draft_of(live, order_id)
    links = [await live.create_payment_link(draft) for _ in range(3)]
    assert links[0] == links[1] == links[2]
    assert (links[0].key, links[0].status) == (draft.key, LinkStatus.OPEN)
    assert await links_of(simulator, order_id) == ["created"]


@every
async def test_a_lost_answer_leaves_one_link(
    kit: Kit, live: Gateway, simulator: Simulator, order_id: str
) -> None:
    await simulator.faults(order_id, lost_create_answer=1)
    draft = draft_of(live, order_id)
    with pytest.raises(OutcomeUnknown):
        await live.create_payment_link(draft)
    if live.capabilities.lookup_by_order_id:
        assert await live.find_payment_link(draft.key) == await live.create_payment_link(draft)
    await live.create_payment_link(draft)
    assert await links_of(simulator, order_id) == ["created"]


@every
async def test_trouble_at_the_gateway_makes_no_link(
    kit: Kit, live: Gateway, simulator: Simulator, order_id: str
) -> None:
    for error, fault in (
        (OutcomeUnknown, {"server_errors": 1}),
        (GatewayUnavailable, {"rate_limited": {"times": 1, "retry_after": 3}}),
        (GatewayUnavailable, {"unavailable_for": 600}),
    ):
        await simulator.faults(order_id, **fault)
        with pytest.raises(error):
            await live.create_payment_link(draft_of(live, order_id))
    assert await links_of(simulator, order_id) == []
    await simulator.faults(order_id)
    assert (await live.create_payment_link(draft_of(live, order_id))).status is LinkStatus.OPEN


@every
async def test_every_currency_that_is_declared_is_taken(
    kit: Kit, live: Gateway, simulator: Simulator
) -> None:
    for currency in sorted(live.capabilities.currencies):
        order_id, amount = new_id("ord"), Money(5000, currency)
        link = await live.create_payment_link(draft_of(live, order_id, amount))
        payment = await paid(live, simulator, link, order_id)
        assert payment.amount == amount


@every
async def test_a_paid_link_is_left_paid(
    kit: Kit, live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str
) -> None:
    payment = await paid(live, simulator, link, order_id)
    assert payment.amount == of_(live, PRICE)
    await live.close_payment_link(query_of(link, order_id))
    news = await live.ask(query_of(link, order_id))
    assert (news.link, news.payments) == (LinkStatus.PAID, (payment,))
    assert (await live.ask_payment(order_id, payment.reference)).payments[0].covers(payment)


@every
async def test_a_closed_link_takes_nothing(
    kit: Kit, live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str
) -> None:
    if live.capabilities.needs_capture:
        return  # nothing closes it, and nothing has to: it takes no money by itself
    query = query_of(link, order_id)
    assert (await live.ask(query)).link is LinkStatus.OPEN
    await simulator.pay(link.url, outcome="failure")
    for _ in range(2):
        await live.close_payment_link(query)
    news = await live.ask(query)
    assert news.is_final_answer
    assert PaymentStatus.FAILED in [payment.status for payment in news.payments]
    assert (await simulator.pay(link.url)).status_code == 409


@every
async def test_what_a_customer_approves_is_taken_once_and_only_by_us(
    kit: Kit, live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str
) -> None:
    if not live.capabilities.needs_capture:
        return
    query, key = query_of(link, order_id), capture_key(link.key, 1)
    await simulator.pay(link.url)
    approved = await live.ask(query)
    assert (approved.link, approved.awaits_capture) == (LinkStatus.OPEN, True)
    assert approved.payments == ()
    taken = [await live.capture_link(query, key) for _ in range(2)]
    assert taken[0].payments == taken[1].payments != ()
    (entry,) = (await simulator.ledger(order_id))["payments"]
    assert (entry["captured"], entry["reference"]) == (True, taken[0].payments[0].reference)


@every
async def test_a_failed_attempt_and_a_success_are_both_seen(
    kit: Kit, live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str
) -> None:
    if live.capabilities.needs_capture:
        return  # a capture that was declined is told once, to who asked for it
    await simulator.pay(link.url, outcome="failure", method="card")
    await simulator.pay(link.url, method="upi")
    news = await live.ask(query_of(link, order_id))
    seen = {(payment.status, payment.method) for payment in news.payments}
    assert seen == {(PaymentStatus.FAILED, "card"), (PaymentStatus.CAPTURED, "upi")}


@every
async def test_a_payment_under_way_keeps_the_order_open(
    kit: Kit, live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str
) -> None:
    await pay(live, simulator, link, order_id, outcome="pending", method="netbanking")
    query = query_of(link, order_id)
    await live.close_payment_link(query)
    news = await live.ask(query)
    assert not news.is_final_answer
    (pending,) = (await simulator.ledger(order_id))["payments"]
    await simulator.settle(pending["id"])
    captured = [payment.status for payment in (await live.ask(query)).payments]
    assert captured == [PaymentStatus.CAPTURED]


@every
async def test_what_is_authorized_is_captured_once(
    kit: Kit, live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str
) -> None:
    if live.capabilities.needs_capture:
        return  # what is approved is not held
    await simulator.pay(link.url, outcome="authorized")
    (held,) = (await live.ask(query_of(link, order_id))).payments
    assert held.status is PaymentStatus.AUTHORIZED
    for _ in range(2):
        assert (await live.capture(held)).status is PaymentStatus.CAPTURED
    (entry,) = (await simulator.ledger(order_id))["payments"]
    assert (entry["captured"], entry["reference"]) == (True, held.reference)


@every
async def test_a_refund_is_made_once(
    kit: Kit, live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str
) -> None:
    payment = await paid(live, simulator, link, order_id)
    draft = live.draft_refund(a_refund(live, payment.reference, new_id("rfd")))
    await simulator.faults(order_id, lost_refund_answer=1)
    with pytest.raises(OutcomeUnknown):
        await live.refund(draft)
    found = await live.ask_refund(RefundQuery(draft.refund_id, kit.name, payment.reference))
    assert found
    again = await live.refund(draft)
    assert (again.reference, again.amount) == (found.reference, of_(live, PART))
    assert len((await simulator.ledger(order_id))["refunds"]) == 1


@every
async def test_a_refund_is_followed_to_its_end_and_back(
    kit: Kit, live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str
) -> None:
    payment = await paid(live, simulator, link, order_id)
    await simulator.faults(order_id, refund_pending=True)
    draft = live.draft_refund(a_refund(live, payment.reference, new_id("rfd")))
    sent = await live.refund(draft)
    assert sent.status is RefundStatus.PENDING
    assert sent.reference
    query = RefundQuery(draft.refund_id, kit.name, payment.reference, sent.reference)
    for outcome, status in (("processed", "succeeded"), ("failed", "failed")):
        await simulator.settle_refund(sent.reference, outcome)
        news = await live.ask_refund(query)
        assert news
        assert news.status == status


@every
async def test_more_than_was_taken_is_never_given_back(
    kit: Kit, live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str
) -> None:
    payment = await paid(live, simulator, link, order_id)
    for _ in range(2):
        refund = replace(a_refund(live, payment.reference, new_id("rfd")), amount=payment.amount)
        draft = live.draft_refund(refund)
        if not (await simulator.ledger(order_id))["refunds"]:
            await live.refund(draft)
            continue
        with pytest.raises(RequestRefused):
            await live.refund(draft)


@every
async def test_the_customer_comes_back_with_the_names_of_the_link(
    kit: Kit, live: Gateway, simulator: Simulator, link: PaymentLink, order_id: str
) -> None:
    way_back = httpx.URL((await simulator.pay(link.url)).headers["location"])
    callback = live.read_callback(dict(way_back.params))
    assert callback.link_reference == link.reference
    assert callback.wire_key in (None, draft_of(live, order_id).wire_key)
    with pytest.raises(BadSignature):
        live.read_callback({})


@every
async def test_webhooks_tell_what_a_query_tells(
    kit: Kit,
    live: Gateway,
    simulator: Simulator,
    receiver: WebhookReceiver,
    link: PaymentLink,
    order_id: str,
) -> None:
    await pay(live, simulator, link, order_id, outcome="failure")
    await pay(live, simulator, link, order_id)
    told = await heard(live, receiver, order_id, PaymentStatus.CAPTURED)
    news = await live.ask(query_of(link, order_id))
    payments = {payment.identity: payment for payment in news.payments}
    for event in told:
        assert event.order_id == order_id
        if event.payment and event.payment.status in (PaymentStatus.CAPTURED, PaymentStatus.FAILED):
            assert payments[event.payment.identity].covers(event.payment)
    assert {event.link for event in told} >= {LinkStatus.PAID}


async def heard(
    live: Gateway, receiver: WebhookReceiver, order_id: str, last: PaymentStatus
) -> list[GatewayEvent]:
    """The events of an order, once its link was told to have ended with such a payment."""
    events: list[GatewayEvent] = []
    while not any(each.link and each.payment and each.payment.status is last for each in events):
        deliveries = await receiver.about(order_id, len(events) + 1)
        events = [await live.read_webhook(each.body, each.headers) for each in deliveries]
    return events
