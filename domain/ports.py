"""What activities and workflows need of the world, as Protocols."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from domain.cases import Case
from domain.checkouts import Conclusion, LinkOrder, Standing
from domain.money import Money
from domain.news import PaymentNews
from domain.orders import Order, OrderItem, OrderStatus
from domain.payments import LinkStatus, Payment, PaymentLink


@dataclass(frozen=True)
class LinkDraft:
    """A request for a link, word for word as it goes over the wire; stored before it is sent."""

    key: str
    wire_key: str
    body: str


@dataclass(frozen=True)
class LinkAttempt:
    """What is stored of a link: the first draft won, and every retry sends that one again."""

    order_status: OrderStatus
    draft: LinkDraft | None = None
    link: PaymentLink | None = None
    repeated: bool = False


class Orders(Protocol):
    """The orders, and what is recorded of them. Every write is one transaction, safe to repeat."""

    async def order(self, order_id: str) -> Order:
        """Raises `OrderNotFound`."""

    async def standing(self, order_id: str) -> Standing:
        """Raises `OrderNotFound`."""

    async def begin_link(self, wish: LinkOrder, draft: LinkDraft, token: str) -> LinkAttempt:
        """Take the order from `created` to `awaiting_payment` and store the draft.

        If a draft is stored under the key already, that one is returned, `repeated`. If the order
        has ended, nothing is written and the attempt has no draft.
        """

    async def keep_link(self, link: PaymentLink) -> None: ...

    async def end_link(self, key: str, status: LinkStatus, at: datetime) -> None: ...

    async def conclude(self, conclusion: Conclusion) -> OrderStatus:
        """Record the end, its proof, the payments and cases; the status that now stands."""

    async def open_case(self, case: Case, at: datetime) -> bool:
        """Record a case beside the order; False if that one was open already."""

    async def expire_untouched(self, older_than: timedelta, at: datetime) -> int:
        """Expire orders `created` long ago that never asked for a link; how many."""

    async def awaiting(self, older_than: timedelta, at: datetime, limit: int) -> list[Order]:
        """Orders that began to await payment that long ago; those not looked at lately first."""


class Inbox(Protocol):
    """Webhooks that were verified and stored; each is forwarded once, or kept until it can be."""

    async def due(self, older_than: timedelta, at: datetime, limit: int) -> list[int]:
        """Rows that nobody has forwarded and that are due for a try."""

    async def news(self, row: int) -> PaymentNews | None:
        """The row as news; None while its order is not known."""

    async def forwarded(self, row: int, at: datetime) -> None: ...

    async def postponed(self, row: int, at: datetime) -> None:
        """The row could not be forwarded; it is due again later, and later each time."""


@dataclass(frozen=True)
class ConfirmationLetter:
    """All that a confirmation says; the same on every repeat, to the byte."""

    order_id: str
    message_id: str
    written_at: datetime
    to: str
    items: tuple[OrderItem, ...]
    amount: Money
    payment: Payment
    result_token: str


class LetterBook(Protocol):
    """What is recorded of letters: each is written down before it is sent."""

    async def confirmation(
        self, order_id: str, message_id: str, at: datetime
    ) -> ConfirmationLetter | None:
        """The letter as it was first written; None if it was sent.

        Raises `OrderNotFound`, `IllegalTransition` if the order was not paid, and `MailRefused`
        if the letter was refused for good.
        """

    async def sent(self, order_id: str, at: datetime) -> None: ...

    async def refused(self, order_id: str, reason: str) -> None: ...


class Letters(Protocol):
    """What people are sent. Each letter has one Message-ID and is sent once."""

    async def confirm(self, order_id: str) -> None:
        """Send the confirmation of a paid order, unless it was sent.

        Raises `MailRefused` when the mail server will never take it, `MailDelayed` when it may.
        """


class Destination(StrEnum):
    """Where news went."""

    NOTHING_NEW = "nothing_new"
    CHECKOUT = "checkout"
    REPAIR = "repair"


class Delivery(Protocol):
    """Brings news to the one workflow it concerns."""

    async def deliver(self, news: PaymentNews) -> Destination:
        """Raises `OrderNotFound` if there is no such order; nothing is lost by repeating it."""

    async def forward(self, row: int, at: datetime) -> Destination | None:
        """Deliver one row of the inbox and mark it; None if its order is not known yet."""

    async def adopt(self, order: Order) -> bool:
        """See that somebody minds an order that awaits payment; True if nobody did."""
