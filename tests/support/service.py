"""The real service around one database: API, worker, Temporal, gateway simulator, mail server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx
from sqlmodel import col, select
from temporalio.client import Client

from api.server import make_server
from db.engine import Database
from db.repair_tables import CaseRow, RefundRow
from db.statements import update_where
from db.tables import InboxRow, OrderRow, PaymentLinkRow
from settings import Settings
from tests.support.mail_server import MailCatcher, mail_catcher
from tests.support.neighbours import KEYS, Neighbours
from tests.support.simulator import Simulator
from worker import at_work
from workflows.sweep import SweepResult, SweepWorkflow

Json = dict[str, Any]
EMAIL = "buyer@example.com"


@dataclass
class Service:
    """A running service, and those who talk to it; `stranger` has no key."""

    settings: Settings
    temporal: Client
    simulator: Simulator
    mails: MailCatcher
    database: Database
    shop: httpx.AsyncClient
    other: httpx.AsyncClient
    ops: httpx.AsyncClient
    stranger: httpx.AsyncClient
    told_of: list[str] = field(default_factory=list, init=False)

    async def place(self, sku: str = "coffee-beans", quantity: int = 1, **more: Any) -> str:
        """The id of a new order of the shop's."""
        body = an_order([{"sku": sku, "quantity": quantity}], **more)
        response = await self.shop.post("/orders", json=body, headers=new_key())
        assert response.status_code == 201, response.text
        return str(response.json()["order_id"])

    async def check_out(self, order_id: str) -> str:
        """The payment link of the order."""
        response = await self.shop.post(f"/orders/{order_id}/checkout")
        assert response.status_code == 200, response.text
        return str(response.json()["payment_url"])

    async def place_and_check_out(self, **faults: Any) -> tuple[str, str]:
        """A new order and its payment link, with the simulator's faults set before it is made."""
        order_id = await self.place()
        if faults:
            await self.simulator.faults(order_id, **faults)
        if not faults.get("no_webhook"):
            self.told_of.append(order_id)
        return order_id, await self.check_out(order_id)

    async def order(self, order_id: str) -> Json:
        response = await self.shop.get(f"/orders/{order_id}")
        assert response.status_code == 200, response.text
        order: Json = response.json()
        return order

    async def ends_as(self, order_id: str) -> str:
        """Wait until the order has ended, and say how."""
        statuses = [status async for status in statuses_of(self.shop, order_id)]
        return statuses[-1]

    async def paid(self, **faults: Any) -> str:
        """The id of a new order that is paid, whichever way that was found out."""
        order_id, url = await self.place_and_check_out(**faults)
        await self.simulator.pay(url)
        assert await self.ends_as(order_id) == "paid"
        return order_id

    async def grow_old(self, order_id: str) -> None:
        """What happened to the order so far happened five minutes ago: the sweep takes notice."""
        then = datetime.now(UTC) - timedelta(minutes=5)
        async with self.database.write() as session:
            order = await session.get_one(OrderRow, order_id)
            order.checkout_started_at = order.minded_at = then
            events = select(InboxRow).where(InboxRow.order_id == order_id)
            for event in await session.exec(events):
                event.received_at = event.next_try_at = then
            late = (
                PaymentLinkRow.order_id == order_id,
                col(PaymentLinkRow.look_again_at).is_not(None),
            )
            await update_where(session, PaymentLinkRow, *late, look_again_at=then)
            for table in (CaseRow, RefundRow):
                await update_where(session, table, table.order_id == order_id, minded_at=then)

    async def hear_out(self) -> None:
        """Wait for every webhook that is still to come; else the next test would get it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                for order_id in self.told_of:
                    while not await self._was_told(order_id):
                        pass

    async def _was_told(self, order_id: str) -> bool:
        ledger = await self.simulator.ledger(order_id)
        taken = {each["event_id"] for each in ledger["deliveries"] if each["status_code"] == 200}
        return taken >= {event["id"] for event in ledger["events"]}

    async def sweep(self) -> SweepResult:
        """Do what the schedule does every half minute."""
        return await self.temporal.execute_workflow(
            SweepWorkflow.run, id=f"sweep-{uuid4()}", task_queue=self.settings.task_queue
        )


async def statuses_of(client: httpx.AsyncClient, order_id: str, **query: str) -> AsyncIterator[str]:
    """The statuses that the order's event stream tells, until it ends."""
    path = f"/orders/{order_id}/events"
    async with client.stream("GET", path, params=query, timeout=50) as stream:
        assert stream.status_code == 200, await stream.aread()
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                yield json.loads(line.removeprefix("data:"))["status"]


def an_order(items: list[Json] | None = None, **more: Any) -> Json:
    """The body of a good order."""
    wanted = [{"sku": "coffee-beans", "quantity": 1}] if items is None else items
    return {"user_id": "user-1", "email": EMAIL, "items": wanted} | more


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


@asynccontextmanager
async def running_api(settings: Settings) -> AsyncIterator[None]:
    """The API under uvicorn in this process, from its first request to an orderly end."""
    server = make_server(settings)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:
            assert not serving.done(), "the API did not start"
            await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def running_service(
    neighbours: Neighbours, database_url: str, *, worker: bool = True, **changes: Any
) -> AsyncIterator[Service]:
    """The service on this database; `changes` are settings, by the names of their fields."""
    async with AsyncExitStack() as life:
        mails = await life.enter_async_context(mail_catcher())
        kept = {"transaction_files": life.enter_context(TemporaryDirectory())}
        settings = neighbours.settings(database_url, smtp_port=mails.port, **kept | changes)
        await life.enter_async_context(running_api(settings))
        client = neighbours.temporal.client
        if worker:
            await life.enter_async_context(at_work(settings, client))
        database = await life.enter_async_context(Database(database_url))
        keys = [KEYS[name] for name in ("shop", "other", "ops")]
        callers = [caller(settings, key) for key in (*keys, None)]
        for each in callers:
            await life.enter_async_context(each)
        service = Service(settings, client, neighbours.simulator, mails, database, *callers)
        yield service
        await service.hear_out()


def caller(settings: Settings, key: str | None) -> httpx.AsyncClient:
    """A client of the API with this key; it follows no redirect."""
    url = f"http://{settings.api_host}:{settings.api_port}"
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=30)
