"""The mail server: what it took, what it will take later, what it never will."""

from dataclasses import dataclass
from email.message import EmailMessage

import aiosmtplib

from domain.errors import MailDelayed, MailRefused

TIMEOUT_SECONDS = 20
FOR_GOOD = 500


@dataclass(frozen=True)
class MailServer:
    """Where mail goes. `tls` is `none`, `starttls` or `tls`.

    What the server says is not passed on: it may name the recipient.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: str = "none"

    async def send(self, message: EmailMessage) -> None:
        """Raises `MailRefused` (5xx, or an address no mail can have) or `MailDelayed`."""
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.username,
                password=self.password,
                use_tls=self.tls == "tls",
                start_tls=self.tls == "starttls",
                timeout=TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _named(error.recipients[0].code) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _named(error.code) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailDelayed(
                f"the mail server cannot be reached: {type(error).__name__}"
            ) from error


def _named(code: int) -> MailDelayed | MailRefused:
    error = MailRefused if code >= FOR_GOOD else MailDelayed
    return error(f"the mail server answered {code}")
