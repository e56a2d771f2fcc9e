"""A checkout on the real server: each path to an end, and its proof."""

from domain.news import EvidenceKind
from domain.orders import OrderStatus
from tests.support.fakes import a_payment, hint_for, news_of
from tests.workflows.conftest import World
from workflows.checkout import CheckoutWorkflow


async def test_a_signed_webhook_is_proof_enough(world: World) -> None:
    handle = await world.start()
    await handle.execute_update(CheckoutWorkflow.payment_link)
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    result = await handle.result()
    assert result.status is OrderStatus.PAID
    assert result.evidence
    assert result.evidence.kind is EvidenceKind.WEBHOOK
    assert world.gateway.calls == ["create"]
    assert world.letters.confirmed == [handle.id]


async def test_a_callback_is_a_hint_that_makes_it_ask(world: World) -> None:
    handle = await world.start()
    await handle.execute_update(CheckoutWorkflow.payment_link)
    world.gateway.pay(handle.id, a_payment())
    await handle.signal(CheckoutWorkflow.learn, hint_for(handle.id, "pay_1"))
    result = await handle.result()
    assert result.status is OrderStatus.PAID
    assert result.evidence
    assert result.evidence.kind is EvidenceKind.STATUS_QUERY
    assert world.gateway.calls == ["create", "ask"]
