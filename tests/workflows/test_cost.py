"""What a paid checkout costs at Temporal: actions, events and bytes, counted in its history."""

import asyncio
import sys
from datetime import timedelta

import pytest
from temporalio.client import WorkflowHistory

from domain.errors import GatewayUnavailable
from domain.news import PaymentNews
from domain.payments import LinkStatus, PaymentStatus
from tests.support.fakes import a_payment, hint_for, news_of
from tests.workflows.conftest import CheckoutHandle, World
from tests.workflows.histories import actions, kinds, replay, size
from workflows.checkout import CheckoutResult

KIB = 1024
WEBHOOK, CALLBACK = "webhook", "callback"


def all_news(order_id: str) -> dict[str, PaymentNews]:
    """What Razorpay tells of one payment: signed events of every kind, and the callback."""
    return {
        WEBHOOK: news_of(order_id, a_payment()),
        "sibling": news_of(order_id, a_payment(), link=LinkStatus.PAID),
        "authorized": news_of(order_id, a_payment(PaymentStatus.AUTHORIZED)),
        CALLBACK: hint_for(order_id, "pay_1"),
    }


async def paid_checkout(world: World, first: str) -> WorkflowHistory:
    """All news by Delivery: the first alone, the rest while the letter is being written."""
    order, delivery = world.order(), world.deliver_for_real()
    news = all_news(order.order_id)
    await world.click_pay(order)
    world.gateway.pay(order.order_id, a_payment())
    world.letters.allowed = asyncio.Event()
    await delivery.deliver(news.pop(first))
    await world.letters.begun.wait()
    for each in news.values():
        await delivery.deliver(each)
    world.letters.allowed.set()
    handle: CheckoutHandle = world.client.get_workflow_handle(
        order.order_id, result_type=CheckoutResult
    )
    assert (await handle.result()).status == "paid"
    return await handle.fetch_history()


def cost(history: WorkflowHistory) -> str:
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds(history).items()))
    numbers = f"{actions(history)} actions, {len(history.events)} events, {size(history)} bytes"
    return f"{numbers}: {counted}"


@pytest.mark.parametrize(
    ("first", "most_actions", "most_events"), [(WEBHOOK, 8, 36), (CALLBACK, 10, 45)]
)
async def test_a_paid_checkout_is_cheap(
    world: World, first: str, most_actions: int, most_events: int
) -> None:
    history = await paid_checkout(world, first)
    sys.stdout.write(f"\n{first} first: {cost(history)}\n")
    assert actions(history) <= most_actions, cost(history)
    assert len(history.events) <= most_events, cost(history)
    assert size(history) <= 20 * KIB, cost(history)
    await replay([history])


async def test_a_retry_costs_as_much_as_a_first_attempt(world: World) -> None:
    world.gateway.create_errors = [GatewayUnavailable("away", timedelta(milliseconds=20))] * 3
    history = await paid_checkout(world, WEBHOOK)
    assert actions(history) == 8 + 3, cost(history)
