"""The running stack, and everybody in it whom the browser does not play: bank, operator, clock."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from demo.client import Mailbox, Service, Simulator
from local_stack import Process, Stack, running
from local_stack.ports import free_ports
from local_stack.services import services
from tests.support.programs import running_program

Json = dict[str, Any]
EMAIL = "meera@example.com"
# The gateway is asked soon after a customer came back.
SETTINGS = {"HINT_DELAYS": "[0, 0.5, 1, 2, 3]", "REFUND_FIRST_LOOK": "1"}
# For orders whose customers are too slow.
HASTE = {"CHECKOUT_WINDOW": "3", "QUIET_DELAYS": "[1]"}


@dataclass(frozen=True)
class Town:
    """Whatever is opened later lives as long as the town does."""

    stack: Stack
    processes: Mapping[str, Process]
    client: Service
    operator: Service
    gateway: Simulator
    mailbox: Mailbox
    life: AsyncExitStack
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    opened_later: dict[str, Service] = field(default_factory=dict)

    async def hasty(self) -> Service:
        """A second API on the same database: its checkouts last three seconds."""
        async with self.lock:
            if "hasty" not in self.opened_later:
                url = await self.life.enter_async_context(_hasty_api(self.stack))
                service = Service(url, self.stack.keys["client"])
                self.opened_later["hasty"] = await self.life.enter_async_context(service)
        return self.opened_later["hasty"]

    async def placed(self, sku: str = "mug", **faults: Any) -> Json:
        """A new order, with what shall go wrong for it at the gateway."""
        items = [{"sku": sku, "quantity": 1}]
        body = {"user_id": "u-1", "email": EMAIL, "items": items}
        order = await self.client.create_order(body, uuid4().hex)
        if faults:
            await self.gateway.set_faults(order["order_id"], faults)
        return order

    async def opened(self, sku: str = "mug", *, hasty: bool = False, **faults: Any) -> Json:
        """A new order with its `payment_url`."""
        order = await self.placed(sku, **faults)
        service = await self.hasty() if hasty else self.client
        return order | await service.checkout(order["order_id"])

    async def paid(self, sku: str = "mug", **faults: Any) -> Json:
        """A new order that is paid."""
        order = await self.opened(sku, **faults)
        await self.pay(order)
        return await self.until(order, lambda now: now["status"] != "awaiting_payment")

    async def ended(self, sku: str = "mug", outcome: str | None = None) -> Json:
        """A new order whose time is over, after an attempt that ended so, or without any."""
        order = await self.opened(sku, hasty=True)
        if outcome:
            await self.pay(order, outcome)
        return await self.until(order, lambda now: now["status"] != "awaiting_payment")

    async def pay(self, order: Json, outcome: str = "success") -> str:
        """Submit the hosted page's form; where the browser would be sent, else an empty string."""
        answer = await self.gateway.attempt(order["payment_url"], outcome, "upi", 0)
        return str(answer.headers.get("Location", ""))

    async def refunded(self, order: Json, amount: int | None = None) -> Json:
        body = {"reason": "sent back by the customer"} | ({"amount": amount} if amount else {})
        await self.operator.refund(order["order_id"], body, uuid4().hex)
        return await self.until(order, lambda now: "refunded" in now["status"])

    async def until(self, order: Json, is_so: Callable[[Json], bool]) -> Json:
        """The order once it is so; `payment_url` is kept."""
        async with asyncio.timeout(30):
            while True:
                now = await self.client.order(order["order_id"])
                if is_so(now):
                    return order | now
                await asyncio.sleep(0.1)


@asynccontextmanager
async def running_town(folder: Path) -> AsyncIterator[Town]:
    """The whole stack in this folder, on ports of its own."""
    stack = Stack(folder, settings=SETTINGS)
    async with AsyncExitStack() as life:
        processes = await life.enter_async_context(running(stack))
        keys, api = stack.keys, stack.url("API")
        client = await life.enter_async_context(Service(api, keys["client"]))
        operator = await life.enter_async_context(Service(api, keys["operator"]))
        gateway = await life.enter_async_context(Simulator(stack.url("SIMULATOR")))
        mailbox = await life.enter_async_context(Mailbox(stack.url("MAILBOX")))
        yield Town(stack, processes, client, operator, gateway, mailbox, life)


@asynccontextmanager
async def _hasty_api(stack: Stack) -> AsyncIterator[str]:
    (port,) = free_ports(["API_PORT"]).values()
    (api,) = (service for service in services(stack) if service.name == "api")
    env = {**api.env, **HASTE, "API_PORT": f"{port}"}
    async with running_program("-m", "api", env=env) as program:
        await program.says("Uvicorn running on")
        yield f"http://127.0.0.1:{port}"
