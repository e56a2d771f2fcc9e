"""One look at the database for everybody who watches an order."""

import asyncio
from collections.abc import Sequence
from typing import Self

from db.reads import OrderReads
from domain.errors import OrderNotFound
from domain.orders import OrderStatus

EVERY_SECONDS = 0.25
AT_A_TIME = 500


class Looks:
    """Whoever asks for a status within the same moment shares a query: a thousand open pages
    cost hardly more than one.
    """

    def __init__(self, reads: OrderReads) -> None:
        self._reads = reads
        self._wanted: dict[str, asyncio.Future[OrderStatus]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        if self._looking:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def status_of(self, order_id: str) -> OrderStatus:
        """As it stands within a moment. Raises `OrderNotFound`, `DatabaseUnavailable`."""
        if order_id not in self._wanted:
            self._wanted[order_id] = asyncio.get_running_loop().create_future()
        wanted = self._wanted[order_id]
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(wanted)

    async def _look(self) -> None:
        while self._wanted:
            await asyncio.sleep(EVERY_SECONDS)
            wanted, self._wanted = self._wanted, {}
            ids = list(wanted)
            for start in range(0, len(ids), AT_A_TIME):
                await self._tell(wanted, ids[start : start + AT_A_TIME])

    async def _tell(
        self, wanted: dict[str, asyncio.Future[OrderStatus]], ids: Sequence[str]
    ) -> None:
        try:
            found = await self._reads.statuses_of(ids)
        except Exception as error:  # it is theirs who wait
            for order_id in ids:
                _fail(wanted[order_id], error)
            return
        for order_id in ids:
            if order_id in found:
                wanted[order_id].set_result(found[order_id])
            else:
                _fail(wanted[order_id], OrderNotFound(order_id))


def _fail(future: asyncio.Future[OrderStatus], error: Exception) -> None:
    future.set_exception(error)
    # Whoever wanted to know may have gone meanwhile, and that is no complaint.
    future.exception()
