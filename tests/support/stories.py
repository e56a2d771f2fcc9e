"""What happens to an order and its money, told on a queue of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from temporalio.client import WorkflowHistory

from db.inbox import InboxStore
from db.orders import OrderStore
from db.refunds import RefundStore
from domain.checkouts import CheckoutPlan
from domain.findings import Doubt
from domain.keys import new_id
from domain.news import Evidence, EvidenceKind, PaymentNews
from domain.refunds import RefundWish
from settings import Settings
from tests.support.money import kept, until
from tests.support.service import Json, Service, an_order, new_key
from workflows.checkout import CheckoutWorkflow
from workflows.delivery import WorkflowDelivery, repair_id
from workflows.options import DECISION

PRICE, BILL, ODD = 49900, 125000, 100
DOLLARS = 1250
# A dozen stories at once share one machine, and on SQLite one writer at a time.
LONG = 90
Call = Callable[[], Awaitable[httpx.Response]]


@dataclass
class Story:
    """One order of the service; what is told of it runs on `settings.task_queue`.

    What went before that was done by the service's own worker.
    """

    service: Service
    settings: Settings
    order_id: str = ""
    begun: list[str] = field(default_factory=list)

    @property
    def delivery(self) -> WorkflowDelivery:
        database = self.service.database
        return WorkflowDelivery(
            self.service.temporal,
            self.settings.task_queue,
            orders=OrderStore(database),
            refunds=RefundStore(database),
            inbox=InboxStore(database),
            policies=self.settings.policies,
        )

    async def is_placed(
        self, sku: str = "coffee-beans", gateway: str = "razorpay", **faults: Any
    ) -> None:
        body, key = an_order([{"sku": sku, "quantity": 1}], gateway=gateway), new_key()
        placed = await self._said(lambda: self.service.shop.post("/orders", json=body, headers=key))
        self.order_id = placed["order_id"]
        await self.service.simulator.faults(self.order_id, **faults)
        if not faults.get("no_webhook"):
            self.service.told_of.append(self.order_id)

    async def is_paid(self) -> None:
        await self.is_placed(no_webhook=True)
        await self.is_paid_and_told()
        await self._has_become("paid")

    async def is_paid_and_told(self) -> None:
        """The customer pays, and the browser comes back until somebody listens."""
        back = urlsplit((await self.service.simulator.pay(await self.link())).headers["Location"])
        here = f"{back.path}?{back.query}"
        await self._comes(lambda: self.service.stranger.get(here), 303)

    async def is_canceled(self, sku: str = "coffee-beans") -> None:
        await self.is_placed(sku, no_webhook=True)
        await self.link()
        await self.calls_off()
        await self._has_become("canceled")

    async def begins(self, *, fallbacks: tuple[str, ...] = (), **changes: Any) -> None:
        """Its checkout, under these settings of its own."""
        order = await OrderStore(self.service.database).order(self.order_id)
        policies = self.settings.model_copy(update=changes).policies
        plan = CheckoutPlan.of(order, policies.timetable, policies.notices)
        await self.service.temporal.start_workflow(
            CheckoutWorkflow.run,
            replace(plan, fallbacks=fallbacks, powerless=("paypal",)),
            id=self.order_id,
            task_queue=self.settings.task_queue,
            task_timeout=DECISION,
        )
        self.begun.append(self.order_id)

    async def link(self) -> str:
        """What the customer gets who clicks on Pay until there is something."""
        path = f"/orders/{self.order_id}/checkout"
        clicked = await self._said(lambda: self.service.shop.post(path), 200)
        return str(clicked["payment_url"])

    async def calls_off(self) -> None:
        path = f"/orders/{self.order_id}/cancel"
        await self._said(lambda: self.service.shop.post(path), 202)

    async def link_is(self, status: str) -> Json:
        """The gateway's ledger, once the order's link stands so in it."""
        return await until(
            lambda: self.service.simulator.ledger(self.order_id),
            lambda ledger: statuses(ledger["links"]) == [status],
            LONG,
        )

    async def customer_is_told(self) -> None:
        """Wait for the first letter."""

        async def letters() -> int:
            return len(self.service.mails.so_far(self.order_id))

        await until(letters, bool, LONG)

    async def is_refunded(self, **faults: Any) -> None:
        """An operator sends the whole payment back, as the API does it."""
        await self.service.simulator.faults(self.order_id, no_webhook=True, **faults)
        ledger = await self.service.simulator.ledger(self.order_id)
        wish = RefundWish(
            refund_id=new_id("rfd"),
            order_id=self.order_id,
            gateway="razorpay",
            payment_reference=ledger["payments"][0]["id"],
            amount=None,
            reason="it broke",
            actor="ops",
        )
        refund = await RefundStore(self.service.database).reserve(wish, None, datetime.now(UTC))
        assert refund
        await self.delivery.mind_refund(refund)
        self.begun.append(refund.refund_id)

    async def is_paid_late(self, **late: Any) -> None:
        """Money comes after the end, and somebody hints at it."""
        payment = await self.service.simulator.pay_late(self.order_id, **late)
        evidence = Evidence(EvidenceKind.CALLBACK, "callback")
        hint = PaymentNews("razorpay", self.order_id, evidence, mentions=payment["id"])
        await self.delivery.deliver(hint)
        self.begun.append(repair_id(self.order_id))

    async def is_doubted(self) -> None:
        """A file denies what is recorded of its payment, and so does the bank by now."""
        payment = (await self.service.simulator.ledger(self.order_id))["payments"][0]["id"]
        await self.service.simulator.revoke(payment)
        line = Evidence(EvidenceKind.SETTLEMENT_FILE, "settlements.csv, line 7", "0" * 64)
        doubt = Doubt(f"fnd_{payment}", "razorpay", self.order_id, payment, line)
        await self.delivery.doubt(doubt)
        self.begun.append(repair_id(self.order_id))

    async def says(self, verdict: str) -> None:
        """An operator's word on the one case, repeated until it is taken."""
        [case] = (await self._order_with(["waiting"]))["cases"]
        body = {"verdict": verdict, "reason": "agreed"}

        async def word() -> bool:
            answer = await self.service.ops.post(f"/cases/{case['case_id']}", json=body)
            [now] = (await self.order())["cases"]
            return answer.status_code == 200 or now["status"] != "waiting"

        await until(word, bool, LONG)

    async def has_ended(self) -> Json:
        """The order, once nothing of what was told runs any more."""
        for workflow_id in self.begun:
            await self.service.temporal.get_workflow_handle(workflow_id).result()
        order = await self.order()
        for refund in order["refunds"]:
            # A repair that found it running settles its case as soon as the money is back.
            await self.service.temporal.get_workflow_handle(refund["refund_id"]).result()
        return await self.order()

    async def ended(
        self, *, status: str, keeps: int, refunds: int = 0, mails: int = 0, ends: int = 1
    ) -> None:
        """Nothing runs any more, nothing was lost, nothing was done twice, everyone was told once.

        `mails` counts letters, the confirmation among them; a copy is the same to the byte. What
        ends under review `ends` once more with its case.
        """
        order = await self.has_ended()
        ledger = await self.service.simulator.ledger(self.order_id)
        told = self.service.mails.so_far(self.order_id)
        letters = {mail["Message-ID"] for mail in told}
        assert len({mail.as_bytes() for mail in told}) == len(letters), "a copy that differs"
        made = [refund["status"] for refund in ledger["refunds"]]
        assert set(statuses(order["cases"])) <= {"settled"}, order
        assert statuses(order["refunds"]) == ["succeeded"] * refunds, order
        assert len(ledger["links"]) <= 1, ledger
        concluded = [entry["event"] for entry in order["timeline"]].count("concluded")
        money = await kept(self.service.simulator, self.order_id)
        seen = (order["status"], money, made, len(letters), concluded)
        assert seen == (status, keeps, ["processed"] * refunds, mails, ends), seen

    async def order(self) -> Json:
        path = f"/orders/{self.order_id}"
        return await self._said(lambda: self.service.shop.get(path), 200)

    async def histories(self) -> list[WorkflowHistory]:
        """Of all that ran on the queue of the story."""
        refunds = [each["refund_id"] for each in (await self.order())["refunds"]]
        known = dict.fromkeys([self.order_id, *self.begun, *refunds])
        handles = [self.service.temporal.get_workflow_handle(workflow_id) for workflow_id in known]
        fetched = await asyncio.gather(*(handle.fetch_history() for handle in handles))
        return [history for history in fetched if self._queue_of(history) == self._queue]

    @property
    def _queue(self) -> str:
        return self.settings.task_queue

    @staticmethod
    def _queue_of(history: WorkflowHistory) -> str:
        return history.events[0].workflow_execution_started_event_attributes.task_queue.name

    async def _has_become(self, status: str) -> None:
        await self.service.temporal.get_workflow_handle(self.order_id).result()
        order = await self.order()
        assert order["status"] == status, order

    async def _order_with(self, cases: list[str]) -> Json:
        return await until(self.order, lambda seen: statuses(seen["cases"]) == cases, LONG)

    async def _said(self, call: Call, status: int = 201) -> Json:
        said: Json = (await self._comes(call, status)).json()
        return said

    async def _comes(self, call: Call, status: int) -> httpx.Response:
        """What is answered to somebody who comes again until it is this."""

        async def tried() -> httpx.Response | None:
            with suppress(httpx.TransportError):
                return await call()
            return None

        came = await until(
            tried, lambda seen: seen is not None and seen.status_code == status, LONG
        )
        assert came
        return came


def a_story(service: Service, queue: str | None = None) -> Story:
    """On a queue of its own, or on this one."""
    update = {"task_queue": queue or f"queue-{uuid4()}"}
    return Story(service, service.settings.model_copy(update=update))


def statuses(shown: list[Json]) -> list[str]:
    return [each["status"] for each in shown]
