"""What activities and workflows need of the world, as Protocols."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from domain.cases import Case, CaseOutcome, CaseRecord, Decision, OrderPolicy
from domain.checkouts import Conclusion, LinkOrder, LinkQuery, Standing
from domain.disputes import Dispute
from domain.findings import Doubt
from domain.letters import ConfirmationLetter, DoubtLetter, ExpiryLetter, RefundLetter
from domain.news import PaymentNews
from domain.orders import Order, OrderStatus
from domain.payments import LinkStatus, PaymentLink
from domain.policies import Budget
from domain.refunds import Refund, RefundNews, RefundWish
from domain.repairs import Retraction

News = PaymentNews | RefundNews | Dispute


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
        has ended, nothing is written and the attempt has no draft. The order is from now on paid
        by the gateway that the wish names.
        """

    async def latest_link(self, order_id: str) -> str | None:
        """The key of the link that was asked for last; None if none was."""

    async def stored_link(self, key: str) -> LinkAttempt | None:
        """What is stored under the key; None if nothing is. Of an ended order there is no draft."""

    async def keep_link(self, link: PaymentLink) -> bool:
        """Whether anybody still wants it: False if it was given up before it was known."""

    async def end_link(self, key: str, status: LinkStatus, at: datetime) -> bool:
        """Whether it has ended: False if it is said to be missing, and is known by now."""

    async def late_links(self, at: datetime, limit: int) -> list[LinkQuery]:
        """Links that were given up as missing a while ago, and may have been made after all.

        Each is put off by this, and due again unless somebody has `looked_for` it.
        """

    async def looked_for(self, key: str) -> None:
        """It was never made, or is closed by now: nobody has to look again."""

    async def conclude(self, conclusion: Conclusion) -> OrderStatus:
        """Record the end, its proof, the payments and cases; the status that now stands."""

    async def retract(self, retraction: Retraction, at: datetime) -> OrderStatus:
        """Cancel a paid order whose payment was never captured; the status that stands.

        Only its fulfilling payment can do that, and only if nothing of it was sent back.
        """

    async def expire_untouched(self, older_than: timedelta, at: datetime) -> int:
        """Expire a few `created` long ago that never asked for a link; how many, 0 in the end."""

    async def awaiting(self, older_than: timedelta, at: datetime, limit: int) -> list[Order]:
        """Orders that began to await payment that long ago; those not looked at lately first."""


@dataclass(frozen=True)
class RefundDraft:
    """A request for a refund, word for word; stored before it is sent."""

    refund_id: str
    payment_reference: str
    wire_key: str
    body: str


@dataclass(frozen=True)
class RefundAttempt:
    """What is stored of a refund's request: the first draft won."""

    draft: RefundDraft
    repeated: bool


class Refunds(Protocol):
    """Refunds, and what they may cost. Every write is one transaction, safe to repeat."""

    async def reserve(self, wish: RefundWish, budget: Budget | None, at: datetime) -> Refund | None:
        """Set the money aside: requested + pending + succeeded never exceed what was captured.

        The same refund id again answers with that refund as it stands, and raises `KeyReused` if
        the wish was another. None if the budget is used up: nothing was written. Raises
        `RefundRefused` with the reason, `OrderNotFound`.
        """

    async def refund(self, refund_id: str) -> Refund:
        """Raises `RefundNotFound`."""

    async def begin_refund(self, draft: RefundDraft, at: datetime) -> RefundAttempt:
        """Store the draft before it is sent; the one that was stored first is returned."""

    async def record_refund(self, news: RefundNews, at: datetime) -> Refund:
        """Join the news, and let the order follow the sums of its fulfilling payment.

        A refund that we did not ask for is recorded as the gateway's own.
        """

    async def unattended_refunds(
        self, older_than: timedelta, at: datetime, limit: int
    ) -> list[Refund]:
        """Refunds that are not final and were not looked at lately."""


class Cases(Protocol):
    """Cases and the words of operators on them. Every write is safe to repeat.

    The subject of a case is its order's id, or `gateway:payment` where the order is not known.
    """

    async def open_case(self, case: Case, at: datetime) -> bool:
        """Record a case and its payment; False if that one was there already."""

    async def open_cases(self, subject: str) -> tuple[CaseRecord, ...]:
        """Those that are not settled."""

    async def case(self, case_id: str) -> CaseRecord:
        """Raises `CaseNotFound`."""

    async def order_policy(self, order_id: str) -> OrderPolicy:
        """Raises `OrderNotFound`."""

    async def await_word(self, case_id: str, why: str, at: datetime) -> None:
        """The case waits for an operator from now on."""

    async def decide(self, decision: Decision, at: datetime) -> bool:
        """Keep an operator's word; False if the case does not wait for one (any more)."""

    async def honour(self, case_id: str, at: datetime) -> str | None:
        """Let the case's payment fulfil its order, `late_capture` if that had ended unpaid.

        None once it does; else the reason why it cannot, and nothing was written.
        """

    async def settle(
        self, case_id: str, outcome: CaseOutcome, refund_id: str | None, at: datetime
    ) -> None: ...

    async def subjects_unattended(
        self, older_than: timedelta, at: datetime, limit: int
    ) -> list[str]:
        """Subjects with unsettled cases that were not looked at lately."""


