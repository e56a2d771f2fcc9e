"""Repair activities: what is recorded is read, and cases are opened beside it."""

from temporalio import activity

from domain.cases import Case
from domain.checkouts import Standing
from domain.ports import Orders


class RepairActivities:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    @activity.defn
    async def standing(self, order_id: str) -> Standing:
        return await self._orders.standing(order_id)

    @activity.defn
    async def open_case(self, case: Case) -> bool:
        """Open the case; False if it was open already."""
        return await self._orders.open_case(case, activity.info().started_time)
