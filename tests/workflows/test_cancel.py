"""Canceling a checkout, by our signal or by Temporal's own: the link is closed, a payment wins."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateStage

from domain.orders import OrderStatus
from domain.payments import LinkStatus
from domain.policies import Timetable
from tests.support.fakes import a_payment, news_of
from tests.workflows.conftest import CheckoutHandle, World
from workflows.checkout import CheckoutResult, CheckoutWorkflow

Cancel = Callable[[CheckoutHandle], Awaitable[None]]


async def by_signal(handle: CheckoutHandle) -> None:
    await handle.signal(CheckoutWorkflow.cancel)


async def by_temporal(handle: CheckoutHandle) -> None:
    await handle.cancel()


async def by_both_and_again(handle: CheckoutHandle) -> None:
    await handle.cancel()
    await handle.signal(CheckoutWorkflow.cancel)
    await handle.cancel()


either_way = pytest.mark.parametrize("cancel", [by_signal, by_temporal, by_both_and_again])


async def canceled(world: World, handle: CheckoutHandle) -> CheckoutResult:
    """The result, once it is seen that the order ended as canceled, on proof."""
    result = await handle.result()
    assert result.status is OrderStatus.CANCELED
    assert result.evidence
    assert result.evidence.kind == "status_query"
    assert world.orders.orders[handle.id].status is OrderStatus.CANCELED
    assert world.gateway.calls[-2:] == ["close", "ask"]
    return result


@either_way
async def test_while_waiting_for_the_customer(world: World, cancel: Cancel) -> None:
    handle = await world.open()
    await cancel(handle)
    await canceled(world, handle)
    (link,) = world.gateway.links.values()
    assert link.status is LinkStatus.CLOSED
    assert world.gateway.calls == ["create", "close", "ask"]


@either_way
async def test_before_anything_happened(world: World, cancel: Cancel) -> None:
    handle = await world.start()
    await cancel(handle)
    await canceled(world, handle)


@either_way
async def test_while_the_link_is_asked_for_in_vain(world: World, cancel: Cancel) -> None:
    world.gateway.is_down = lambda: True
    handle = await world.start()
    clicked = await handle.start_update(
        CheckoutWorkflow.payment_link, wait_for_stage=WorkflowUpdateStage.ACCEPTED
    )
    await world.gateway.until_called("create")
    await cancel(handle)
    await world.gateway.until_called("close")
    world.gateway.is_down = lambda: False
    await canceled(world, handle)
    assert world.gateway.links == {}
    assert (await clicked.result()).link is None


@either_way
async def test_while_the_link_is_being_made(world: World, cancel: Cancel) -> None:
    world.gateway.allowed = asyncio.Event()
    handle = await world.start()
    await world.gateway.until_called("create")
    await cancel(handle)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(world.gateway.until_called("close"), 0.5)
    assert world.gateway.calls == ["create"], "what has begun is finished first"
    world.gateway.allowed.set()
    await canceled(world, handle)
    (link,) = world.gateway.links.values()
    assert link.status is LinkStatus.CLOSED


@either_way
async def test_while_a_query_is_under_way(world: World, cancel: Cancel) -> None:
    world.timetable = Timetable(hint_delays=(timedelta(),))
    handle = await world.open()
    world.gateway.allowed = asyncio.Event()
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id))
    await world.gateway.until_called("ask")
    await cancel(handle)
    world.gateway.allowed.set()
    async with asyncio.timeout(10):
        await canceled(world, handle)
    assert world.gateway.calls == ["create", "ask", "close", "ask"], "and closed at once"


@either_way
async def test_while_the_last_query_fails(world: World, cancel: Cancel) -> None:
    world.hurry()
    handle = await world.open()
    world.gateway.is_down = lambda: True
    await world.gateway.until_called("close", times=2)
    await cancel(handle)
    world.gateway.is_down = lambda: False
    await canceled(world, handle)


@either_way
async def test_a_payment_that_wins_the_race_counts(world: World, cancel: Cancel) -> None:
    handle = await world.open()
    world.gateway.pay(handle.id, a_payment())
    await cancel(handle)
    assert (await handle.result()).status is OrderStatus.PAID
    assert world.letters.confirmed == [handle.id]


@either_way
async def test_a_webhook_that_comes_while_the_link_is_closed_counts(
    world: World, cancel: Cancel
) -> None:
    world.letters.allowed = asyncio.Event()
    handle = await world.open()
    world.gateway.allowed = asyncio.Event()
    await cancel(handle)
    await world.gateway.until_called("close")
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    await world.letters.begun.wait()
    gc.collect()  # The query that was given up is gone now, and was heard to fail.
    world.letters.allowed.set()
    assert (await handle.result()).status is OrderStatus.PAID
    world.gateway.allowed.set()


@either_way
async def test_after_it_was_paid_nothing_changes(world: World, cancel: Cancel) -> None:
    world.letters.allowed = asyncio.Event()
    handle = await world.open()
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    await world.letters.begun.wait()
    await cancel(handle)
    world.letters.allowed.set()
    assert (await handle.result()).status is OrderStatus.PAID
    assert world.letters.confirmed == [handle.id]
