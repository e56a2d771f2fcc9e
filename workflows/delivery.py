"""Delivery: the one place that knows how news reaches a workflow."""

from datetime import datetime
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from domain.checkouts import CheckoutPlan
from domain.disputes import Dispute
from domain.findings import Doubt
from domain.keys import ORDER_PREFIX
from domain.news import PaymentNews
from domain.orders import Order
from domain.policies import Policies
from domain.ports import Destination, Inbox, News, Orders, Refunds
from domain.refunds import Refund, RefundNews, RefundPlan
from domain.repairs import RepairPlan
from workflows.checkout import CheckoutWorkflow
from workflows.options import DECISION
from workflows.refund import RefundWorkflow
from workflows.repair import RepairWorkflow


class WorkflowDelivery:
    """A running checkout gets news as a signal; once it has ended, the order's repair does."""

    def __init__(
        self,
        client: Client,
        task_queue: str,
        *,
        orders: Orders,
        refunds: Refunds,
        inbox: Inbox,
        policies: Policies,
    ) -> None:
        self._client, self._task_queue = client, task_queue
        self._orders, self._refunds, self._inbox = orders, refunds, inbox
        self._policies = policies

    async def deliver(self, news: PaymentNews) -> Destination:
        """Raises `OrderNotFound`; any other error means that nothing was delivered yet."""
        standing = await self._orders.standing(news.order_id)
        if standing.explains(news):
            return Destination.NOTHING_NEW
        if standing.status.is_open and await self._signal_checkout(news):
            return Destination.CHECKOUT
        await self._start_repair(news.order_id, RepairWorkflow.learn.__name__, [news])
        return Destination.REPAIR

    async def deliver_refund(self, news: RefundNews, at: datetime) -> Destination:
        if news.refund_id is None:
            await self._refunds.record_refund(news, at)
            return Destination.RECORDED
        refund = await self._refunds.refund(news.refund_id)
        if refund.joined(news) == refund:
            return Destination.NOTHING_NEW
        await self._start_refund(refund, news)
        return Destination.REFUND

    async def forward(self, row: int, at: datetime) -> Destination | None:
        news = await self._inbox.news(row)
        if news is None:
            await self._inbox.postponed(row, at)
            return None
        destination = await self._dispatch(news, at)
        await self._inbox.forwarded(row, at)
        return destination

    async def doubt(self, doubt: Doubt) -> None:
        await self._start_repair(doubt.order_id, RepairWorkflow.doubt.__name__, [doubt])

    async def adopt(self, order: Order) -> bool:
        if await self._is_running(order.order_id):
            return False
        return await self.mind_cases(order.order_id)

    async def mind_cases(self, subject: str) -> bool:
        if await self._is_running(repair_id(subject)):
            return False
        await self.call_repair(subject)
        return True

    async def call_repair(self, subject: str) -> None:
        await self._start_repair(subject, RepairWorkflow.call.__name__, [])

    async def mind_refund(self, refund: Refund) -> bool:
        if await self._is_running(refund.refund_id):
            return False
        await self._start_refund(refund)
        return True

    async def _dispatch(self, news: News, at: datetime) -> Destination:
        if isinstance(news, PaymentNews):
            return await self.deliver(news)
        if isinstance(news, Dispute):
            await self._inbox.record_dispute(news, at)
            return Destination.RECORDED
        return await self.deliver_refund(news, at)

    async def _signal_checkout(self, news: PaymentNews) -> bool:
        handle = self._client.get_workflow_handle(news.order_id)
        try:
            await handle.signal(CheckoutWorkflow.learn, news)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    async def _start_repair(self, subject: str, signal: str, args: list[Any]) -> None:
        plan = await repair_plan(subject, self._orders, self._policies)
        await self._client.start_workflow(
            RepairWorkflow.run,
            plan,
            start_signal=signal,
            start_signal_args=args,
            static_summary=plan.summary,
            **self._again(repair_id(subject)),
        )

    async def _start_refund(self, refund: Refund, *news: RefundNews) -> None:
        await self._client.start_workflow(
            RefundWorkflow.run,
            RefundPlan(refund, self._policies.refund_patience),
            start_signal=RefundWorkflow.learn.__name__ if news else None,
            start_signal_args=news,
            static_summary=f"Refund: {refund.amount}, {refund.refund_id}",
            **self._again(refund.refund_id),
        )

    def _again(self, workflow_id: str) -> dict[str, Any]:
        return {
            "id": workflow_id,
            "task_queue": self._task_queue,
            "task_timeout": DECISION,
            "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
        }

    async def _is_running(self, workflow_id: str) -> bool:
        try:
            description = await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return description.status is WorkflowExecutionStatus.RUNNING


def repair_id(subject: str) -> str:
    return f"repair-{subject}"


async def repair_plan(subject: str, orders: Orders, policies: Policies) -> RepairPlan:
    """The plan for an order's repair, or for a payment's whose order nobody knows."""
    checkout = None
    if subject.startswith(ORDER_PREFIX):
        order, key = await orders.order(subject), await orders.latest_link(subject)
        checkout = CheckoutPlan.of(order, policies.timetable, policies.notices, key or "")
    return RepairPlan(subject, checkout, policies.repair, policies.budget)
