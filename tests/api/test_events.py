"""Server-sent events of an order's status."""

import asyncio
from time import monotonic

from api.server import GRACE_SECONDS
from tests.support.neighbours import KEYS, Neighbours
from tests.support.service import Service, an_order, caller, new_key, running_api, statuses_of


async def test_a_stream_follows_the_order_to_its_end(service_on_both: Service) -> None:
    order_id = await service_on_both.place()
    seen: list[str] = []

    async def follow() -> None:
        async for status in statuses_of(service_on_both.shop, order_id):
            seen.append(status)
            changed.set()

    changed = asyncio.Event()
    following = asyncio.create_task(follow())
    await changed.wait()
    url = await service_on_both.check_out(order_id)
    await service_on_both.simulator.pay(url)
    await following
    assert seen[0] == "created"
    assert seen[-1] == "paid"
    assert len(seen) == len(set(seen)) <= 3


async def test_a_stream_is_an_event_stream(api: Service) -> None:
    order_id = await api.place()
    await api.shop.post(f"/orders/{order_id}/cancel")
    response = await api.shop.get(f"/orders/{order_id}/events")
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert response.headers["Cache-Control"] in ("no-cache", "no-store")
    lines = [line for line in response.text.splitlines() if line and not line.startswith(":")]
    assert lines == ["event: status", f'data: {{"order_id":"{order_id}","status":"canceled"}}']


async def test_the_token_of_the_result_page_opens_it(api: Service) -> None:
    order_id = await api.place()
    token = (await api.order(order_id))["result_url"].split("token=")[1]
    await api.shop.post(f"/orders/{order_id}/cancel")
    assert [s async for s in statuses_of(api.stranger, order_id, token=token)] == ["canceled"]


async def test_no_other_token_does(api: Service) -> None:
    order_id, other_id = await api.place(), await api.place()
    other = (await api.order(other_id))["result_url"].split("token=")[1]
    path = f"/orders/{order_id}/events"
    for none in ({}, {"token": ""}):
        assert (await api.stranger.get(path, params=none)).status_code == 401
    for token in ("guess", "é", other):
        response = await api.stranger.get(path, params={"token": token})
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"


async def test_several_listeners_hear_the_same(service: Service) -> None:
    order_id, url = await service.place_and_check_out()

    async def last() -> str:
        return [status async for status in statuses_of(service.shop, order_id)][-1]

    listening = [asyncio.create_task(last()) for _ in range(10)]
    await service.simulator.pay(url)
    assert await asyncio.gather(*listening) == ["paid"] * 10


async def test_streams_end_when_the_api_does(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    settings = neighbours.settings(sqlite_database_url)
    async with caller(settings, KEYS["shop"]) as shop:
        async with running_api(settings):
            placed = await shop.post("/orders", json=an_order(), headers=new_key())
            statuses = statuses_of(shop, placed.json()["order_id"])
            assert await anext(statuses) == "created"
            began = monotonic()
        # Well before uvicorn would break the connection.
        assert monotonic() - began < GRACE_SECONDS / 2
        assert [status async for status in statuses] == []
