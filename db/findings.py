"""What a run found, and what became of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import and_, col, delete, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.reconciliation_tables import FindingRow, RunRow
from db.statements import change, update_where
from domain.errors import RunNotFound
from domain.findings import Answer, Finding, Match, Page, Plan, RepairState
from domain.keys import derived_id
from domain.money import Money
from domain.news import Evidence, EvidenceKind
from domain.policies import Budget
from domain.reconciliations import ReconciliationPlan

PAGE = 100
FORGOTTEN_AT_ONCE = 250
UNDONE = [RepairState.PLANNED, RepairState.LEFT]
IN_ORDER = (col(FindingRow.moves_money), col(FindingRow.finding_id))


async def forget_undone(session: AsyncSession, run_id: str) -> bool:
    """Drop what was found before, but not what somebody deals with already; some at a time.

    False once there is none of it.
    """
    undone = select(FindingRow.finding_id).where(
        FindingRow.run_id == run_id, col(FindingRow.state).in_(UNDONE)
    )
    some = col(FindingRow.finding_id).in_(undone.limit(FORGOTTEN_AT_ONCE))
    return bool((await session.exec(delete(FindingRow).where(some))).rowcount)


async def keep_findings(
    session: AsyncSession, plan: ReconciliationPlan, found: Sequence[dict[str, Any]]
) -> None:
    """Keep these; one that was handed over before stays as it is."""
    if not found:
        return
    rows = [_columns(plan, one) for one in found]
    ids = [row["finding_id"] for row in rows]
    kept = set(
        await session.exec(select(FindingRow.finding_id).where(col(FindingRow.finding_id).in_(ids)))
    )
    fresh = [row for row in rows if row["finding_id"] not in kept]
    if fresh:
        await session.exec(sa.insert(FindingRow), params=fresh)


def _columns(run: ReconciliationPlan, found: dict[str, Any]) -> dict[str, Any]:
    match, plan = Match(found["match"]), Plan(found["plan"])
    side = "refund" if found["is_refund"] else "payment"
    nothing = dict.fromkeys(
        ("position", "file_status", "file_minor", "file_currency", "our_minor", "our_currency")
    )
    return {
        **nothing,
        **found,
        "finding_id": derived_id("fnd", run.run_id, side, found["reference"], match),
        "run_id": run.run_id,
        "match": match,
        "plan": plan,
        "moves_money": plan is Plan.REFUND,
        "gateway": run.gateway,
        "state": RepairState.PLANNED,
    }


async def next_page(session: AsyncSession, run_id: str, budget: Budget | None) -> Page:
    rows = (await session.exec(_planned(run_id))).all()
    last, refunds, money = None, 0, dict[str, int]()
    for number, row in enumerate(rows):
        if row.moves_money:
            amount = _amount(row.file_minor, row.file_currency)
            assert amount, "money that goes back is in the file"
            total = money.get(amount.currency, 0) + amount.minor
            if budget and not _allows(budget, refunds + 1, Money(total, amount.currency)):
                return Page(last, number, refunds, money, is_held=True)
            refunds, money = refunds + 1, {**money, amount.currency: total}
        last = row.finding_id
    return Page(last, len(rows), refunds, money)


def _allows(budget: Budget, refunds: int, money: Money) -> bool:
    most = budget.minor_by_currency.get(money.currency)
    return refunds <= budget.count and (most is None or money.minor <= most)


async def page(session: AsyncSession, run_id: str, last: str) -> list[Finding]:
    run = await get_run(session, run_id)
    up_to = ~(await beyond(session, last))
    rows = await session.exec(_planned(run_id).where(up_to))
    return [finding_from(row, run) for row in rows]


async def hand_over(
    session: AsyncSession, finding_id: str, state: RepairState, note: str, at: datetime
) -> None:
    this = (FindingRow.finding_id == finding_id, col(FindingRow.state).in_(UNDONE))
    await update_where(session, FindingRow, *this, state=state, note=note, handed_over_at=at)


async def keep_answer(session: AsyncSession, finding_id: str, answer: Answer, at: datetime) -> None:
    await change(session, FindingRow, {"finding_id": finding_id}, answer=answer, answered_at=at)


async def get_run(session: AsyncSession, run_id: str) -> RunRow:
    run = await session.get(RunRow, run_id)
    if run is None:
        raise RunNotFound(f"there is no reconciliation {run_id}")
    return run


def finding_from(row: FindingRow, run: RunRow) -> Finding:
    return Finding(
        finding_id=row.finding_id,
        run_id=row.run_id,
        match=row.match,
        plan=row.plan,
        gateway=row.gateway,
        reference=row.reference,
        evidence=_evidence(row, run),
        occurred_at=row.occurred_at,
        order_id=row.order_id,
        payment_reference=row.payment_reference,
        refund_id=row.refund_id,
        file_status=row.file_status,
        file_amount=_amount(row.file_minor, row.file_currency),
        our_amount=_amount(row.our_minor, row.our_currency),
        method=row.method,
        is_refund=row.is_refund,
    )


def _evidence(row: FindingRow, run: RunRow) -> Evidence:
    where = f"without {row.reference}" if row.position is None else f"row {row.position}"
    kind = EvidenceKind.SETTLEMENT_FILE
    return Evidence(kind, f"{run.load_id} {where}", run.file_sha256 or "")


def _amount(minor: int | None, currency: str | None) -> Money | None:
    return None if minor is None or currency is None else Money(minor, currency)


def _planned(run_id: str) -> Any:
    return (
        select(FindingRow)
        .where(FindingRow.run_id == run_id, FindingRow.plan != Plan.NONE)
        .where(FindingRow.state == RepairState.PLANNED)
        .order_by(*IN_ORDER)
        .limit(PAGE)
    )


async def beyond(session: AsyncSession, finding_id: str) -> Any:
    """The condition for findings that come after this one."""
    this = await session.get(FindingRow, finding_id)
    if this is None:
        raise RunNotFound(f"no reconciliation has a finding {finding_id}")
    moves_money, name = IN_ORDER
    later = and_(moves_money == this.moves_money, name > finding_id)
    return later if this.moves_money else or_(later, moves_money.is_(True))
