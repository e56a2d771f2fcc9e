"""What was answered under an idempotency key, so that the same request gets the same again."""

import sqlite3
from dataclasses import dataclass

from simulator.alarm import Clock

KEPT_FOR = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Kept:
    """One request and its answer, byte for byte."""

    request: bytes
    body: bytes


class Answers:
    """One dialect's answers. After a day a key counts as new."""

    def __init__(self, db: sqlite3.Connection, dialect: str, clock: Clock) -> None:
        self._db, self._dialect, self._clock = db, dialect, clock

    def under(self, key: str) -> Kept | None:
        row = self._db.execute(
            "SELECT request, body FROM answers WHERE dialect = ? AND key = ? AND at > ?",
            (self._dialect, key, self._clock() - KEPT_FOR),
        ).fetchone()
        return Kept(row["request"], row["body"]) if row else None

    def keep(self, key: str, request: bytes, body: bytes) -> None:
        values = (self._dialect, key, request, body, self._clock())
        self._db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", values)
