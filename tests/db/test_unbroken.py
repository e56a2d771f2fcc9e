"""Callers that go away in the middle leave no connection behind, and no lock."""

import asyncio
from inspect import iscoroutinefunction

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
    reads = OrderReads(database)
    order_id = await place(database)
    for milliseconds in range(0, 40, 2):
        writers = [asyncio.create_task(place(database)) for _ in range(10)]
        readers = [asyncio.create_task(reads.order_view(order_id)) for _ in range(5)]
        # Each round gets a little further before everybody leaves.
        await asyncio.sleep(milliseconds / 1000)
        for task in writers + readers:
            task.cancel()
        await asyncio.gather(*writers, *readers, return_exceptions=True)
    async with asyncio.timeout(5):
        await asyncio.gather(*(place(database) for _ in range(20)))
        await asyncio.gather(*(reads.order_view(order_id) for _ in range(20)))
    async with database.read() as session:
        orders = (await session.exec(select(func.count()).select_from(OrderRow))).one()
        lines = (await session.exec(select(func.count()).select_from(TimelineRow))).one()
    assert orders == lines >= 21


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
