"""Disputes as they are recorded, beside the order of their payment."""

from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from db.payments import hold_payment
from db.repair_tables import DisputeRow
from db.statements import insert_new, update_where
from db.tables import TimelineEvent
from db.transitions import SYSTEM, Step, cite, note
from domain.disputes import Dispute, DisputeStatus
from domain.errors import OrderNotFound

EVENTS = {
    DisputeStatus.OPEN: TimelineEvent.DISPUTE_OPENED,
    DisputeStatus.WON: TimelineEvent.DISPUTE_WON,
    DisputeStatus.LOST: TimelineEvent.DISPUTE_LOST,
}


async def record_dispute(session: AsyncSession, dispute: Dispute, at: datetime) -> None:
    """Keep the dispute; once it has ended it stays so. It never moves its order.

    Raises `OrderNotFound` while its payment is not known.
    """
    order, payment = await hold_payment(session, dispute.gateway, dispute.payment_reference)
    if payment is None:
        raise OrderNotFound(f"there is no payment {dispute.payment_reference}")
    proof = await cite(session, payment.order_id, dispute.evidence, at)
    said = {"status": dispute.status, "evidence_id": proof, "updated_at": at}
    row = _row(dispute, payment.order_id, at, said)
    new = await insert_new(session, row) is not None
    if (new or await _ended(session, dispute, said)) and order:
        step = Step(EVENTS[dispute.status], at, SYSTEM, dispute.evidence)
        await note(session, order.order_id, None, order.status, step)


async def _ended(session: AsyncSession, dispute: Dispute, said: dict[str, Any]) -> bool:
    if dispute.status is DisputeStatus.OPEN:
        return False
    still_open = (
        DisputeRow.gateway == dispute.gateway,
        DisputeRow.reference == dispute.reference,
        DisputeRow.status == DisputeStatus.OPEN,
    )
    return await update_where(session, DisputeRow, *still_open, **said) > 0


def _row(dispute: Dispute, order_id: str | None, at: datetime, said: dict[str, Any]) -> DisputeRow:
    return DisputeRow(
        gateway=dispute.gateway,
        reference=dispute.reference,
        payment_reference=dispute.payment_reference,
        order_id=order_id,
        amount_minor=dispute.amount.minor,
        currency=dispute.amount.currency,
        reason=dispute.reason,
        opened_at=at,
        **said,
    )
