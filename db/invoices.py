"""Invoices and credit notes are given their numbers, in the transaction of what they tell of."""

from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.invoice_tables import CreditNoteRow, InvoiceRow, SeriesRow
from db.rows import item_from
from db.statements import change, find, find_all, insert
from db.tables import OrderItemRow, OrderRow
from domain.invoices import (
    Buyer,
    CreditNote,
    CreditReason,
    Invoice,
    InvoiceLine,
    Invoicing,
    credited_shares,
    number_in,
    tax_shares,
)
from domain.money import Money
from domain.payments import Payment

INVOICE = TypeAdapter(Invoice)
CREDIT_NOTE = TypeAdapter(CreditNote)
STANDS = col(CreditNoteRow.voided_at).is_(None)


async def issue(
    session: AsyncSession, order: OrderRow, payment: Payment, invoicing: Invoicing, at: datetime
) -> None:
    """Write the order's one invoice; the order must be locked, and become paid with it.

    An order that is paid again, after its payment was retracted, has its invoice: what was
    credited for the retraction is void.
    """
    if known := await invoice_row(session, order.order_id):
        this = {"invoice_number": known.number, "refund_id": None, "voided_at": None}
        await change(session, CreditNoteRow, this, voided_at=at)
        return
    invoice = await _draft(session, order, payment, invoicing, at)
    # Last of all: whoever takes the next number waits until this transaction has ended.
    series = invoicing.numbering.series(invoicing.numbering.invoices, invoice.issued_on)
    invoice = replace(invoice, number=await _next_number(session, series))
    await insert(
        session,
        InvoiceRow(
            number=invoice.number,
            order_id=order.order_id,
            issued_at=at,
            document=INVOICE.dump_python(invoice, mode="json"),
        ),
    )


async def credit(
    session: AsyncSession,
    order: OrderRow,
    amount: Money | None,
    reason: CreditReason,
    at: datetime,
    refund_id: str | None = None,
) -> None:
    """Write a credit note of that amount, or of all that is left of the order's invoice.

    The order must be locked, and no other is locked after this. Never more is credited than is
    left; an order without an invoice, or with one that is credited in full, gets no note. Numbers
    go on as the invoice's settings say.
    """
    row = await invoice_row(session, order.order_id)
    if row is None:
        return
    invoice = invoice_from(row)
    left = await _left(session, invoice)
    amount = left if amount is None or left < amount else amount
    if amount.minor <= 0:
        return
    note = await _note(session, invoice, amount, reason, refund_id, at)
    await insert(
        session,
        CreditNoteRow(
            number=note.number,
            invoice_number=invoice.number,
            refund_id=refund_id,
            amount_minor=amount.minor,
            currency=amount.currency,
            issued_at=at,
            document=CREDIT_NOTE.dump_python(note, mode="json"),
        ),
    )


async def void_credit(session: AsyncSession, refund_id: str, at: datetime) -> None:
    """The gateway took the refund back: its credit note, if it has one, is void from now on."""
    this = {"refund_id": refund_id, "voided_at": None}
    await change(session, CreditNoteRow, this, voided_at=at)


async def invoice_row(session: AsyncSession, order_id: str) -> InvoiceRow | None:
    return await find(session, InvoiceRow, order_id=order_id)


def invoice_from(row: InvoiceRow) -> Invoice:
    return INVOICE.validate_python(row.document)


def credit_note_from(row: CreditNoteRow) -> CreditNote:
    return CREDIT_NOTE.validate_python(row.document)


async def _draft(
    session: AsyncSession, order: OrderRow, payment: Payment, invoicing: Invoicing, at: datetime
) -> Invoice:
    """The invoice, all but its number."""
    rows = await find_all(session, OrderItemRow, "position", order_id=order.order_id)
    lines = tuple(InvoiceLine.of(item_from(row)) for row in rows)
    return Invoice(
        number="",
        issued_on=invoicing.numbering.date_of(at),
        order_id=order.order_id,
        seller=invoicing.seller,
        buyer=Buyer(order.user_id, order.email),
        lines=lines,
        tax_names=invoicing.tax_names,
        taxes=tax_shares(lines, len(invoicing.tax_names)),
        total=Money(order.amount_minor, order.currency),
        payment=payment,
        numbering=invoicing.numbering,
    )


async def _note(
    session: AsyncSession,
    invoice: Invoice,
    amount: Money,
    reason: CreditReason,
    refund_id: str | None,
    at: datetime,
) -> CreditNote:
    numbering = invoice.numbering
    today = numbering.date_of(at)
    series = numbering.series(numbering.credit_notes, today)
    return CreditNote(
        number=await _next_number(session, series),
        issued_on=today,
        invoice_number=invoice.number,
        invoice_date=invoice.issued_on,
        order_id=invoice.order_id,
        seller=invoice.seller,
        buyer=invoice.buyer,
        reason=reason,
        refund_id=refund_id,
        tax_names=invoice.tax_names,
        taxes=credited_shares(invoice, amount),
        total=amount,
        payment=invoice.payment,
    )


async def _left(session: AsyncSession, invoice: Invoice) -> Money:
    """What of the invoice was not credited."""
    credited = select(func.sum(CreditNoteRow.amount_minor)).where(
        CreditNoteRow.invoice_number == invoice.number, STANDS
    )
    minor = int((await session.exec(credited)).one() or 0)
    return invoice.total - Money(minor, invoice.total.currency)


async def _next_number(session: AsyncSession, series: str) -> str:
    """The next of the series; its row stays locked until the transaction has ended."""
    one_more = _one_more(session.get_bind().dialect.name)
    count = (await session.exec(one_more, params={"name": series, "last": 1})).scalar_one()
    return number_in(series, count)


@cache
def _one_more(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    later = {"last": SeriesRow.last + 1}
    first = insert(SeriesRow).on_conflict_do_update(index_elements=["name"], set_=later)
    return first.returning(col(SeriesRow.last))
