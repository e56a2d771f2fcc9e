"""One customer with one order, and everything a customer can do to it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from demo.client import TIMEOUT, Json, Service, Simulator

LOOKS = 60


@dataclass(frozen=True)
class Staff:
    """The service with the shop's key, and with an operator's."""

    shop: Service
    operator: Service


class Customer:
    """Orders, opens the payment link, pays or does not; notes whatever is not as it should be."""

    def __init__(self, staff: Staff, simulator: Simulator, order: Json, body: Json, key: str):
        self.service, self.operator, self.simulator = staff.shop, staff.operator, simulator
        self.order_id: str = order["order_id"]
        self.body, self.key = body, key
        self.gateway: str = body["gateway"]
        self.link = ""
        self.complaints: list[str] = []
        self._way_back = ""

    def expect(self, condition: bool, otherwise: str) -> None:
        """Complain of what an answer got wrong."""
        if not condition:
            self.complaints.append(otherwise)

    async def click_pay(self) -> str:
        """Click on Pay in the shop; the link that is answered."""
        checkout = await self.service.checkout(self.order_id, tries=10)
        self.link = checkout["payment_url"] or ""
        self.expect(bool(self.link), f"no link to pay at, the order is {checkout['status']}")
        return self.link

    async def pay(self, outcome: str = "success", method: str = "card", delay: float = 0) -> None:
        """Submit the gateway's page: outcome success, failure or pending, after `delay` seconds."""
        answer = await self.simulator.attempt(self.link, outcome, method, delay)
        self._way_back = answer.headers.get("Location", "")

    async def return_to_shop(self) -> None:
        """Follow the gateway's redirect to the callback, if there is one; not beyond it."""
        self.expect(bool(self._way_back), "the gateway's page did not lead back")
        if self._way_back:
            async with httpx.AsyncClient(timeout=TIMEOUT) as browser:
                answer = await browser.get(self._way_back)
            self.expect(
                answer.status_code == 303, f"callback answered {answer.status_code}, not 303"
            )

    async def cancel(self) -> None:
        """Ask for the order to be canceled."""
        await self.service.cancel(self.order_id)

    async def settle(self, outcome: str = "success") -> None:
        """Let the pending payment end."""
        payments = (await self.simulator.ledger(self.order_id))["payments"]
        pending = [payment["id"] for payment in payments if not payment["captured"]]
        await self.simulator.settle(pending[-1], outcome)

    async def deliveries(self, at_least: int) -> None:
        """Wait until the gateway has had so many webhooks of this order answered."""
        await self.until(lambda: self._delivered(at_least), f"fewer than {at_least} webhooks came")

    async def until(self, condition: Callable[[], Awaitable[bool]], otherwise: str) -> None:
        """Look twice a second until the condition holds; complain if it never does."""
        for _ in range(LOOKS):
            if await condition():
                return
            await asyncio.sleep(0.5)
        self.expect(False, otherwise)

    async def _delivered(self, at_least: int) -> bool:
        deliveries = (await self.simulator.ledger(self.order_id))["deliveries"]
        return sum(delivery["status_code"] is not None for delivery in deliveries) >= at_least

    async def payments(self) -> list[Json]:
        """What the gateway's ledger knows of the order's payments."""
        return list((await self.simulator.ledger(self.order_id))["payments"])

    async def has_status(self, *statuses: str) -> bool:
        """Whether the order has one of these statuses now."""
        return (await self.service.order(self.order_id))["status"] in statuses
