"""Delivery activities: news that a closing workflow cannot use is passed on."""

from temporalio import activity

from domain.news import PaymentNews
from domain.ports import Delivery, Destination


class DeliveryActivities:
    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    @activity.defn
    async def hand_over(self, news: PaymentNews) -> Destination:
        """Bring news to whoever it concerns now."""
        return await self._delivery.deliver(news)

    @activity.defn
    async def hand_over_cases(self, subject: str) -> None:
        """See that somebody deals with the subject's cases, which are new or open again."""
        await self._delivery.call_repair(subject)
