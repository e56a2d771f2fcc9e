"""Reconciliation activities: a file or report is staged, compared, and what it shows passed on."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing

from temporalio import activity

from activities.asking import asking
from activities.heartbeats import progress
from domain.books import Books, Files
from domain.errors import AlreadyLoaded, FileRefused
from domain.findings import Page, Tally
from domain.policies import Budget
from domain.reconciliations import Approval, ReconciliationPlan, RunState
from domain.settlements import Chunk, TransactionFile
from gateways.base import Gateway


class ReconciliationActivities:
    def __init__(self, books: Books, files: Files, gateways: Mapping[str, Gateway]) -> None:
        self._books, self._files, self._gateways = books, files, gateways

    @activity.defn
    async def arrived_files(self, gateway: str) -> list[TransactionFile]:
        """Take in the files that lie in the merchant's folder."""
        return await self._files.arrived(gateway)

    @activity.defn
    async def begin_run(self, plan: ReconciliationPlan) -> None:
        await self._books.begin(plan, activity.info().started_time)

    @activity.defn
    async def load(self, plan: ReconciliationPlan) -> int:
        """Stage every row, from where an earlier attempt stopped; how many rows there are.

        Raises `FileRefused`: then nothing of it may be used.
        """
        with asking(self._gateways, plan.gateway) as gateway:
            try:
                cursor, rows = await self._books.cursor(plan)
            except AlreadyLoaded as error:
                return int(error.args[0])
            is_whole = False
            async with aclosing(self._chunks(gateway, plan, cursor)) as chunks:
                async for chunk in chunks:
                    rows, is_whole = await self._books.stage(plan, chunk), chunk.is_last
                    progress(f"{rows} rows read")
            if not is_whole:
                raise FileRefused("it ends before its last row")
            return rows

    @activity.defn
    async def match(self, plan: ReconciliationPlan) -> list[Tally]:
        """Compare all rows with the orders. Raises `FileRefused` for totals that do not add up."""
        return await self._books.match(plan, activity.info().started_time)

    @activity.defn
    async def refuse_load(self, plan: ReconciliationPlan, why: str) -> None:
        """Drop what was staged, and say why."""
        await self._books.refuse(plan, why, activity.info().started_time)

    @activity.defn
    async def next_page(self, run_id: str, budget: Budget | None) -> Page:
        """What is handed over next, as far as the budget goes."""
        return await self._books.next_page(run_id, budget)

    @activity.defn
    async def approve_run(self, run_id: str, approval: Approval) -> None:
        """Keep an operator's word that more money may move."""
        await self._books.approve(run_id, approval, activity.info().started_time)

    @activity.defn
    async def proceed(self, run_id: str, state: RunState) -> None:
        """The run is in this state from now on."""
        await self._books.proceed(run_id, state, activity.info().started_time)

    async def _chunks(
        self, gateway: Gateway, plan: ReconciliationPlan, cursor: str
    ) -> AsyncGenerator[Chunk]:
        if plan.file is None:
            assert plan.period
            async for chunk in gateway.read_report(plan.report, plan.period, cursor):
                yield chunk
            return
        with self._files.open(plan.file) as file:
            async with aclosing(_read_ahead(gateway.read_file(file, cursor))) as chunks:
                async for chunk in chunks:
                    yield chunk


async def _read_ahead(chunks: Iterator[Chunk]) -> AsyncGenerator[Chunk]:
    """Read the next chunk in a thread while the last one is being staged."""
    reading = asyncio.create_task(asyncio.to_thread(next, chunks, None))
    try:
        while chunk := await reading:
            reading = asyncio.create_task(asyncio.to_thread(next, chunks, None))
            yield chunk
    finally:
        # The file must not be closed under the thread that reads it.
        await asyncio.wait([reading])
        if not reading.cancelled():
            reading.exception()
