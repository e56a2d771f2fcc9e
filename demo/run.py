"""One run of one case: from the order to the verdict."""

import asyncio
import secrets
from dataclasses import dataclass, field
from time import monotonic

import httpx

from demo.cases import Case
from demo.client import Json, Mailbox, Problem, Simulator
from demo.customer import Customer, Staff
from demo.gateways import goods_at
from demo.verdict import Seen, disagreements

DEADLINE = 75.0
SETTLING = 30
MAIL_PATIENCE = 20.0
CONCLUDED = frozenset(
    {"paid", "failed", "expired", "canceled", "needs_review", "partially_refunded", "refunded"}
)


@dataclass(frozen=True)
class World:
    """Everybody there is to talk to."""

    staff: Staff
    simulator: Simulator
    mailbox: Mailbox


@dataclass
class Run:
    """A case under way, for all to see."""

    case: Case
    number: int
    gateway: str
    deadline: float = DEADLINE
    order_id: str = ""
    status: str = "waiting"
    judged: bool = False
    started: float | None = None
    ended: float | None = None
    seen: Seen | None = None
    complaints: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool | None:
        """Whether all is as it must be; None while nobody knows."""
        return not self.complaints if self.judged else None

    @property
    def elapsed(self) -> float:
        """Seconds since it began, or that it took."""
        return (self.ended or monotonic()) - self.started if self.started else 0.0

    async def play(self, world: World) -> None:
        """Live through the case until the order is concluded or the deadline is over."""
        self.started, self.status = monotonic(), "ordering"
        try:
            async with asyncio.timeout(self.deadline):
                await self._live(world)
        except TimeoutError:
            self.complaints.append(f"still {self.status} after {self.deadline:.0f} s")
        except (Problem, httpx.HTTPError, LookupError, ValueError) as error:
            self.complaints.append(f"{type(error).__name__}: {error}")
        self.ended = monotonic()

    async def settle(self, world: World) -> None:
        """After a reconciliation: wait until the order is as it must be, or the deadline."""
        if self.case.only_file and self.order_id:
            for _ in range(SETTLING * 2):
                if await self._is_settled(world):
                    break
                await asyncio.sleep(0.5)

    async def judge(self, world: World) -> None:
        """Ask everybody what became of the order, and compare."""
        if self.order_id:
            try:
                self.seen = await self._look(world)
                self.complaints += disagreements(self.case, self.seen)
            except (Problem, LookupError, ValueError) as error:
                self.complaints.append(f"{type(error).__name__}: {error}")
        self.judged = True

    async def _live(self, world: World) -> None:
        customer = await self._order(world)
        try:
            await world.simulator.set_faults(self.order_id, self.case.faults)
            self.status = "created"
            await self.case.act(customer)
            if not self.case.only_file:
                await self._conclusion(world)
        finally:
            self.complaints += customer.complaints

    async def _order(self, world: World) -> Customer:
        body: Json = {
            "user_id": f"demo-{self.number}",
            "email": f"customer-{self.number}@example.com",
            "items": [
                {
                    "sku": goods_at(self.gateway, self.case.sku),
                    "quantity": self.case.quantity,
                }
            ],
            "gateway": self.gateway,
        }
        key = secrets.token_urlsafe(24)
        order = await world.staff.shop.create_order(body, key)
        self.order_id = order["order_id"]
        return Customer(world.staff, world.simulator, order, body, key)

    async def _conclusion(self, world: World) -> None:
        while self.status not in CONCLUDED:
            await asyncio.sleep(0.5)
            try:
                self.status = (await world.staff.shop.order(self.order_id))["status"]
            except Problem as problem:
                if problem.is_final:
                    raise

    async def _is_settled(self, world: World) -> bool:
        order = await world.staff.shop.order(self.order_id)
        self.status = order["status"]
        unsettled = [case for case in order["cases"] if case["status"] != "settled"]
        went_back = sum(r["amount"] for r in order["refunds"] if r["status"] == "succeeded")
        return self.status == self.case.status and not unsettled and went_back == self.case.refunded

    async def _look(self, world: World) -> Seen:
        """The mail follows the conclusion, so it is waited for; the rest is read after it."""
        until = monotonic() + MAIL_PATIENCE
        due = self.case.confirmations + self.case.notices
        while len(mails := await world.mailbox.mails(self.order_id)) < due:
            if monotonic() > until:
                break
            await asyncio.sleep(0.5)
        order = await world.staff.shop.order(self.order_id)
        return Seen(order, await world.simulator.ledger(self.order_id), mails)