class Inbox(Protocol):
    """Webhooks that were verified and stored; each is forwarded once, or kept until it can be."""

    async def due(self, older_than: timedelta, at: datetime, limit: int) -> list[int]:
        """Rows that nobody has forwarded and that are due for a try."""

    async def news(self, row: int) -> News | None:
        """The row as news; None while its order is not known."""

    async def record_dispute(self, dispute: Dispute, at: datetime) -> None:
        """Keep the dispute beside the order of its payment."""

    async def unresolved(self, older_than: timedelta, at: datetime, limit: int) -> list[int]:
        """Rows with money in them whose order was not found for so long."""

    async def unclaimed(self, row: int) -> Case:
        """Such a row as a case without an order."""

    async def forwarded(self, row: int, at: datetime) -> None: ...

    async def postponed(self, row: int, at: datetime) -> None:
        """The row could not be forwarded; it is due again later, and later each time."""


class LetterBook(Protocol):
    """What is recorded of letters: each is written down before it is sent.

    A letter is answered as it was first written; None if it was sent, or is not wanted any more.
    Those who ask for one raise `OrderNotFound` or `RefundNotFound`, and `MailRefused` if it was
    refused for good.
    """

    async def confirmation(
        self, order_id: str, message_id: str, at: datetime
    ) -> ConfirmationLetter | None:
        """Raises `IllegalTransition` if the order was not paid."""

    async def refund_notice(
        self, refund_id: str, message_id: str, at: datetime
    ) -> RefundLetter | None:
        """None also if the order is not known, so that there is nobody to tell.

        Raises `IllegalTransition` if the refund did not succeed.
        """

    async def doubt(self, order_id: str, message_id: str, at: datetime) -> DoubtLetter | None:
        """None also if the order has ended meanwhile."""

    async def expiry(self, order_id: str, message_id: str, at: datetime) -> ExpiryLetter | None:
        """None also if the order did not expire, or was paid late."""

    async def sent(self, letter_id: str, at: datetime) -> None: ...

    async def refused(self, letter_id: str, reason: str) -> None: ...


class Letters(Protocol):
    """What people are sent. Each letter has one Message-ID and is sent once.

    Every call raises `MailRefused` when the mail server will never take it, `MailDelayed` when
    it may.
    """

    async def confirm(self, order_id: str) -> None:
        """Send the confirmation of a paid order, unless it was sent."""

    async def tell_refund(self, refund_id: str) -> None:
        """Tell the customer, once, of a refund that succeeded."""

    async def tell_doubt(self, order_id: str) -> None:
        """Tell the customer, once, that the payment could not be confirmed yet."""

    async def tell_expiry(self, order_id: str) -> None:
        """Tell the customer, once, that the order ended unpaid."""


class Destination(StrEnum):
    """Where news went."""

    NOTHING_NEW = "nothing_new"
    CHECKOUT = "checkout"
    REPAIR = "repair"
    REFUND = "refund"
    RECORDED = "recorded"


class Delivery(Protocol):
    """Brings news to the one workflow it concerns."""

    async def deliver(self, news: PaymentNews) -> Destination:
        """Raises `OrderNotFound` if there is no such order; nothing is lost by repeating it."""

    async def deliver_refund(self, news: RefundNews, at: datetime) -> Destination:
        """Raises `RefundNotFound`; news of a refund that is not ours is recorded."""

    async def doubt(self, doubt: Doubt) -> None:
        """Have the order's repair ask the gateway about a capture that a file denies."""

    async def forward(self, row: int, at: datetime) -> Destination | None:
        """Deliver one row of the inbox and mark it; None if its order is not known yet."""

    async def adopt(self, order: Order) -> bool:
        """See that somebody minds an order that awaits payment; True if nobody did."""

    async def mind_refund(self, refund: Refund) -> bool:
        """See that the refund's workflow runs; True if it did not."""

    async def mind_cases(self, subject: str) -> bool:
        """See that the subject's repair runs; True if it did not."""

    async def call_repair(self, subject: str) -> None:
        """Let the subject's repair look for cases, whether it runs or not."""
