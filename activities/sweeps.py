"""Sweep activities: whatever is stuck is set going again."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from temporalio import activity

from activities.asking import asking, closed
from domain.checkouts import LinkQuery
from domain.ports import Cases, Delivery, Inbox, Orders, Refunds
from gateways.base import Gateway

BATCH = 200
# A gateway that is away lets each question wait.
QUESTIONS = 10
SETTLING_TIME = timedelta(seconds=30)
REFUND_SETTLING_TIME = timedelta(seconds=60)


@dataclass(frozen=True)
class SweepTimes:
    """An order that never asked for a link expires after `window`; money whose order is not
    known becomes a case after `unclaimed`."""

    window: timedelta
    unclaimed: timedelta = timedelta(minutes=10)


class SweepActivities:
    def __init__(
        self,
        orders: Orders,
        refunds: Refunds,
        cases: Cases,
        inbox: Inbox,
        delivery: Delivery,
        gateways: Mapping[str, Gateway],
        times: SweepTimes,
    ) -> None:
        self._orders, self._refunds, self._cases = orders, refunds, cases
        self._inbox, self._delivery, self._times = inbox, delivery, times
        self._gateways = gateways

    @activity.defn
    async def forward_inbox(self, at: datetime) -> int:
        """Deliver webhooks that were stored but not forwarded; how many found their order."""
        rows = await self._inbox.due(SETTLING_TIME, at, BATCH)
        return sum([await self._forward(row, at) for row in rows])

    @activity.defn
    async def expire_untouched(self, at: datetime) -> int:
        """Expire orders that never asked for a link."""
        expired, window = 0, self._times.window
        while expired < BATCH and (some := await self._orders.expire_untouched(window, at)):
            expired += some
        return expired

    @activity.defn
    async def adopt_orphans(self, at: datetime) -> int:
        """See that every order that awaits payment has somebody who minds it."""
        orders = await self._orders.awaiting(SETTLING_TIME, at, BATCH)
        return sum([await _tried(o.order_id, self._delivery.adopt(o)) for o in orders])

    @activity.defn
    async def mind_refunds(self, at: datetime) -> int:
        """See that every refund that is under way has its workflow."""
        refunds = await self._refunds.unattended_refunds(REFUND_SETTLING_TIME, at, BATCH)
        return sum([await _tried(r.refund_id, self._delivery.mind_refund(r)) for r in refunds])

    @activity.defn
    async def mind_cases(self, at: datetime) -> int:
        """See that every case that is not settled has its repair."""
        subjects = await self._cases.subjects_unattended(SETTLING_TIME, at, BATCH)
        return sum([await _tried(s, self._delivery.mind_cases(s)) for s in subjects])

    @activity.defn
    async def open_unclaimed(self, at: datetime) -> int:
        """Make a case of money whose order could not be found."""
        rows = await self._inbox.unresolved(self._times.unclaimed, at, BATCH)
        return sum([await _tried(f"inbox row {r}", self._open_unclaimed(r, at)) for r in rows])

    @activity.defn
    async def close_late_links(self, at: datetime) -> int:
        """Look once more for links that were given up unmade; how many are closed only now."""
        given_up = await self._orders.late_links(at, QUESTIONS)
        return sum([await _tried(query.key, self._close_late(query)) for query in given_up])

    async def _close_late(self, query: LinkQuery) -> bool:
        with asking(self._gateways, query.gateway) as gateway:
            known = await self._found(gateway, query)
            news = await closed(gateway, known) if known else None
        if news and (news.link is None or news.link.is_live):
            return False
        if news and news.payments:
            await self._delivery.deliver(news)
        await self._orders.looked_for(query.key)
        if news:
            activity.logger.warning("%s was made after all: it is closed now", query.key)
        return news is not None

    async def _found(self, gateway: Gateway, query: LinkQuery) -> LinkQuery | None:
        if query.reference or not gateway.capabilities.lookup_by_order_id:
            return query if query.reference else None
        link = await gateway.find_payment_link(query.key)
        if link is None:
            return None
        await self._orders.keep_link(link)
        return replace(query, reference=link.reference)

    async def _open_unclaimed(self, row: int, at: datetime) -> bool:
        case = await self._inbox.unclaimed(row)
        opened = await self._cases.open_case(case, at)
        await self._inbox.forwarded(row, at)
        return opened and await self._delivery.mind_cases(case.subject)

    async def _forward(self, row: int, at: datetime) -> bool:
        try:
            return await self._delivery.forward(row, at) is not None
        except Exception as error:
            # One row that cannot be delivered must not hold up the others.
            activity.logger.warning("inbox row %s: %s", row, type(error).__name__)
            await self._inbox.postponed(row, at)
            return False


async def _tried(what: str, deed: Awaitable[bool]) -> bool:
    """One that cannot be helped now must not hold up the others."""
    try:
        return await deed
    except Exception as error:
        activity.logger.warning("%s: %s", what, type(error).__name__)
        return False
