"""Our driver for SQLite: few visits to its thread, and nothing lost on the way."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from db.driver import FIRST_ROWS, Connection
from db.engine import make_engine

SIZES = (0, 1, FIRST_ROWS - 1, FIRST_ROWS, FIRST_ROWS + 1, 3 * FIRST_ROWS)
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i"
NUMBERS += " FROM n WHERE {} > 0"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}")
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE t (x INTEGER PRIMARY KEY)")
    yield engine
    await engine.dispose()


async def count(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int((await connection.exec_driver_sql("SELECT count(*) FROM t")).scalar_one())


async def driven(engine: AsyncEngine) -> Connection:
    """The one connection of the pool; it stays there."""
    async with engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
    assert isinstance(raw, Connection)
    return raw


@pytest.mark.parametrize("rows", SIZES)
async def test_every_row_comes_once(engine: AsyncEngine, rows: int) -> None:
    words, expected = sa.text(NUMBERS.format(rows, rows)), list(range(1, rows + 1))
    async with engine.connect() as connection:
        assert list((await connection.execute(words)).scalars()) == expected
        async with connection.stream(words) as stream:
            assert [row.i async for row in stream] == expected
        async with connection.stream(words) as stream:
            parts = [part async for part in stream.partitions(FIRST_ROWS // 3)]
        assert [row.i for part in parts for row in part] == expected


async def test_rows_may_be_left_where_they_are(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        await raw.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(1, 3 * FIRST_ROWS)])
        rows = await raw.cursor().execute("SELECT x FROM t")
        assert await rows.fetchone() == (1,)
        await rows.close()
        await connection.exec_driver_sql("DROP TABLE t")


async def test_a_statement_is_one_visit(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits: list[None] = []
    goes = Connection._execute

    async def counted(self: Connection, *args: Any, **kwargs: Any) -> Any:
        visits.append(None)
        return await goes(self, *args, **kwargs)

    monkeypatch.setattr(Connection, "_execute", counted)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        await connection.exec_driver_sql("SELECT x FROM t")
    assert len(visits) == 3, "two statements and the commit"


async def test_whatever_comes_first_is_in_the_transaction(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.begin()
        raw: Any = (await connection.get_raw_connection()).driver_connection
        await raw.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
        assert raw.in_transaction
        await connection.rollback()
    assert await count(engine) == 0


async def test_a_writer_locks_with_its_first_statement(engine: AsyncEngine, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "shop.db", timeout=0, isolation_level=None)
    async with engine.begin() as writer:
        await writer.exec_driver_sql("SELECT 1")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


async def test_a_failed_first_statement_leaves_no_lock(engine: AsyncEngine) -> None:
    with pytest.raises(sa.exc.OperationalError, match="no such table"):
        async with engine.begin() as connection:
            await connection.exec_driver_sql("SELECT * FROM nowhere")
    assert not (await driven(engine)).in_transaction
