"""What is recorded of letters: `domain.ports.LetterBook`."""

from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine import Database
from db.rows import item_from, payment_from
from db.statements import insert_new, update_where
from db.tables import LetterKind, LetterRow, OrderItemRow, OrderRow, PaymentRow
from db.unbroken import unbroken_calls
from domain.errors import IllegalTransition, MailRefused, OrderNotFound
from domain.money import Money
from domain.ports import ConfirmationLetter


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
            letter = await _written(session, order_id, message_id, at)
            if letter.refused:
                raise MailRefused(letter.refused)
            return None if letter.sent_at else await _confirmation(session, order, letter)

    async def sent(self, order_id: str, at: datetime) -> None:
        await self._record(order_id, sent_at=at)

    async def refused(self, order_id: str, reason: str) -> None:
        await self._record(order_id, refused=reason)

    async def _record(self, order_id: str, **outcome: Any) -> None:
        unsent = (
            LetterRow.order_id == order_id,
            LetterRow.kind == LetterKind.CONFIRMATION,
            col(LetterRow.sent_at).is_(None),
        )
        async with self._database.write() as session:
            await update_where(session, LetterRow, *unsent, **outcome)


async def _paid_order(session: AsyncSession, order_id: str) -> OrderRow:
    order = await session.get(OrderRow, order_id)
    if order is None:
        raise OrderNotFound(f"there is no order {order_id}")
    if order.fulfilling_reference is None:
        raise IllegalTransition(f"an order that is {order.status} has nothing to confirm")
    return order


async def _written(
    session: AsyncSession, order_id: str, message_id: str, at: datetime
) -> LetterRow:
    kind = LetterKind.CONFIRMATION
    row = LetterRow(order_id=order_id, kind=kind, message_id=message_id, written_at=at)
    await insert_new(session, row)
    return await session.get_one(LetterRow, (order_id, kind))


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
