"""Letters as they are first written: all that each says, the same on every repeat."""

from dataclasses import dataclass
from datetime import datetime

from domain.invoices import CreditNote, Invoice
from domain.money import Money
from domain.orders import OrderItem
from domain.payments import Payment


@dataclass(frozen=True)
class Letter:
    """What every letter has. `letter_id` is the id of what it tells of."""

    letter_id: str
    order_id: str
    message_id: str
    written_at: datetime
    to: str
    amount: Money
    result_token: str


@dataclass(frozen=True)
class ConfirmationLetter(Letter):
    """The order is paid. Orders from before there were invoices have none."""

    items: tuple[OrderItem, ...]
    payment: Payment
    invoice: Invoice | None = None


@dataclass(frozen=True)
class RefundLetter(Letter):
    """Money is on its way back; `amount` is the refund's. Only invoices are credited."""

    refund_id: str
    payment: Payment
    credit_note: CreditNote | None = None


@dataclass(frozen=True)
class DoubtLetter(Letter):
    """Nobody can say yet whether the order was paid."""


@dataclass(frozen=True)
class ExpiryLetter(Letter):
    """The time to pay is over, and nothing was paid."""
