"""What a gateway's wire format must provide to speak from the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from simulator.records import Link, News, Payment

PageUrl = Callable[[str], str]
Kind = Literal["link", "order", "payment", "refund", "dispute", "event", "settlement", "adjustment"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A webhook to be: its event name and the exact body."""

    name: str
    body: bytes


class Dialect(Protocol):
    name: str
    webhook_url: str | None

    def new_id(self, kind: Kind) -> str: ...

    def notices(self, news: News, payments: Sequence[Payment]) -> list[Notice]:
        """Everything this gateway says about one happening, in its natural order.

        `payments` are all attempts on the link.
        """

    def webhook_headers(self, event_id: str, body: bytes, *, forged: bool) -> dict[str, str]:
        """Headers with the signature; `forged` signs with a secret nobody shares."""

    def return_url(self, link: Link, payment: Payment, *, forged: bool) -> str | None:
        """Where the customer's browser goes after paying, signed; None without a callback URL."""
