"""A checkout on the real server: each path to an end, and its proof."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.money import Money
from domain.news import EvidenceKind, PaymentNews
from domain.orders import OrderStatus
from domain.payments import LinkStatus, Payment, PaymentStatus
from domain.policies import Timetable
from tests.support.fakes import PRICE, a_payment, hint_for, news_of
from tests.workflows.conftest import CheckoutHandle, World
from workflows.checkout import CheckoutResult, CheckoutWorkflow

FAILED, PENDING = a_payment(PaymentStatus.FAILED, "pay_0"), a_payment(PaymentStatus.PENDING)
TOO_LITTLE = a_payment(amount=Money(PRICE.minor - 1, PRICE.currency))
DOLLARS = a_payment(amount=Money(PRICE.minor, "USD"))


async def tell(handle: CheckoutHandle, *payments: Payment) -> PaymentNews:
    news = news_of(handle.id, *payments)
    await handle.signal(CheckoutWorkflow.learn, news)
    return news


def proof(result: CheckoutResult) -> EvidenceKind:
    assert result.evidence, "an end without proof"
    return result.evidence.kind


async def test_paid_by_webhook_alone(world: World) -> None:
    handle = await world.open()
    await tell(handle, a_payment())
    result = await handle.result()
    assert (result.status, result.payment_reference) == (OrderStatus.PAID, "pay_1")
    assert proof(result) is EvidenceKind.WEBHOOK
    assert world.gateway.calls == ["create"], "a signed webhook needs no confirming query"
    assert world.letters.confirmed == [handle.id]
    assert world.orders.orders[handle.id].status is OrderStatus.PAID


async def test_paid_by_callback_alone(world: World) -> None:
    handle = await world.open()
    world.gateway.pay(handle.id, a_payment())
    await handle.signal(CheckoutWorkflow.learn, hint_for(handle.id, "pay_1"))
    result = await handle.result()
    assert result.status is OrderStatus.PAID
    assert proof(result) is EvidenceKind.STATUS_QUERY
    assert world.gateway.calls == ["create", "ask"], "a callback makes it ask, at once and once"


async def test_paid_by_neither(world: World) -> None:
    world.hurry(window=4)
    handle = await world.open()
    world.gateway.pay(handle.id, a_payment())
    result = await handle.result()
    assert result.status is OrderStatus.PAID
    assert proof(result) is EvidenceKind.STATUS_QUERY
    assert world.gateway.calls == ["create", "ask"], "silence made it ask, within the window"


async def test_a_forged_callback_changes_nothing(world: World) -> None:
    world.hurry()
    handle = await world.open()
    for _ in range(3):
        await handle.signal(CheckoutWorkflow.learn, hint_for(handle.id, "pay_forged"))
    result = await handle.result()
    assert (result.status, proof(result)) == ("expired", "status_query")


async def test_a_failed_attempt_then_paid_on_the_same_link(world: World) -> None:
    handle = await world.open()
    await tell(handle, FAILED)
    assert await handle.execute_update(CheckoutWorkflow.payment_link), "still open"
    await tell(handle, a_payment())
    result = await handle.result()
    assert (result.status, result.payment_reference) == (OrderStatus.PAID, "pay_1")
    assert world.gateway.calls == ["create"]
    assert set(world.orders.conclusions[handle.id].others) == {FAILED}


async def test_failed_attempts_only_fail_when_the_window_ends(world: World) -> None:
    world.hurry()
    handle = await world.open()
    await tell(handle, FAILED)
    await tell(handle, a_payment(PaymentStatus.FAILED))
    result = await handle.result()
    assert result.status is OrderStatus.FAILED
    assert proof(result) is EvidenceKind.STATUS_QUERY, "a failed attempt is no end"
    assert world.gateway.calls[-2:] == ["close", "ask"]
    assert world.letters.confirmed == []


async def test_abandoned(world: World) -> None:
    world.hurry()
    handle = await world.open()
    result = await handle.result()
    assert (result.status, proof(result)) == ("expired", "status_query")
    assert world.gateway.calls == ["create", "ask", "close", "ask"], "closed before the last query"
    (link,) = world.gateway.links.values()
    assert link.status is LinkStatus.CLOSED
    assert world.orders.links[link.key].status is LinkStatus.CLOSED


async def test_a_capture_seen_by_the_last_query_is_on_time(world: World) -> None:
    world.timetable = Timetable(window=timedelta(seconds=0.3), quiet_delays=())
    handle = await world.open()
    world.gateway.allowed = asyncio.Event()
    await world.gateway.until_called("close")
    world.gateway.pay(handle.id, a_payment())
    world.gateway.allowed.set()
    assert (await handle.result()).status is OrderStatus.PAID


async def test_while_the_gateway_says_pending_it_stays_open_and_asks(world: World) -> None:
    world.hurry()
    handle = await world.open()
    world.gateway.pay(handle.id, PENDING)
    await world.gateway.until_called("close", times=3)
    assert world.orders.orders[handle.id].status is OrderStatus.AWAITING_PAYMENT
    world.gateway.payments[handle.id] = [a_payment(PaymentStatus.FAILED)]
    result = await handle.result()
    assert (result.status, proof(result)) == ("failed", "status_query")


async def test_what_was_pending_at_the_end_is_paid_by_a_webhook(world: World) -> None:
    world.hurry()
    handle = await world.open()
    world.gateway.pay(handle.id, PENDING)
    await world.gateway.until_called("close")
    await tell(handle, a_payment())
    result = await handle.result()
    assert (result.status, proof(result)) == ("paid", "webhook")


async def test_while_the_gateway_is_unreachable_it_keeps_asking(world: World) -> None:
    world.hurry()
    handle = await world.open()
    world.gateway.is_down = lambda: True
    await world.gateway.until_called("close", times=5)
    assert world.orders.orders[handle.id].status is OrderStatus.AWAITING_PAYMENT
    world.gateway.is_down = lambda: False
    assert (await handle.result()).status is OrderStatus.EXPIRED


@pytest.mark.parametrize(
    ("payment", "verdict"), [(TOO_LITTLE, "amount_mismatch"), (DOLLARS, "currency_mismatch")]
)
async def test_wrong_money_is_never_paid(world: World, payment: Payment, verdict: str) -> None:
    handle = await world.open()
    world.gateway.pay(handle.id, payment)
    await tell(handle, payment)
    result = await handle.result()
    assert (result.status, result.payment_reference) == (OrderStatus.NEEDS_REVIEW, None)
    assert [case.verdict for case in world.orders.cases_of(handle.id)] == [verdict]
    (link,) = world.gateway.links.values()
    assert link.status is LinkStatus.CLOSED, "nobody else may pay through it"
    assert world.letters.confirmed == []


async def test_paid_twice(world: World) -> None:
    handle = await world.open()
    world.gateway.payments[handle.id] = [a_payment(), a_payment(reference="pay_2")]
    await handle.signal(CheckoutWorkflow.learn, hint_for(handle.id))
    result = await handle.result()
    assert (result.status, result.payment_reference) == (OrderStatus.PAID, "pay_1")
    (case,) = world.orders.cases_of(handle.id)
    assert (case.verdict, case.payment.reference) == ("duplicate_payment", "pay_2")
    assert world.letters.confirmed == [handle.id]


async def test_a_hundred_duplicates_are_one_payment(world: World) -> None:
    handle = await world.start()
    news = news_of(handle.id, a_payment())
    told = (handle.signal(CheckoutWorkflow.learn, news) for _ in range(100))
    await asyncio.gather(*told, return_exceptions=True)
    assert (await handle.result()).status is OrderStatus.PAID
    assert world.letters.confirmed == [handle.id]
    assert world.orders.cases == []
    assert world.delivery.delivered == []


async def test_fifty_clicks_at_once_are_one_link(world: World) -> None:
    order = world.order()
    answers = await asyncio.gather(*(world.click_pay(order) for _ in range(50)))
    assert answers[0].link
    assert set(answers) == {answers[0]}
    assert world.gateway.calls == ["create"]
    assert await world.click_pay(order) == answers[0], "and later clicks the same"


async def test_an_order_s_checkout_is_started_once(world: World) -> None:
    order = world.order()
    opened = await world.click_pay(order)
    handle: CheckoutHandle = world.client.get_workflow_handle(order.order_id)
    with pytest.raises(WorkflowAlreadyStartedError):
        await world.start(order)
    await tell(handle, a_payment())
    await handle.result()
    with pytest.raises(WorkflowAlreadyStartedError):
        await world.start(order)
    assert await world.click_pay(order) == opened, "the recorded answer outlives the workflow"
    assert world.gateway.calls == ["create"]
