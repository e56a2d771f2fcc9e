"""The throw-away PostgreSQL of the tests: real, isolated, and gone afterwards."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.postgres import PostgresServer, own_server, postgres_server

ROOT = Path(__file__).resolve().parent.parent
HOLD_ONE = """
import asyncio
from tests.support.postgres import own_server

async def main() -> None:
    async with own_server() as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[PostgresServer]:
    async with postgres_server() as server:
        yield server


async def ask(url: str, sql: str) -> Any:
    """The one value that a statement of its own transaction returns, or None."""
    async with create_async_engine(url, poolclass=NullPool).begin() as connection:
        result = await connection.exec_driver_sql(sql)
        return result.scalar() if result.returns_rows else None


async def test_a_database_is_empty_or_a_copy(server: PostgresServer) -> None:
    base = await server.create_database()
    await ask(base, "CREATE TABLE orders AS SELECT 7 AS answer")
    copy = await server.create_database(template=base)
    assert await ask(copy, "SELECT answer FROM orders") == 7
    await ask(copy, "DELETE FROM orders")
    assert await ask(base, "SELECT count(*) FROM orders") == 1


async def test_a_dropped_database_is_gone_even_if_it_was_in_use(server: PostgresServer) -> None:
    url = await server.create_database()
    async with create_async_engine(url).connect() as held:
        await held.exec_driver_sql("SELECT 1")
        await server.drop_database(url)
        await held.invalidate()
    with pytest.raises(DBAPIError, match="does not exist"):
        await ask(url, "SELECT 1")


async def test_it_takes_as_many_connections_as_a_busy_test_opens(server: PostgresServer) -> None:
    url = await server.create_database()
    assert int(await ask(url, "SHOW max_connections")) >= 100


async def test_nothing_is_left_of_it() -> None:
    async with own_server() as server:
        data = await ask(await server.create_database(), "SHOW data_directory")
        assert os.access(data, os.F_OK)
    assert not os.access(data, os.F_OK)
    assert not await server.answers()


async def test_it_dies_with_a_killed_test_run() -> None:
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD_ONE), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert run.stdout is not None
    url = (await run.stdout.readline()).decode().strip()
    data = await ask(url, "SHOW data_directory")
    run.send_signal(signal.SIGKILL)
    await run.wait()
    async with asyncio.timeout(5):
        await gone(make_url(url).port)
    shutil.rmtree(os.path.dirname(data))


async def gone(port: int | None) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        writer.close()
        await asyncio.sleep(0.02)
