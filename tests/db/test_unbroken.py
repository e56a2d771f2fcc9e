"""Callers that go away in the middle leave no connection behind, and no lock."""

import asyncio
from inspect import iscoroutinefunction
from typing import Any

import pytest
from sqlmodel import func, select

from db.baskets import BasketStore
from db.catalogue import CatalogueStore
from db.engine import Database
from db.inbox import InboxStore
from db.letters import LetterStore
from db.orders import OrderStore
from db.reads import OrderReads
from db.reports import Reports
from db.tables import OrderRow, TimelineRow
from db.unbroken import unbroken
from tests.support.orders import place

STORES = [BasketStore, CatalogueStore, InboxStore, LetterStore, OrderReads, OrderStore, Reports]


@pytest.mark.parametrize("store", STORES)
def test_every_call_of_every_store_is_unbroken(store: type) -> None:
    calls = [
        call
        for name, call in vars(store).items()
        if iscoroutinefunction(call) and not name.startswith("_")
    ]
    assert calls
    assert all(hasattr(call, "__wrapped__") for call in calls)


async def test_callers_that_go_away_take_nothing_along(database: Database) -> None:
    reads, order_id = OrderReads(database), await place(database)
    for moment in range(25):
        async with database.write() as session:
            await session.connection()
            callers = [asyncio.create_task(place(database)) for _ in range(3)]
            callers += [asyncio.create_task(read(reads, order_id)) for _ in range(3)]
            await turns(20)
        # The way is free: each round, they get a little further before they leave.
        await turns(moment)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
    async with asyncio.timeout(5):
        await asyncio.gather(*(place(database) for _ in range(20)))
        await asyncio.gather(*(read(reads, order_id) for _ in range(20)))
    assert await count(database, OrderRow) == await count(database, TimelineRow)


async def turns(of_the_loop: int) -> None:
    for _ in range(of_the_loop):
        await asyncio.sleep(0)


async def read(reads: OrderReads, order_id: str) -> str:
    return (await reads.order_view(order_id)).order.order_id


async def count(database: Database, table: Any) -> int:
    async with database.read() as session:
        return (await session.exec(select(func.count()).select_from(table))).one()


async def test_what_began_is_ended_before_the_caller_hears_of_its_cancellation() -> None:
    began, may_end, ended = asyncio.Event(), asyncio.Event(), []

    @unbroken
    async def work() -> None:
        began.set()
        await may_end.wait()
        ended.append(True)

    caller = asyncio.create_task(work())
    await began.wait()
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended == [True]


async def test_a_failure_that_nobody_awaits_is_not_an_error_of_the_loop() -> None:
    began = asyncio.Event()

    @unbroken
    async def work() -> None:
        began.set()
        await asyncio.sleep(0)
        raise ZeroDivisionError

    caller = asyncio.create_task(work())
    await began.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
