"""Events and their deliveries: written with the change they tell of, so no notice can be lost."""

import sqlite3
from dataclasses import dataclass

from simulator.alarm import Alarm
from simulator.records import Event, Json


@dataclass(frozen=True, slots=True)
class Delivery:
    """One copy of an event on its way; `attempts` counts the tries so far."""

    id: int
    attempts: int
    event: Event


class Outbox:
    def __init__(self, db: sqlite3.Connection, alarm: Alarm) -> None:
        self._db = db
        self.alarm = alarm

    def add(self, event: Event) -> None:
        self._db.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                event.id,
                event.dialect,
                event.name,
                event.link_id,
                event.payment_id,
                event.body,
                event.genuine,
                event.created_at,
            ),
        )

    def send(self, event: Event, due_at: float) -> None:
        """Queue one delivery. Deliveries of one link leave in the order they were queued."""
        values = (event.id, event.link_id, due_at)
        self._db.execute(
            "INSERT INTO deliveries (event_id, link_id, due_at) VALUES (?, ?, ?)", values
        )
        self.alarm.ring()

    def queues(self) -> list[tuple[str, float]]:
        """Links that have something to send, each with when it is due, the soonest first."""
        query = "SELECT link_id, min(due_at) AS due FROM deliveries WHERE due_at IS NOT NULL"
        return self._db.execute(f"{query} GROUP BY link_id ORDER BY due").fetchall()

    def next_delivery(self, link_id: str, now: float) -> Delivery | None:
        row = self._db.execute(
            "SELECT deliveries.id AS delivery_id, attempts, events.* FROM deliveries"
            " JOIN events ON events.id = event_id WHERE deliveries.link_id = ? AND due_at <= ?"
            " ORDER BY due_at, deliveries.id LIMIT 1",
            (link_id, now),
        ).fetchone()
        return Delivery(row["delivery_id"], row["attempts"], event_from(row)) if row else None

    def record(
        self, delivery: Delivery, status_code: int | None, at: float, retry_at: float | None
    ) -> None:
        """Note one try; `retry_at` None means there will be no further one."""
        attempt = delivery.attempts + 1
        values = (delivery.event.id, attempt, status_code, at)
        self._db.execute("INSERT INTO attempts VALUES (?, ?, ?, ?)", values)
        self._db.execute(
            "UPDATE deliveries SET attempts = ?, due_at = ? WHERE id = ?",
            (attempt, retry_at, delivery.id),
        )

    def events(self, link_id: str) -> list[Event]:
        query = "SELECT * FROM events WHERE link_id = ? ORDER BY rowid"
        return [event_from(row) for row in self._db.execute(query, (link_id,))]

    def attempts(self, link_id: str) -> list[Json]:
        query = (
            "SELECT event_id, name AS event, attempt, status_code, at, genuine AS signature_ok"
            " FROM attempts JOIN events ON events.id = event_id WHERE link_id = ?"
            " ORDER BY attempts.rowid"
        )
        rows = self._db.execute(query, (link_id,))
        return [dict(row) | {"signature_ok": bool(row["signature_ok"])} for row in rows]


def event_from(row: sqlite3.Row) -> Event:
    return Event(
        id=row["id"],
        dialect=row["dialect"],
        name=row["name"],
        link_id=row["link_id"],
        payment_id=row["payment_id"],
        body=row["body"],
        genuine=bool(row["genuine"]),
        created_at=row["created_at"],
    )
