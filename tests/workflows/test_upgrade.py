"""A worker of the next version takes over what the last one began, and nothing gets stuck."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.workflow import NondeterminismError

from domain.errors import MailDelayed
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from tests.histories.record import recorded
from tests.support.fakes import a_payment, news_of
from tests.workflows.builds import BareCheckout, PatchedCheckout
from tests.workflows.conftest import CheckoutHandle, World
from tests.workflows.histories import kinds, replay, strays
from worker import WORKFLOWS
from workflows.checkout import CheckoutWorkflow

MANY = 12
PENDING = a_payment(PaymentStatus.PENDING)
OF_CHECKOUTS = {name: history for name, history in recorded().items() if "checkout-" in name}

Stage = Callable[[World], Awaitable[CheckoutHandle]]


def with_this(checkout: type) -> list[type]:
    return [checkout, *(each for each in WORKFLOWS if each is not CheckoutWorkflow)]


PATCHED, BARE = with_this(PatchedCheckout), with_this(BareCheckout)


async def asking_for_its_link(world: World) -> CheckoutHandle:
    world.gateway.is_down = lambda: True
    handle = await world.start()
    await world.gateway.until_called("create")
    return handle


async def waiting_for_its_customer(world: World) -> CheckoutHandle:
    return await world.open()


async def in_doubt(world: World) -> CheckoutHandle:
    world.hurry()
    handle = await world.open()
    world.gateway.pay(handle.id, PENDING)
    await world.gateway.until_called("close", times=2)
    return handle


async def telling_its_customer(world: World) -> CheckoutHandle:
    world.letters.failures = [MailDelayed("451 try again")] * 100
    handle = await world.open()
    await pay(world, handle)
    await world.letters.begun.wait()
    return handle


async def pay(world: World, handle: CheckoutHandle) -> None:
    world.gateway.knows(handle.id, a_payment())
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))


def all_is_well(world: World) -> None:
    world.gateway.is_down = lambda: False
    world.letters.failures.clear()


@pytest.mark.parametrize(
    ("stage", "new_steps"),
    [
        (asking_for_its_link, 1),
        (waiting_for_its_customer, 1),
        (in_doubt, 1),
        (telling_its_customer, 0),
    ],
)
async def test_a_checkout_is_taken_over_wherever_it_stands(
    stage: Stage, new_steps: int, real_time: WorkflowEnvironment
) -> None:
    world = World(real_time)
    async with world.worker():
        handle = await stage(world)
    before = await handle.fetch_history()
    async with world.worker(PATCHED):
        all_is_well(world)
        await pay(world, handle)
        assert (await handle.result()).status is OrderStatus.PAID
    after = await handle.fetch_history()
    assert len(after.events) > len(before.events)
    assert kinds(after)["MARKER_RECORDED"] == new_steps, "what is behind it is not taken again"
    assert world.letters.confirmed == [handle.id]
    await replay([after], PATCHED)


async def test_of_many_that_run_none_is_stuck(real_time: WorkflowEnvironment) -> None:
    world = World(real_time)
    async with world.worker():
        old = await asyncio.gather(*(world.open() for _ in range(MANY)))
    paid = asyncio.gather(*(pay(world, handle) for handle in old))
    async with world.worker(PATCHED):
        await paid
        new = await world.open()
        await pay(world, new)
        results = await asyncio.gather(*(handle.result() for handle in [*old, new]))
    assert {result.status for result in results} == {OrderStatus.PAID}
    assert sorted(world.letters.confirmed) == sorted(handle.id for handle in [*old, new])
    assert kinds(await new.fetch_history())["MARKER_RECORDED"] == 2


async def test_a_step_behind_a_patch_goes_with_every_history() -> None:
    assert await strays(OF_CHECKOUTS, PATCHED) == {}


async def test_a_bare_step_is_caught_by_every_history_that_comes_there() -> None:
    caught = await strays(OF_CHECKOUTS, BARE)
    assert set(caught) == set(OF_CHECKOUTS)
    assert {type(error) for error in caught.values()} == {NondeterminismError}
