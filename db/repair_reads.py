"""Refunds, disputes and cases as readers are shown them."""

from typing import Any

from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.repair_tables import CaseRow, DisputeRow, RefundRow
from db.rows import decision_from, dispute_from, evidence_from, refund_from
from db.tables import EvidenceRow, OrderRow, PaymentRow
from db.views import CaseView, DisputeView, RefundView
from domain.errors import CaseNotFound
from domain.money import Money


async def refund_views(session: AsyncSession, *which: Any) -> tuple[RefundView, ...]:
    """The oldest first."""
    query = (
        select(RefundRow, EvidenceRow, OrderRow.client)
        .outerjoin(EvidenceRow, col(EvidenceRow.id) == col(RefundRow.evidence_id))
        .outerjoin(OrderRow, col(OrderRow.order_id) == col(RefundRow.order_id))
        .where(*which)
        .order_by(col(RefundRow.requested_at), col(RefundRow.refund_id))
    )
    return tuple(_refund_view(*found) for found in await session.exec(query))


async def dispute_views(session: AsyncSession, *which: Any) -> tuple[DisputeView, ...]:
    """The oldest first."""
    query = (
        select(DisputeRow, EvidenceRow)
        .join(EvidenceRow, col(EvidenceRow.id) == col(DisputeRow.evidence_id))
        .where(*which)
        .order_by(col(DisputeRow.opened_at), col(DisputeRow.reference))
    )
    return tuple(
        DisputeView(dispute_from(row, proof), row.opened_at, row.updated_at)
        for row, proof in await session.exec(query)
    )


async def case_views(
    session: AsyncSession, *which: Any, limit: int | None = None
) -> tuple[CaseView, ...]:
    """The newest first."""
    of_payment = and_(
        col(PaymentRow.gateway) == col(CaseRow.gateway),
        col(PaymentRow.reference) == col(CaseRow.payment_reference),
    )
    query = (
        select(CaseRow, PaymentRow, EvidenceRow)
        .join(PaymentRow, of_payment)
        .join(EvidenceRow, col(EvidenceRow.id) == col(CaseRow.evidence_id))
        .where(*which)
        .order_by(col(CaseRow.opened_at).desc(), col(CaseRow.case_id).desc())
        .limit(limit)
    )
    return tuple(_case_view(*found) for found in await session.exec(query))


async def older_than(session: AsyncSession, case_id: str) -> Any:
    """The condition for cases that follow this one, newest first. Raises `CaseNotFound`."""
    row = await session.get(CaseRow, case_id)
    if row is None:
        raise CaseNotFound(f"there is no case {case_id}")
    opened_at = col(CaseRow.opened_at)
    earlier_id = and_(opened_at == row.opened_at, col(CaseRow.case_id) < case_id)
    return or_(opened_at < row.opened_at, earlier_id)


def _refund_view(row: RefundRow, proof: EvidenceRow | None, client: str | None) -> RefundView:
    return RefundView(
        refund=refund_from(row),
        client=client,
        reason=row.reason,
        actor=row.actor,
        automatic=row.automatic,
        evidence=evidence_from(proof) if proof else None,
        requested_at=row.requested_at,
        sent_at=row.sent_at,
        concluded_at=row.concluded_at,
    )


def _case_view(row: CaseRow, payment: PaymentRow, proof: EvidenceRow) -> CaseView:
    return CaseView(
        case_id=row.case_id,
        subject=row.subject,
        order_id=row.order_id,
        verdict=row.verdict,
        status=row.status,
        gateway=row.gateway,
        payment_reference=row.payment_reference,
        amount=Money(payment.amount_minor, payment.currency),
        evidence=evidence_from(proof),
        opened_at=row.opened_at,
        why=row.why,
        decision=decision_from(row),
        decided_at=row.decided_at,
        outcome=row.outcome,
        refund_id=row.refund_id,
        settled_at=row.settled_at,
    )
