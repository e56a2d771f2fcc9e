"""Money that came late, or odd, is let pay for its order after all."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from db.payments import hold_payment
from db.repair_tables import CaseRow
from db.reservations import HOLDING, sum_of_refunds
from db.rows import evidence_from
from db.tables import EvidenceRow, OrderRow, PaymentRow, TimelineEvent
from db.transitions import SYSTEM, Step, lock_order, move
from domain.cases import CaseStatus
from domain.errors import OrderNotFound
from domain.orders import OrderStatus
from domain.payments import PaymentStatus


async def honour(session: AsyncSession, case: CaseRow, at: datetime) -> OrderStatus:
    """See `CaseStore.honour`."""
    if case.order_id is None:
        raise OrderNotFound(f"{case.case_id} has no order that could be honoured")
    order = await lock_order(session, case.order_id)
    _, payment = await hold_payment(session, case.gateway, case.payment_reference)
    await session.refresh(case)
    if case.status is CaseStatus.SETTLED or not _wants_money(order):
        return order.status
    if payment is None or not await _is_whole(session, payment):
        return order.status
    proof = evidence_from(await session.get_one(EvidenceRow, case.evidence_id))
    step = Step(TimelineEvent.HONOURED, at, case.decided_by or SYSTEM, proof)
    await move(
        session,
        order,
        OrderStatus.PAID,
        step,
        fulfilling_gateway=payment.gateway,
        fulfilling_reference=payment.reference,
        late_capture=order.status.is_unpaid_end,
    )
    return OrderStatus.PAID


def _wants_money(order: OrderRow) -> bool:
    return order.status.is_unpaid_end or order.status is OrderStatus.NEEDS_REVIEW


async def _is_whole(session: AsyncSession, payment: PaymentRow) -> bool:
    """Whether the money is here, and none of it on its way back."""
    going_back = await sum_of_refunds(session, payment, HOLDING)
    return payment.status is PaymentStatus.CAPTURED and going_back.minor == 0
