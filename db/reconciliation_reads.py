"""Reads for those who look at reconciliations; each from one snapshot."""

from typing import Any

from sqlmodel import and_, col, or_, select

from db.engine import Database
from db.finding_reads import finding_views
from db.findings import beyond, get_run
from db.reconciliation_tables import FindingRow, RunRow, SettlementRow
from db.reconciliation_views import FindingView, RunView, SettlementView
from db.run_reads import run_views, settlement_view
from db.unbroken import unbroken_calls
from domain.findings import Match

NEWEST_FIRST = (col(RunRow.began_at).desc(), col(RunRow.run_id).desc())


@unbroken_calls
class ReconciliationReads:
    """Whoever is asked for by an id raises `RunNotFound`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, run_id: str) -> RunView:
        async with self._database.browse() as session:
            (view,) = await run_views(session, [await get_run(session, run_id)])
            return view

    async def runs(
        self, gateway: str | None = None, limit: int = 50, after: str | None = None
    ) -> tuple[RunView, ...]:
        """The newest first; `after` is the run that ended the page before."""
        async with self._database.browse() as session:
            which: list[Any] = [RunRow.gateway == gateway] if gateway else []
            if after:
                which.append(_older_than(await get_run(session, after)))
            newest = select(RunRow).where(*which).order_by(*NEWEST_FIRST).limit(limit)
            return await run_views(session, (await session.exec(newest)).all())

    async def history(self, gateway: str, limit: int = 30) -> tuple[RunView, ...]:
        """The gateway's last runs that were matched and not dry, the oldest first."""
        is_matched = col(RunRow.matched_at).is_not(None)
        real = (RunRow.gateway == gateway, is_matched, col(RunRow.dry_run).is_(False))
        async with self._database.browse() as session:
            newest = select(RunRow).where(*real).order_by(*NEWEST_FIRST).limit(limit)
            return await run_views(session, (await session.exec(newest)).all()[::-1])

    async def findings(
        self,
        run_id: str,
        match: Match | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> tuple[FindingView, ...]:
        """In the order in which they are repaired; `after` is the finding that ended the page."""
        async with self._database.browse() as session:
            run = await get_run(session, run_id)
            which: list[Any] = [FindingRow.match == match] if match else []
            if after:
                which.append(await beyond(session, after))
            return await finding_views(session, run, *which, limit=limit)

    async def settlements(self, run_id: str) -> tuple[SettlementView, ...]:
        """Those that the run's rows were settled in, the newest first."""
        async with self._database.browse() as session:
            run = await get_run(session, run_id)
            mine = select(SettlementRow).where(SettlementRow.load_id == run.load_id)
            newest = (col(SettlementRow.settled_at).desc(), col(SettlementRow.settlement_id))
            return tuple(map(settlement_view, await session.exec(mine.order_by(*newest))))


def _older_than(run: RunRow) -> Any:
    began_at = col(RunRow.began_at)
    earlier_id = and_(began_at == run.began_at, col(RunRow.run_id) < run.run_id)
    return or_(began_at < run.began_at, earlier_id)
