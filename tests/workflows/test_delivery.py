"""Delivery on the real server: news finds the one workflow that it concerns."""

from datetime import UTC, datetime

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain.errors import OrderNotFound
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from domain.ports import Destination
from tests.support.fakes import a_payment, hint_for, news_of
from tests.workflows.conftest import CheckoutHandle, World
from workflows.delivery import repair_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = a_payment(reference="pay_2")


async def paid(world: World) -> CheckoutHandle:
    handle = await world.open()
    await world.deliver_for_real().deliver(news_of(handle.id, a_payment()))
    assert (await handle.result()).status is OrderStatus.PAID
    return handle


async def repairs(world: World, order_id: str) -> int:
    """How many repairs the order ever had, all of them finished."""
    handle = world.client.get_workflow_handle(repair_id(order_id))
    await handle.result()
    found = world.client.list_workflows(f"WorkflowId = '{handle.id}'")
    return len([run async for run in found])


async def test_a_running_checkout_is_told(world: World) -> None:
    handle = await world.open()
    delivery = world.deliver_for_real()
    assert await delivery.deliver(news_of(handle.id, a_payment())) is Destination.CHECKOUT
    assert (await handle.result()).status is OrderStatus.PAID


async def test_what_is_recorded_is_not_delivered(world: World) -> None:
    handle = await paid(world)
    delivery = world.deliver_for_real()
    for old in (a_payment(), a_payment(PaymentStatus.AUTHORIZED), a_payment(PaymentStatus.FAILED)):
        assert await delivery.deliver(news_of(handle.id, old)) is Destination.NOTHING_NEW
    assert await delivery.deliver(hint_for(handle.id, "pay_1")) is Destination.NOTHING_NEW


async def test_money_for_a_closed_checkout_goes_to_repair(world: World) -> None:
    handle = await paid(world)
    delivery = world.deliver_for_real()
    assert await delivery.deliver(news_of(handle.id, SECOND)) is Destination.REPAIR
    assert await repairs(world, handle.id) == 1
    (case,) = world.orders.cases_of(handle.id)
    assert (case.verdict, case.payment) == ("duplicate_payment", SECOND)


async def test_a_repair_may_be_needed_again(world: World) -> None:
    handle = await paid(world)
    delivery = world.deliver_for_real()
    await delivery.deliver(news_of(handle.id, SECOND))
    await world.client.get_workflow_handle(repair_id(handle.id)).result()
    third = a_payment(reference="pay_3")
    assert await delivery.deliver(news_of(handle.id, third)) is Destination.REPAIR
    await world.client.get_workflow_handle(repair_id(handle.id)).result()
    assert [case.payment for case in world.orders.cases_of(handle.id)] == [SECOND, third]


async def test_an_unknown_order_is_refused(world: World) -> None:
    with pytest.raises(OrderNotFound):
        await world.deliver_for_real().deliver(news_of("ord_nobody", a_payment()))


async def test_an_order_whose_checkout_was_terminated_is_repaired(world: World) -> None:
    handle = await world.open()
    await handle.terminate("by hand")
    delivery = world.deliver_for_real()
    assert await delivery.deliver(news_of(handle.id, a_payment())) is Destination.REPAIR
    await world.client.get_workflow_handle(repair_id(handle.id)).result()
    assert world.orders.orders[handle.id].status is OrderStatus.PAID
    assert world.letters.confirmed == [handle.id]


async def test_an_order_that_somebody_minds_is_not_adopted(world: World) -> None:
    handle = await world.open()
    assert not await world.deliver_for_real().adopt(world.orders.orders[handle.id])
    await handle.terminate()


async def test_an_order_that_nobody_minds_is_adopted_once(world: World) -> None:
    world.gateway.is_down = lambda: False
    handle = await world.open()
    await handle.terminate("by hand")
    delivery, order = world.deliver_for_real(), world.orders.orders[handle.id]
    world.gateway.is_down = lambda: True
    assert await delivery.adopt(order)
    await world.gateway.until_called("close")
    assert not await delivery.adopt(order), "its repair minds it now"
    await world.client.get_workflow_handle(repair_id(handle.id)).terminate()


async def test_an_order_without_any_workflow_is_adopted(world: World) -> None:
    order = world.order()
    delivery = world.deliver_for_real()
    assert await delivery.adopt(order)
    await world.client.get_workflow_handle(repair_id(order.order_id)).result()
    assert world.orders.orders[order.order_id].status is OrderStatus.EXPIRED


async def test_a_row_of_the_inbox_is_forwarded_and_marked(world: World) -> None:
    handle = await world.open()
    world.inbox.rows = {7: news_of(handle.id, a_payment())}
    assert await world.deliver_for_real().forward(7, NOW) is Destination.CHECKOUT
    assert world.inbox.done == [7]
    await handle.result()


async def test_a_row_whose_order_is_not_known_yet_is_put_off(world: World) -> None:
    world.inbox.rows = {7: None}
    assert await world.deliver_for_real().forward(7, NOW) is None
    assert (world.inbox.done, world.inbox.put_off) == ([], [7])


async def test_a_row_that_could_not_be_delivered_is_not_marked(world: World) -> None:
    world.inbox.rows = {7: news_of("ord_nobody", a_payment())}
    with pytest.raises(OrderNotFound):
        await world.deliver_for_real().forward(7, NOW)
    assert world.inbox.done == []


async def test_what_an_operator_sees_of_a_repair(world: World) -> None:
    handle = await paid(world)
    await world.deliver_for_real().deliver(news_of(handle.id, SECOND))
    repair = world.client.get_workflow_handle(repair_id(handle.id))
    await repair.result()
    description = await repair.describe()
    assert description.status is WorkflowExecutionStatus.COMPLETED
    assert await description.static_summary() == f"Repair: ₹499.00 by Acme, {handle.id}"
