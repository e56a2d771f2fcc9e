"""What Razorpay lists: payments, refunds, settlements and what each day's settlements contained.

Source: https://razorpay.com/docs/api/settlements, …/payments and …/refunds. All amounts are
minor units, and a fee includes its tax.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from domain.errors import FileRefused
from domain.money import Money
from domain.payments import PaymentStatus
from domain.reconciliations import Period
from domain.refunds import RefundStatus
from domain.settlements import Entry, EntryKind, Report, SettlementTotal
from gateways.bodies import Json, text, word
from gateways.razorpay.account import noted
from gateways.razorpay.payments import status_of
from gateways.razorpay.refunds import STATUSES, our_id
from gateways.razorpay.texts import INDIA

Told = Entry | SettlementTotal

# Settlements, and all that the API says of them, are in rupees.
SETTLED_IN = "INR"
RECON = "/v1/settlements/recon/combined"
SETTLED: dict[str, tuple[EntryKind, PaymentStatus | RefundStatus]] = {
    "payment": (EntryKind.PAYMENT, PaymentStatus.CAPTURED),
    "refund": (EntryKind.REFUND, RefundStatus.SUCCEEDED),
}
OTHER: tuple[EntryKind, PaymentStatus | RefundStatus] = (EntryKind.OTHER, PaymentStatus.UNKNOWN)


@dataclass(frozen=True)
class Listing:
    """A list that is read `count` items at a time; `told` puts an item into our words."""

    name: str
    path: str
    query: dict[str, str]
    told: Callable[[Json, int], Told | None]
    count: int = 100
    named: str = "id"


def listings(report: Report, period: Period) -> list[Listing]:
    """The lists that a report is made of, in the order in which they are read."""
    since, until = period.start.timestamp(), period.end.timestamp()
    # Both are included there, and whole seconds.
    query = {"from": str(math.floor(since)), "to": str(math.ceil(until) - 1)}
    if report is Report.TRANSACTIONS:
        return [
            Listing("payments", "/v1/payments", query, payment_told),
            Listing("refunds", "/v1/refunds", query, refund_told),
        ]
    return [
        Listing("settlements", "/v1/settlements", query, settlement_told),
        *(recon_of(day) for day in days_of(period)),
    ]


def days_of(period: Period) -> Iterator[date]:
    """The days on which it lies, in India: a settlement's rows are asked for by its day."""
    day = period.start.astimezone(INDIA).date()
    while datetime(day.year, day.month, day.day, tzinfo=INDIA) < period.end:
        yield day
        day += timedelta(days=1)


def recon_of(day: date) -> Listing:
    query = {"year": f"{day:%Y}", "month": f"{day:%m}", "day": f"{day:%d}"}
    return Listing(day.isoformat(), RECON, query, settled_told, count=1000, named="entity_id")


def payment_told(item: Json, position: int) -> Entry:
    return entry_of(item, position, EntryKind.PAYMENT, status_of(item))


def refund_told(item: Json, position: int) -> Entry:
    status = STATUSES.get(text(item, "status"), RefundStatus.PENDING)
    return entry_of(item, position, EntryKind.REFUND, status)


def settlement_told(item: Json, position: int) -> SettlementTotal | None:
    """What is paid out; a settlement that failed pays nothing."""
    if text(item, "status") == "failed":
        return None
    return SettlementTotal(
        settlement_id=text(item, "id"),
        net=Money(item["amount"], SETTLED_IN),
        fee=Money(item["fees"] - item["tax"], SETTLED_IN),
        tax=Money(item["tax"], SETTLED_IN),
        settled_at=datetime.fromtimestamp(item["created_at"], UTC),
        bank_reference=word(item, "utr"),
    )


def settled_told(item: Json, position: int) -> Entry:
    """A row of a day's settlements. Raises `FileRefused` if its sums contradict each other.

    What is neither a payment nor a refund has the amount that it adds, before fee and tax.
    """
    row = entry_of(item, position, *SETTLED.get(text(item, "type"), OTHER), named="entity_id")
    added = item["credit"] - item["debit"] + (row.fee_minor or 0) + (row.tax_minor or 0)
    if row.kind is EntryKind.OTHER:
        return row._replace(amount_minor=added)
    if added != (row.amount_minor if row.kind is EntryKind.PAYMENT else -row.amount_minor):
        raise FileRefused(f"{row.reference}: debit and credit do not follow from amount and fee")
    return row


def entry_of(
    item: Json,
    position: int,
    kind: EntryKind,
    status: PaymentStatus | RefundStatus,
    named: str = "id",
) -> Entry:
    amount = Money(item["amount"], text(item, "currency"))
    gross, tax = sum_in(item, "fee"), sum_in(item, "tax")
    is_refund = kind is EntryKind.REFUND
    return Entry(
        position=position,
        kind=kind,
        reference=text(item, named),
        payment_reference=text(item, "payment_id") if is_refund else None,
        order_reference=word(item, "order_receipt"),
        our_id=our_id(item) if is_refund else noted(item, "order_id"),
        status=status.value,
        amount_minor=amount.minor,
        currency=amount.currency,
        fee_minor=None if gross is None else gross - (tax or 0),
        tax_minor=tax,
        method=word(item, "method"),
        settlement_id=word(item, "settlement_id"),
        occurred_at=moment_in(item, "created_at"),
        settled_at=moment_in(item, "settled_at") if item.get("settled_at") else None,
    )


def sum_in(item: Json, name: str) -> int | None:
    value = item.get(name)
    return None if value is None else Money(value, SETTLED_IN).minor


def moment_in(item: Json, name: str) -> int:
    """Unix seconds."""
    return int(datetime.fromtimestamp(item[name], UTC).timestamp())
