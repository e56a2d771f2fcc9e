"""SQLite in a thread of its own, which is visited once for a statement and its rows.

aiosqlite goes there to open a cursor, to execute, to fetch and to close. Each visit waits until
both threads had their turn, and in a busy process all of that time the only writer is waited for.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Self

import aiosqlite

FIRST_ROWS = 100
CHUNK = 64


async def connect(database: str, **options: Any) -> aiosqlite.Connection:
    """A connection for SQLAlchemy, with the options of `sqlite3.connect`."""
    connection = Connection(partial(sqlite3.connect, database, **options), CHUNK)
    # A program that ends need not wait for it: whatever was committed is in the file.
    connection._thread.daemon = True
    return await connection


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
