"""Letter activities: people are told, once."""

from temporalio import activity

from domain.ports import Letters


class LetterActivities:
    def __init__(self, letters: Letters) -> None:
        self._letters = letters

    @activity.defn
    async def confirm(self, order_id: str) -> None:
        """Send the confirmation of a paid order, unless it went out before."""
        await self._letters.confirm(order_id)

    @activity.defn
    async def tell_refund(self, refund_id: str) -> None:
        """Tell the customer of a refund that succeeded, unless that was done before."""
        await self._letters.tell_refund(refund_id)

    @activity.defn
    async def tell_doubt(self, order_id: str) -> None:
        """Tell the customer that nothing is certain yet, unless that was done, or has changed."""
        await self._letters.tell_doubt(order_id)

    @activity.defn
    async def tell_expiry(self, order_id: str) -> None:
        """Tell the customer that the order ended unpaid, unless that was done, or has changed."""
        await self._letters.tell_expiry(order_id)
