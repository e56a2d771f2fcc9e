"""A real SMTP server that keeps what it takes, and refuses what a test tells it to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope


@dataclass
class MailCatcher:
    """`to_recipient` and `to_data` are what the server says next, instead of 250."""

    port: int = 0
    to_recipient: list[str] = field(default_factory=list)
    to_data: list[str] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    refusals: int = 0
    _read: list[EmailMessage] = field(default_factory=list)
    _spoken: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def messages(self) -> list[EmailMessage]:
        """All that was taken, each read when somebody first asks for it."""
        unread = self.taken[len(self._read) :]
        self._read += [message_from_bytes(mail, policy=default) for mail in unread]
        return self._read

    def so_far(self, order_id: str) -> list[EmailMessage]:
        return [mail for mail in self.messages if mail["X-Order-Id"] == order_id]

    async def about(self, order_id: str) -> list[EmailMessage]:
        """Wait until there is a mail about the order, and return all there are."""
        async with asyncio.timeout(20), self._spoken:
            await self._spoken.wait_for(lambda: self.so_far(order_id))
        return self.so_far(order_id)

    async def refused(self, times: int) -> None:
        """Wait until it has turned that many mails away."""
        async with asyncio.timeout(20), self._spoken:
            await self._spoken.wait_for(lambda: self.refusals >= times)

    async def handle_RCPT(
        self, server: SMTP, session: object, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_recipient:
            return await self._refuse(self.to_recipient.pop(0))
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:
        if self.to_data:
            return await self._refuse(self.to_data.pop(0))
        async with self._spoken:
            self.taken.append(bytes(envelope.original_content or b""))
            self._spoken.notify_all()
        return "250 OK"

    async def _refuse(self, answer: str) -> str:
        async with self._spoken:
            self.refusals += 1
            self._spoken.notify_all()
        return answer


class _Quick(SMTP):
    """It looks for its own methods once, not for each connection."""

    _names = dir(SMTP)

    def __dir__(self) -> list[str]:
        return self._names


@asynccontextmanager
async def mail_catcher() -> AsyncIterator[MailCatcher]:
    """The catcher, listening on a free port of 127.0.0.1."""
    catcher = MailCatcher()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Quick(catcher, hostname="mail.example"), "127.0.0.1", 0
    )
    async with server:
        catcher.port = server.sockets[0].getsockname()[1]
        yield catcher
