"""Links, payments, refunds, disputes, calls: what is true, whatever anybody was told."""

import json
import sqlite3
from dataclasses import asdict, replace

from simulator.records import (
    Dispute,
    DisputeStatus,
    Json,
    Link,
    LinkStatus,
    Method,
    Outcome,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)


class Ledger:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add_link(self, link: Link) -> None:
        """Raise `sqlite3.IntegrityError` if the reference was used before."""
        self._insert("links", asdict(link) | {"details": json.dumps(link.details)})

    def add_payment(self, payment: Payment) -> None:
        self._insert("payments", asdict(payment))

    def add_refund(self, refund: Refund) -> None:
        self._insert("refunds", asdict(refund) | {"details": json.dumps(refund.details)})

    def add_dispute(self, dispute: Dispute) -> None:
        self._insert("disputes", asdict(dispute))

    def change_link(self, link: Link, now: float, **changes: object) -> Link:
        self._update("links", link.id, changes | {"updated_at": now})
        return replace(link, updated_at=now, **changes)  # type: ignore[arg-type]

    def change_payment(self, payment: Payment, now: float, **changes: object) -> Payment:
        self._update("payments", payment.id, changes | {"updated_at": now})
        return replace(payment, updated_at=now, **changes)  # type: ignore[arg-type]

    def change_refund(self, refund: Refund, now: float, **changes: object) -> Refund:
        self._update("refunds", refund.id, changes | {"updated_at": now})
        return replace(refund, updated_at=now, **changes)  # type: ignore[arg-type]

    def change_dispute(self, dispute: Dispute, now: float, **changes: object) -> Dispute:
        self._update("disputes", dispute.id, changes | {"updated_at": now})
        return replace(dispute, updated_at=now, **changes)  # type: ignore[arg-type]

    def link(self, link_id: str) -> Link | None:
        """A link of the merchant's; those made elsewhere are not shown."""
        return next(iter(self.links(id=link_id, elsewhere=False)), None)

    def payment(self, payment_id: str) -> Payment | None:
        return next(iter(self.payments(id=payment_id)), None)

    def refund(self, refund_id: str) -> Refund | None:
        return next(iter(self.refunds(id=refund_id)), None)

    def dispute(self, dispute_id: str) -> Dispute | None:
        return next(iter(self.disputes(id=dispute_id)), None)

    def link_paid_by(self, payment_id: str) -> Link | None:
        payment = self.payment(payment_id)
        return self.link_of(payment) if payment else None

    def link_of(self, payment: Payment | Refund | Dispute) -> Link:
        """The link that was paid, also if that was refunded or disputed since."""
        if not isinstance(payment, Payment):
            (payment,) = self.payments(id=payment.payment_id)
        (link,) = self.links(id=payment.link_id)
        return link

    def links_named(self, name: str) -> list[Link]:
        """Find links by order, reference or own id, oldest first."""
        where = "order_id = :name OR reference_id = :name OR id = :name"
        query = f"SELECT * FROM links WHERE {where} ORDER BY created_at, rowid"
        return [link_from(row) for row in self._db.execute(query, {"name": name})]

    def links(self, **equal: object) -> list[Link]:
        return [link_from(row) for row in self._select("links", equal)]

    def payments(self, **equal: object) -> list[Payment]:
        return [payment_from(row) for row in self._select("payments", equal)]

    def refunds(self, **equal: object) -> list[Refund]:
        return [refund_from(row) for row in self._select("refunds", equal)]

    def disputes(self, **equal: object) -> list[Dispute]:
        return [dispute_from(row) for row in self._select("disputes", equal)]

    def links_to_expire(self, now: float) -> list[Link]:
        where = "status = 'created' AND expires_at <= ?"
        rows = self._db.execute(f"SELECT * FROM links WHERE {where} ORDER BY expires_at", (now,))
        return [link_from(row) for row in rows.fetchall()]

    def payments_to_settle(self, now: float) -> list[Payment]:
        where = "status = 'created' AND settle_at <= ?"
        rows = self._db.execute(f"SELECT * FROM payments WHERE {where} ORDER BY settle_at", (now,))
        return [payment_from(row) for row in rows.fetchall()]

    def next_timer(self) -> float | None:
        """When the next link expires or the next payment settles by itself."""
        row = self._db.execute(
            "SELECT min(at) FROM (SELECT min(expires_at) AS at FROM links WHERE status = 'created'"
            " UNION ALL SELECT min(settle_at) FROM payments WHERE status = 'created')"
        ).fetchone()
        due: float | None = row[0]
        return due

    def log_call(
        self, at: float, method: str, path: str, status: int | None, order_id: str | None
    ) -> None:
        values = (at, method, path, status, order_id)
        self._db.execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?)", values)

    def calls(self, order_id: str | None) -> list[Json]:
        where = "order_id = :order_id OR :order_id IS NULL"
        query = f"SELECT at, method, path, status FROM calls WHERE {where} ORDER BY rowid"
        return [dict(row) for row in self._db.execute(query, {"order_id": order_id})]

    def _insert(self, table: str, values: Json) -> None:
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)

    def _update(self, table: str, row_id: str, values: Json) -> None:
        pairs = ", ".join(f"{name} = :{name}" for name in values)
        self._db.execute(
            f"UPDATE {table} SET {pairs} WHERE id = :row_id", values | {"row_id": row_id}
        )

    def _select(self, table: str, equal: dict[str, object]) -> list[sqlite3.Row]:
        where = " AND ".join(f"{name} = :{name}" for name in equal) or "true"
        query = f"SELECT * FROM {table} WHERE {where} ORDER BY created_at, rowid"
        return self._db.execute(query, equal).fetchall()


def link_from(row: sqlite3.Row) -> Link:
    values = dict(row)
    values |= {"status": LinkStatus(row["status"]), "details": json.loads(row["details"])}
    return Link(**values | {"elsewhere": bool(row["elsewhere"])})


def payment_from(row: sqlite3.Row) -> Payment:
    values = dict(row)
    values |= {"status": PaymentStatus(row["status"]), "method": Method(row["method"])}
    return Payment(**values | {"outcome": Outcome(row["outcome"])})


def refund_from(row: sqlite3.Row) -> Refund:
    values = dict(row)
    values |= {"status": RefundStatus(row["status"]), "details": json.loads(row["details"])}
    return Refund(**values)


def dispute_from(row: sqlite3.Row) -> Dispute:
    return Dispute(**dict(row) | {"status": DisputeStatus(row["status"])})
