"""Repair: money that came too late, twice or for nobody becomes a case, and orphans are ended."""

import asyncio

from temporalio.client import WorkflowHandle

from domain.checkouts import CheckoutPlan, Conclusion
from domain.errors import GatewayUnavailable
from domain.money import Money
from domain.news import Evidence, EvidenceKind, PaymentNews
from domain.orders import Order, OrderStatus
from domain.payments import LinkStatus, Payment, PaymentStatus
from domain.policies import Budget, RepairPolicy
from domain.repairs import RepairPlan
from tests.support.fakes import a_payment, hint_for, news_of
from tests.workflows.conftest import World
from workflows.delivery import repair_id
from workflows.repair import RepairWorkflow

RepairHandle = WorkflowHandle[RepairWorkflow, None]

FAILED, AUTHORIZED = a_payment(PaymentStatus.FAILED), a_payment(PaymentStatus.AUTHORIZED)
SECOND = a_payment(reference="pay_2")


async def ended(world: World, status: OrderStatus, payment: Payment | None = None) -> Order:
    """An order that has ended, and its link with it."""
    order = world.order()
    evidence = Evidence(EvidenceKind.STATUS_QUERY, "the end")
    await world.orders.conclude(
        Conclusion(order.order_id, status, evidence, order.created_at, payment)
    )
    if payment:
        world.gateway.pay(order.order_id, payment)
    return order


async def orphaned(world: World) -> Order:
    """An order that awaits payment through a live link, and whose checkout is gone."""
    handle = await world.open()
    await handle.terminate("lost")
    world.gateway.calls.clear()
    return world.orders.orders[handle.id]


async def tell(world: World, order: Order, *news: PaymentNews) -> RepairHandle:
    """Start the repair as Delivery does, with several signals at once."""
    handle = await signal_repair(world, order, RepairWorkflow.learn.__name__, news[0])
    for each in news[1:]:
        await handle.signal(RepairWorkflow.learn, each)
    return handle


async def signal_repair(
    world: World, order: Order, signal: str, *args: PaymentNews
) -> RepairHandle:
    return await world.client.start_workflow(
        RepairWorkflow.run,
        RepairPlan(
            order.order_id, CheckoutPlan.of(order, world.timetable), RepairPolicy(), Budget()
        ),
        id=repair_id(order.order_id),
        task_queue=world.task_queue,
        start_signal=signal,
        start_signal_args=list(args),
    )


def cases(world: World, order: Order) -> list[tuple[str, str]]:
    return [(c.verdict, c.payment.reference) for c in world.orders.cases_of(order.order_id)]


async def test_a_late_capture(world: World) -> None:
    order = await ended(world, OrderStatus.EXPIRED)
    await (await tell(world, order, news_of(order.order_id, a_payment()))).result()
    assert cases(world, order) == [("late_capture", "pay_1")]
    assert world.gateway.calls == [], "a signed webhook is proof"
    assert world.orders.orders[order.order_id].status is OrderStatus.EXPIRED


async def test_a_late_authorization(world: World) -> None:
    order = await ended(world, OrderStatus.FAILED, FAILED)
    await (await tell(world, order, news_of(order.order_id, AUTHORIZED))).result()
    assert cases(world, order) == [("late_authorization", "pay_1")]


async def test_a_duplicate(world: World) -> None:
    order = await ended(world, OrderStatus.PAID, a_payment())
    await (await tell(world, order, news_of(order.order_id, SECOND))).result()
    assert cases(world, order) == [("duplicate_payment", "pay_2")]


async def test_another_amount_for_the_same_payment(world: World) -> None:
    order = await ended(world, OrderStatus.PAID, a_payment())
    other = news_of(order.order_id, a_payment(amount=Money(1, "INR")))
    await (await tell(world, order, other)).result()
    assert cases(world, order) == [("amount_mismatch", "pay_1")]


async def test_old_news_opens_no_case(world: World) -> None:
    order = await ended(world, OrderStatus.PAID, a_payment())
    old = (news_of(order.order_id, each) for each in (a_payment(), AUTHORIZED, FAILED))
    await (await tell(world, order, *old)).result()
    assert cases(world, order) == []


