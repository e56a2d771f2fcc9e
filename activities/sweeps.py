"""Sweep activities: whatever is stuck is set going again."""

from datetime import datetime, timedelta

from temporalio import activity

from domain.orders import Order
from domain.ports import Delivery, Inbox, Orders

BATCH = 200
SETTLING_TIME = timedelta(seconds=30)


class SweepActivities:
    """An order that never asked for a link is expired after `window`."""

    def __init__(self, orders: Orders, inbox: Inbox, delivery: Delivery, window: timedelta) -> None:
        self._orders, self._inbox, self._delivery = orders, inbox, delivery
        self._window = window

    @activity.defn
    async def forward_inbox(self, at: datetime) -> int:
        """Deliver webhooks that were stored but not forwarded; how many found their order."""
        rows = await self._inbox.due(SETTLING_TIME, at, BATCH)
        return sum([await self._forward(row, at) for row in rows])

    @activity.defn
    async def expire_untouched(self, at: datetime) -> int:
        """Expire orders that never asked for a link."""
        return await self._orders.expire_untouched(self._window, at)

    @activity.defn
    async def adopt_orphans(self, at: datetime) -> int:
        """See that every order that awaits payment has somebody who minds it."""
        orders = await self._orders.awaiting(SETTLING_TIME, at, BATCH)
        return sum([await self._adopt(order) for order in orders])

    async def _forward(self, row: int, at: datetime) -> bool:
        try:
            return await self._delivery.forward(row, at) is not None
        except Exception as error:
            # One row that cannot be delivered must not hold up the others.
            activity.logger.warning("inbox row %s: %s", row, type(error).__name__)
            await self._inbox.postponed(row, at)
            return False

    async def _adopt(self, order: Order) -> bool:
        try:
            return await self._delivery.adopt(order)
        except Exception as error:
            activity.logger.warning("order %s: %s", order.order_id, type(error).__name__)
            return False
