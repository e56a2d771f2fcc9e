"""After the verdict: it is recorded, told, and what was learned too late is handed over."""

import asyncio

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowHandle

from domain.errors import DatabaseUnavailable, MailDelayed, MailRefused
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from tests.support.fakes import a_payment, news_of
from tests.workflows.conftest import CheckoutHandle, World
from workflows.checkout import CheckoutWorkflow

AUTHORIZED = a_payment(PaymentStatus.AUTHORIZED)
SECOND = a_payment(reference="pay_2")


async def paid_but_not_told(world: World) -> CheckoutHandle:
    """A checkout that has its verdict, and cannot close yet because its letter waits."""
    world.letters.allowed = asyncio.Event()
    handle = await world.open()
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    await world.letters.begun.wait()
    return handle


def let_go(world: World) -> None:
    assert world.letters.allowed
    world.letters.allowed.set()


async def details(handle: WorkflowHandle[CheckoutWorkflow, object]) -> str:
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(metadata.current_details)


async def test_news_after_the_verdict_is_handed_over_at_once(world: World) -> None:
    handle = await paid_but_not_told(world)
    late = news_of(handle.id, SECOND)
    await handle.signal(CheckoutWorkflow.learn, late)
    await world.delivery.arrived.wait()
    assert world.letters.confirmed == [], "while the letter still waits"
    let_go(world)
    assert (await handle.result()).status is OrderStatus.PAID
    assert world.delivery.delivered == [late]


async def test_old_news_after_the_verdict_is_dropped(world: World) -> None:
    handle = await paid_but_not_told(world)
    for news in (a_payment(), AUTHORIZED, a_payment(PaymentStatus.FAILED, "pay_0")):
        await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, news))
    let_go(world)
    await handle.result()
    assert world.delivery.delivered == []


async def test_all_that_is_known_is_handed_over_if_the_order_ended_otherwise(world: World) -> None:
    handle = await world.open()
    world.orders.end(handle.id, OrderStatus.CANCELED)
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    result = await handle.result()
    assert result.status is OrderStatus.CANCELED, "what is recorded stands"
    (handed,) = world.delivery.delivered
    assert handed.payments == (a_payment(),)
    assert world.letters.confirmed == []


async def test_a_busy_database_is_waited_for(world: World) -> None:
    world.orders.failures = [DatabaseUnavailable("locked")] * 2
    handle = await world.open()
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    assert (await handle.result()).status is OrderStatus.PAID
    assert world.letters.confirmed == [handle.id]


async def test_a_letter_that_is_refused_does_not_hold_the_order(world: World) -> None:
    world.letters.failures = [MailRefused("550 no such user")]
    handle = await world.open()
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    assert (await handle.result()).status is OrderStatus.PAID
    assert world.letters.confirmed == []
    assert "confirmation not sent: MailRefused: 550 no such user" in await details(handle)


async def test_a_letter_that_is_delayed_is_sent_later(world: World) -> None:
    world.letters.failures = [MailDelayed("451 try again")]
    handle = await world.open()
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    assert (await handle.result()).status is OrderStatus.PAID
    assert world.letters.confirmed == [handle.id]
    assert "confirmation sent" in await details(handle)


async def test_an_operator_reads_status_and_proof(world: World) -> None:
    handle = await world.open()
    waiting = await details(handle)
    assert "₹499.00 by Acme" in waiting
    assert "waiting for the customer" in waiting
    assert "link: https://" in waiting
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    await handle.result()
    assert "**paid**" in await details(handle)
    assert "proof: webhook, evt_1" in await details(handle)
