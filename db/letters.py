"""What is recorded of letters: `domain.ports.LetterBook`."""

from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine import Database
from db.invoice_tables import CreditNoteRow
from db.invoices import credit_note_from, invoice_from, invoice_row
from db.repair_tables import RefundRow
from db.rows import item_from, payment_from
from db.statements import change, find, find_all, insert_new
from db.tables import LetterKind, LetterRow, OrderItemRow, OrderRow, PaymentLinkRow, PaymentRow
from db.unbroken import unbroken_calls
from domain.errors import IllegalTransition, MailRefused, OrderNotFound, RefundNotFound
from domain.letters import ConfirmationLetter, DoubtLetter, ExpiryLetter, RefundLetter
from domain.money import Money
from domain.orders import OrderStatus
from domain.refunds import RefundStatus


@unbroken_calls
class LetterStore:
    """Each letter as it was first written; None if it was sent, or is not wanted any more.

    Those who ask for one raise `OrderNotFound` or `RefundNotFound`, and `MailRefused` if it was
    refused for good.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def confirmation(
        self, order_id: str, message_id: str, at: datetime
    ) -> ConfirmationLetter | None:
        """None also if the order's payment was taken back meanwhile.

        Raises `IllegalTransition` if the order was not paid.
        """
        async with self._database.write() as session:
            order = await _paid_order(session, order_id)
            if order is None:
                return None
            letter = _letter(order, LetterKind.CONFIRMATION, message_id, at)
            unsent = await _written(session, letter)
            return await _confirmation(session, order, unsent) if unsent else None

    async def refund_notice(
        self, refund_id: str, message_id: str, at: datetime
    ) -> RefundLetter | None:
        """None also if the order is not known, so that there is nobody to tell.

        Raises `IllegalTransition` if the refund did not succeed.
        """
        async with self._database.write() as session:
            refund = await _succeeded_refund(session, refund_id)
            if refund.order_id is None:
                return None
            order = await session.get_one(OrderRow, refund.order_id)
            letter = _letter(order, LetterKind.REFUND, message_id, at, refund_id)
            unsent = await _written(session, letter)
            return await _refund_notice(session, order, refund, unsent) if unsent else None

    async def doubt(self, order_id: str, message_id: str, at: datetime) -> DoubtLetter | None:
        """None also if the order has ended meanwhile, or its customer never got a link."""
        async with self._database.write() as session:
            order = await _order(session, order_id)
            if order.status is not OrderStatus.AWAITING_PAYMENT or not await _could_pay(
                session, order
            ):
                return None
            name = f"{order_id}.{LetterKind.UNCONFIRMED}"
            letter = _letter(order, LetterKind.UNCONFIRMED, message_id, at, name)
            unsent = await _written(session, letter)
            return DoubtLetter(**_heading(order, unsent)) if unsent else None

    async def expiry(self, order_id: str, message_id: str, at: datetime) -> ExpiryLetter | None:
        """None also if the order did not expire, or was paid late."""
        async with self._database.write() as session:
            order = await _order(session, order_id)
            if order.status is not OrderStatus.EXPIRED:
                return None
            name = f"{order_id}.{LetterKind.EXPIRY}"
            letter = _letter(order, LetterKind.EXPIRY, message_id, at, name)
            unsent = await _written(session, letter)
            return ExpiryLetter(**_heading(order, unsent)) if unsent else None

    async def sent(self, letter_id: str, at: datetime) -> None:
        await self._record(letter_id, sent_at=at)

    async def refused(self, letter_id: str, reason: str) -> None:
        await self._record(letter_id, refused=reason)

    async def _record(self, letter_id: str, **outcome: Any) -> None:
        async with self._database.write() as session:
            await change(session, LetterRow, {"letter_id": letter_id, "sent_at": None}, **outcome)


async def _order(session: AsyncSession, order_id: str) -> OrderRow:
    order = await find(session, OrderRow, order_id=order_id)
    if order is None:
        raise OrderNotFound(f"there is no order {order_id}")
    return order


async def _could_pay(session: AsyncSession, order: OrderRow) -> bool:
    this = (PaymentLinkRow.order_id == order.order_id, col(PaymentLinkRow.url).is_not(None))
    return (await session.exec(select(PaymentLinkRow.key).where(*this))).first() is not None


async def _paid_order(session: AsyncSession, order_id: str) -> OrderRow | None:
    order = await _order(session, order_id)
    if order.status is OrderStatus.CANCELED:
        return None
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


def _letter(
    order: OrderRow, kind: LetterKind, message_id: str, at: datetime, name: str | None = None
) -> LetterRow:
    return LetterRow(
        letter_id=name or order.order_id,
        order_id=order.order_id,
        kind=kind,
        message_id=message_id,
        written_at=at,
    )


async def _written(session: AsyncSession, letter: LetterRow) -> LetterRow | None:
    """The letter as it was first written; None if it was sent."""
    await insert_new(session, letter)
    first = await session.get_one(LetterRow, letter.letter_id)
    if first.refused:
        raise MailRefused(first.refused)
    return None if first.sent_at else first


def _heading(order: OrderRow, letter: LetterRow) -> dict[str, Any]:
    """What every letter has."""
    return {
        "letter_id": letter.letter_id,
        "order_id": order.order_id,
        "message_id": letter.message_id,
        "written_at": letter.written_at,
        "to": order.email,
        "amount": Money(order.amount_minor, order.currency),
        "result_token": order.result_token,
    }


async def _confirmation(
    session: AsyncSession, order: OrderRow, letter: LetterRow
) -> ConfirmationLetter:
    items = await find_all(session, OrderItemRow, "position", order_id=order.order_id)
    fulfilling = (order.fulfilling_gateway, order.fulfilling_reference)
    payment = await session.get_one(PaymentRow, fulfilling)
    invoice = await invoice_row(session, order.order_id)
    return ConfirmationLetter(
        **_heading(order, letter),
        items=tuple(item_from(item) for item in items),
        payment=payment_from(payment),
        invoice=invoice_from(invoice) if invoice else None,
    )


async def _refund_notice(
    session: AsyncSession, order: OrderRow, refund: RefundRow, letter: LetterRow
) -> RefundLetter:
    payment = await session.get_one(PaymentRow, (refund.gateway, refund.payment_reference))
    notes = select(CreditNoteRow).where(CreditNoteRow.refund_id == refund.refund_id)
    note = (await session.exec(notes)).one_or_none()
    heading = _heading(order, letter) | {"amount": Money(refund.amount_minor, refund.currency)}
    return RefundLetter(
        **heading,
        refund_id=refund.refund_id,
        payment=payment_from(payment),
        credit_note=credit_note_from(note) if note else None,
    )
