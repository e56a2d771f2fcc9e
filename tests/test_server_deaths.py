"""Temporal and PostgreSQL are killed with -9 while orders wait and are paid; they come back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.support.databases import fill
from tests.support.money import kept, until
from tests.support.neighbours import Neighbours
from tests.support.ports import free_port
from tests.support.postgres import mortal_server
from tests.support.service import Json, Service, running_service
from tests.support.simulator import running_simulator
from tests.support.stories import PRICE
from tests.support.temporal import mortal_temporal

pytestmark = pytest.mark.slow

AT_ONCE = 20
# What was lost with a server is asked for soon.
PATIENCE: dict[str, Any] = {"quiet_delays": (2, 5, 9, 14, 20, 30, 45), "queries_in_window": 20}


@asynccontextmanager
async def served(client: Client, database_url: str) -> AsyncIterator[Service]:
    """The service on this Temporal and this database, with a simulator of its own."""
    port = free_port()
    webhooks = f"http://127.0.0.1:{port}/webhooks/razorpay"
    async with running_simulator(webhooks, retry_base=0.2, retry_limit=2) as simulator:
        env = WorkflowEnvironment.from_client(client)
        neighbours = Neighbours(env, simulator, port)
        async with running_service(neighbours, database_url, **PATIENCE) as service:
            yield service


async def offered(service: Service) -> tuple[str, str]:
    """An order that waits, and its link: whoever is told to come again does."""
    order_id = await service.place()
    path = f"/orders/{order_id}/checkout"
    clicked = await until(lambda: service.shop.post(path), lambda answer: answer.status_code == 200)
    return order_id, clicked.json()["payment_url"]


async def offers(service: Service, number: int) -> dict[str, str]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> tuple[str, str]:
        async with gate:
            return await offered(service)

    return dict(await asyncio.gather(*(one() for _ in range(number))))


async def is_paid_once(service: Service, order_id: str) -> None:
    """Recorded and told once, and the gateway holds its price; whoever cannot see looks again."""
    path = f"/orders/{order_id}"

    async def seen() -> Json:
        answer = await service.shop.get(path)
        return dict(answer.json()) if answer.status_code == 200 else {"status": "not seen"}

    def is_paid(order: Json) -> bool:
        return bool(order["status"] == "paid")

    await until(seen, is_paid)
    await service.temporal.get_workflow_handle(order_id).result()
    await service.mails.about(order_id)
    order = await until(seen, is_paid)
    assert Counter(entry["event"] for entry in order["timeline"])["concluded"] == 1, order
    assert len(order["payments"]) == 1, order
    assert await kept(service.simulator, order_id) == PRICE
    letters = service.mails.so_far(order_id)
    assert len({letter.as_bytes() for letter in letters}) == 1, letters
    assert len((await service.simulator.ledger(order_id))["links"]) == 1


async def are_paid_once(service: Service, order_ids: Iterable[str]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(order_id: str) -> None:
        async with gate:
            await is_paid_once(service, order_id)

    await asyncio.gather(*map(one, order_ids))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [10, pytest.param(100, marks=pytest.mark.long)])
async def test_temporal_is_killed_while_orders_wait(
    number: int, sqlite_database_url: str, tmp_path: Path
) -> None:
    async with (
        mortal_temporal(tmp_path) as (temporal, client),
        served(client, sqlite_database_url) as service,
    ):
        waiting = await offers(service, number)
        await temporal.kill()
        for url in waiting.values():
            await service.simulator.pay(url)
        await service.hear_out()
        await temporal.start()
        for order_id in waiting:
            await service.grow_old(order_id)
        assert (await service.sweep()).orders_adopted == 0, "a checkout was lost"
        await are_paid_once(service, waiting)


@pytest.mark.timeout(300)
async def test_postgresql_is_killed_while_orders_are_paid(client: Client) -> None:
    async with mortal_server() as postgres:
        url = await postgres.server.create_database()
        await fill(url)
        async with served(client, url) as service:
            waiting = await offers(service, 10)
            halfway, others = dict(list(waiting.items())[:5]), dict(list(waiting.items())[5:])
            paying = [asyncio.create_task(service.simulator.pay(u)) for u in halfway.values()]
            await asyncio.wait(paying, return_when=asyncio.FIRST_COMPLETED)
            await postgres.dies()
            await asyncio.gather(*paying)
            for link in others.values():
                await service.simulator.pay(link)
            assert (await service.shop.get("/readyz")).status_code == 503
            await postgres.returns()
            await are_paid_once(service, waiting)


@pytest.fixture
def client(real_time: WorkflowEnvironment) -> Client:
    return real_time.client
