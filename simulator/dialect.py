"""What a gateway's wire format must provide to speak from the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from simulator.records import Json, Link, News, Payment

PageUrl = Callable[[str], str]
Kind = Literal["link", "order", "payment", "refund", "dispute", "event", "settlement", "adjustment"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A webhook to be: its event name and the exact body; the event's id, if the body bears it."""

    name: str
    body: bytes
    event_id: str | None = None


class Dialect(Protocol):
    """`one_attempt`: a payment that is not decided at once uses its link up. `takes_late_payments`:
    money may still come through a link that was closed. `merchant_captures`: the customer only
    approves, and nothing is paid until the merchant asks for it."""

    name: str
    webhook_url: str | None
    one_attempt: bool
    takes_late_payments: bool
    merchant_captures: bool

    def new_id(self, kind: Kind) -> str: ...

    def reference_of(self, link: Link, payment: Payment) -> str:
        """The name by which the merchant knows the payment."""

    def notices(self, news: News, payments: Sequence[Payment]) -> list[Notice]:
        """Everything this gateway says about one happening, in its natural order.

        `payments` are all attempts on the link.
        """

    def webhook_headers(self, event_id: str, body: bytes, *, forged: bool) -> dict[str, str]:
        """Headers with the signature; `forged` signs with a secret nobody shares."""

    def quoting(self, order_id: str) -> Json:
        """The details of a link that names the order, as the merchant's staff would write them."""

    def return_url(self, link: Link, payment: Payment, *, forged: bool) -> str | None:
        """Where the customer's browser goes after paying, signed; None without a callback URL."""
