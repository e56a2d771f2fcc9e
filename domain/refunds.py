"""Refunds: money that goes back, and what the gateway says of it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from domain.money import Money
from domain.news import Evidence
from domain.policies import Patience


class RefundStatus(StrEnum):
    """In the order in which a refund passes through them; gateways take a success back."""

    REQUESTED = "requested"
    PENDING = "pending"
    NEEDS_REVIEW = "needs_review"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def rank(self) -> int:
        """The higher rank wins, whichever source it came from."""
        return list(RefundStatus).index(self)

    @property
    def is_final(self) -> bool:
        """Whether there is nothing more to ask; `failed` may still follow `succeeded`."""
        return self.rank >= RefundStatus.NEEDS_REVIEW.rank

    @property
    def holds_money(self) -> bool:
        """Whether it counts against what was captured: all but the failed do."""
        return self is not RefundStatus.FAILED


@dataclass(frozen=True)
class Refund:
    """One refund of one payment. `reference` is the gateway's name for it, once it is known."""

    refund_id: str
    order_id: str | None
    gateway: str
    payment_reference: str
    amount: Money
    status: RefundStatus = RefundStatus.REQUESTED
    reference: str | None = None
    failure: str | None = None

    def joined(self, news: "RefundNews") -> Self:
        """What is known once the news is in; the order of arrival does not matter.

        The echo is checked: news of another amount or payment is for a person to look at.
        """
        known = replace(self, reference=self.reference or news.reference)
        status, failure = news.status, news.failure
        if doubt := self._doubt(news):
            status, failure = RefundStatus.NEEDS_REVIEW, f"the gateway speaks of {doubt}"
        if status.rank <= self.status.rank:
            return known
        return replace(known, status=status, failure=failure)

    def _doubt(self, news: "RefundNews") -> str | None:
        """What of the echo is wrong."""
        if news.payment_reference != self.payment_reference:
            return news.payment_reference
        return str(news.amount) if news.amount != self.amount else None


@dataclass(frozen=True)
class RefundNews:
    """What any source says of one refund. `refund_id` is ours, None if we did not ask for it."""

    gateway: str
    refund_id: str | None
    status: RefundStatus
    evidence: Evidence
    payment_reference: str
    amount: Money
    reference: str | None = None
    failure: str | None = None


@dataclass(frozen=True)
class RefundWish:
    """Who wants how much of a payment back, and why; `amount` None is all that is left.

    An `automatic` refund is taken from the budget, an operator's is not.
    """

    refund_id: str
    order_id: str | None
    gateway: str
    payment_reference: str
    amount: Money | None
    reason: str
    actor: str
    automatic: bool = False


@dataclass(frozen=True)
class RefundQuery:
    """What a gateway is asked about a refund."""

    refund_id: str
    gateway: str
    payment_reference: str
    reference: str | None = None

    @classmethod
    def of(cls, refund: Refund) -> Self:
        payment = refund.payment_reference
        return cls(refund.refund_id, refund.gateway, payment, refund.reference)


@dataclass(frozen=True)
class RefundPlan:
    """All that a refund's workflow needs, fixed when it starts."""

    refund: Refund
    patience: Patience
