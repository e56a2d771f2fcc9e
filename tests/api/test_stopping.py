"""`python -m api` as a process: how it stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from time import monotonic

import httpx
import pytest

from tests.support.neighbours import KEYS, Neighbours
from tests.support.programs import Program, environment, running_program
from tests.support.service import an_order, caller, new_key, statuses_of

STOPPED_WITHIN = 15
LISTENERS = 20


@pytest.fixture
async def api_and_callers(
    neighbours: Neighbours, sqlite_database_url: str
) -> AsyncIterator[tuple[Program, httpx.AsyncClient, httpx.AsyncClient]]:
    """The API, an operator, and a shop; there is no worker."""
    settings = neighbours.settings(sqlite_database_url, link_patience=30)
    async with AsyncExitStack() as life:
        program = running_program("-m", "api", env=environment(settings))
        api = await life.enter_async_context(program)
        await api.says("Uvicorn running on")
        ops, shop = [
            await life.enter_async_context(caller(settings, KEYS[name])) for name in ("ops", "shop")
        ]
        yield api, ops, shop


Running = tuple[Program, httpx.AsyncClient, httpx.AsyncClient]


async def placed(shop: httpx.AsyncClient) -> str:
    return str((await shop.post("/orders", json=an_order(), headers=new_key())).json()["order_id"])


async def test_it_stops_at_once_with_streams_open(api_and_callers: Running) -> None:
    api, _, shop = api_and_callers
    order_id = await placed(shop)
    streams = [statuses_of(shop, order_id) for _ in range(LISTENERS)]
    assert [await anext(statuses) for statuses in streams] == ["created"] * LISTENERS
    asked = monotonic()
    assert await api.stop() == 0
    assert monotonic() - asked < 5
    assert [[status async for status in statuses] for statuses in streams] == [[]] * LISTENERS


async def test_it_stops_whatever_is_under_way(api_and_callers: Running) -> None:
    """A click on Pay waits for a link that nobody makes, and a file is sent that has no end."""
    api, ops, shop = api_and_callers
    order_id = await placed(shop)
    statuses = statuses_of(shop, order_id)
    assert await anext(statuses) == "created"
    sent = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"the first of many rows\n"
        sent.set()
        await asyncio.Event().wait()

    under_way = [
        asyncio.create_task(shop.post(f"/orders/{order_id}/checkout")),
        asyncio.create_task(ops.post("/transaction-files/razorpay", content=endless())),
    ]
    await sent.wait()
    assert (await ops.get("/healthz")).status_code == 200
    asked = monotonic()
    assert await api.stop() == 0
    assert monotonic() - asked < STOPPED_WITHIN
    assert [status async for status in statuses] == []
    for call in under_way:
        call.cancel()
        with suppress(httpx.HTTPError, asyncio.CancelledError):
            assert (await call).status_code >= 500
