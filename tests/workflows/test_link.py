"""Asking for the payment link, when the gateway refuses, is away, or swallows its answer."""

from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.checkouts import CheckoutActivities
from domain.checkouts import CheckoutPlan, LinkOrder, LinkQuery
from domain.errors import GatewayUnavailable, OutcomeUnknown, RequestRefused
from domain.news import PaymentNews
from domain.orders import OrderStatus
from domain.payments import LinkStatus, PaymentLink
from domain.policies import Timetable
from domain.ports import LinkDraft
from tests.support.fakes import FakeGateway, FakeOrders, a_payment, news_of
from tests.support.orders import NOON
from tests.workflows.conftest import World
from workflows.checkout import CheckoutWorkflow

SOON = timedelta(milliseconds=20)


async def test_a_refused_link_fails_the_order(world: World) -> None:
    world.gateway.create_errors = [RequestRefused("the amount is too small")]
    handle = await world.start()
    opened = await handle.execute_update(CheckoutWorkflow.payment_link)
    assert opened.link is None
    result = await handle.result()
    assert result.status is OrderStatus.FAILED
    assert result.evidence
    assert result.evidence.kind == "link_refused"
    assert "the amount is too small" in result.evidence.reference
    assert world.gateway.calls == ["create"], "a refusal is never repeated"


async def test_an_answer_that_was_lost_is_looked_up(world: World) -> None:
    world.gateway.created_although_failed = True
    world.gateway.create_errors = [OutcomeUnknown("sent, no answer")]
    handle = await world.start()
    opened = await handle.execute_update(CheckoutWorkflow.payment_link)
    assert world.gateway.calls == ["create", "find"]
    assert opened.link
    assert opened.link in world.gateway.links.values()
    assert opened.link in world.orders.links.values()
    await handle.terminate()


@pytest.mark.parametrize("error", [GatewayUnavailable("away", SOON), OutcomeUnknown("no answer")])
async def test_what_passes_is_tried_again(world: World, error: Exception) -> None:
    world.gateway.create_errors = [error]
    handle = await world.start()
    opened = await handle.execute_update(CheckoutWorkflow.payment_link)
    assert opened.link
    assert world.gateway.calls == ["create", "find", "create"]
    assert list(world.gateway.links) == [opened.link.key]
    await handle.terminate()


async def test_the_gateway_says_when_to_come_again(skipping: World) -> None:
    world = skipping
    world.gateway.create_errors = [GatewayUnavailable("busy", timedelta(hours=2))]
    world.timetable = Timetable(window=timedelta(hours=3))
    handle = await world.start()
    assert (await handle.result()).status is OrderStatus.EXPIRED
    events = (await handle.fetch_history()).events
    asked = next(e for e in events if e.HasField("activity_task_scheduled_event_attributes"))
    made = next(e for e in events if e.HasField("activity_task_completed_event_attributes"))
    wait = made.event_time.ToDatetime() - asked.event_time.ToDatetime()
    assert timedelta(hours=2) <= wait < timedelta(hours=2, minutes=1)


async def test_no_link_by_the_end_of_the_window(world: World) -> None:
    world.hurry()
    world.gateway.create_errors = [GatewayUnavailable("away", SOON)] * 1000
    handle = await world.start()
    result = await handle.result()
    assert result.status is OrderStatus.EXPIRED
    assert result.evidence
    assert result.evidence.kind == "status_query", "the gateway was asked whether there is none"
    assert world.gateway.links == {}


async def test_an_order_that_ended_before_is_left_alone(world: World) -> None:
    order = world.order()
    world.orders.end(order.order_id, OrderStatus.CANCELED)
    handle = await world.start(order)
    opened = await handle.execute_update(CheckoutWorkflow.payment_link)
    assert (opened.order_status, opened.link) == (OrderStatus.CANCELED, None)
    result = await handle.result()
    assert (result.status, result.evidence) == (OrderStatus.CANCELED, None)
    assert world.gateway.calls == []


