"""Whoever watches orders at the same moment shares one query."""

import asyncio
from collections.abc import Sequence

import pytest

from api.looks import Looks
from db.engine import Database
from db.reads import OrderReads
from domain.errors import DatabaseUnavailable, OrderNotFound
from domain.orders import OrderStatus
from tests.support.orders import place, place_awaiting


class Counted(OrderReads):
    """How many were asked for by each query; and the next ones may fail."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked: list[int] = []
        self.failures: list[Exception] = []

    async def statuses_of(self, order_ids: Sequence[str]) -> dict[str, OrderStatus]:
        self.asked.append(len(order_ids))
        if self.failures:
            raise self.failures.pop(0)
        return await super().statuses_of(order_ids)


async def test_many_listeners_are_one_query(database: Database) -> None:
    placed, waiting = await place(database), await place_awaiting(database)
    reads = Counted(database)
    async with Looks(reads) as looks:
        seen = await asyncio.gather(*(looks.status_of(it) for it in [placed, waiting] * 50))
        assert seen == [OrderStatus.CREATED, OrderStatus.AWAITING_PAYMENT] * 50
        assert reads.asked == [2]
        assert await looks.status_of(placed) is OrderStatus.CREATED
    assert reads.asked == [2, 1]


async def test_nobody_waits_for_what_another_asked(sqlite_database: Database) -> None:
    order_id = await place(sqlite_database)
    async with Looks(OrderReads(sqlite_database)) as looks:
        nothing, found = await asyncio.gather(
            looks.status_of("ord_x"), looks.status_of(order_id), return_exceptions=True
        )
    assert isinstance(nothing, OrderNotFound)
    assert found is OrderStatus.CREATED


async def test_a_database_that_is_away_is_said_to_each_and_asked_again(
    sqlite_database: Database,
) -> None:
    order_id = await place(sqlite_database)
    reads = Counted(sqlite_database)
    reads.failures = [DatabaseUnavailable("away")]
    async with Looks(reads) as looks:
        with pytest.raises(DatabaseUnavailable):
            await looks.status_of(order_id)
        assert await looks.status_of(order_id) is OrderStatus.CREATED


async def test_one_who_goes_takes_nothing_from_the_others(sqlite_database: Database) -> None:
    order_id = await place(sqlite_database)
    async with Looks(OrderReads(sqlite_database)) as looks:
        gone, stays = (asyncio.create_task(looks.status_of(order_id)) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays is OrderStatus.CREATED
    assert gone.cancelled()
