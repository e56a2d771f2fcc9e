"""Money that goes to the merchant: everything captured, less refunds, losses and fees.

A real gateway settles some working days after a capture. Here it is done when a test says so, or
by itself after a delay.
"""

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace

from simulator.books import Books
from simulator.database import transaction
from simulator.dialect import Dialect
from simulator.records import Dispute, Entry, EntryKind, Payment, Refund, Settlement

LONGEST_NAP = 30.0


class Settlements:
    def __init__(self, books: Books, dialects: Mapping[str, Dialect]) -> None:
        self._books, self._statement, self._dialects = books, books.statement, dialects

    def settle(self, before: float = float("inf")) -> list[Settlement]:
        """Settle what happened `before` and is not settled yet: one settlement per currency.

        What is left may be less than nothing. A gateway would wait for better days; here refunds
        are settled without any payment beside them, so that there is a line about them to read.
        """
        with transaction(self._books.db):
            purses: dict[tuple[str, str], list[Entry]] = {}
            for entry in self._due(before):
                purses.setdefault((self._dialect_of(entry), entry.currency), []).append(entry)
            return [self._pay_out(*purse, entries) for purse, entries in purses.items()]

    async def settle_after(self, delay: float) -> None:
        """Settle whatever is older than `delay` seconds, for ever; up to twice as late."""
        while True:
            await asyncio.sleep(min(delay, LONGEST_NAP))
            self.settle(self._books.clock() - delay)

    def _due(self, before: float) -> Iterator[Entry]:
        statement = self._statement
        yield from map(of_payment, statement.unsettled_payments(before))
        yield from map(of_refund, statement.unsettled_refunds(before))
        yield from map(self._of_loss, statement.unsettled_losses(before))
        yield from map(self._undone, statement.settled_in_vain(before))

    def _of_loss(self, dispute: Dispute) -> Entry:
        (payment,) = self._books.ledger.payments(id=dispute.payment_id)
        return Entry(
            id=self._adjustment_id(payment),
            kind=EntryKind.ADJUSTMENT,
            source_id=dispute.id,
            payment_id=payment.id,
            amount=dispute.amount,
            currency=dispute.currency,
            debit=dispute.amount,
            created_at=dispute.updated_at,
        )

    def _undone(self, entry: Entry) -> Entry:
        """The opposite of an entry, its fee given back."""
        (payment,) = self._books.ledger.payments(id=entry.payment_id)
        return Entry(
            id=self._adjustment_id(payment),
            kind=EntryKind.ADJUSTMENT,
            source_id=entry.source_id,
            payment_id=entry.payment_id,
            amount=entry.credit + entry.debit,
            currency=entry.currency,
            debit=entry.credit,
            credit=entry.debit,
            created_at=self._books.clock(),
        )

    def _pay_out(self, dialect: str, currency: str, entries: list[Entry]) -> Settlement:
        settlement = Settlement(
            id=self._dialects[dialect].new_id("settlement"),
            dialect=dialect,
            amount=sum(entry.credit - entry.debit for entry in entries),
            currency=currency,
            fees=sum(entry.fee for entry in entries),
            tax=sum(entry.tax for entry in entries),
            utr=f"UTR{secrets.randbelow(10**13):013}",
            created_at=self._books.clock(),
        )
        named = [replace(entry, settlement_id=settlement.id) for entry in entries]
        self._statement.add(settlement, named)
        return settlement

    def _adjustment_id(self, payment: Payment) -> str:
        link = self._books.ledger.link_of(payment)
        return self._dialects[link.dialect].new_id("adjustment")

    def _dialect_of(self, entry: Entry) -> str:
        (payment,) = self._books.ledger.payments(id=entry.payment_id)
        return self._books.ledger.link_of(payment).dialect


def of_payment(payment: Payment) -> Entry:
    return Entry(
        id=payment.id,
        kind=EntryKind.PAYMENT,
        source_id=payment.id,
        payment_id=payment.id,
        amount=payment.amount,
        currency=payment.currency,
        fee=payment.fee,
        tax=payment.tax,
        credit=payment.amount - payment.fee - payment.tax,
        created_at=payment.created_at,
    )


def of_refund(refund: Refund) -> Entry:
    return Entry(
        id=refund.id,
        kind=EntryKind.REFUND,
        source_id=refund.id,
        payment_id=refund.payment_id,
        amount=refund.amount,
        currency=refund.currency,
        debit=refund.amount,
        created_at=refund.created_at,
    )
