"""What a gateway's transaction file says, row by row, in our words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.money import Money

START = ""


class EntryKind(StrEnum):
    """`other` is what has no order: transfers, adjustments, fees of their own."""

    PAYMENT = "payment"
    REFUND = "refund"
    OTHER = "other"


class Entry(NamedTuple):
    """One row of a transaction file; a plain tuple, since files have millions of them.

    `status` is the word of a `PaymentStatus` or a `RefundStatus`. Amounts are minor units of
    `currency`, the fee without its tax. Moments are Unix seconds. `order_reference` is the wire
    key of our link, `our_id` the order's or the refund's id, where the gateway carries them back.
    """

    position: int
    kind: EntryKind
    reference: str
    payment_reference: str | None
    order_reference: str | None
    our_id: str | None
    status: str
    amount_minor: int
    currency: str
    fee_minor: int | None
    tax_minor: int | None
    method: str | None
    settlement_id: str | None
    occurred_at: int
    settled_at: int | None


@dataclass(frozen=True)
class SettlementTotal:
    """What the gateway says it paid out under one settlement id, after fees and tax."""

    settlement_id: str
    net: Money
    fee: Money
    tax: Money
    settled_at: datetime
    bank_reference: str | None = None


@dataclass(frozen=True)
class Chunk:
    """Some rows in the order of the file, and where the next chunk begins.

    A `cursor` means something only to the adapter that gave it; `START` is before the first row.
    `is_last` says that the source ended here, as it must end: nothing was cut off.
    """

    entries: list[Entry]
    cursor: str
    totals: tuple[SettlementTotal, ...] = ()
    is_last: bool = False


@dataclass(frozen=True)
class TransactionFile:
    """A file as it was kept: known by its gateway and the sha256 of its bytes, never by name."""

    gateway: str
    sha256: str
    name: str
    size: int


class Report(StrEnum):
    """What a gateway's report API lists: transactions by when they began, or what it paid out."""

    TRANSACTIONS = "transactions"
    SETTLEMENTS = "settlements"
