"""What was settled, and what is still to be: the merchant's balance, line by line."""

import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from simulator.ledger import Ledger, dispute_from, payment_from, refund_from
from simulator.records import (
    Dispute,
    Entry,
    EntryKind,
    Link,
    Payment,
    Refund,
    Settlement,
)

AT_A_TIME = 500
MADE = """
JOIN links ON links.id = payments.link_id WHERE dialect = ? AND {table}.created_at >= ?
AND {table}.created_at < ? ORDER BY {table}.created_at, {table}.rowid
"""
UNSETTLED = "NOT EXISTS (SELECT 1 FROM entries WHERE kind = '{kind}' AND source_id = {table}.id)"


@dataclass(frozen=True, slots=True)
class Period:
    """Unix seconds; `until` is the first moment that no longer belongs to it."""

    since: float = 0
    until: float = float("inf")


@dataclass(frozen=True, slots=True)
class Line:
    """An entry and everything it is about."""

    entry: Entry
    settlement: Settlement
    payment: Payment
    link: Link
    refund: Refund | None = None
    dispute: Dispute | None = None


class Statement:
    def __init__(self, db: sqlite3.Connection, ledger: Ledger) -> None:
        self._db, self._ledger = db, ledger

    def add(self, settlement: Settlement, entries: list[Entry]) -> None:
        """Raise `sqlite3.IntegrityError` for what was settled before."""
        self._insert("settlements", [asdict(settlement)])
        self._insert("entries", [asdict(entry) for entry in entries])

    def settlements(self, dialect: str, period: Period) -> list[Settlement]:
        """Oldest first."""
        rows = self._db.execute(
            "SELECT * FROM settlements WHERE dialect = ? AND created_at >= ? AND created_at < ?"
            " ORDER BY created_at, rowid",
            (dialect, period.since, period.until),
        )
        return [Settlement(**row) for row in rows]

    def settlement(self, settlement_id: str) -> Settlement | None:
        query = "SELECT * FROM settlements WHERE id = ?"
        row = self._db.execute(query, (settlement_id,)).fetchone()
        return Settlement(**row) if row else None

    def lines(self, dialect: str, period: Period) -> Iterator[Line]:
        """What was settled within the period, in the order it was; read a few at a time."""
        settlements = {each.id: each for each in self.settlements(dialect, period)}
        for settlement in settlements.values():
            last = 0
            while entries := self._entries_after(settlement, last):
                yield from (self._line(entry, settlement) for entry in entries)
                last = entries[-1].number or 0

    def payments(self, dialect: str, period: Period) -> list[Payment]:
        """Every attempt made within the period, settled or not, oldest first."""
        query = f"SELECT payments.* FROM payments {MADE.format(table='payments')}"
        rows = self._db.execute(query, (dialect, period.since, period.until))
        return [payment_from(row) for row in rows]

    def refunds(self, dialect: str, period: Period) -> list[Refund]:
        """Every refund made within the period, settled or not, oldest first."""
        joined = "refunds JOIN payments ON payments.id = refunds.payment_id"
        query = f"SELECT refunds.* FROM {joined} {MADE.format(table='refunds')}"
        rows = self._db.execute(query, (dialect, period.since, period.until))
        return [refund_from(row) for row in rows]

    def unsettled_payments(self, before: float) -> list[Payment]:
        """Captured payments that no settlement contains."""
        rows = self._unsettled("payments", EntryKind.PAYMENT, "captured_at < ?", before)
        return [payment_from(row) for row in rows]

    def unsettled_refunds(self, before: float) -> list[Refund]:
        where = "status = 'processed' AND updated_at < ?"
        rows = self._unsettled("refunds", EntryKind.REFUND, where, before)
        return [refund_from(row) for row in rows]

    def unsettled_losses(self, before: float) -> list[Dispute]:
        """Disputes that were lost, and not yet paid for."""
        where = "status = 'lost' AND updated_at < ?"
        rows = self._unsettled("disputes", EntryKind.ADJUSTMENT, where, before)
        return [dispute_from(row) for row in rows]

    def settled_in_vain(self, before: float) -> list[Entry]:
        """Entries of payments and refunds that failed after they were settled."""
        rows = self._db.execute(
            "SELECT entries.* FROM entries LEFT JOIN payments ON payments.id = source_id"
            " LEFT JOIN refunds ON refunds.id = source_id"
            " WHERE coalesce(payments.status, refunds.status) = 'failed'"
            " AND coalesce(payments.updated_at, refunds.updated_at) < ?"
            " AND kind <> 'adjustment' AND NOT EXISTS (SELECT 1 FROM entries AS later"
            " WHERE later.kind = 'adjustment' AND later.source_id = entries.source_id)"
            " ORDER BY number",
            (before,),
        )
        return [entry_from(row) for row in rows]

    def _entries_after(self, settlement: Settlement, number: int) -> list[Entry]:
        query = (
            "SELECT * FROM entries WHERE settlement_id = ? AND number > ? ORDER BY number LIMIT ?"
        )
        rows = self._db.execute(query, (settlement.id, number, AT_A_TIME))
        return [entry_from(row) for row in rows]

    def _line(self, entry: Entry, settlement: Settlement) -> Line:
        (payment,) = self._ledger.payments(id=entry.payment_id)
        refund, dispute = (
            self._ledger.refund(entry.source_id),
            self._ledger.dispute(entry.source_id),
        )
        return Line(entry, settlement, payment, self._ledger.link_of(payment), refund, dispute)

    def _unsettled(
        self, table: str, kind: EntryKind, where: str, before: float
    ) -> list[sqlite3.Row]:
        unsettled = UNSETTLED.format(kind=kind, table=table)
        query = f"SELECT * FROM {table} WHERE {where} AND {unsettled} ORDER BY created_at, rowid"
        return self._db.execute(query, (before,)).fetchall()

    def _insert(self, table: str, rows: list[dict[str, object]]) -> None:
        names = list(rows[0])
        marks = ", ".join(f":{name}" for name in names)
        self._db.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)


def entry_from(row: sqlite3.Row) -> Entry:
    return Entry(**dict(row) | {"kind": EntryKind(row["kind"])})
