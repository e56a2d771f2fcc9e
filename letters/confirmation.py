"""The confirmation of a paid order: `domain.ports.Letters`."""

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Protocol

from domain.errors import MailRefused
from domain.ports import LetterBook
from letters.texts import Sender, confirmation


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
        if letter is None:
            return
        try:
            await self._post.send(confirmation(letter, self._sender))
        except MailRefused as error:
            await self._book.refused(order_id, str(error))
            raise
        await self._book.sent(order_id, datetime.now(UTC))
