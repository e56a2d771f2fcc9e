"""What the ledger holds, in words that belong to no gateway.

Amounts are integers in the currency's smallest unit; times are Unix seconds.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class LinkStatus(StrEnum):
    CREATED = "created"
    PAID = "paid"
    CANCELED = "canceled"
    EXPIRED = "expired"


class PaymentStatus(StrEnum):
    """Captures follow at once, so `authorized` is only ever told of, never stored."""

    CREATED = "created"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    FAILED = "failed"


class Outcome(StrEnum):
    """What the customer, or the customer's bank, decides."""

    SUCCESS = "success"
    FAILURE = "failure"
    PENDING = "pending"


class Method(StrEnum):
    CARD = "card"
    UPI = "upi"
    NETBANKING = "netbanking"
    WALLET = "wallet"


class Happening(StrEnum):
    """What a gateway tells its merchant about."""

    CAPTURED = "captured"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A payment link. `details` is the dialect's own: what the merchant sent beside the money."""

    id: str
    dialect: str
    amount: int
    currency: str
    created_at: float
    expires_at: float
    status: LinkStatus = LinkStatus.CREATED
    order_id: str | None = None
    reference_id: str | None = None
    gateway_order_id: str | None = None
    description: str = ""
    return_url: str | None = None
    closed_at: float | None = None
    updated_at: float = 0
    details: Json = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.status is LinkStatus.CREATED

    @property
    def names(self) -> tuple[str, ...]:
        """Every id this link is known by."""
        return tuple(name for name in (self.order_id, self.reference_id, self.id) if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One attempt to pay a link. `outcome` is what it will settle as, at `settle_at` if set."""

    id: str
    link_id: str
    amount: int
    currency: str
    method: Method
    created_at: float
    status: PaymentStatus = PaymentStatus.CREATED
    outcome: Outcome = Outcome.PENDING
    settle_at: float | None = None
    updated_at: float = 0

    @property
    def captured(self) -> bool:
        return self.status is PaymentStatus.CAPTURED


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One notice to the merchant: the exact bytes and headers that every delivery repeats."""

    id: str
    dialect: str
    name: str
    link_id: str
    payment_id: str | None
    body: bytes
    headers: dict[str, str]
    genuine: bool
    created_at: float
