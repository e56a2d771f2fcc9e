"""Engines for SQLite and PostgreSQL that lose no update, and the one door to them."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.driver import PATIENCE_SECONDS, Connection, Inline, connect
from db.unbroken import unbroken
from domain.errors import DatabaseUnavailable

PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
AWAY = (
    exc.OperationalError,
    exc.InterfaceError,
    exc.TimeoutError,
    OSError,
)


class Database:
    """Three ways in: `write` for one transaction that may change things, `read` for a snapshot,
    and `browse` for one that may take a while.

    Takes `sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`; nothing is connected until it
    is needed. Raises `DatabaseUnavailable` while the database is away or locked. A transaction
    must not be canceled in the middle: see db/unbroken.py.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._writing = make_engine(url)
        self._reading = _reading_engine(url, self._writing)
        self._browsing = _browsing_engine(url, self._reading)
        self._writers = async_sessionmaker(self._writing, class_=AsyncSession, autoflush=False)
        self._readers = async_sessionmaker(self._reading, class_=AsyncSession, autoflush=False)
        self._browsers = async_sessionmaker(self._browsing, class_=AsyncSession, autoflush=False)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction, committed at the end; on SQLite it holds the only write lock."""
        async with names_trouble(), aclosing(self._writers()) as session, session.begin():
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """One snapshot, which waits for no writer. What is asked of it has to be short."""
        async with names_trouble(), aclosing(self._readers()) as session:
            yield session

    @asynccontextmanager
    async def browse(self) -> AsyncIterator[AsyncSession]:
        """One snapshot for questions that may take long: on SQLite, beside the event loop."""
        async with names_trouble(), aclosing(self._browsers()) as session:
            yield session

    @unbroken
    async def ping(self) -> None:
        """Raises `DatabaseUnavailable` unless the database answers."""
        async with self.read() as session:
            await session.exec(select(sa.literal(1)))

    async def close(self) -> None:
        await self._browsing.dispose()
        await self._reading.dispose()
        await self._writing.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()


def make_engine(
    url: str, *, read_only: bool = False, inline: bool = True, pooled: bool = True
) -> AsyncEngine:
    """An engine whose transactions do not overwrite one another unseen.

    One to SQLite that is not `inline` works beside the event loop; one that is not `pooled` has
    nothing open between its transactions.
    """
    if sa.make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url, read_only, inline, pooled)
    return create_async_engine(
        url,
        hide_parameters=True,
        pool_size=10,
        max_overflow=10,
        pool_pre_ping=True,
        connect_args={"timeout": PATIENCE_SECONDS},
    )


def _reading_engine(url: str, writing: AsyncEngine) -> AsyncEngine:
    if writing.dialect.name == "sqlite":
        return make_engine(url, read_only=True)
    return writing.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _browsing_engine(url: str, reading: AsyncEngine) -> AsyncEngine:
    if reading.dialect.name == "sqlite":
        return make_engine(url, read_only=True, inline=False)
    return reading


def _sqlite(url: str, read_only: bool, inline: bool, pooled: bool) -> AsyncEngine:
    path = sa.make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    # There is one writer at a time anyway: a pool of one lets tasks queue in order.
    of_one = {} if read_only else {"pool_size": 1, "max_overflow": 0}
    pool: dict[str, Any] = {"pool_timeout": PATIENCE_SECONDS, **of_one}
    if not pooled:
        pool = {"poolclass": NullPool}
    kind = Inline if inline else Connection
    by_our_driver = {"async_creator_fn": partial(connect, kind=kind)}
    engine = create_async_engine(url, hide_parameters=True, connect_args=by_our_driver, **pool)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        # The driver would begin too late, and two writers would both read before one writes.
        connection.isolation_level = None
        cursor = connection.cursor()
        # What is inline waits by itself, so that others have their turn.
        patience = f"busy_timeout={0 if inline else PATIENCE_SECONDS * 1000}"
        for pragma in (patience, *PRAGMAS, f"query_only={int(read_only)}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        driven: Any = connection.connection.driver_connection
        driven.begin("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


@asynccontextmanager
async def names_trouble() -> AsyncIterator[None]:
    """Raise `DatabaseUnavailable` for whatever may be better the next time."""
    try:
        yield
    except exc.DBAPIError as error:
        # PostgreSQL's own kinds (shutting down, too many connections, deadlock) have no subclass.
        if not isinstance(error, AWAY) and type(error) is not exc.DBAPIError:
            raise
        raise DatabaseUnavailable("the database is away or busy") from error
    except AWAY as error:
        raise DatabaseUnavailable("the database is away or busy") from error
