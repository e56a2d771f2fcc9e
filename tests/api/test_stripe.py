"""Orders that are paid at Stripe, through the whole service: no look-up, no signed way back."""

import asyncio

import pytest

from tests.support.money import until
from tests.support.service import Service


async def at_stripe(service: Service, **faults: object) -> tuple[str, str]:
    """A new order at Stripe and its payment page."""
    order_id = await service.place(gateway="stripe")
    await service.simulator.faults(order_id, **faults)
    return order_id, await service.check_out(order_id)


@pytest.mark.parametrize("faults", [{}, {"wrong_callback_signature": True}])
async def test_a_webhook_proves_the_payment(service: Service, faults: dict[str, bool]) -> None:
    order_id, url = await at_stripe(service, **faults)
    back = (await service.simulator.pay(url, method="upi")).headers["location"]
    await service.stranger.get(back)
    assert await service.ends_as(order_id) == "paid"
    (payment,) = (await service.order(order_id))["payments"]
    assert (payment["gateway"], payment["status"]) == ("stripe", "captured")
    assert payment["gateway_reference"].startswith("pi_")


async def test_coming_back_is_a_hint(service: Service) -> None:
    order_id, url = await at_stripe(service, no_webhook=True)
    back = (await service.simulator.pay(url)).headers["location"]
    response = await service.stranger.get(back)
    assert response.status_code == 303
    assert await service.ends_as(order_id) == "paid"
    (payment,) = (await service.order(order_id))["payments"]
    assert payment["evidence"]["kind"] == "status_query"


async def test_a_session_of_which_nobody_heard_is_expired(service: Service) -> None:
    """Every answer is lost, the order canceled: the session is found by asking for it again."""
    order_id = await service.place(gateway="stripe")
    await service.simulator.faults(order_id, lost_create_answer=1000)
    click = asyncio.create_task(service.shop.post(f"/orders/{order_id}/checkout"))
    await until(lambda: service.simulator.ledger(order_id), lambda seen: bool(seen["links"]))
    await service.shop.post(f"/orders/{order_id}/cancel")
    await service.simulator.faults(order_id)
    assert await service.ends_as(order_id) == "canceled"
    assert (await click).json()["payment_url"] is None
    (link,) = (await service.simulator.ledger(order_id))["links"]
    assert link["status"] == "canceled"


async def test_a_forged_webhook_of_stripes_is_refused(service: Service) -> None:
    order_id, _ = await at_stripe(service)
    assert (await service.simulator.forge(order_id))["status_code"] == 401
    assert (await service.order(order_id))["status"] == "awaiting_payment"
