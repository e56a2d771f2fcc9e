"""What is recorded of letters: `domain.ports.LetterBook`."""

from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine import Database
from db.repair_tables import RefundRow
from db.rows import item_from, payment_from
from db.statements import insert_new, update_where
from db.tables import LetterKind, LetterRow, OrderItemRow, OrderRow, PaymentRow
from db.unbroken import unbroken_calls
from domain.errors import IllegalTransition, MailRefused, OrderNotFound, RefundNotFound
from domain.money import Money
from domain.ports import ConfirmationLetter, RefundLetter
from domain.refunds import RefundStatus


@unbroken_calls
class LetterStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def confirmation(
        self, order_id: str, message_id: str, at: datetime
    ) -> ConfirmationLetter | None:
        """The letter as it was first written; None if it was sent.

        Raises `OrderNotFound`, `IllegalTransition` if the order was not paid, and `MailRefused`
        if the letter was refused for good.
        """
        async with self._database.write() as session:
            order = await _paid_order(session, order_id)
            letter = LetterRow(
                letter_id=order_id,
                order_id=order_id,
                kind=LetterKind.CONFIRMATION,
                message_id=message_id,
                written_at=at,
            )
            unsent = await _written(session, letter)
            return await _confirmation(session, order, unsent) if unsent else None

    async def refund_notice(
        self, refund_id: str, message_id: str, at: datetime
    ) -> RefundLetter | None:
        """Likewise; None also if the order is not known, so that there is nobody to tell.

        Raises `RefundNotFound`, `IllegalTransition` if the refund did not succeed, `MailRefused`.
        """
        async with self._database.write() as session:
            refund = await _succeeded_refund(session, refund_id)
            if refund.order_id is None:
                return None
            letter = LetterRow(
                letter_id=refund_id,
                order_id=refund.order_id,
                kind=LetterKind.REFUND,
                message_id=message_id,
                written_at=at,
            )
            unsent = await _written(session, letter)
            return await _refund_notice(session, refund, unsent) if unsent else None

    async def sent(self, letter_id: str, at: datetime) -> None:
        await self._record(letter_id, sent_at=at)

    async def refused(self, letter_id: str, reason: str) -> None:
        await self._record(letter_id, refused=reason)

    async def _record(self, letter_id: str, **outcome: Any) -> None:
        unsent = (LetterRow.letter_id == letter_id, col(LetterRow.sent_at).is_(None))
        async with self._database.write() as session:
            await update_where(session, LetterRow, *unsent, **outcome)


async def _paid_order(session: AsyncSession, order_id: str) -> OrderRow:
    order = await session.get(OrderRow, order_id)
    if order is None:
        raise OrderNotFound(f"there is no order {order_id}")
    if order.fulfilling_reference is None:
        raise IllegalTransition(f"an order that is {order.status} has nothing to confirm")
    return order


async def _succeeded_refund(session: AsyncSession, refund_id: str) -> RefundRow:
    refund = await session.get(RefundRow, refund_id)
    if refund is None:
        raise RefundNotFound(f"there is no refund {refund_id}")
    if refund.status is not RefundStatus.SUCCEEDED:
        raise IllegalTransition(f"a refund that is {refund.status} has given nothing back")
    return refund


async def _written(session: AsyncSession, letter: LetterRow) -> LetterRow | None:
    """The letter as it was first written; None if it was sent."""
    await insert_new(session, letter)
    first = await session.get_one(LetterRow, letter.letter_id)
    if first.refused:
        raise MailRefused(first.refused)
    return None if first.sent_at else first


async def _confirmation(
    session: AsyncSession, order: OrderRow, letter: LetterRow
) -> ConfirmationLetter:
    lines = select(OrderItemRow).where(OrderItemRow.order_id == order.order_id)
    items = await session.exec(lines.order_by(col(OrderItemRow.position)))
    fulfilling = (order.fulfilling_gateway, order.fulfilling_reference)
    payment = await session.get_one(PaymentRow, fulfilling)
    return ConfirmationLetter(
        order_id=order.order_id,
        message_id=letter.message_id,
        written_at=letter.written_at,
        to=order.email,
        items=tuple(item_from(item) for item in items),
        amount=Money(order.amount_minor, order.currency),
        payment=payment_from(payment),
        result_token=order.result_token,
    )


async def _refund_notice(
    session: AsyncSession, refund: RefundRow, letter: LetterRow
) -> RefundLetter:
    order = await session.get_one(OrderRow, letter.order_id)
    payment = await session.get_one(PaymentRow, (refund.gateway, refund.payment_reference))
    return RefundLetter(
        refund_id=refund.refund_id,
        order_id=order.order_id,
        message_id=letter.message_id,
        written_at=letter.written_at,
        to=order.email,
        amount=Money(refund.amount_minor, refund.currency),
        payment=payment_from(payment),
        result_token=order.result_token,
    )
