"""What files and reports say of the ledger, with the errors that were planted in them.

The ledger itself, the lookup of a single payment and the sums of settlements stay true.
"""

from collections.abc import Iterator
from dataclasses import replace

from simulator.books import Books
from simulator.faults import RowFaults
from simulator.records import (
    Entry,
    EntryKind,
    Link,
    LinkStatus,
    Method,
    Payment,
    Refund,
    Settlement,
)
from simulator.settlements import of_payment
from simulator.statement import Line, Period

NO_FAULTS = RowFaults()


class PlantedReports:
    def __init__(self, books: Books) -> None:
        self._ledger, self._faults, self._statement = books.ledger, books.faults, books.statement

    def payments(self, dialect: str, period: Period) -> Iterator[Payment]:
        """Every attempt made within the period, oldest first."""
        for payment in self._statement.payments(dialect, period):
            names = self._ledger.link_of(payment).names
            faults = self._faults.of(names).payment_rows or NO_FAULTS
            told = replace(
                payment,
                amount=payment.amount if faults.amount is None else faults.amount,
                currency=faults.currency or payment.currency,
            )
            yield from [told] * faults.copies

    def refunds(self, dialect: str, period: Period) -> Iterator[Refund]:
        """Every refund made within the period, oldest first."""
        for refund in self._statement.refunds(dialect, period):
            names = self._ledger.link_of(refund).names
            faults = self._faults.of(names).refund_rows or NO_FAULTS
            told = replace(
                refund,
                amount=refund.amount if faults.amount is None else faults.amount,
                currency=faults.currency or refund.currency,
            )
            yield from [told] * faults.copies

    def lines(self, dialect: str, period: Period) -> Iterator[Line]:
        """What was settled within the period, in the order it was."""
        for line in self._statement.lines(dialect, period):
            faults = self._faults_of(line)
            told = replace(line, entry=misstated(line.entry, faults))
            yield from [told] * faults.copies

    def _faults_of(self, line: Line) -> RowFaults:
        faults = self._faults.of(line.link.names)
        rows = {EntryKind.PAYMENT: faults.payment_rows, EntryKind.REFUND: faults.refund_rows}
        return rows.get(line.entry.kind) or NO_FAULTS


def misstated(entry: Entry, faults: RowFaults) -> Entry:
    """The entry with another amount or currency, and a balance that follows from it."""
    amount = entry.amount if faults.amount is None else faults.amount
    surplus = amount - entry.amount
    return replace(
        entry,
        amount=amount,
        currency=faults.currency or entry.currency,
        credit=entry.credit + (surplus if entry.kind is EntryKind.PAYMENT else 0),
        debit=entry.debit + (surplus if entry.kind is EntryKind.REFUND else 0),
    )


def stranger(number: int, payment_id: str, settlement_id: str, dialect: str, at: float) -> Line:
    """A line about a payment that nobody made, of an order that nobody placed."""
    link = Link(
        id=f"link-of-stranger-{number}",
        dialect=dialect,
        amount=10_000 + number,
        currency="INR",
        reference_id=f"stranger-{number}",
        status=LinkStatus.PAID,
        elsewhere=True,
        created_at=at,
        expires_at=at,
    )
    payment = Payment(
        id=payment_id,
        link_id=link.id,
        amount=link.amount,
        currency=link.currency,
        method=Method.UPI,
        created_at=at,
        captured_at=at,
    )
    entry = replace(of_payment(payment), settlement_id=settlement_id)
    return Line(entry, settlement_of(entry, dialect), payment, link)


def settlement_of(entry: Entry, dialect: str) -> Settlement:
    return Settlement(
        id=entry.settlement_id,
        dialect=dialect,
        amount=entry.credit,
        currency=entry.currency,
        fees=entry.fee,
        tax=entry.tax,
        utr=f"UTR{entry.amount:013}",
        created_at=entry.created_at,
    )
