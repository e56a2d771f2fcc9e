"""SQLite in a thread of its own, which is visited once for a statement and its rows, or not at all.

aiosqlite goes there to open a cursor, to execute, to fetch and to close. Each visit waits until
both threads had their turn, and in a busy process all of that time the only writer is waited for.
Why most make no visit: docs/decisions/0026-a-writer-makes-no-visits.md.
"""

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Self

import aiosqlite

PATIENCE_SECONDS = 15
LOOKS_AGAIN_AFTER = (0.001, 0.004)
FIRST_ROWS = 100
CHUNK = 64
# What SQLite means in general; the rest of a code says more of it.
KIND_OF_ERROR = 0xFF


class Connection(aiosqlite.Connection):
    """A transaction begins with its first statement, and is not ended twice."""

    _beginning = ""
    _is_used = False

    def cursor(self) -> Any:
        return Cursor(self, self._conn.cursor())

    def begin(self, words: str) -> None:
        """Have the next statement begin a transaction; `words` are `BEGIN IMMEDIATE` or so."""
        self._beginning = words

    async def commit(self) -> None:
        await self._end(super().commit)

    async def rollback(self) -> None:
        await self._end(super().rollback)

    async def _end(self, end: Callable[[], Awaitable[None]]) -> None:
        self._beginning = ""
        if self._is_used:
            await end()
        self._is_used = False

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        words, self._beginning, self._is_used = self._beginning, "", True
        call = partial(fn, *args, **kwargs)
        if words:
            call = partial(self._begun, words, call)
        return await super()._execute(call)  # type: ignore[no-untyped-call]

    def _begun(self, words: str, then: Callable[[], Any]) -> Any:
        self._conn.execute(words)
        return then()


class Inline(Connection):
    """Does everything where it is asked for, without a visit to the thread.

    So all it does has to be short: the event loop waits, and of a writer everybody, since from
    its first statement on it holds the only write lock. While that is another's it looks again
    and again, and the loop goes on; after `patience` seconds it is locked for good.
    """

    patience: float = PATIENCE_SECONDS

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        words, self._beginning, self._is_used = self._beginning, "", True
        call = partial(fn, *args, **kwargs)
        if self._conn.in_transaction:
            return call()
        return await self._patiently(partial(self._begun, words, call) if words else call)

    async def _patiently(self, first: Callable[[], Any]) -> Any:
        clock = asyncio.get_running_loop().time
        deadline = clock() + self.patience
        while True:
            try:
                return first()
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & KIND_OF_ERROR == sqlite3.SQLITE_BUSY
                if not is_busy or clock() > deadline:
                    raise
            self._conn.rollback()
            await asyncio.sleep(random.uniform(*LOOKS_AGAIN_AFTER))


class Cursor(aiosqlite.Cursor):
    """Fetches the first rows as it executes; most often these are all."""

    _rows: list[Any]
    _is_done = True

    async def execute(self, sql: str, parameters: Any = ()) -> Self:
        self._rows = await self._execute(self._executed, sql, parameters)  # type: ignore[no-untyped-call]
        return self

    async def fetchone(self) -> Any | None:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        size = size or self.arraysize
        rows, self._rows = self._rows[:size], self._rows[size:]
        if len(rows) < size and not self._is_done:
            rows += await super().fetchmany(size - len(rows))
        return rows

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        if not self._is_done:
            rows += await super().fetchall()
        return rows

    async def close(self) -> None:
        if not self._is_done:
            await super().close()

    def _executed(self, sql: str, parameters: Any) -> list[Any]:
        self._is_done = False
        rows = self._cursor.execute(sql, parameters).fetchmany(FIRST_ROWS)
        self._is_done = len(rows) < FIRST_ROWS
        return rows


async def connect(database: str, kind: type[Connection], **options: Any) -> aiosqlite.Connection:
    """A connection for SQLAlchemy, with the options of `sqlite3.connect`."""
    connection = kind(partial(sqlite3.connect, database, **options), CHUNK)
    # A program that ends need not wait for it: whatever was committed is in the file.
    connection._thread.daemon = True
    return await connection
