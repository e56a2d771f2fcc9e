"""Repair activities: cases are opened, decided and settled beside their orders."""

from temporalio import activity

from domain.cases import Case, CaseOutcome, CaseRecord, Decision, OrderPolicy
from domain.checkouts import Standing
from domain.orders import OrderStatus
from domain.ports import Cases, Orders
from domain.repairs import Retraction


class RepairActivities:
    def __init__(self, orders: Orders, cases: Cases) -> None:
        self._orders, self._cases = orders, cases

    @activity.defn
    async def standing(self, order_id: str) -> Standing:
        return await self._orders.standing(order_id)

    @activity.defn
    async def retract(self, retraction: Retraction) -> OrderStatus:
        """Cancel a paid order whose payment was never captured; the status that stands."""
        return await self._orders.retract(retraction, activity.info().started_time)

    @activity.defn
    async def order_policy(self, order_id: str) -> OrderPolicy:
        """What decides whether the order still takes late money."""
        return await self._cases.order_policy(order_id)

    @activity.defn
    async def open_case(self, case: Case) -> bool:
        """Open the case; False if it was open already."""
        return await self._cases.open_case(case, activity.info().started_time)

    @activity.defn
    async def open_cases(self, subject: str) -> list[CaseRecord]:
        """The cases of this subject that are not settled."""
        return list(await self._cases.open_cases(subject))

    @activity.defn
    async def await_word(self, case_id: str, why: str) -> None:
        """From now on the case waits for an operator, who is told why."""
        await self._cases.await_word(case_id, why, activity.info().started_time)

    @activity.defn
    async def decide(self, decision: Decision) -> bool:
        """Keep an operator's word; False if the case does not wait for one."""
        return await self._cases.decide(decision, activity.info().started_time)

    @activity.defn
    async def honour(self, case_id: str) -> str | None:
        """Let the payment fulfil its order; the reason if it cannot."""
        return await self._cases.honour(case_id, activity.info().started_time)

    @activity.defn
    async def settle(self, case_id: str, outcome: CaseOutcome, refund_id: str | None) -> None:
        await self._cases.settle(case_id, outcome, refund_id, activity.info().started_time)
