"""Refund activities: money is set aside, sent back, asked about, and every answer recorded."""

from collections.abc import Mapping

from temporalio import activity

from activities.asking import asking
from domain.errors import OutcomeUnknown, RequestRefused
from domain.policies import Budget
from domain.ports import Refunds
from domain.refunds import Refund, RefundNews, RefundQuery, RefundWish
from gateways.base import Gateway


class RefundActivities:
    def __init__(self, refunds: Refunds, gateways: Mapping[str, Gateway]) -> None:
        self._refunds, self._gateways = refunds, gateways

    @activity.defn
    async def reserve_refund(self, wish: RefundWish, budget: Budget | None) -> Refund | None:
        """Set the money aside; None if the budget is used up. Raises `RefundRefused`."""
        return await self._refunds.reserve(wish, budget, activity.info().started_time)

    @activity.defn
    async def send_refund(self, refund: Refund) -> RefundNews:
        """Store the request, send it; or find what became of the one that was sent before."""
        with asking(self._gateways, refund.gateway) as gateway:
            draft = gateway.draft_refund(refund)
            attempt = await self._refunds.begin_refund(draft, activity.info().started_time)
            if attempt.repeated and (found := await _looked_up(gateway, refund)):
                return found
            return await gateway.refund(attempt.draft)

    @activity.defn
    async def ask_refund(self, query: RefundQuery) -> RefundNews | None:
        """What the gateway knows of the refund now; None if nothing."""
        with asking(self._gateways, query.gateway) as gateway:
            return await gateway.ask_refund(query)

    @activity.defn
    async def record_refund(self, news: RefundNews) -> Refund:
        """Record what was learned; the refund as it stands then."""
        return await self._refunds.record_refund(news, activity.info().started_time)

    @activity.defn
    async def read_refund(self, refund_id: str) -> Refund:
        """The refund as it stands."""
        return await self._refunds.refund(refund_id)


async def _looked_up(gateway: Gateway, refund: Refund) -> RefundNews | None:
    """A refused question does not mean that the refund was refused: that is still not known."""
    try:
        return await gateway.ask_refund(RefundQuery.of(refund))
    except RequestRefused as error:
        raise OutcomeUnknown(f"{refund.refund_id} cannot be looked up: {error}") from error
