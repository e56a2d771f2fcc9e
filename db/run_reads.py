"""Runs as readers are shown them, with how far they are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import case, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.finding_reads import is_settled, with_outcome
from db.reconciliation_tables import ApprovalRow, FindingRow, RunRow, SettlementRow, TallyRow
from db.reconciliation_views import ApprovalView, RunView, SettlementView
from domain.findings import Match, RepairState, Tally
from domain.money import Money
from domain.reconciliations import Approval, Period
from domain.settlements import TransactionFile

DEALT_WITH = [RepairState.HANDED_OVER, RepairState.KNOWN]


@dataclass
class Progress:
    """How many findings of a run are how far, and the money of those that are not settled."""

    findings: int = 0
    handed_over: int = 0
    settled: int = 0
    at_risk: dict[str, int] = field(default_factory=dict)


async def run_views(session: AsyncSession, rows: Sequence[RunRow]) -> tuple[RunView, ...]:
    ids = [row.run_id for row in rows]
    tallies = await _tallies(session, ids)
    approvals = await _approvals(session, ids)
    progress = await _progress(session, ids)
    return tuple(
        _view(row, tallies[row.run_id], approvals[row.run_id], progress[row.run_id]) for row in rows
    )


async def _tallies(session: AsyncSession, ids: list[str]) -> Mapping[str, list[Tally]]:
    """In the order of the classes."""
    rows = await session.exec(select(TallyRow).where(col(TallyRow.run_id).in_(ids)))
    result = defaultdict[str, list[Tally]](list)
    for row in sorted(rows, key=lambda row: list(Match).index(row.match)):
        result[row.run_id].append(Tally(row.match, row.rows, row.minor_by_currency))
    return result


async def _approvals(session: AsyncSession, ids: list[str]) -> Mapping[str, list[ApprovalView]]:
    """The oldest first."""
    mine = select(ApprovalRow).where(col(ApprovalRow.run_id).in_(ids))
    result = defaultdict[str, list[ApprovalView]](list)
    for row in await session.exec(mine.order_by(col(ApprovalRow.at))):
        result[row.run_id].append(ApprovalView(Approval(row.actor, row.reason), row.at))
    return result


async def _progress(session: AsyncSession, ids: list[str]) -> Mapping[str, Progress]:
    minor = func.coalesce(FindingRow.file_minor, FindingRow.our_minor)
    currency = func.coalesce(FindingRow.file_currency, FindingRow.our_currency)
    each: Any = with_outcome(
        sa.select(
            col(FindingRow.run_id),
            currency.label("currency"),
            minor.label("minor"),
            case((col(FindingRow.state).in_(DEALT_WITH), 1), else_=0).label("dealt_with"),
            case((is_settled(), 1), else_=0).label("settled"),
        )
    )
    found = each.where(col(FindingRow.run_id).in_(ids)).subquery()
    left = func.sum(case((found.c.settled == 0, found.c.minor), else_=0))
    sums: Any = sa.select(
        found.c.run_id,
        found.c.currency,
        func.count(),
        func.sum(found.c.dealt_with),
        func.sum(found.c.settled),
        left,
    ).group_by(found.c.run_id, found.c.currency)
    result = defaultdict[str, Progress](Progress)
    for run_id, code, number, dealt_with, settled, at_risk in await session.exec(sums):
        of_run = result[run_id]
        of_run.findings += number
        of_run.handed_over += int(dealt_with)
        of_run.settled += int(settled)
        if at_risk:
            of_run.at_risk[code] = int(at_risk)
    return result


def _view(
    row: RunRow, tallies: list[Tally], approvals: list[ApprovalView], progress: Progress
) -> RunView:
    return RunView(
        run_id=row.run_id,
        load_id=row.load_id,
        gateway=row.gateway,
        report=row.report,
        file=_file(row),
        period=_period(row),
        as_of=row.as_of,
        ageing=timedelta(seconds=row.ageing_seconds),
        dry_run=row.dry_run,
        state=row.state,
        why=row.why,
        rows=row.rows,
        tallies=tuple(tallies),
        findings=progress.findings,
        handed_over=progress.handed_over,
        settled=progress.settled,
        at_risk=progress.at_risk,
        approvals=tuple(approvals),
        began_at=row.began_at,
        changed_at=row.changed_at,
        matched_at=row.matched_at,
        ended_at=row.ended_at,
    )


def _file(row: RunRow) -> TransactionFile | None:
    if row.file_sha256 is None or row.file_name is None or row.file_size is None:
        return None
    return TransactionFile(row.gateway, row.file_sha256, row.file_name, row.file_size)


def _period(row: RunRow) -> Period | None:
    if row.period_start is None or row.period_end is None:
        return None
    return Period(row.period_start, row.period_end)


def settlement_view(row: SettlementRow) -> SettlementView:
    total = row.total_minor
    return SettlementView(
        gateway=row.gateway,
        settlement_id=row.settlement_id,
        rows=row.rows,
        gross=Money(row.gross_minor, row.currency),
        fee=Money(row.fee_minor, row.currency),
        tax=Money(row.tax_minor, row.currency),
        net=Money(row.net_minor, row.currency),
        total=None if total is None else Money(total, row.currency),
        settled_at=row.settled_at,
        bank_reference=row.bank_reference,
    )
