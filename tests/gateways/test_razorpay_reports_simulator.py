"""Files and reports of the simulator: a real process, no code of ours."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import pytest_asyncio

from domain.checkouts import LinkQuery
from domain.errors import FileRefused
from domain.keys import link_key, new_id, wire_key
from domain.money import Money
from domain.payments import Payment, PaymentStatus
from domain.reconciliations import Period
from domain.refunds import Refund
from domain.settlements import START, Chunk, Entry, Report
from gateways.base import Gateway, LinkRequest
from gateways.razorpay import SHORTEST_LIFE
from gateways.registry import gateways
from tests.support.simulator import Simulator, running_simulator

PRICES = [Money(49900, "INR"), Money(129_901, "INR"), Money(100, "INR")]
PART = Money(10000, "INR")


@pytest_asyncio.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """One of its own, since its files tell of everything that ever happened."""
    async with running_simulator() as running:
        yield running


@pytest_asyncio.fixture
async def razorpay(simulator: Simulator) -> AsyncIterator[Gateway]:
    options = {
        "base_url": simulator.base_url,
        "key_id": simulator.key_id,
        "key_secret": simulator.key_secret,
        "webhook_secrets": [simulator.webhook_secret],
    }
    async with gateways({"razorpay": options}) as known:
        yield known["razorpay"]


@pytest_asyncio.fixture
async def orders(razorpay: Gateway, simulator: Simulator) -> dict[str, Payment]:
    """Orders that were paid, the first of them refunded in part, and one attempt that failed."""
    paid = {}
    for price in PRICES:
        order_id = new_id("ord")
        paid[order_id] = await attempt(razorpay, simulator, order_id, price)
    await attempt(razorpay, simulator, new_id("ord"), PRICES[0], "failure")
    order_id, payment = next(iter(paid.items()))
    refund = Refund(new_id("rfd"), order_id, "razorpay", payment.reference, PART)
    await razorpay.refund(razorpay.draft_refund(refund))
    return paid


async def attempt(
    razorpay: Gateway, simulator: Simulator, order_id: str, price: Money, outcome: str = "success"
) -> Payment:
    request = LinkRequest(
        order_id=order_id,
        key=link_key(order_id, 1),
        amount=price,
        description=f"Order {order_id}",
        callback_url="http://127.0.0.1:9/callbacks/razorpay/t0ken",
        expires_at=datetime.now(UTC) + SHORTEST_LIFE,
    )
    link = await razorpay.create_payment_link(razorpay.draft_link(request))
    await simulator.pay(link.url, outcome=outcome)
    query = LinkQuery(order_id, "razorpay", link.key, link.reference)
    return (await razorpay.ask(query)).payments[-1]


def around_now() -> Period:
    now = datetime.now(UTC)
    return Period(now - timedelta(hours=1), now + timedelta(minutes=1))


async def reported(razorpay: Gateway, report: Report) -> list[Chunk]:
    return [chunk async for chunk in razorpay.read_report(report, around_now(), START)]


def entries(chunks: list[Chunk]) -> list[Entry]:
    return [entry for chunk in chunks for entry in chunk.entries]


def comparable(entry: Entry) -> Entry:
    """Where it stood, and the payment of a refund, are not the same in a file and a report."""
    return entry._replace(position=0, payment_reference=None, our_id=None)


async def test_transactions_are_listed_with_fees_and_failures(
    razorpay: Gateway, orders: dict[str, Payment]
) -> None:
    told = entries(await reported(razorpay, Report.TRANSACTIONS))
    captured = {entry.our_id: entry for entry in told if entry.status == "captured"}
    assert {order: (entry.reference, entry.amount_minor) for order, entry in captured.items()} == {
        order: (payment.reference, payment.amount.minor) for order, payment in orders.items()
    }
    first = captured[next(iter(orders))]
    assert (first.fee_minor, first.tax_minor) == (998, 179)
    assert [(entry.kind, entry.status) for entry in told[3:]] == [
        ("payment", "captured"),
        ("refund", "succeeded"),
    ]
    assert [entry.status for entry in told].count("failed") == 1


async def test_the_file_and_the_report_tell_the_same(
    razorpay: Gateway, simulator: Simulator, orders: dict[str, Payment]
) -> None:
    (settlement,) = await simulator.pay_out()
    content = (await simulator.csv()).encode()
    filed = entries(list(razorpay.read_file(BytesIO(content), START)))
    chunks = await reported(razorpay, Report.SETTLEMENTS)
    told = entries(chunks)
    assert list(map(comparable, filed)) == list(map(comparable, told))
    assert len(filed) == len(PRICES) + 1
    (total,) = (total for chunk in chunks for total in chunk.totals)
    assert total.net == Money(settlement["amount"], "INR")
    assert total.net.minor == sum(map(net, told)) == sum(map(net, filed))
    keys = {wire_key(link_key(order_id, 1)) for order_id in orders}
    assert {entry.order_reference for entry in told} == keys
    assert {entry.our_id for entry in told if entry.kind == "refund"} == {
        entry.our_id for entry in filed if entry.kind == "refund"
    }


def net(entry: Entry) -> int:
    sign = -1 if entry.kind == "refund" else 1
    return sign * entry.amount_minor - (entry.fee_minor or 0) - (entry.tax_minor or 0)


async def test_what_was_taken_back_is_an_adjustment(
    razorpay: Gateway, simulator: Simulator, orders: dict[str, Payment]
) -> None:
    await simulator.pay_out()
    payment = list(orders.values())[1]
    await simulator.revoke(payment.reference)
    (settlement,) = await simulator.pay_out()
    content = (await simulator.csv()).encode()
    for told in (
        entries(list(razorpay.read_file(BytesIO(content), START))),
        entries(await reported(razorpay, Report.SETTLEMENTS)),
    ):
        assert (told[-1].kind, told[-1].amount_minor) == ("other", settlement["amount"])
    (asked,) = (await razorpay.ask_payment("ord_x", payment.reference)).payments
    assert asked == replace(payment, status=PaymentStatus.FAILED, failure=asked.failure)


@pytest.mark.usefixtures("orders")
async def test_a_file_that_was_cut_off_is_refused(razorpay: Gateway, simulator: Simulator) -> None:
    await simulator.pay_out()
    whole, cut = await simulator.csv(), await simulator.csv(cut=True)
    with pytest.raises(FileRefused) as refused:
        list(razorpay.read_file(BytesIO(cut.encode()), START))
    assert refused.value.line == whole.count("\n")


async def test_strangers_are_read_like_anybody(razorpay: Gateway, simulator: Simulator) -> None:
    content = (await simulator.csv(strangers=3)).encode()
    told = entries(list(razorpay.read_file(BytesIO(content), START)))
    assert [entry.amount_minor for entry in told] == [10001, 10002, 10003]


async def test_a_payment_is_asked_for_by_its_own_name(
    razorpay: Gateway, orders: dict[str, Payment]
) -> None:
    order_id, payment = next(iter(orders.items()))
    news = await razorpay.ask_payment(order_id, payment.reference)
    assert (news.gateway, news.order_id, news.payments) == ("razorpay", order_id, (payment,))
    assert (await razorpay.ask_payment(order_id, "pay_00000000000000")).payments == ()
