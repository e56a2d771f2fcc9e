"""Callbacks: the browser comes back, with a hint and never with proof."""

import asyncio
from itertools import product
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sqlmodel import select
from temporalio.api.enums.v1 import EventType

from db.tables import OrderRow, PaymentLinkRow
from tests.support.neighbours import Neighbours
from tests.support.service import Json, Service, running_service

SAFE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def way_back(service: Service, url: str) -> str:
    """Pay, and the address that the gateway's page then sends the browser to."""
    response = await service.simulator.pay(url)
    assert response.status_code == 303
    return response.headers["Location"]


async def hints(service: Service, order_id: str) -> int:
    """How many signals the order's checkout got."""
    history = await service.temporal.get_workflow_handle(order_id).fetch_history()
    signaled = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    return sum(event.event_type == signaled for event in history.events)


async def only_this_is_a_hint(service: Service, order_id: str, back: str) -> None:
    """Come back as the gateway wants it: nothing before it may have counted."""
    assert (await service.order(order_id))["status"] == "awaiting_payment"
    await service.stranger.get(back)
    assert await service.ends_as(order_id) == "paid"
    assert await hints(service, order_id) == 1


def leads_to_the_page_of(order: Json, response: httpx.Response) -> bool:
    return response.status_code == 303 and response.headers["Location"] == order["result_url"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_callback_makes_the_checkout_ask(service_on_both: Service, method: str) -> None:
    order_id, url = await service_on_both.place_and_check_out(no_webhook=True)
    back = await way_back(service_on_both, url)
    if method == "GET":
        response = await service_on_both.stranger.get(back)
    else:
        path, query = back.split("?")
        response = await service_on_both.stranger.post(path, data=dict(parse_qsl(query)))
    assert await service_on_both.ends_as(order_id) == "paid"
    order = await service_on_both.order(order_id)
    assert leads_to_the_page_of(order, response)
    assert response.headers.items() >= {k.lower(): v for k, v in SAFE.items()}.items()
    assert order["payments"][0]["evidence"]["kind"] == "status_query"
    page = await service_on_both.stranger.get(order["result_url"])
    assert "your order is paid" in page.text


async def test_a_forged_callback_is_no_hint(service: Service) -> None:
    order_id, url = await service.place_and_check_out(no_webhook=True)
    back = await way_back(service, url)
    for tampering in (
        {"razorpay_signature": "0" * 64},
        {"razorpay_signature": "é"},
        {"razorpay_payment_id": "pay_forged"},
        {"razorpay_payment_link_status": "paid "},
    ):
        response = await service.stranger.get(httpx.URL(back).copy_merge_params(tampering))
        assert leads_to_the_page_of(await service.order(order_id), response)
    await only_this_is_a_hint(service, order_id, back)


async def test_a_callback_without_parameters_is_no_hint(service: Service) -> None:
    order_id, url = await service.place_and_check_out(no_webhook=True)
    back = await way_back(service, url)
    path = back.split("?")[0]
    mangled = {"Content-Type": "multipart/form-data; boundary=x"}
    for response in (
        await service.stranger.get(path),
        await service.stranger.post(path),
        await service.stranger.post(path, content=b"\xff", headers=mangled),
    ):
        assert leads_to_the_page_of(await service.order(order_id), response)
    await only_this_is_a_hint(service, order_id, back)


async def test_a_callback_of_another_order_is_no_hint(service: Service) -> None:
    order_id, url = await service.place_and_check_out(no_webhook=True)
    _, other_url = await service.place_and_check_out(no_webhook=True)
    mine, theirs = await way_back(service, url), await way_back(service, other_url)
    mixed = f"{mine.split('?')[0]}?{theirs.split('?')[1]}"
    response = await service.stranger.get(mixed)
    assert leads_to_the_page_of(await service.order(order_id), response)
    await only_this_is_a_hint(service, order_id, mine)


async def test_an_unknown_token_gets_a_neutral_page(api_on_both: Service) -> None:
    paths = ("razorpay/guess", "acme/guess", "razorpay/%ff")
    for method, path in product(("GET", "POST"), paths):
        response = await api_on_both.stranger.request(method, f"/callbacks/{path}")
        assert response.status_code == 404
        assert "does not lead to an order" in response.text


async def test_tokens_cannot_be_guessed(service: Service) -> None:
    ids = [(await service.place_and_check_out())[0] for _ in range(3)]
    async with service.database.read() as session:
        links, orders = select(PaymentLinkRow.callback_token), select(OrderRow.result_token)
        tokens = [*await session.exec(links), *await session.exec(orders)]
    assert len(set(tokens)) == len(tokens) == 6
    # Base32 carries five bits a character.
    assert all(len(token) * 5 >= 128 for token in tokens)
    for order_id in ids:
        parts = {order_id[i : i + 6] for i in range(4, len(order_id) - 6)}
        assert not any(part in token for part in parts for token in tokens)


async def test_over_https_the_browser_is_told_to_stay_there(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    async with running_service(
        neighbours, sqlite_database_url, worker=False, public_url="https://pay.shop.example/"
    ) as service:
        order = await service.order(await service.place())
        assert order["result_url"].startswith("https://pay.shop.example/orders/")
        page = await service.stranger.get(urlsplit(order["result_url"]).path)
        assert "max-age=" in page.headers["Strict-Transport-Security"]


async def test_a_reloaded_callback_is_one_hint(service: Service) -> None:
    order_id, url = await service.place_and_check_out(no_webhook=True)
    back = await way_back(service, url)
    answers = await asyncio.gather(*(service.stranger.get(back) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {303}
    assert await service.ends_as(order_id) == "paid"
    assert await hints(service, order_id) == 1
