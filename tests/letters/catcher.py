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
    """`to_recipient` and `to_data` are what the server says next, instead of 250.

    It takes so many mails as `cuts` and hangs up before it says so.
    """

    port: int = 0
    to_recipient: list[str] = field(default_factory=list)
    to_data: list[str] = field(default_factory=list)
    cuts: int = 0
    taken: list[bytes] = field(default_factory=list)

    @property
    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=default) for raw in self.taken]

    async def handle_RCPT(
        self, server: SMTP, session: object, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_recipient:
            return self.to_recipient.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:
        if self.to_data:
            return self.to_data.pop(0)
        self.taken.append(bytes(envelope.original_content or b""))
        if self.cuts:
            self.cuts -= 1
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"


@asynccontextmanager
async def mail_catcher() -> AsyncIterator[MailCatcher]:
    """The catcher, listening on a free port of 127.0.0.1."""
    catcher = MailCatcher()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(catcher, hostname="mail.example"), "127.0.0.1", 0
    )
    async with server:
        catcher.port = server.sockets[0].getsockname()[1]
        yield catcher
