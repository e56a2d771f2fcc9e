"""Delivery: the one place that knows how news reaches a workflow."""

from datetime import datetime

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from domain.checkouts import CheckoutPlan
from domain.news import PaymentNews
from domain.orders import Order
from domain.policies import Timetable
from domain.ports import Destination, Inbox, Orders
from workflows.checkout import CheckoutWorkflow
from workflows.repair import RepairWorkflow


class WorkflowDelivery:
    """A running checkout gets news as a signal; once it has ended, the order's repair does."""

    def __init__(
        self, client: Client, task_queue: str, orders: Orders, inbox: Inbox, timetable: Timetable
    ) -> None:
        self._client, self._task_queue = client, task_queue
        self._orders, self._inbox, self._timetable = orders, inbox, timetable

    async def deliver(self, news: PaymentNews) -> Destination:
        """Raises `OrderNotFound`; any other error means that nothing was delivered yet."""
        standing = await self._orders.standing(news.order_id)
        if standing.explains(news):
            return Destination.NOTHING_NEW
        if standing.status.is_open and await self._signal_checkout(news):
            return Destination.CHECKOUT
        order = await self._orders.order(news.order_id)
        await self._start_repair(order, RepairWorkflow.learn.__name__, [news])
        return Destination.REPAIR

    async def forward(self, row: int, at: datetime) -> Destination | None:
        news = await self._inbox.news(row)
        if news is None:
            await self._inbox.postponed(row, at)
            return None
        destination = await self.deliver(news)
        await self._inbox.forwarded(row, at)
        return destination

    async def adopt(self, order: Order) -> bool:
        if await _is_running(self._client.get_workflow_handle(order.order_id)):
            return False
        if await _is_running(self._client.get_workflow_handle(repair_id(order.order_id))):
            return False
        await self._start_repair(order, RepairWorkflow.adopt.__name__, [])
        return True

    async def _signal_checkout(self, news: PaymentNews) -> bool:
        handle = self._client.get_workflow_handle(news.order_id)
        try:
            await handle.signal(CheckoutWorkflow.learn, news)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    async def _start_repair(self, order: Order, signal: str, args: list[PaymentNews]) -> None:
        await self._client.start_workflow(
            RepairWorkflow.run,
            CheckoutPlan.of(order, self._timetable),
            id=repair_id(order.order_id),
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=signal,
            start_signal_args=args,
            static_summary=f"Repair: {order.amount} by {order.gateway.title()}, {order.order_id}",
        )


def repair_id(order_id: str) -> str:
    return f"repair-{order_id}"


async def _is_running(handle: WorkflowHandle[object, object]) -> bool:
    try:
        description = await handle.describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return description.status is WorkflowExecutionStatus.RUNNING
