"""Payments at a gateway, and the links that customers pay through."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from domain.money import Money


class PaymentStatus(StrEnum):
    """In the order in which a payment passes through them.

    A failed one may still be authorized, late; a canceled one was given back.
    """

    UNKNOWN = "unknown"
    PENDING = "pending"
    FAILED = "failed"
    AUTHORIZED = "authorized"
    CANCELED = "canceled"
    CAPTURED = "captured"

    @property
    def rank(self) -> int:
        """How much is settled; the higher rank wins, whichever source it came from."""
        return list(PaymentStatus).index(self)

    @property
    def may_still_capture(self) -> bool:
        """Whether the gateway is still busy with it, so that nothing can be concluded."""
        return self in (PaymentStatus.UNKNOWN, PaymentStatus.PENDING, PaymentStatus.AUTHORIZED)

    @property
    def moves_money(self) -> bool:
        """Whether the customer's money is held or taken."""
        return self in (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED)


class LinkStatus(StrEnum):
    """`open` takes payments; every other state means that no new attempt can begin."""

    OPEN = "open"
    PAID = "paid"
    CLOSED = "closed"
    EXPIRED = "expired"
    MISSING = "missing"

    @property
    def is_live(self) -> bool:
        return self is LinkStatus.OPEN


@dataclass(frozen=True)
class Payment:
    """One payment at a gateway, as far as it is known."""

    gateway: str
    reference: str
    status: PaymentStatus
    amount: Money
    method: str | None = None
    failure: str | None = None

    def joined(self, news: Self) -> Self:
        """What is known once the news is in; the order of arrival does not matter."""
        return max(self, news, key=Payment._certainty)

    @property
    def identity(self) -> str:
        return f"{self.gateway}:{self.reference}"

    def matches(self, price: Money) -> bool:
        """The echo: the gateway took exactly what the order costs."""
        return self.amount == price

    def covers(self, news: Self) -> bool:
        """Whether the news adds nothing: it is not further along, and tells no other amount."""
        if news.status.rank == self.status.rank:
            return news.amount == self.amount
        return news.status.rank < self.status.rank

    def _certainty(self) -> tuple[int, bool, str, int, list[str]]:
        # Ties are broken by content, so that two sources that disagree give one result.
        money = self.amount
        detail = [str(self.status), *(repr(word) for word in (self.method, self.failure))]
        return (self.status.rank, bool(self.method), money.currency, money.minor, detail)


@dataclass(frozen=True)
class PaymentLink:
    """A hosted page of one gateway, made under `key` (ours), known there as `reference`."""

    gateway: str
    key: str
    reference: str
    url: str
    expires_at: datetime
    status: LinkStatus = LinkStatus.OPEN
