"""The state file: SQLite in WAL mode, so that what was committed survives a kill at any moment."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Raised with every change of the tables; there are no migrations for a test double's memory.
VERSION = 4

SCHEMA = """
CREATE TABLE IF NOT EXISTS links (
    id TEXT PRIMARY KEY, dialect TEXT NOT NULL, order_id TEXT, reference_id TEXT,
    gateway_order_id TEXT, status TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    description TEXT NOT NULL, return_url TEXT, details TEXT NOT NULL,
    created_at REAL NOT NULL, updated_at REAL NOT NULL, expires_at REAL NOT NULL, closed_at REAL,
    elsewhere INTEGER NOT NULL, UNIQUE (dialect, reference_id));
CREATE INDEX IF NOT EXISTS links_by_order ON links (order_id);
CREATE INDEX IF NOT EXISTS links_by_gateway_order ON links (gateway_order_id);
CREATE INDEX IF NOT EXISTS links_to_expire ON links (expires_at) WHERE status = 'created';
CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY, link_id TEXT NOT NULL REFERENCES links, status TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, method TEXT NOT NULL, outcome TEXT NOT NULL,
    settle_at REAL, captured_at REAL, amount_refunded INTEGER NOT NULL,
    fee INTEGER NOT NULL, tax INTEGER NOT NULL,
    created_at REAL NOT NULL, updated_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS payments_by_link ON payments (link_id);
CREATE INDEX IF NOT EXISTS payments_to_settle ON payments (settle_at) WHERE status = 'created';
CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY, payment_id TEXT NOT NULL REFERENCES payments, status TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, receipt TEXT, key TEXT UNIQUE,
    details TEXT NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL,
    UNIQUE (payment_id, receipt));
CREATE TABLE IF NOT EXISTS disputes (
    id TEXT PRIMARY KEY, payment_id TEXT NOT NULL REFERENCES payments, status TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, reason TEXT NOT NULL,
    respond_by REAL NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS disputes_by_payment ON disputes (payment_id);
CREATE TABLE IF NOT EXISTS settlements (
    id TEXT PRIMARY KEY, dialect TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    fees INTEGER NOT NULL, tax INTEGER NOT NULL, utr TEXT NOT NULL, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, source_id TEXT NOT NULL,
    payment_id TEXT NOT NULL REFERENCES payments,
    settlement_id TEXT NOT NULL REFERENCES settlements,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, fee INTEGER NOT NULL, tax INTEGER NOT NULL,
    debit INTEGER NOT NULL, credit INTEGER NOT NULL, created_at REAL NOT NULL,
    UNIQUE (kind, source_id));
CREATE INDEX IF NOT EXISTS entries_by_settlement ON entries (settlement_id);
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY, dialect TEXT NOT NULL, name TEXT NOT NULL,
    link_id TEXT NOT NULL REFERENCES links, payment_id TEXT, body BLOB NOT NULL,
    genuine INTEGER NOT NULL, created_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_link ON events (link_id);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, event_id TEXT NOT NULL REFERENCES events, link_id TEXT NOT NULL,
    due_at REAL, attempts INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (link_id, due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS attempts (
    event_id TEXT NOT NULL REFERENCES events, attempt INTEGER NOT NULL, status_code INTEGER,
    at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS attempts_by_event ON attempts (event_id);
CREATE TABLE IF NOT EXISTS calls (
    at REAL NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER, order_id TEXT);
CREATE INDEX IF NOT EXISTS calls_by_order ON calls (order_id);
CREATE TABLE IF NOT EXISTS answers (
    dialect TEXT NOT NULL, key TEXT NOT NULL, request BLOB NOT NULL, body BLOB NOT NULL,
    at REAL NOT NULL, PRIMARY KEY (dialect, key));
CREATE TABLE IF NOT EXISTS faults (
    name TEXT PRIMARY KEY, settings TEXT NOT NULL, first_call_at REAL);
CREATE TABLE IF NOT EXISTS fault_names (
    alias TEXT PRIMARY KEY, name TEXT NOT NULL REFERENCES faults ON DELETE CASCADE);
"""


class OtherVersion(Exception):
    """The state file was written by a simulator with other tables."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the state file, or begin a new one; raise `OtherVersion` if it cannot be read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None, timeout=5)
    db.row_factory = sqlite3.Row
    # WAL with NORMAL loses nothing to a killed process; only a power cut could.
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;")
    if db.execute("SELECT 1 FROM sqlite_master").fetchone() and version_of(db) != VERSION:
        raise OtherVersion(f"{path} was written by another version of the simulator: remove it")
    db.executescript(f"{SCHEMA} PRAGMA user_version={VERSION};")
    return db


def version_of(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Never await inside: the one connection is shared by the whole process."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
