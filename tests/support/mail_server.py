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

    It takes so many mails as `cuts` and hangs up before it says so. `connections` are those it
    has, `greeted` counts all it had.
    """

    port: int = 0
    to_recipient: list[str] = field(default_factory=list)
    to_data: list[str] = field(default_factory=list)
    cuts: int = 0
    taken: list[bytes] = field(default_factory=list)
    refusals: int = 0
    greeted: int = 0
    connections: set[asyncio.BaseTransport] = field(default_factory=set)
    _read: list[EmailMessage] = field(default_factory=list)
    _lost: asyncio.Event = field(default_factory=asyncio.Event)
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

    async def has_no_more_than(self, connections: int) -> None:
        """Wait until all others were closed."""
        async with asyncio.timeout(20):
            while len(self.connections) > connections:
                self._lost.clear()
                await self._lost.wait()

    def lost(self, connection: asyncio.BaseTransport) -> None:
        self.connections.discard(connection)
        self._lost.set()

    def hang_up(self) -> None:
        """Close all connections, as a server does that waited long enough."""
        for connection in self.connections:
            connection.close()

    async def take(self, mail: bytes) -> None:
        async with self._spoken:
            self.taken.append(mail)
            self._spoken.notify_all()

    async def refuse(self, answer: str) -> str:
        async with self._spoken:
            self.refusals += 1
            self._spoken.notify_all()
        return answer


class _Door:
    """What aiosmtpd calls. It looks at all there is of it, for each connection anew."""

    def __init__(self, catcher: MailCatcher) -> None:
        self._catcher = catcher

    async def handle_RCPT(
        self, server: SMTP, session: object, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._catcher.to_recipient:
            return await self._catcher.refuse(self._catcher.to_recipient.pop(0))
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:
        if self._catcher.to_data:
            return await self._catcher.refuse(self._catcher.to_data.pop(0))
        await self._catcher.take(bytes(envelope.original_content or b""))
        if self._catcher.cuts:
            self._catcher.cuts -= 1
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"


class _Watched(SMTP):
    """Tells the catcher of its connection, and looks for its own methods once."""

    _names = dir(SMTP)

    def __init__(self, catcher: MailCatcher) -> None:
        super().__init__(_Door(catcher), hostname="mail.example")
        self._catcher = catcher

    def __dir__(self) -> list[str]:
        return self._names

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._catcher.connections.add(transport)
        self._catcher.greeted += 1

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport:
            self._catcher.lost(self.transport)
        super().connection_lost(error)


@asynccontextmanager
async def mail_catcher() -> AsyncIterator[MailCatcher]:
    """The catcher, listening on a free port of 127.0.0.1."""
    catcher = MailCatcher()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Watched(catcher), "127.0.0.1", 0
    )
    async with server:
        catcher.port = server.sockets[0].getsockname()[1]
        yield catcher
        catcher.hang_up()
