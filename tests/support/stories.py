"""What happens to an order's money after its payment or its end, told on a queue of its own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from db.inbox import InboxStore
from db.orders import OrderStore
from db.refunds import RefundStore
from domain.keys import new_id
from domain.news import Evidence, EvidenceKind, PaymentNews
from domain.refunds import RefundWish
from settings import Settings
from tests.support.money import kept, until
from tests.support.service import Json, Service
from workflows.delivery import WorkflowDelivery, repair_id

PRICE, BILL, ODD = 49900, 125000, 100


@dataclass
class Story:
    """One order of the service, whose refunds and repairs run on `settings.task_queue`.

    The order itself is brought to its end by the service's own worker; the gateway sends no
    webhook, so that nothing happens but what is told here.
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

    async def is_paid(self) -> None:
        self.order_id, url = await self.service.place_and_check_out(no_webhook=True)
        back = await self.service.simulator.pay(url)
        await self.service.stranger.get(back.headers["Location"])
        assert await self.service.ends_as(self.order_id) == "paid"

    async def is_canceled(self, sku: str = "coffee-beans") -> None:
        self.order_id = await self.service.place(sku)
        await self.service.simulator.faults(self.order_id, no_webhook=True)
        await self.service.check_out(self.order_id)
        await self.service.shop.post(f"/orders/{self.order_id}/cancel")
        assert await self.service.ends_as(self.order_id) == "canceled"

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

    async def says(self, verdict: str) -> None:
        """An operator's word on the one case, as soon as that waits for it."""
        order = await until(
            lambda: self.service.order(self.order_id),
            lambda seen: statuses(seen["cases"]) == ["waiting"],
        )
        body = {"verdict": verdict, "reason": "agreed"}
        answer = await self.service.ops.post(f"/cases/{order['cases'][0]['case_id']}", json=body)
        assert answer.status_code == 200, answer.text

    async def ended(self, *, status: str, keeps: int, refunds: int = 0, mails: int = 0) -> None:
        """Nothing runs any more, nothing was lost, nothing was done twice, everyone was told once.

        `mails` counts Message-IDs, the confirmation among them.
        """
        for workflow_id in (self.order_id, *self.begun):
            await self.service.temporal.get_workflow_handle(workflow_id).result()
        order = await self.service.order(self.order_id)
        ledger = await self.service.simulator.ledger(self.order_id)
        told = {mail["Message-ID"] for mail in self.service.mails.so_far(self.order_id)}
        made = [refund["status"] for refund in ledger["refunds"]]
        assert set(statuses(order["cases"])) <= {"settled"}, order
        assert statuses(order["refunds"]) == ["succeeded"] * refunds, order
        seen = (order["status"], await kept(self.service.simulator, self.order_id), made, len(told))
        assert seen == (status, keeps, ["processed"] * refunds, mails), seen


def a_story(service: Service) -> Story:
    queue = f"queue-{uuid4()}"
    return Story(service, service.settings.model_copy(update={"task_queue": queue}))


def statuses(shown: list[Json]) -> list[str]:
    return [each["status"] for each in shown]
