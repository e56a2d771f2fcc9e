"""Our driver for SQLite: few visits to its thread, and nothing lost on the way."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from db.driver import FIRST_ROWS, Connection, Inline
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


@pytest.mark.parametrize(
    ("how", "visits"),
    [({}, 0), ({"read_only": True}, 0), ({"inline": False}, 3)],
    ids=["a writer makes none", "a reader neither", "elsewhere each statement is one, and the end"],
)
async def test_visits_to_the_thread(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, how: dict[str, bool], visits: int
) -> None:
    seen: list[None] = []
    goes = aiosqlite.Connection._execute

    async def counted(self: Connection, *args: Any, **kwargs: Any) -> Any:
        seen.append(None)
        return await goes(self, *args, **kwargs)  # type: ignore[no-untyped-call]

    other = make_engine(engine.url.render_as_string(), **how)
    async with other.connect() as connection:
        monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
        await connection.exec_driver_sql("SELECT x FROM t")
        await connection.exec_driver_sql("SELECT x FROM t")
        await connection.commit()
        monkeypatch.undo()
    assert len(seen) == visits
    await other.dispose()


async def test_a_writer_waits_for_another_and_lets_the_rest_go_on(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "shop.db", timeout=0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(_add(engine, 1))
    reader = make_engine(engine.url.render_as_string(), read_only=True)
    assert await count(reader) == 0
    assert not writing.done()
    other.execute("COMMIT")
    await writing
    assert await count(reader) == 1
    other.close()
    await reader.dispose()


async def test_a_reader_that_is_kept_out_waits_and_lets_the_rest_go_on(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """As while another process makes the log good after a crash."""
    await engine.dispose()
    other = sqlite3.connect(tmp_path / "shop.db", timeout=0, isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("INSERT INTO t VALUES (1)")
    reader = make_engine(engine.url.render_as_string(), read_only=True)
    reading = asyncio.create_task(count(reader))
    done, _ = await asyncio.wait([reading], timeout=0.05)
    assert not done
    other.close()
    assert await reading == 1
    await reader.dispose()


async def test_a_writer_gives_up_in_the_end(
    engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Inline, "patience", 0.05)
    other = sqlite3.connect(tmp_path / "shop.db", timeout=0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sa.exc.OperationalError, match="locked"):
        await _add(engine, 1)
    other.execute("COMMIT")
    other.close()
    await _add(engine, 1)


async def _add(engine: AsyncEngine, number: int) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"INSERT INTO t VALUES ({number})")


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
