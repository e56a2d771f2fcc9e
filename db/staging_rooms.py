"""Where rows are staged: in the orders' PostgreSQL, or beside the orders' SQLite file.

SQLite has one writer per file. Rows that go into a file of their own leave the shop's alone.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from db.driver import PATIENCE_SECONDS
from db.engine import Database, make_engine, names_trouble
from db.staged_tables import STAGED, transactions
from domain.settlements import Entry

COLUMNS = [column.name for column in transactions.columns]
# What differs is little, which PostgreSQL cannot know: it would let one hand join alone, rather
# than pass on what several find.
COMPARING = ("work_mem = '256MB'", "parallel_setup_cost = 10", "parallel_tuple_cost = 0.001")
CACHE_KIB = 8 * 1024


class Room(Protocol):
    """A place for staged rows."""

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One transaction over the staged rows."""

    def compare(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One snapshot of staged rows and orders. What is made on it are temporary tables."""

    async def add(self, connection: AsyncConnection, load: int, entries: Sequence[Entry]) -> None:
        """Add rows to a load, as part of the connection's transaction."""


def room_beside(database: Database) -> Room:
    if sa.make_url(database.url).get_backend_name() == "sqlite":
        return SqliteRoom(database.url)
    return PostgresRoom(database)


class PostgresRoom:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        async with self._database.write() as session:
            yield await session.connection()

    @asynccontextmanager
    async def compare(self) -> AsyncIterator[AsyncConnection]:
        async with self.write() as connection:
            # A load that was just staged would be taken for a handful of rows.
            await connection.exec_driver_sql(f"ANALYZE {transactions.name}")
        async with self._database.write() as session:
            options = {"isolation_level": "REPEATABLE READ"}
            connection = await session.connection(execution_options=options)
            for setting in COMPARING:
                await connection.exec_driver_sql(f"SET LOCAL {setting}")
            yield connection
            await session.rollback()

    async def add(self, connection: AsyncConnection, load: int, entries: Sequence[Entry]) -> None:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw
        # The driver begins a transaction with its first statement, and COPY is none: without one
        # the rows would stay, whatever becomes of the rest.
        assert raw.is_in_transaction()
        rows = ((load, *entry) for entry in entries)
        await raw.copy_records_to_table(transactions.name, records=rows, columns=COLUMNS)


class SqliteRoom:
    def __init__(self, url: str) -> None:
        orders = sa.make_url(url)
        path = Path(orders.database or "")
        self._path = path.with_name(f"{path.stem}-transactions{path.suffix}")
        self._writing = make_engine(
            f"{orders.set(database=str(self._path))}", inline=False, pooled=False
        )
        self._comparing = _comparing_engine(self._path, path)
        self._is_made = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        await self._make()
        async with names_trouble(), self._writing.begin() as connection:
            yield connection

    @asynccontextmanager
    async def compare(self) -> AsyncIterator[AsyncConnection]:
        await self._make()
        async with names_trouble(), self._comparing.connect() as connection:
            yield connection

    async def add(self, connection: AsyncConnection, load: int, entries: Sequence[Entry]) -> None:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw
        marks = ", ".join("?" * len(Entry._fields))
        await raw.executemany(f"INSERT INTO transactions VALUES ({load:d}, {marks})", entries)

    async def _make(self) -> None:
        if not self._is_made:
            async with names_trouble(), self._writing.begin() as connection:
                await connection.run_sync(STAGED.create_all)
            self._is_made = True


def _comparing_engine(rows: Path, orders: Path) -> AsyncEngine:
    """Reads both files, the orders' without a lock on it, and sorts in files of its own."""
    engine = create_async_engine(
        f"{sa.URL.create('sqlite+aiosqlite', database=str(rows))}",
        hide_parameters=True,
        poolclass=NullPool,
        connect_args={"uri": True},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={PATIENCE_SECONDS * 1000}")
        cursor.execute("ATTACH ? AS shop", (f"file:{quote(str(orders.absolute()))}?mode=ro",))
        for schema in ("main", "shop", "temp"):
            cursor.execute(f"PRAGMA {schema}.cache_size=-{CACHE_KIB}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
