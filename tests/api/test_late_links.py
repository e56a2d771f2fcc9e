"""A gateway makes a link after it said that there is none, and nobody hears of it."""

import asyncio

import httpx

from db.tables import PaymentLinkRow
from domain.keys import link_key
from tests.support.money import kept, until
from tests.support.service import Service


async def given_up(service: Service) -> PaymentLinkRow:
    """The request for a link that did not reach the gateway, of an order that was canceled."""
    order_id = await service.place()
    await service.simulator.faults(order_id, unavailable_for=3)
    click = asyncio.create_task(service.shop.post(f"/orders/{order_id}/checkout"))
    await until(lambda: service.order(order_id), lambda seen: seen["status"] == "awaiting_payment")
    await service.shop.post(f"/orders/{order_id}/cancel")
    assert await service.ends_as(order_id) == "canceled"
    assert (await click).json()["payment_url"] is None
    async with service.database.read() as session:
        return await session.get_one(PaymentLinkRow, link_key(order_id, 1))


async def arrive(service: Service, request: PaymentLinkRow) -> str:
    """Let the request reach the gateway after all; the page that the customer may pay on."""
    keys = httpx.BasicAuth(service.simulator.key_id, service.simulator.key_secret)
    response = await service.simulator.http.post(
        "/v1/payment_links",
        content=request.draft,
        headers={"Content-Type": "application/json"},
        auth=keys,
    )
    assert response.status_code == 200, response.text
    return str(response.json()["short_url"])


async def test_it_is_closed_by_the_sweep(service: Service) -> None:
    request = await given_up(service)
    await arrive(service, request)
    assert (await service.sweep()).late_links_closed == 0, "an attempt may still be at it"
    await service.grow_old(request.order_id)
    assert (await service.sweep()).late_links_closed == 1
    [link] = (await service.simulator.ledger(request.order_id))["links"]
    assert link["status"] == "canceled"
    assert (await service.order(request.order_id))["status"] == "canceled"


async def test_what_it_took_is_sent_back(service: Service) -> None:
    request = await given_up(service)
    url = await arrive(service, request)
    await service.simulator.faults(request.order_id, no_webhook=True, no_callback=True)
    await service.simulator.pay(url)
    await service.grow_old(request.order_id)
    await service.sweep()
    order = await until(
        lambda: service.order(request.order_id),
        lambda seen: [case["outcome"] for case in seen["cases"]] == ["refunded"],
    )
    assert order["status"] == "canceled"
    assert await kept(service.simulator, request.order_id) == 0