async def test_a_link_that_is_known_is_not_asked_for_again(world: World) -> None:
    order = world.order()
    first = await world.start(order)
    opened = await first.execute_update(CheckoutWorkflow.payment_link)
    await first.terminate("Temporal's state is lost")
    again = await world.client.start_workflow(
        CheckoutWorkflow.run,
        CheckoutPlan.of(order, world.timetable),
        id=f"{order.order_id}-again",
        task_queue=world.task_queue,
    )
    assert await again.execute_update(CheckoutWorkflow.payment_link) == opened
    assert world.gateway.calls == ["create"]
    await again.signal(CheckoutWorkflow.learn, news_of(order.order_id, a_payment()))
    assert (await again.result()).status is OrderStatus.PAID


@pytest.fixture
def blind(world: World) -> World:
    """Its gateway finds no link by our key; the same draft again is answered with the same link."""
    world.gateway.capabilities = replace(world.gateway.capabilities, lookup_by_order_id=False)
    return world


async def test_without_look_up_the_same_draft_is_sent_again(blind: World) -> None:
    blind.gateway.created_although_failed = True
    blind.gateway.create_errors = [OutcomeUnknown("sent, no answer")]
    handle = await blind.start()
    opened = await handle.execute_update(CheckoutWorkflow.payment_link)
    assert opened.link in blind.gateway.links.values()
    assert blind.gateway.calls == ["create", "create"]
    await handle.terminate()


async def test_without_look_up_the_link_is_learned_before_it_is_closed(blind: World) -> None:
    blind.gateway.created_although_failed = True
    blind.gateway.create_errors = [OutcomeUnknown("sent, no answer")] * 1000
    handle = await blind.start()
    await blind.gateway.until_called("create", 2)
    await handle.signal(CheckoutWorkflow.cancel)
    await blind.gateway.until_called("create", 3)
    blind.gateway.create_errors.clear()
    assert (await handle.result()).status is OrderStatus.CANCELED
    key = f"{handle.id}:link:1"
    assert blind.gateway.links[key].status is LinkStatus.CLOSED
    assert blind.orders.links[key].reference == "plink_1"


async def test_a_draft_that_is_refused_the_second_time_made_no_link(blind: World) -> None:
    blind.gateway.create_errors = [GatewayUnavailable("away", SOON)] * 1000
    handle = await blind.start()
    await blind.gateway.until_called("create", 2)
    await handle.signal(CheckoutWorkflow.cancel)
    blind.gateway.create_errors[:] = [RequestRefused("it is too old by now")] * 3
    result = await handle.result()
    assert result.status in (OrderStatus.CANCELED, OrderStatus.FAILED)
    assert blind.gateway.links == {}


class TooLate(FakeGateway):
    """Makes a link just when somebody has looked for it and found none."""

    def __init__(self, orders: FakeOrders) -> None:
        super().__init__()
        self.orders = orders

    async def create_payment_link(self, draft: LinkDraft) -> PaymentLink:
        link = await super().create_payment_link(draft)
        assert await self.orders.end_link(draft.key, LinkStatus.MISSING, NOON)
        return link

    async def ask(self, query: LinkQuery) -> PaymentNews:
        news = await super().ask(query)
        link = await super().create_payment_link(LinkDraft(query.key, "wire", query.order_id))
        assert await self.orders.keep_link(link)
        return news


async def test_a_link_that_comes_after_it_was_given_up_is_closed(world: World) -> None:
    """As when a worker that was taken for dead goes on: its link is one that nobody knows of."""
    order, gateway = world.order(), TooLate(world.orders)
    wish = LinkOrder(order.order_id, f"{order.order_id}:link:1", NOON, NOON)
    activities = CheckoutActivities(world.orders, {"acme": gateway}, "https://shop.example")
    opened = await ActivityEnvironment().run(activities.open_link, wish)
    assert opened.link is None
    assert gateway.links[wish.key].status is LinkStatus.CLOSED


async def test_a_link_that_appears_while_it_is_looked_for_is_looked_for_again(world: World) -> None:
    order, gateway = world.order(), TooLate(world.orders)
    query = LinkQuery(order.order_id, "acme", f"{order.order_id}:link:1")
    activities = CheckoutActivities(world.orders, {"acme": gateway}, "https://shop.example")
    with pytest.raises(OutcomeUnknown):
        await ActivityEnvironment().run(activities.close_and_ask, query)
