"""What customers are told: `domain.ports.Letters`."""

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Protocol

from domain.errors import MailRefused
from domain.ports import LetterBook
from letters.texts import Sender, confirmation, refund_notice


class Post(Protocol):
    """Whoever carries letters."""

    async def send(self, message: EmailMessage) -> None:
        """Raises `MailRefused` or `MailDelayed`."""


class Confirmations:
    """Each letter is written down, then sent, then marked: a repeat is the same to the byte."""

    def __init__(self, book: LetterBook, post: Post, sender: Sender) -> None:
        self._book, self._post, self._sender = book, post, sender

    async def confirm(self, order_id: str) -> None:
        """Send the confirmation of a paid order, unless it was sent.

        Raises `MailRefused` when the mail server will never take it, `MailDelayed` when it may.
        """
        message_id = self._sender.message_id(order_id, "confirmation")
        letter = await self._book.confirmation(order_id, message_id, datetime.now(UTC))
        if letter:
            await self._send(order_id, confirmation(letter, self._sender))

    async def tell_refund(self, refund_id: str) -> None:
        """Tell the customer, once, of a refund that succeeded. Raises as `confirm` does."""
        message_id = self._sender.message_id(refund_id, "refund")
        letter = await self._book.refund_notice(refund_id, message_id, datetime.now(UTC))
        if letter:
            await self._send(refund_id, refund_notice(letter, self._sender))

    async def _send(self, letter_id: str, message: EmailMessage) -> None:
        try:
            await self._post.send(message)
        except MailRefused as error:
            await self._book.refused(letter_id, str(error))
            raise
        await self._book.sent(letter_id, datetime.now(UTC))
