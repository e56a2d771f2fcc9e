"""Invoices and credit notes as they are shown; nothing of them is written here."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine import Database
from db.invoice_tables import CreditNoteRow, InvoiceRow
from db.invoices import credit_note_from, invoice_from, invoice_row
from db.unbroken import unbroken_calls
from db.views import CreditNoteView, InvoiceView
from domain.errors import PaperNotFound
from domain.invoices import CreditNote, Invoice
from domain.money import Money


@unbroken_calls
class PaperStore:
    """Whoever asks for a paper that was not written gets `PaperNotFound`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def invoice(self, order_id: str) -> Invoice:
        async with self._database.read() as session:
            row = await invoice_row(session, order_id)
        if row is None:
            raise PaperNotFound(f"there is no invoice of {order_id}")
        return invoice_from(row)

    async def credit_note(self, order_id: str, number: str) -> tuple[CreditNote, CreditNoteView]:
        """The note, and how it stands now; of this order alone."""
        this = (InvoiceRow.order_id == order_id, CreditNoteRow.number == number)
        query = select(CreditNoteRow).join(InvoiceRow).where(*this)
        async with self._database.read() as session:
            row = (await session.exec(query)).one_or_none()
        if row is None:
            raise PaperNotFound(f"there is no credit note {number} of {order_id}")
        return credit_note_from(row), _view(row)

    async def credit_notes(self, order_id: str) -> tuple[CreditNoteView, ...]:
        """The oldest first."""
        async with self._database.read() as session:
            return await credit_note_views(session, order_id)


async def invoice_view(session: AsyncSession, order_id: str) -> InvoiceView | None:
    row = await invoice_row(session, order_id)
    return InvoiceView(row.number, row.issued_at) if row else None


async def credit_note_views(session: AsyncSession, order_id: str) -> tuple[CreditNoteView, ...]:
    notes = select(CreditNoteRow).join(InvoiceRow).where(InvoiceRow.order_id == order_id)
    in_order = notes.order_by(col(CreditNoteRow.issued_at), col(CreditNoteRow.number))
    return tuple(map(_view, await session.exec(in_order)))


def _view(row: CreditNoteRow) -> CreditNoteView:
    amount = Money(row.amount_minor, row.currency)
    reason = credit_note_from(row).reason
    return CreditNoteView(row.number, amount, reason, row.refund_id, row.issued_at, row.voided_at)
