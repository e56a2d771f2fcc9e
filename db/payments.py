"""Payments as they are recorded: they only ever become more certain."""

from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from db.rows import payment_from
from db.statements import change, find_locked, insert_new
from db.tables import OrderRow, PaymentRow
from db.transitions import lock_order
from domain.errors import PaymentTaken
from domain.payments import Payment


async def record_payment(
    session: AsyncSession,
    order_id: str | None,
    payment: Payment,
    proof: int | None,
    at: datetime,
) -> None:
    """Join the payment with what is recorded of it; once its order is known, it stays known.

    `proof` is the id of the evidence. Raises `PaymentTaken` if it is another order's: no payment
    pays for two.
    """
    dates: dict[str, Any] = {"updated_at": at, "evidence_id": proof}
    row = PaymentRow(order_id=order_id, first_seen_at=at, **dates, **_columns(payment))
    if await insert_new(session, row) is None:
        await _join(session, order_id, payment, dates)


async def hold_payment(
    session: AsyncSession, gateway: str, reference: str
) -> tuple[OrderRow | None, PaymentRow | None]:
    """The payment and its order, as far as they are known, held until the transaction ends."""
    this = (gateway, reference)
    seen = await session.get(PaymentRow, this)
    # Whoever holds both took the order first: so nobody waits in a circle.
    order = await lock_order(session, seen.order_id) if seen and seen.order_id else None
    held = await session.get(PaymentRow, this, with_for_update=True, populate_existing=True)
    return order, held


async def _join(
    session: AsyncSession, order_id: str | None, payment: Payment, dates: dict[str, Any]
) -> None:
    same = {"gateway": payment.gateway, "reference": payment.reference}
    row = await find_locked(session, PaymentRow, **same)
    assert row, "it was there a moment ago, and no payment is ever deleted"
    owner = row.order_id or order_id
    if order_id not in (None, owner):
        raise PaymentTaken(f"{payment.identity} is recorded for {owner}")
    before = payment_from(row)
    after = before.joined(payment)
    if after != before or owner != row.order_id:
        await change(session, PaymentRow, same, order_id=owner, **_columns(after), **dates)


def _columns(payment: Payment) -> dict[str, Any]:
    return {
        "gateway": payment.gateway,
        "reference": payment.reference,
        "status": payment.status,
        "amount_minor": payment.amount.minor,
        "currency": payment.amount.currency,
        "method": payment.method,
        "failure": payment.failure,
    }
