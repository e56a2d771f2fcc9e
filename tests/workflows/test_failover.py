"""A gateway that cannot make a link gives way to the next; never are there two live links."""

from dataclasses import replace

import pytest

from domain.checkouts import CheckoutPlan
from domain.errors import GatewayUnavailable, OutcomeUnknown, RequestRefused
from domain.news import PaymentNews
from domain.orders import OrderStatus
from domain.payments import LinkStatus
from tests.support.fakes import a_payment, news_of
from tests.workflows.conftest import CheckoutHandle, World
from tests.workflows.histories import replay
from workflows.checkout import CheckoutWorkflow
from workflows.delivery import repair_plan

AWAY, UNKNOWN = GatewayUnavailable("not connected"), OutcomeUnknown("sent, no answer")
REFUSED = RequestRefused("no payment links in INR")


async def start(world: World, *, powerless: tuple[str, ...] = ()) -> CheckoutHandle:
    """A checkout that may fall back from acme on zenith."""
    order = world.order()
    made = CheckoutPlan.of(order, world.timetable)
    return await world.client.start_workflow(
        CheckoutWorkflow.run,
        replace(made, fallbacks=("zenith",), powerless=powerless),
        id=order.order_id,
        task_queue=world.task_queue,
    )


def paid(handle: CheckoutHandle) -> PaymentNews:
    payment = replace(a_payment(), gateway="zenith")
    return replace(news_of(handle.id, payment), gateway="zenith")


def live(world: World) -> list[str]:
    """The keys of all links that could be paid at this moment."""
    links = [*world.gateway.links.values(), *world.second.links.values()]
    return [link.key for link in links if link.status.is_live]


@pytest.mark.parametrize("errors", [[AWAY] * 3, [REFUSED]], ids=["away", "refused"])
async def test_the_next_gateway_makes_the_link(world: World, errors: list[Exception]) -> None:
    world.gateway.create_errors = [*errors]
    handle = await start(world)
    opened = await handle.execute_update(CheckoutWorkflow.payment_link)
    assert opened.link
    assert (opened.link.gateway, opened.link.key) == ("zenith", f"{handle.id}:link:2")
    assert live(world) == [opened.link.key]
    assert world.gateway.calls.count("create") == len(errors)
    assert "close" not in world.gateway.calls, "it is certain that there is nothing to close"
    await handle.signal(CheckoutWorkflow.learn, paid(handle))
    assert (await handle.result()).status is OrderStatus.PAID
    await replay([await handle.fetch_history()])


async def test_while_the_first_can_the_second_is_not_asked(world: World) -> None:
    world.gateway.create_errors = [AWAY]
    handle = await start(world)
    opened = await handle.execute_update(CheckoutWorkflow.payment_link)
    assert opened.link
    assert (opened.link.gateway, world.second.calls) == ("acme", [])
    await handle.terminate()


async def test_a_link_that_may_have_been_made_is_closed_first(world: World) -> None:
    """Every answer is lost: the link is there, and is found and closed before another is made."""
    world.gateway.created_although_failed = True
    world.gateway.create_errors = [UNKNOWN] * 3
    world.gateway.capabilities = replace(world.gateway.capabilities, lookup_by_order_id=False)
    handle = await start(world)
    opened = await handle.execute_update(CheckoutWorkflow.payment_link)
    assert opened.link
    assert opened.link.gateway == "zenith"
    first = world.gateway.links[f"{handle.id}:link:1"]
    assert first.status is LinkStatus.CLOSED
    assert world.gateway.calls[-2:] == ["close", "ask"]
    assert live(world) == [opened.link.key]
    await handle.terminate()


async def test_while_nobody_can_tell_the_first_gateway_has_to_make_it(world: World) -> None:
    world.gateway.create_errors = [UNKNOWN, AWAY, AWAY]
    world.gateway.ask_errors = [UNKNOWN] * 2
    handle = await start(world)
    opened = await handle.execute_update(CheckoutWorkflow.payment_link)
    assert opened.link
    assert (opened.link.gateway, world.second.calls) == ("acme", [])
    assert live(world) == [opened.link.key]
    await handle.terminate()


async def test_a_link_that_takes_nothing_without_us_is_not_waited_for(world: World) -> None:
    world.gateway.create_errors = [UNKNOWN] * 3
    world.gateway.ask_errors = [UNKNOWN] * 100
    handle = await start(world, powerless=("acme",))
    opened = await handle.execute_update(CheckoutWorkflow.payment_link)
    assert opened.link
    assert opened.link.gateway == "zenith"
    await handle.terminate()


async def test_the_end_of_the_first_link_does_not_end_the_second(world: World) -> None:
    world.gateway.create_errors = [REFUSED]
    handle = await start(world)
    await handle.execute_update(CheckoutWorkflow.payment_link)
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, link=LinkStatus.CLOSED))
    await handle.signal(CheckoutWorkflow.learn, paid(handle))
    assert (await handle.result()).status is OrderStatus.PAID
    assert "close" not in world.second.calls


async def test_money_of_the_first_gateway_still_counts(world: World) -> None:
    world.gateway.create_errors = [REFUSED]
    handle = await start(world)
    await handle.execute_update(CheckoutWorkflow.payment_link)
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    assert (await handle.result()).status is OrderStatus.PAID


async def test_if_none_can_the_order_fails(world: World) -> None:
    world.gateway.create_errors, world.second.create_errors = [REFUSED], [REFUSED]
    handle = await start(world)
    result = await handle.result()
    assert result.status is OrderStatus.FAILED
    assert result.evidence
    assert result.evidence.kind == "link_refused"
    assert live(world) == []


async def test_an_order_that_is_canceled_meanwhile_is_not_passed_on(world: World) -> None:
    world.gateway.create_errors = [AWAY] * 100
    handle = await start(world)
    await world.gateway.until_called("create", 2)
    await handle.signal(CheckoutWorkflow.cancel)
    assert (await handle.result()).status is OrderStatus.CANCELED
    assert world.second.calls == []


async def test_both_links_end_with_the_window(world: World) -> None:
    world.hurry(window=8)
    world.gateway.create_errors = [AWAY] * 3
    handle = await start(world)
    assert (await handle.result()).status is OrderStatus.EXPIRED
    assert world.second.links[f"{handle.id}:link:2"].status is LinkStatus.CLOSED
    assert live(world) == []


async def test_a_repair_asks_the_gateway_that_made_the_last_link(world: World) -> None:
    world.gateway.create_errors = [REFUSED]
    handle = await start(world)
    await handle.execute_update(CheckoutWorkflow.payment_link)
    await handle.terminate("Temporal's state is lost")
    world.hurry()
    delivery = world.deliver_for_real()
    plan = await repair_plan(handle.id, world.orders, delivery._policies)
    assert plan.checkout
    assert (plan.checkout.gateway, plan.checkout.link_key) == ("zenith", f"{handle.id}:link:2")
