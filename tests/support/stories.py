"""What happens to an order and its money, told on a queue of its own."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

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
from tests.support.service import Json, Service
from workflows.checkout import CheckoutWorkflow
from workflows.delivery import WorkflowDelivery, repair_id

PRICE, BILL, ODD = 49900, 125000, 100


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

    async def is_placed(self, **faults: Any) -> None:
        self.order_id = await self.service.place()
        await self.service.simulator.faults(self.order_id, **faults)
        if not faults.get("no_webhook"):
            self.service.told_of.append(self.order_id)

    async def is_paid(self) -> None:
        self.order_id, url = await self.service.place_and_check_out(no_webhook=True)
        back = await self.service.simulator.pay(url)
        await self.service.stranger.get(back.headers["Location"])
        await self._has_become("paid")

    async def is_canceled(self, sku: str = "coffee-beans") -> None:
        self.order_id = await self.service.place(sku)
        await self.service.simulator.faults(self.order_id, no_webhook=True)
        await self.service.check_out(self.order_id)
        await self.calls_off()
        await self._has_become("canceled")

    async def begins(self, **changes: Any) -> None:
        """Its checkout, under these settings of its own."""
        order = await OrderStore(self.service.database).order(self.order_id)
        policies = self.settings.model_copy(update=changes).policies
        await self.service.temporal.start_workflow(
            CheckoutWorkflow.run,
            CheckoutPlan.of(order, policies.timetable, policies.notices),
            id=self.order_id,
            task_queue=self.settings.task_queue,
        )
        self.begun.append(self.order_id)

    async def link(self) -> str:
        """What the customer gets who clicks on Pay until there is something."""
        path = f"/orders/{self.order_id}/checkout"
        clicked = await until(
            lambda: self.service.shop.post(path), lambda answer: answer.status_code == 200
        )
        return str(clicked.json()["payment_url"])

    async def calls_off(self) -> None:
        answer = await self.service.shop.post(f"/orders/{self.order_id}/cancel")
        assert answer.status_code == 202, answer.text

    async def link_is(self, status: str) -> Json:
        """The gateway's ledger, once the order's link stands so in it."""
        return await until(
            lambda: self.service.simulator.ledger(self.order_id),
            lambda ledger: statuses(ledger["links"]) == [status],
        )

    async def customer_is_told(self) -> None:
        """Wait for the first letter."""

        async def letters() -> int:
            return len(self.service.mails.so_far(self.order_id))

        await until(letters, bool)

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
            [now] = (await self.service.order(self.order_id))["cases"]
            return answer.status_code == 200 or now["status"] != "waiting"

        await until(word, bool)

    async def has_ended(self) -> Json:
        """The order, once nothing of what was told runs any more."""
        for workflow_id in self.begun:
            await self.service.temporal.get_workflow_handle(workflow_id).result()
        order = await self.service.order(self.order_id)
        for refund in order["refunds"]:
            # A repair that found it running settles its case as soon as the money is back.
            await self.service.temporal.get_workflow_handle(refund["refund_id"]).result()
        return await self.service.order(self.order_id)

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

    async def histories(self) -> list[WorkflowHistory]:
        """Of all that ran on the queue of the story."""
        refunds = [
            each["refund_id"] for each in (await self.service.order(self.order_id))["refunds"]
        ]
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
        order = await self.service.order(self.order_id)
        assert order["status"] == status, order

    async def _order_with(self, cases: list[str]) -> Json:
        return await until(
            lambda: self.service.order(self.order_id),
            lambda seen: statuses(seen["cases"]) == cases,
        )


def a_story(service: Service, queue: str | None = None) -> Story:
    """On a queue of its own, or on this one."""
    update = {"task_queue": queue or f"queue-{uuid4()}"}
    return Story(service, service.settings.model_copy(update=update))


def statuses(shown: list[Json]) -> list[str]:
    return [each["status"] for each in shown]
