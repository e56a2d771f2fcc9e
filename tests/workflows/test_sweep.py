"""The sweep: its schedule outlives restarts, and one stuck row does not hold up the others."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import ScheduleHandle, ScheduleOverlapPolicy

from domain.errors import GatewayUnavailable
from domain.orders import OrderStatus
from domain.payments import LinkStatus, PaymentLink
from tests.support.fakes import a_payment, an_order, news_of
from tests.workflows.conftest import World
from workflows.delivery import repair_id
from workflows.schedules import SWEEP, keep_sweeping
from workflows.sweep import SweepResult, SweepWorkflow

HOURLY, DAILY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def schedule(world: World) -> AsyncIterator[ScheduleHandle]:
    await keep_sweeping(world.client, world.task_queue, HOURLY)
    handle = world.client.get_schedule_handle(SWEEP)
    yield handle
    await handle.delete()


async def intervals(schedule: ScheduleHandle) -> list[timedelta]:
    spec = (await schedule.describe()).schedule.spec
    return [interval.every for interval in spec.intervals]


async def sweep(world: World) -> SweepResult:
    return await world.client.execute_workflow(
        SweepWorkflow.run, id=f"sweep-{world.task_queue}", task_queue=world.task_queue
    )


async def test_the_schedule_never_lets_two_overlap(schedule: ScheduleHandle) -> None:
    described = (await schedule.describe()).schedule
    assert described.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert await intervals(schedule) == [HOURLY]


async def test_another_interval_is_taken_over(world: World, schedule: ScheduleHandle) -> None:
    await keep_sweeping(world.client, world.task_queue, DAILY)
    assert await intervals(schedule) == [DAILY]


async def test_an_operator_s_pause_outlives_a_restart(
    world: World, schedule: ScheduleHandle
) -> None:
    await schedule.pause(note="the database is being moved")
    await keep_sweeping(world.client, world.task_queue, HOURLY)
    state = (await schedule.describe()).schedule.state
    assert (state.paused, state.note) == (True, "the database is being moved")


async def test_it_sweeps_when_it_is_time(world: World, schedule: ScheduleHandle) -> None:
    handle = await world.open()
    world.deliver_for_real()
    world.inbox.rows = {1: news_of(handle.id, a_payment())}
    now = datetime.now(UTC)
    await keep_sweeping(world.client, world.task_queue, timedelta(seconds=1))
    assert (await handle.result()).status is OrderStatus.PAID
    assert datetime.now(UTC) - now < timedelta(seconds=20)


async def test_what_is_stuck_is_set_going(world: World) -> None:
    world.deliver_for_real()
    running, orphan = await world.open(), await world.open()
    await orphan.terminate("lost")
    world.inbox.rows = {1: news_of(running.id, a_payment())}
    result = await sweep(world)
    assert (result.events_forwarded, result.orders_adopted) == (1, 1)
    assert (await running.result()).status is OrderStatus.PAID
    await world.client.get_workflow_handle(repair_id(orphan.id)).result()
    assert world.orders.orders[orphan.id].status is OrderStatus.EXPIRED
    assert world.inbox.done == [1]


async def test_one_bad_row_does_not_hold_up_the_others(world: World) -> None:
    world.deliver_for_real()
    handle = await world.open()
    too_long = "ord_" + "x" * 2000
    world.orders.add(an_order(too_long))
    world.inbox.rows = {
        1: news_of("ord_nobody", a_payment()),
        2: news_of(too_long, a_payment()),
        3: None,
        4: news_of(handle.id, a_payment()),
    }
    result = await sweep(world)
    assert result.events_forwarded == 1
    assert world.inbox.done == [4]
    assert world.inbox.put_off == [1, 2, 3]
    assert (await handle.result()).status is OrderStatus.PAID


async def test_orders_that_never_asked_for_a_link_are_counted(world: World) -> None:
    world.orders.untouched = 3
    assert (await sweep(world)).orders_expired == 3


@pytest.fixture
async def late(world: World) -> PaymentLink:
    return await world.late_link()


async def test_a_link_that_came_too_late_is_closed(world: World, late: PaymentLink) -> None:
    assert (await sweep(world)).late_links_closed == 1
    assert world.gateway.links[late.key].status is LinkStatus.CLOSED
    assert world.orders.links[late.key].reference == late.reference
    assert world.delivery.delivered == []
    assert (await sweep(world)).late_links_closed == 0


async def test_money_that_such_a_link_took_is_delivered(world: World, late: PaymentLink) -> None:
    order_id = late.key.partition(":")[0]
    world.gateway.pay(order_id, a_payment())
    await sweep(world)
    (news,) = world.delivery.delivered
    assert (news.order_id, news.payments) == (order_id, (a_payment(),))


async def test_one_that_was_never_made_is_forgotten(world: World, late: PaymentLink) -> None:
    world.gateway.links.clear()
    assert (await sweep(world)).late_links_closed == 0
    assert world.orders.given_up == []


@pytest.mark.parametrize("trouble", ["away", "open"])
async def test_one_that_cannot_be_closed_yet_is_looked_for_again(
    world: World, late: PaymentLink, trouble: str
) -> None:
    if trouble == "away":
        world.gateway.ask_errors = [GatewayUnavailable("away")]
    world.gateway.stays_open = trouble == "open"
    assert (await sweep(world)).late_links_closed == 0
    assert world.orders.given_up == [late.key]
    world.gateway.stays_open = False
    assert (await sweep(world)).late_links_closed == 1


async def test_where_nothing_can_be_looked_up_there_is_nothing_to_find(
    world: World, late: PaymentLink
) -> None:
    world.gateway.capabilities = replace(world.gateway.capabilities, lookup_by_order_id=False)
    assert (await sweep(world)).late_links_closed == 0
    assert (world.orders.given_up, world.gateway.calls) == ([], ["create"])
