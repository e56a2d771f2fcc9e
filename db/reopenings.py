"""Cases that were settled by a refund wait again when the gateway has taken that refund back."""

from typing import Any

from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from db.repair_tables import CaseRow, RefundRow
from db.statements import update_where
from domain.cases import CaseStatus
from domain.refunds import RefundStatus


async def reopen(session: AsyncSession, refund_id: str) -> None:
    """The money is with us again and belongs to nobody: an operator has to say what becomes of it.

    The last word was carried out, and counts no more; how many were given is not forgotten.
    """
    settled_by_it = (CaseRow.refund_id == refund_id, CaseRow.status == CaseStatus.SETTLED)
    await update_where(session, CaseRow, *settled_by_it, **_waiting(refund_id))


async def waits_instead(session: AsyncSession, case_id: str, refund_id: str | None) -> bool:
    """Let the case wait if the refund that is to settle it was taken back already."""
    refund = await session.get(RefundRow, refund_id) if refund_id else None
    if refund is None or refund.status is not RefundStatus.FAILED:
        return False
    unsettled = (CaseRow.case_id == case_id, col(CaseRow.status) != CaseStatus.SETTLED)
    await update_where(session, CaseRow, *unsettled, **_waiting(refund.refund_id))
    return True


def _waiting(refund_id: str) -> dict[str, Any]:
    nobody = ("outcome", "refund_id", "settled_at")
    no_word = ("decision", "decided_by", "decision_reason", "decided_at")
    why = f"the refund {refund_id} was taken back by the gateway"
    return {"status": CaseStatus.WAITING, "why": why, **dict.fromkeys(nobody + no_word)}
