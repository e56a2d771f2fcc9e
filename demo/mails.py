"""Every mail that was caught, in one SQLite file, exactly as it came."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from demo.mime import header

SCHEMA = """
CREATE TABLE IF NOT EXISTS mails (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL,
    recipients TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    subject TEXT NOT NULL,
    order_id TEXT NOT NULL,
    raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS mails_order ON mails (order_id);
"""
FIND = """
SELECT * FROM mails
WHERE (:to = '' OR instr(lower(recipients), lower(:to))) AND (:order_id IN ('', order_id))
ORDER BY n DESC LIMIT :limit
"""


@dataclass(frozen=True)
class Mail:
    """One mail, numbered in the order of arrival; `recipients` are the envelope's."""

    n: int
    received_at: str
    recipients: str
    message_id: str
    sender: str
    subject: str
    order_id: str
    raw: bytes


class Mails:
    """The file of mails; it may be killed at any time, and keeps what was added."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def add(self, raw: bytes, recipients: Sequence[str]) -> None:
        """Keep a mail for good; it is in the file when this returns."""
        names = ("message-id", "from", "subject", "x-order-id")
        values = [header(raw, name) for name in names]
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._db.execute(
            "INSERT INTO mails VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
            (now, ", ".join(recipients), *values, raw),
        )

    def find(self, to: str = "", order_id: str = "", limit: int = 10_000) -> list[Mail]:
        """The newest first, of one recipient (or part of the address) or one order if asked."""
        rows = self._db.execute(FIND, {"to": to, "order_id": order_id, "limit": limit})
        return [Mail(*row) for row in rows]

    def get(self, n: int) -> Mail | None:
        """The mail of that number."""
        row = self._db.execute("SELECT * FROM mails WHERE n = ?", (n,)).fetchone()
        return Mail(*row) if row else None
