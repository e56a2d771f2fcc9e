"""Databases for tests: each test gets its own, like one that was migrated and seeded once.

On SQLite it is a copy. Copying takes PostgreSQL longer than most tests, so there it is one that an
earlier test is done with, emptied.

`database` runs a test on SQLite and on PostgreSQL, `sqlite_database` on SQLite alone.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import create_async_engine

from db.catalogue import CatalogueStore, read_catalogue
from db.engine import Database
from db.schema import upgrade
from tests.support.postgres import PostgresServer, postgres_server

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
KEEP_SEEDS = f"""
DO $$
DECLARE name text;
BEGIN
    CREATE SCHEMA seeded;
    FOR name IN {TABLES} LOOP
        EXECUTE format('CREATE TABLE seeded.%I AS TABLE public.%I', name, name);
    END LOOP;
END $$
"""
# Whoever is still connected is sent away first. No foreign key is asked: all rows go.
EMPTY_AGAIN = f"""
DO $$
DECLARE name text;
BEGIN
    PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR name IN {TABLES} LOOP
        EXECUTE format('DELETE FROM public.%I', name);
        EXECUTE format('INSERT INTO public.%I TABLE seeded.%I', name, name);
    END LOOP;
    PERFORM setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S';
END $$
"""


class Postgres:
    """The server of this test run, started when the first test asks for it."""

    def __init__(self, life: AsyncExitStack) -> None:
        self._life = life
        self._server: PostgresServer | None = None
        self._template: str | None = None
        self._free: list[str] = []

    async def server(self) -> PostgresServer:
        if self._server is None:
            self._server = await self._life.enter_async_context(postgres_server())
        return self._server

    async def template(self) -> str:
        if self._template is None:
            server = await self.server()
            self._template = await server.create_database()
            self._life.push_async_callback(server.drop_database, self._template)
            await fill(self._template)
            await execute(self._template, KEEP_SEEDS)
        return self._template

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """Migrated and seeded; its tables and columns must stay what they are."""
        url = self._free.pop() if self._free else await self._copy()
        yield url
        await execute(url, EMPTY_AGAIN)
        self._free.append(url)

    @asynccontextmanager
    async def empty_database(self) -> AsyncIterator[str]:
        """Without a single table."""
        server = await self.server()
        url = await server.create_database()
        yield url
        await server.drop_database(url)

    async def _copy(self) -> str:
        server = await self.server()
        url = await server.create_database(await self.template())
        self._life.push_async_callback(server.drop_database, url)
        return url


async def execute(url: str, sql: str) -> None:
    """Over a connection that is closed again."""
    async with create_async_engine(url, poolclass=NullPool).begin() as connection:
        await connection.exec_driver_sql(sql)


async def fill(url: str) -> None:
    """Migrate and seed, and leave nobody connected."""
    await upgrade(url)
    async with Database(url) as database:
        await CatalogueStore(database).seed(read_catalogue())


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[Postgres]:
    async with AsyncExitStack() as life:
        yield Postgres(life)


@pytest.fixture(scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "orders.db"
    await fill(sqlite_url(path))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_database_url(
    request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path
) -> AsyncIterator[str]:
    """A database without a single table, on both engines."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "empty.db")
    else:
        async with postgres.empty_database() as url:
            yield url


@pytest.fixture
def sqlite_database_url(sqlite_template: Path, tmp_path: Path) -> str:
    return sqlite_url(Path(shutil.copy(sqlite_template, tmp_path / "orders.db")))


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(
    request: pytest.FixtureRequest, postgres: Postgres, sqlite_database_url: str
) -> AsyncIterator[str]:
    """A migrated and seeded database, on both engines."""
    if request.param == "sqlite":
        yield sqlite_database_url
    else:
        async with postgres.database() as url:
            yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as database:
        yield database


@pytest.fixture
async def sqlite_database(sqlite_database_url: str) -> AsyncIterator[Database]:
    async with Database(sqlite_database_url) as database:
        yield database


def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"
