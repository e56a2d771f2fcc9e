"""Findings as readers are shown them, with what became of each by now."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import and_, col, exists, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.findings import IN_ORDER, finding_from
from db.reconciliation_tables import FindingRow, RunRow
from db.reconciliation_views import FindingView
from db.repair_tables import CaseRow, RefundRow
from db.tables import OrderRow
from domain.cases import CaseStatus
from domain.findings import Answer, Match
from domain.orders import OrderStatus

FULFILLED = [status for status in OrderStatus if status.is_fulfilled]
OURS_ALONE = [Match.OK_UNPAID, Match.MISSING_AT_GATEWAY]
Cases = dict[str | None, CaseRow]


async def finding_views(
    session: AsyncSession, run: RunRow, *which: Any, limit: int
) -> tuple[FindingView, ...]:
    found: Any = (
        with_outcome(select(FindingRow, col(OrderRow.status), is_settled()))
        .where(FindingRow.run_id == run.run_id, *which)
        .order_by(*IN_ORDER)
        .limit(limit)
    )
    rows = (await session.exec(found)).all()
    cases = await _cases(session, run.gateway, [row for row, *_ in rows])
    refunds = await _refunds(session, [row for row, *_ in rows], cases)
    return tuple(
        _view(run, row, cases.get(row.payment_reference), refunds, status, bool(settled))
        for row, status, settled in rows
    )


def with_outcome(query: Any) -> Any:
    """The query over findings, joined with the order and the refund that each speaks of."""
    order = col(OrderRow.order_id) == col(FindingRow.order_id)
    refund = col(RefundRow.refund_id) == col(FindingRow.refund_id)
    return query.outerjoin(OrderRow, order).outerjoin(RefundRow, refund)


def is_settled() -> Any:
    """Whether it is repaired by now, or was shown to be no disagreement at all."""
    is_refund, is_ours_alone = col(FindingRow.is_refund), col(FindingRow.match).in_(OURS_ALONE)
    waits = _has_case(col(CaseRow.status) != CaseStatus.SETTLED)
    return or_(
        _surely(col(FindingRow.answer).in_([Answer.CONFIRMED, Answer.RETRACTED])),
        and_(is_refund, _refund_agrees()),
        and_(~is_refund, is_ours_alone, ~_is_fulfilled_by_it(), ~waits),
        and_(~is_refund, ~is_ours_alone, or_(_has_case(), _is_fulfilled_by_it()), ~waits),
    )


def _has_case(*which: Any) -> Any:
    return exists().where(
        col(CaseRow.gateway) == col(FindingRow.gateway),
        col(CaseRow.payment_reference) == col(FindingRow.payment_reference),
        *which,
    )


def _is_fulfilled_by_it() -> Any:
    return _surely(
        and_(
            col(OrderRow.status).in_(FULFILLED),
            col(OrderRow.fulfilling_gateway) == col(FindingRow.gateway),
            col(OrderRow.fulfilling_reference) == col(FindingRow.payment_reference),
        )
    )


def _refund_agrees() -> Any:
    same_end = sa.cast(RefundRow.status, sa.String) == col(FindingRow.file_status)
    same_amount = col(RefundRow.amount_minor) == col(FindingRow.file_minor)
    return _surely(and_(same_end, same_amount))


def _surely(condition: Any) -> Any:
    """False where a side of it is not known."""
    return func.coalesce(condition, sa.false())


async def _cases(session: AsyncSession, gateway: str, rows: Sequence[FindingRow]) -> Cases:
    """The last case of each payment."""
    payments = [row.payment_reference for row in rows if row.payment_reference]
    mine = select(CaseRow).where(
        CaseRow.gateway == gateway, col(CaseRow.payment_reference).in_(payments)
    )
    oldest = (col(CaseRow.opened_at), col(CaseRow.case_id))
    return {row.payment_reference: row for row in await session.exec(mine.order_by(*oldest))}


async def _refunds(
    session: AsyncSession, rows: Sequence[FindingRow], cases: Cases
) -> dict[str | None, RefundRow]:
    ids = {row.refund_id for row in rows} | {case.refund_id for case in cases.values()}
    known = select(RefundRow).where(col(RefundRow.refund_id).in_([it for it in ids if it]))
    return {row.refund_id: row for row in await session.exec(known)}


def _view(
    run: RunRow,
    row: FindingRow,
    case: CaseRow | None,
    refunds: dict[str | None, RefundRow],
    order_status: OrderStatus | None,
    settled: bool,
) -> FindingView:
    refund = refunds.get(row.refund_id) or (refunds.get(case.refund_id) if case else None)
    return FindingView(
        finding=finding_from(row, run),
        state=row.state,
        note=row.note,
        handed_over_at=row.handed_over_at,
        answer=row.answer,
        answered_at=row.answered_at,
        case_id=case.case_id if case else None,
        case_status=case.status if case else None,
        case_outcome=case.outcome if case else None,
        refund_id=refund.refund_id if refund else None,
        refund_status=refund.status if refund else None,
        order_status=order_status,
        is_settled=settled,
    )
