"""A capture that the gateway takes back: the order was paid, and is not."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from db.invoices import credit
from db.payments import hold_payment
from db.reservations import HOLDING, sum_of_refunds
from db.statements import change
from db.tables import OrderRow, PaymentRow, TimelineEvent
from db.transitions import SYSTEM, Step, cite, lock_order, move
from domain.invoices import CreditReason
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from domain.repairs import Retraction

NEVER_CAPTURED = (PaymentStatus.FAILED, PaymentStatus.CANCELED)


async def retract(session: AsyncSession, retraction: Retraction, at: datetime) -> OrderStatus:
    """The status that stands; see `OrderStore.retract`."""
    order = await lock_order(session, retraction.order_id)
    _, payment = await hold_payment(session, retraction.gateway, retraction.reference)
    if payment is None or not await _may_go(session, order, payment, retraction):
        return order.status
    step = Step(TimelineEvent.RETRACTED, at, SYSTEM, retraction.evidence)
    nothing = {"fulfilling_gateway": None, "fulfilling_reference": None}
    await move(session, order, OrderStatus.CANCELED, step, **nothing)
    proof = await cite(session, order.order_id, retraction.evidence, at)
    # The only place where a payment goes back to a status of a lower rank.
    same = {"gateway": payment.gateway, "reference": payment.reference}
    changes = {"status": retraction.status, "evidence_id": proof, "updated_at": at}
    await change(session, PaymentRow, same, **changes)
    await credit(session, order, None, CreditReason.RETRACTION, at)
    return OrderStatus.CANCELED


async def _may_go(
    session: AsyncSession, order: OrderRow, payment: PaymentRow, retraction: Retraction
) -> bool:
    fulfilling = (order.fulfilling_gateway, order.fulfilling_reference)
    return (
        order.status is OrderStatus.PAID
        and fulfilling == (payment.gateway, payment.reference)
        and retraction.status in NEVER_CAPTURED
        and not (await sum_of_refunds(session, payment, HOLDING)).minor
    )
