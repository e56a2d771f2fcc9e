"""Money that came late, or odd, is let pay for its order after all."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from db.invoices import issue
from db.payments import hold_payment
from db.repair_tables import CaseRow
from db.reservations import HOLDING, sum_of_refunds
from db.rows import evidence_from, payment_from
from db.tables import EvidenceRow, OrderRow, PaymentRow, TimelineEvent
from db.transitions import SYSTEM, Step, lock_order, move
from domain.cases import CaseStatus
from domain.invoices import Invoicing
from domain.orders import OrderStatus
from domain.payments import PaymentStatus


async def honour(
    session: AsyncSession, case: CaseRow, invoicing: Invoicing, at: datetime
) -> str | None:
    """None once the payment fulfils its order, else why it cannot; see `CaseStore.honour`."""
    if case.order_id is None:
        return "its order is not known"
    order = await lock_order(session, case.order_id)
    if _fulfils(case, order):
        return None
    _, payment = await hold_payment(session, case.gateway, case.payment_reference)
    assert payment, "a case has its payment"
    await session.refresh(case)
    if obstacle := await _obstacle(session, case, order, payment):
        return obstacle
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
    await issue(session, order, payment_from(payment), invoicing, at)
    return None


def _fulfils(case: CaseRow, order: OrderRow) -> bool:
    fulfilling = (order.fulfilling_gateway, order.fulfilling_reference)
    return order.status.is_fulfilled and fulfilling == (case.gateway, case.payment_reference)


async def _obstacle(
    session: AsyncSession, case: CaseRow, order: OrderRow, payment: PaymentRow
) -> str | None:
    if case.status is CaseStatus.SETTLED:
        return f"the case is settled: {case.outcome}"
    if order.status.is_fulfilled:
        return "another payment fulfils the order"
    if not (order.status.is_unpaid_end or order.status is OrderStatus.NEEDS_REVIEW):
        return f"the order is {order.status}"
    if payment.status is not PaymentStatus.CAPTURED:
        return f"the payment is {payment.status}"
    if (await sum_of_refunds(session, payment, HOLDING)).minor:
        return "some of the money is on its way back"
    return None
