"""What a gateway's wire format must provide to speak from the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from simulator.records import Happening, Link, Payment

PageUrl = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Notice:
    """A webhook to be: its event name and the exact body."""

    name: str
    body: bytes


class Dialect(Protocol):
    name: str
    webhook_url: str | None

    def new_id(self, kind: Literal["order", "payment", "event"]) -> str: ...

    def notices(
        self, happening: Happening, link: Link, payments: Sequence[Payment], payment: Payment | None
    ) -> list[Notice]:
        """Everything this gateway says about one happening, in its natural order.

        `payments` are all attempts on the link, `payment` the one it happened to.
        """

    def webhook_headers(self, event_id: str, body: bytes, *, forged: bool) -> dict[str, str]:
        """Headers with the signature; `forged` signs with a secret nobody shares."""

    def return_url(self, link: Link, payment: Payment, *, forged: bool) -> str | None:
        """Where the customer's browser goes after paying, signed; None without a callback URL."""
