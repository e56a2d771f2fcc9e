"""Everything that is written down, in one state file and by one clock."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from simulator.alarm import Alarm, Clock
from simulator.database import open_database
from simulator.faults import FaultBook
from simulator.ledger import Ledger
from simulator.outbox import Outbox
from simulator.statement import Statement


@dataclass(frozen=True, slots=True)
class Books:
    db: sqlite3.Connection
    ledger: Ledger
    statement: Statement
    outbox: Outbox
    faults: FaultBook
    clock: Clock


def open_books(state: Path, clock: Clock) -> Books:
    db = open_database(state)
    ledger, outbox = Ledger(db), Outbox(db, Alarm(clock))
    return Books(db, ledger, Statement(db, ledger), outbox, FaultBook(db, clock), clock)
