"""What customers are told: `domain.ports.Letters`."""

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Protocol

from domain.errors import MailRefused
from domain.letters import ConfirmationLetter, Letter, RefundLetter
from domain.orders import OrderItem
from domain.payments import Payment
from domain.ports import LetterBook
from letters import texts
from letters.invoice import credit_note_pdf, invoice_pdf
from letters.message import Attachment, Facts, Item, compose
from letters.sender import Sender


class Post(Protocol):
    """Whoever carries letters."""

    async def send(self, message: EmailMessage) -> None:
        """Raises `MailRefused` or `MailDelayed`."""


class Confirmations:
    """Each letter is written down, then sent, then marked: a repeat is the same to the byte.

    Refunds are told unless `tell_refunds` is off; doubt and expiry by whoever is told to.
    """

    def __init__(
        self, book: LetterBook, post: Post, sender: Sender, *, tell_refunds: bool = True
    ) -> None:
        self._book, self._post, self._sender = book, post, sender
        self._tell_refunds = tell_refunds

    async def confirm(self, order_id: str) -> None:
        """Send the confirmation of a paid order, unless it was sent.

        Raises `MailRefused` when the mail server will never take it, `MailDelayed` when it may.
        """
        message_id = self._sender.message_id(order_id, "confirmation")
        letter = await self._book.confirmation(order_id, message_id, datetime.now(UTC))
        if letter:
            await self._send(letter, await confirmation(letter, self._sender))

    async def tell_refund(self, refund_id: str) -> None:
        """Tell the customer, once, of a refund that succeeded. Raises as `confirm` does."""
        if not self._tell_refunds:
            return
        message_id = self._sender.message_id(refund_id, "refund")
        letter = await self._book.refund_notice(refund_id, message_id, datetime.now(UTC))
        if letter:
            await self._send(letter, await refund_notice(letter, self._sender))

    async def tell_doubt(self, order_id: str) -> None:
        """Tell the customer, once, that nothing is certain yet. Raises as `confirm` does."""
        message_id = self._sender.message_id(order_id, "unconfirmed")
        letter = await self._book.doubt(order_id, message_id, datetime.now(UTC))
        if letter:
            await self._send(letter, compose(letter, texts.DOUBT, _amount(letter), self._sender))

    async def tell_expiry(self, order_id: str) -> None:
        """Tell the customer, once, that the order ended unpaid. Raises as `confirm` does."""
        message_id = self._sender.message_id(order_id, "expiry")
        letter = await self._book.expiry(order_id, message_id, datetime.now(UTC))
        if letter:
            await self._send(letter, compose(letter, texts.EXPIRY, _amount(letter), self._sender))

    async def _send(self, letter: Letter, message: EmailMessage) -> None:
        try:
            await self._post.send(message)
        except MailRefused as error:
            await self._book.refused(letter.letter_id, str(error))
            raise
        await self._book.sent(letter.letter_id, datetime.now(UTC))


async def confirmation(letter: ConfirmationLetter, sender: Sender) -> EmailMessage:
    """The confirmation of a paid order, with its invoice."""
    invoice = letter.invoice
    rows = [(texts.TOTAL, texts.amount(letter.amount)), *_payment(letter.payment)]
    attached = None
    if invoice:
        rows.append((texts.INVOICE, f"{invoice.number} ({texts.ATTACHED})"))
        attached = Attachment(f"{invoice.number}.pdf", await invoice_pdf(invoice))
    facts = Facts(tuple(map(_item, letter.items)), tuple(rows))
    return compose(letter, texts.CONFIRMATION, facts, sender, attached)


async def refund_notice(letter: RefundLetter, sender: Sender) -> EmailMessage:
    """The notice of a refund, with its credit note if it was of an invoice."""
    note = letter.credit_note
    rows = [(texts.REFUND_ID, letter.refund_id), (texts.AMOUNT, texts.amount(letter.amount))]
    rows += _payment(letter.payment)
    attached = None
    if note:
        rows.append((texts.CREDIT_NOTE, f"{note.number} ({texts.ATTACHED})"))
        attached = Attachment(f"{note.number}.pdf", await credit_note_pdf(note))
    return compose(letter, texts.REFUND, Facts(rows=tuple(rows)), sender, attached)


def _item(item: OrderItem) -> Item:
    return Item(item.product.name, item.quantity, texts.amount(item.amount))


def _payment(payment: Payment) -> list[tuple[str, str]]:
    return [(texts.PAID_BY, texts.way_of(payment)), (texts.REFERENCE, payment.reference)]


def _amount(letter: Letter) -> Facts:
    return Facts(rows=((texts.AMOUNT, texts.amount(letter.amount)),))
