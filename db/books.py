"""What reconciliation keeps: `domain.books.Books`, each write one transaction or a few."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, delete
from sqlmodel.ext.asyncio.session import AsyncSession

from db import findings
from db.engine import Database
from db.matching import Comparison, compare, count, found
from db.reconciliation_tables import ApprovalRow, RunRow, TallyRow
from db.settlements import check_totals, keep_settlements, sums_of
from db.staged_tables import LoadState, loads
from db.staging import Staging
from db.staging_rooms import room_beside
from db.statements import change, insert_new
from db.unbroken import unbroken_calls
from domain.errors import FileRefused
from domain.findings import Answer, Finding, Page, RepairState, Tally
from domain.policies import Budget
from domain.reconciliations import Approval, Period, ReconciliationPlan, RunState
from domain.settlements import Chunk

ENDED = (RunState.DONE, RunState.REFUSED)


@unbroken_calls
class BookStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._room = room_beside(database)
        self._staging = Staging(self._room)

    async def begin(self, plan: ReconciliationPlan, at: datetime) -> None:
        async with self._database.write() as session:
            await insert_new(session, _run_row(plan, at))

    async def cursor(self, plan: ReconciliationPlan) -> tuple[str, int]:
        """Raises `AlreadyLoaded`."""
        return await self._staging.cursor(plan)

    async def stage(self, plan: ReconciliationPlan, chunk: Chunk) -> int:
        rows = await self._staging.stage(plan, chunk)
        async with self._database.write() as session:
            await change(session, RunRow, {"run_id": plan.run_id}, rows=rows)
        return rows

    async def refuse(self, plan: ReconciliationPlan, why: str, at: datetime) -> None:
        await self._staging.refuse(plan)
        async with self._database.write() as session:
            end = {"state": RunState.REFUSED, "changed_at": at, "ended_at": at}
            await change(session, RunRow, {"run_id": plan.run_id}, why=why, rows=0, **end)

    async def match(self, plan: ReconciliationPlan, at: datetime) -> list[Tally]:
        """Raises `FileRefused` if settlements do not add up, or the load was refused before.

        What was compared is one snapshot; what was found is kept some at a time, so that nobody
        waits for long. Where that breaks off, it is done again from the start.
        """
        async with self._room.compare() as rows:
            comparison = await _comparison(rows, plan)
            await compare(rows, comparison)
            settlements = await sums_of(rows, comparison.load)
            check_totals(settlements)
            tallies = await count(rows, comparison)
            await self._keep_findings(rows, plan)
        async with self._database.write() as session:
            await keep_settlements(session, plan, settlements)
            await _keep_tallies(session, plan.run_id, tallies)
            await _keep_match(session, plan.run_id, comparison, at)
        return tallies

    async def _keep_findings(self, rows: AsyncConnection, plan: ReconciliationPlan) -> None:
        some_are_left = True
        while some_are_left:
            async with self._database.write() as session:
                some_are_left = await findings.forget_undone(session, plan.run_id)
        async with aclosing(found(rows)) as parts:
            async for some in parts:
                async with self._database.write() as session:
                    await findings.keep_findings(session, plan, some)

    async def next_page(self, run_id: str, budget: Budget | None) -> Page:
        async with self._database.read() as session:
            return await findings.next_page(session, run_id, budget)

    async def page(self, run_id: str, last: str) -> list[Finding]:
        """Raises `RunNotFound`."""
        async with self._database.read() as session:
            return await findings.page(session, run_id, last)

    async def handed_over(
        self, finding_id: str, state: RepairState, note: str, at: datetime
    ) -> None:
        """The first that was done stays; one that failed may be done again."""
        async with self._database.write() as session:
            await findings.hand_over(session, finding_id, state, note, at)

    async def answered(self, finding_id: str, answer: Answer, at: datetime) -> None:
        async with self._database.write() as session:
            await findings.keep_answer(session, finding_id, answer, at)

    async def proceed(self, run_id: str, state: RunState, at: datetime) -> None:
        async with self._database.write() as session:
            ended = {"ended_at": at if state in ENDED else None}
            await change(session, RunRow, {"run_id": run_id}, state=state, changed_at=at, **ended)

    async def approve(self, run_id: str, approval: Approval, at: datetime) -> None:
        async with self._database.write() as session:
            word = {"actor": approval.actor, "reason": approval.reason}
            await insert_new(session, ApprovalRow(run_id=run_id, at=at, **word))


def _run_row(plan: ReconciliationPlan, at: datetime) -> RunRow:
    file, period = plan.file, plan.period
    return RunRow(
        run_id=plan.run_id,
        load_id=plan.load_id,
        gateway=plan.gateway,
        report=None if file else plan.report,
        file_sha256=file.sha256 if file else None,
        file_name=file.name if file else None,
        file_size=file.size if file else None,
        period_start=period.start if period else None,
        period_end=period.end if period else None,
        as_of=plan.as_of,
        ageing_seconds=plan.ageing // timedelta(seconds=1),
        dry_run=plan.dry_run,
        state=RunState.STAGING,
        began_at=at,
        changed_at=at,
    )


async def _comparison(connection: AsyncConnection, plan: ReconciliationPlan) -> Comparison:
    this = sa.select(loads).where(loads.c.load_id == plan.load_id)
    load = (await connection.execute(this)).one_or_none()
    if load is None or load.state != LoadState.COMPLETE:
        raise FileRefused("its rows are not there: it was refused, or never read to its end")
    period = plan.period
    if period is None:
        moments = (load.first_at, load.last_at + 1) if load.rows else (0, 1)
        period = Period(*(datetime.fromtimestamp(moment, UTC) for moment in moments))
    return Comparison(plan, load.load, load.rows, period)


async def _keep_tallies(session: AsyncSession, run_id: str, tallies: list[Tally]) -> None:
    await session.exec(delete(TallyRow).where(col(TallyRow.run_id) == run_id))
    for tally in tallies:
        money = tally.minor_by_currency
        row = TallyRow(run_id=run_id, match=tally.match, rows=tally.rows, minor_by_currency=money)
        session.add(row)


async def _keep_match(
    session: AsyncSession, run_id: str, comparison: Comparison, at: datetime
) -> None:
    period = comparison.period
    values = {"period_start": period.start, "period_end": period.end, "rows": comparison.rows}
    await change(session, RunRow, {"run_id": run_id}, matched_at=at, changed_at=at, **values)