async def test_old_and_new_in_one_answer(world: World) -> None:
    order = await ended(world, OrderStatus.PAID, a_payment())
    await (await tell(world, order, news_of(order.order_id, AUTHORIZED, SECOND))).result()
    assert cases(world, order) == [("duplicate_payment", "pay_2")]


async def test_a_hint_is_asked_about_first(world: World) -> None:
    order = await ended(world, OrderStatus.EXPIRED)
    await (await tell(world, order, hint_for(order.order_id, "pay_1"))).result()
    assert world.gateway.calls == ["ask"]
    assert cases(world, order) == [], "a forged callback is nothing"


async def test_a_hint_that_is_true(world: World) -> None:
    order = await ended(world, OrderStatus.EXPIRED)
    world.gateway.pay(order.order_id, a_payment())
    world.gateway.ask_errors = [GatewayUnavailable("away")]
    await (await tell(world, order, hint_for(order.order_id, "pay_1"))).result()
    assert cases(world, order) == [("late_capture", "pay_1")]
    (case,) = world.orders.cases
    assert case.evidence.kind is EvidenceKind.STATUS_QUERY


async def test_the_same_news_twice_is_one_case(world: World) -> None:
    order = await ended(world, OrderStatus.EXPIRED)
    news = news_of(order.order_id, a_payment())
    await (await tell(world, order, news, news)).result()
    await (await tell(world, order, news)).result()
    assert cases(world, order) == [("late_capture", "pay_1")]


async def test_signals_that_come_while_it_works_are_heard(world: World) -> None:
    order = await ended(world, OrderStatus.EXPIRED)
    world.gateway.allowed = asyncio.Event()
    handle = await tell(world, order, hint_for(order.order_id))
    await world.gateway.until_called("ask")
    await handle.signal(RepairWorkflow.learn, news_of(order.order_id, a_payment()))
    await handle.signal(RepairWorkflow.learn, news_of(order.order_id, SECOND))
    world.gateway.allowed.set()
    await handle.result()
    assert cases(world, order) == [("late_capture", "pay_1"), ("late_capture", "pay_2")]


async def test_an_orphan_that_nobody_paid(world: World) -> None:
    order = await orphaned(world)
    await (await signal_repair(world, order, RepairWorkflow.call.__name__)).result()
    assert world.gateway.calls == ["close", "ask"]
    assert world.orders.orders[order.order_id].status is OrderStatus.EXPIRED
    (link,) = world.gateway.links.values()
    assert link.status is LinkStatus.CLOSED
    assert world.letters.confirmed == []


async def test_an_orphan_that_was_paid(world: World) -> None:
    order = await orphaned(world)
    world.gateway.pay(order.order_id, a_payment())
    await (await signal_repair(world, order, RepairWorkflow.call.__name__)).result()
    assert world.orders.orders[order.order_id].status is OrderStatus.PAID
    assert world.letters.confirmed == [order.order_id]


async def test_an_orphan_whose_gateway_is_away_is_kept(world: World) -> None:
    world.hurry()
    order = await orphaned(world)
    world.gateway.is_down = lambda: True
    handle = await signal_repair(world, order, RepairWorkflow.call.__name__)
    await world.gateway.until_called("close", times=3)
    await handle.signal(RepairWorkflow.learn, news_of(order.order_id, a_payment()))
    await handle.result()
    conclusion = world.orders.conclusions[order.order_id]
    assert (conclusion.status, conclusion.evidence.kind) == ("paid", "webhook")


async def test_an_orphan_that_was_to_be_canceled(world: World) -> None:
    order = await orphaned(world)
    world.orders.request_cancel(order.order_id)
    await (await signal_repair(world, order, RepairWorkflow.call.__name__)).result()
    assert world.orders.orders[order.order_id].status is OrderStatus.CANCELED


async def test_money_of_an_orphan_that_was_ended_meanwhile_is_a_case(world: World) -> None:
    order = await orphaned(world)
    world.gateway.pay(order.order_id, a_payment())
    world.gateway.allowed = asyncio.Event()
    handle = await signal_repair(world, order, RepairWorkflow.call.__name__)
    await world.gateway.until_called("close")
    world.orders.end(order.order_id, OrderStatus.EXPIRED)
    world.gateway.allowed.set()
    await handle.result()
    assert cases(world, order) == [("late_capture", "pay_1")]
    assert world.letters.confirmed == []
