"""The mail server: what it took, what it will take later, what it never will."""

from dataclasses import dataclass
from email.message import EmailMessage

import aiosmtplib

from domain.errors import MailDelayed, MailRefused

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
    timeout_seconds: float = 20

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
                timeout=self.timeout_seconds,
            )
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
