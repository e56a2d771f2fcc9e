"""The mail server: what it took, what it will take later, what it never will."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Self

import aiosmtplib

from domain.errors import MailDelayed, MailRefused

FOR_GOOD = 500
MOST_KEPT = 4


@dataclass(frozen=True)
class MailServer:
    """Where mail goes. `tls` is `none`, `starttls` or `tls`.

    To greet it and to log in takes longer than a mail, so a connection is kept for the next one,
    for `kept_seconds` at most. What the server says is not passed on: it may name the recipient.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: str = "none"
    timeout_seconds: float = 20
    kept_seconds: float = 10
    _kept: dict[aiosmtplib.SMTP, asyncio.TimerHandle] = field(default_factory=dict, init=False)

    async def send(self, message: EmailMessage) -> None:
        """Raises `MailRefused` (5xx, or an address no mail can have) or `MailDelayed`."""
        with _named_refusals():
            connection = await self._connection()
            try:
                await connection.send_message(message)
            except BaseException:
                connection.close()
                raise
            self._keep(connection)

    def close(self) -> None:
        """Let go of what was kept."""
        for connection in list(self._kept):
            self._let_go(connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.close()

    async def _connection(self) -> aiosmtplib.SMTP:
        while self._kept:
            connection, its_end = self._kept.popitem()
            its_end.cancel()
            if connection.is_connected:
                return connection
        connection = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            use_tls=self.tls == "tls",
            start_tls=self.tls == "starttls",
            timeout=self.timeout_seconds,
        )
        await connection.connect()
        return connection

    def _keep(self, connection: aiosmtplib.SMTP) -> None:
        loop = asyncio.get_running_loop()
        its_end = loop.call_later(self.kept_seconds, self._let_go, connection)
        self._kept[connection] = its_end
        if len(self._kept) > MOST_KEPT:
            self._let_go(connection)

    def _let_go(self, connection: aiosmtplib.SMTP) -> None:
        self._kept.pop(connection).cancel()
        connection.close()


@contextmanager
def _named_refusals() -> Iterator[None]:
    try:
        yield
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _named(error.recipients[0].code) from error
    except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
        raise _named(error.code) from error
    except aiosmtplib.SMTPNotSupported as error:
        raise MailRefused("the mail server takes no such address") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        # Also what it says to everyone, as to a wrong password: that can be set right.
        raise MailDelayed(f"no use of the mail server: {type(error).__name__}") from error


def _named(code: int) -> MailDelayed | MailRefused:
    error = MailRefused if code >= FOR_GOOD else MailDelayed
    return error(f"the mail server answered {code}")
