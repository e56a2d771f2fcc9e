"""Money is set aside for a refund: never more than was captured, or than the budget allows."""

import json
from datetime import datetime
from hashlib import sha256

from sqlmodel import case, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.payments import hold_payment
from db.repair_tables import BrakeRow, DisputeRow, RefundRow
from db.rows import refund_from
from db.statements import insert_new
from db.tables import OrderRow, PaymentRow, TimelineEvent
from db.transitions import Step, lock_order, note
from domain.disputes import DisputeStatus
from domain.errors import KeyReused, RefundRefused
from domain.money import Money
from domain.payments import PaymentStatus
from domain.policies import Budget
from domain.refunds import Refund, RefundStatus, RefundWish

AUTOMATIC_REFUNDS = "automatic_refunds"
HOLDING = [status for status in RefundStatus if status.holds_money]


async def reserve(
    session: AsyncSession, wish: RefundWish, budget: Budget | None, at: datetime
) -> Refund | None:
    """What the wish comes to; see `domain.ports.Refunds.reserve`."""
    if wish.order_id:
        await lock_order(session, wish.order_id)
    order, payment = await hold_payment(session, wish.gateway, wish.payment_reference)
    if known := await session.get(RefundRow, wish.refund_id):
        return _repeated(known, wish)
    amount = await _granted(session, wish, order, payment)
    if wish.automatic and budget and not await _within(session, budget, amount, at):
        return None
    row = refund_row(wish, order.order_id if order else None, amount, at)
    if await insert_new(session, row) is None:
        raise KeyReused(f"{wish.refund_id} is a refund of another payment")
    if order:
        step = Step(TimelineEvent.REFUND_REQUESTED, at, wish.actor)
        await note(session, order.order_id, None, order.status, step)
    return refund_from(row)


def refund_row(wish: RefundWish, order_id: str | None, amount: Money, at: datetime) -> RefundRow:
    return RefundRow(
        refund_id=wish.refund_id,
        order_id=order_id,
        gateway=wish.gateway,
        payment_reference=wish.payment_reference,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=wish.reason,
        actor=wish.actor,
        automatic=wish.automatic,
        fingerprint=_fingerprint(wish),
        requested_at=at,
        minded_at=at,
    )


async def sum_of_refunds(
    session: AsyncSession, payment: PaymentRow, statuses: list[RefundStatus]
) -> Money:
    """How much of the payment is in refunds of these statuses."""
    total = select(func.sum(RefundRow.amount_minor)).where(
        RefundRow.gateway == payment.gateway,
        RefundRow.payment_reference == payment.reference,
        col(RefundRow.status).in_(statuses),
    )
    return Money(int((await session.exec(total)).one() or 0), payment.currency)


def _repeated(known: RefundRow, wish: RefundWish) -> Refund:
    if known.fingerprint != _fingerprint(wish):
        raise KeyReused(f"{wish.refund_id} was asked for with another amount, payment or reason")
    return refund_from(known)


def _fingerprint(wish: RefundWish) -> str:
    amount = wish.amount and [wish.amount.minor, wish.amount.currency]
    said = [wish.order_id, wish.gateway, wish.payment_reference, amount, wish.reason]
    return sha256(json.dumps(said).encode()).hexdigest()


async def _granted(
    session: AsyncSession, wish: RefundWish, order: OrderRow | None, payment: PaymentRow | None
) -> Money:
    if payment is None or wish.order_id not in (None, payment.order_id):
        raise RefundRefused("the order has no such payment: nothing was paid that could go back")
    if payment.status is not PaymentStatus.CAPTURED:
        raise RefundRefused("the payment was never captured: there is nothing to give back")
    if wish.amount and wish.amount.currency != payment.currency:
        raise RefundRefused(f"the payment was in {payment.currency}, and goes back in it")
    await _check_undisputed(session, payment)
    left = await _left(session, payment)
    amount = left if wish.amount is None else wish.amount
    if left.minor <= 0:
        raise RefundRefused("nothing is left of the payment")
    if amount.minor <= 0:
        raise RefundRefused("a refund is of more than nothing")
    if left < amount:
        raise RefundRefused(f"only {left} is left of the payment")
    return amount


async def _check_undisputed(session: AsyncSession, payment: PaymentRow) -> None:
    if await _disputed(session, payment, DisputeStatus.OPEN):
        raise RefundRefused("the payment is disputed: its money may go back by that way already")


async def _left(session: AsyncSession, payment: PaymentRow) -> Money:
    """A dispute that was lost has taken its money back to the customer."""
    lost = await _disputed(session, payment, DisputeStatus.LOST)
    taken = Money(sum(row.amount_minor for row in lost), payment.currency)
    captured = Money(payment.amount_minor, payment.currency)
    return captured - taken - await sum_of_refunds(session, payment, HOLDING)


async def _disputed(
    session: AsyncSession, payment: PaymentRow, status: DisputeStatus
) -> list[DisputeRow]:
    disputes = select(DisputeRow).where(
        DisputeRow.gateway == payment.gateway,
        DisputeRow.payment_reference == payment.reference,
        DisputeRow.status == status,
    )
    return list(await session.exec(disputes))


async def _within(session: AsyncSession, budget: Budget, amount: Money, at: datetime) -> bool:
    """Whether the budget allows it; the brake is held until the transaction ends."""
    brake = select(BrakeRow).where(BrakeRow.name == AUTOMATIC_REFUNDS).with_for_update()
    (await session.exec(brake)).one()
    same_currency = case((col(RefundRow.currency) == amount.currency, RefundRow.amount_minor))
    recent = select(func.count(), func.sum(same_currency)).where(
        col(RefundRow.automatic).is_(True), RefundRow.requested_at > at - budget.period
    )
    count, minor = (await session.exec(recent)).one()
    most = budget.minor_by_currency.get(amount.currency)
    return count < budget.count and (most is None or int(minor or 0) + amount.minor <= most)
