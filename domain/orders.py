"""Orders: what was asked for, what it costs, and the states it may pass through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.errors import IllegalTransition
from domain.money import Money
from domain.policies import GatewayRule


class OrderStatus(StrEnum):
    """Where an order stands. Only evidence moves it; silence never does."""

    CREATED = "created"
    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELED = "canceled"
    NEEDS_REVIEW = "needs_review"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"

    @property
    def is_open(self) -> bool:
        """Whether the checkout may still end either way."""
        return self in (OrderStatus.CREATED, OrderStatus.AWAITING_PAYMENT)

    @property
    def is_fulfilled(self) -> bool:
        """Whether a payment fulfils it, even if money went back since."""
        return self in (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED, OrderStatus.REFUNDED)

    @property
    def is_unpaid_end(self) -> bool:
        return self in (OrderStatus.FAILED, OrderStatus.EXPIRED, OrderStatus.CANCELED)


_S = OrderStatus
TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    _S.CREATED: frozenset({_S.AWAITING_PAYMENT, _S.FAILED, _S.EXPIRED, _S.CANCELED}),
    _S.AWAITING_PAYMENT: frozenset({_S.PAID, _S.FAILED, _S.EXPIRED, _S.CANCELED, _S.NEEDS_REVIEW}),
    _S.NEEDS_REVIEW: frozenset({_S.PAID, _S.FAILED, _S.CANCELED}),
    _S.FAILED: frozenset({_S.PAID}),
    _S.EXPIRED: frozenset({_S.PAID}),
    _S.CANCELED: frozenset({_S.PAID}),
    _S.PAID: frozenset({_S.CANCELED, _S.PARTIALLY_REFUNDED, _S.REFUNDED}),
    _S.PARTIALLY_REFUNDED: frozenset({_S.PAID, _S.REFUNDED}),
    _S.REFUNDED: frozenset({_S.PAID, _S.PARTIALLY_REFUNDED}),
}


def check_transition(before: OrderStatus, after: OrderStatus) -> None:
    """Raise `IllegalTransition` unless the order may go from `before` to `after`."""
    if after not in TRANSITIONS[before]:
        raise IllegalTransition(f"an order that is {before} cannot become {after}")


class LatePolicy(StrEnum):
    """What happens to money that arrives after the order has ended."""

    REFUND = "refund"
    HONOUR = "honour"


@dataclass(frozen=True)
class Product:
    """One line of the catalogue; `tax_rate` in hundredths of a percent, contained in the price."""

    sku: str
    name: str
    unit_price: Money
    tax_rate: int
    late_policy: LatePolicy


@dataclass(frozen=True)
class Basket:
    """What a client asks for: quantities of skus, and never a price.

    `currency` is the one the client expects, `payable_in` are those its gateway takes. Where the
    client names no gateway, `rules` may name others, which take what `takes` says.
    """

    user_id: str
    email: str
    quantities: tuple[tuple[str, int], ...]
    gateway: str
    payable_in: frozenset[str] | None = None
    rules: tuple[GatewayRule, ...] = ()
    takes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    currency: str | None = None
    timestamp: datetime | None = None


@dataclass(frozen=True)
class OrderItem:
    product: Product
    quantity: int

    @property
    def amount(self) -> Money:
        return self.product.unit_price * self.quantity


@dataclass(frozen=True)
class Order:
    """One order as the checkout sees it: ids, money and states, nothing personal."""

    order_id: str
    client: str
    amount: Money
    gateway: str
    status: OrderStatus
    late_policy: LatePolicy
    result_token: str
    created_at: datetime
    cancel_requested: bool = False
