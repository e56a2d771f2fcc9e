"""The port: what every gateway can do, in our words."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

from domain.checkouts import LinkQuery
from domain.errors import RequestRefused
from domain.events import GatewayEvent
from domain.money import Money
from domain.news import PaymentNews
from domain.payments import Payment, PaymentLink
from domain.ports import LinkDraft, RefundDraft
from domain.reconciliations import Period
from domain.refunds import Refund, RefundNews, RefundQuery
from domain.settlements import Chunk, Report


@dataclass(frozen=True)
class Capabilities:
    """What differs from gateway to gateway and matters to those who use it.

    `currencies` are those it can take; `shortest_link_life` is the least it accepts for a link
    (a shorter deadline is kept by closing the link ourselves). Where `needs_capture`, nothing is
    paid before we take what the customer approved: from the moment that we refuse to, the link
    is powerless. `reports` are those that its API lists; `settles_at` is the time zone of its
    settlement days.
    """

    currencies: frozenset[str]
    lookup_by_order_id: bool
    can_cancel_link: bool
    shortest_link_life: timedelta
    longest_link_life: timedelta
    needs_capture: bool = False
    reports: frozenset[Report] = frozenset()
    settles_at: str = "UTC"


@dataclass(frozen=True)
class LinkRequest:
    """What a payment link is made for. `key` is ours and the same on every retry.

    `expires_at` lies at least the gateway's `shortest_link_life` past the last moment at which
    the draft may be sent.
    """

    order_id: str
    key: str
    amount: Money
    description: str
    callback_url: str
    expires_at: datetime


@dataclass(frozen=True)
class Callback:
    """What a customer's browser brought back; a hint, never proof.

    `wire_key` is None where the gateway signs nothing: then the reference alone has to be that of
    the link whose secret address the browser came to.
    """

    wire_key: str | None
    link_reference: str
    payment_reference: str | None
    digest: str


class Gateway(Protocol):
    """One gateway. Its calls raise `GatewayUnavailable`, `OutcomeUnknown` or `RequestRefused`.

    A decline is a payment with the status `failed`, not an error.
    """

    name: str
    capabilities: Capabilities

    @property
    def hears_webhooks(self) -> bool:
        """Whether it can check a webhook's origin: without a secret, no endpoint exists."""

    def draft_link(self, request: LinkRequest) -> LinkDraft:
        """The request for a link, word for word, to be stored before it is sent."""

    async def create_payment_link(self, draft: LinkDraft) -> PaymentLink:
        """Send the draft. Repeating it with the same key never makes a second live link.

        Without `lookup_by_order_id` the repeated draft is also what tells the link's reference.
        """

    async def find_payment_link(self, key: str) -> PaymentLink | None:
        """The link made under our key, for when the answer to its creation was lost.

        Only where `lookup_by_order_id`.
        """

    async def ask(self, query: LinkQuery) -> PaymentNews:
        """What the gateway knows of the link and of every payment made through it.

        The news has the link `missing` if the gateway has none under that key. Without
        `lookup_by_order_id` the query lacks the reference only where the draft was refused when it
        was sent again.
        """

    async def close_payment_link(self, query: LinkQuery) -> None:
        """End the link, so that no attempt can begin; a link that has ended is left as it is."""

    async def capture(self, payment: Payment) -> Payment:
        """Take the money that was only authorized; one that was captured before is left as it is.

        The answer is the payment as it stands then, captured or not.
        """

    async def capture_link(self, query: LinkQuery, key: str) -> PaymentNews:
        """Take the money of an approved link, where `needs_capture`; then the same as `ask`.

        Repeating it never takes the money twice. A decline is a failed payment in the news; a
        capture that goes on at the gateway raises `OutcomeUnknown`.
        """

    def draft_refund(self, refund: Refund) -> RefundDraft:
        """The request for a refund, word for word, to be stored before it is sent."""

    async def refund(self, draft: RefundDraft) -> RefundNews:
        """Send the draft. Repeating it with the same key never makes a second refund.

        Raises `RequestRefused` if it is certain that no money moves; if that is not certain and
        repeating cannot tell, the news says `needs_review`.
        """

    async def ask_refund(self, query: RefundQuery) -> RefundNews | None:
        """What the gateway knows of a refund, found by its reference or ours; None if nothing.

        If the question itself is refused that is `OutcomeUnknown`, never `RequestRefused`: the
        money may have moved.
        """

    async def ask_payment(self, order_id: str, reference: str) -> PaymentNews:
        """What the gateway knows of one payment, found by its own name for it.

        The news has no payments if the gateway has none of that name.
        """

    def read_file(self, file: BinaryIO, cursor: str) -> Iterator[Chunk]:
        """The rows of a transaction file from the cursor on, a few thousand at a time.

        Raises `FileRefused` with the line for whatever is not as it must be. Reads no more of the
        file than a chunk needs, and may be called in a thread.
        """

    def read_report(self, report: Report, period: Period, cursor: str) -> AsyncIterator[Chunk]:
        """What the report API lists for the period, from the cursor on.

        Raises `FileRefused` for a list that does not hold together.
        """

    def read_callback(self, parameters: Mapping[str, str]) -> Callback:
        """Raises `BadSignature`, also for what cannot be a callback of this gateway."""

    async def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """Verify the raw bytes, then translate.

        Raises `BadSignature` before anything is parsed, `MessageNotUnderstood` after, and
        `GatewayUnavailable` or `OutcomeUnknown` while what the check needs cannot be fetched: then
        nothing is known of the message, and the gateway has to send it again.
        """


class TakesMoneyItself:
    """For gateways where a customer's payment needs no capture of an approved link."""

    async def capture_link(self, query: LinkQuery, key: str) -> PaymentNews:
        raise RequestRefused(f"{query.gateway} has no approved links")


class CannotLookUp:
    """For gateways that find a link only by their own reference."""

    async def find_payment_link(self, key: str) -> PaymentLink | None:
        raise RequestRefused(f"{key} cannot be looked up")
