"""What both engines promise: no update is lost, readers do not wait, and trouble has one name."""

import asyncio
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlmodel import select

from db.engine import Database
from db.orders import OrderStore
from db.statements import update_where
from db.tables import OrderRow
from db.transitions import lock_order
from domain.errors import DatabaseUnavailable
from tests.support.databases import Postgres
from tests.support.orders import NOON, place
from tests.support.ports import free_port


async def add_one(database: Database, order_id: str) -> None:
    """The classic way to lose an update: read, think, write."""
    async with database.write() as session:
        order = await lock_order(session, order_id)
        await asyncio.sleep(0)
        this = OrderRow.order_id == order_id
        await update_where(session, OrderRow, this, amount_minor=order.amount_minor + 1)


async def test_fifty_writers_lose_no_update(database: Database, database_url: str) -> None:
    order_id = await place(database)
    # Two pools, as two processes would have.
    async with Database(database_url) as other:
        await asyncio.gather(*(add_one(who, order_id) for who in (database, other) * 25))
    assert (await OrderStore(database).order(order_id)).amount.minor == 49900 + 50


async def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    order_id = await place(database)
    with pytest.raises(ZeroDivisionError):
        await _fail_after_writing(database, order_id)
    assert (await OrderStore(database).order(order_id)).amount.minor == 49900


async def _fail_after_writing(database: Database, order_id: str) -> None:
    async with database.write() as session:
        await update_where(session, OrderRow, OrderRow.order_id == order_id, amount_minor=1)
        _ = 1 / 0


async def test_a_reader_waits_for_no_writer(database: Database) -> None:
    order_id = await place(database)
    async with database.write() as session, asyncio.timeout(5):
        await lock_order(session, order_id)
        assert (await OrderStore(database).order(order_id)).amount.minor == 49900


async def test_a_reader_sees_one_snapshot(database: Database) -> None:
    order_id = await place(database)
    amount = select(OrderRow.amount_minor).where(OrderRow.order_id == order_id)
    async with database.read() as session:
        before = (await session.exec(amount)).one()
        await add_one(database, order_id)
        assert (await session.exec(amount)).one() == before


async def test_a_reader_cannot_write(database: Database) -> None:
    order_id = await place(database)
    with pytest.raises(DatabaseUnavailable) as refusal:
        async with database.read() as session:
            await update_where(session, OrderRow, OrderRow.order_id == order_id, amount_minor=1)
    assert re.search("read-?only", str(refusal.value.__cause__))


async def test_a_moment_comes_back_in_utc(database: Database) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    order_id = await place(database, at=NOON.astimezone(india))
    order = await OrderStore(database).order(order_id)
    assert order.created_at == NOON
    assert order.created_at.utcoffset() == timedelta(0)


async def test_a_naive_moment_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="time zone"):
        await place(database, at=datetime(2026, 3, 1))  # noqa: DTZ001


async def test_an_amount_may_exceed_32_bits(database: Database) -> None:
    order_id = await place(database, ("electricity-bill", 10_000), ("coffee-beans", 10_000))
    assert (await OrderStore(database).order(order_id)).amount.minor == 1_749_000_000
    async with database.write() as session:
        this = OrderRow.order_id == order_id
        await update_where(session, OrderRow, this, amount_minor=10**12)
    assert (await OrderStore(database).order(order_id)).amount.minor == 10**12


async def test_a_database_that_answers(database: Database) -> None:
    await database.ping()


async def test_nobody_listens() -> None:
    async with Database(f"postgresql+asyncpg://u@127.0.0.1:{free_port()}/shop") as database:
        with pytest.raises(DatabaseUnavailable):
            await database.ping()


async def test_there_is_no_such_database(postgres: Postgres) -> None:
    server = await postgres.server()
    url = server.url.set(database="nowhere").render_as_string(hide_password=False)
    async with Database(url) as database:
        with pytest.raises(DatabaseUnavailable):
            await database.ping()


async def test_a_connection_that_was_cut_is_replaced(postgres: Postgres) -> None:
    server = await postgres.server()
    async with postgres.database() as url, Database(url) as database:
        await database.ping()
        with pytest.raises(DatabaseUnavailable):
            await _cut_while_writing(database)
        await database.ping()
    assert await server.answers()


async def _cut_while_writing(database: Database) -> None:
    async with database.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")


async def test_the_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/var/run/orders.db") as database:
        await database.ping()
    assert (tmp_path / "var" / "run" / "orders.db").exists()


async def test_sqlite_keeps_what_was_committed_when_a_process_dies(
    sqlite_database: Database,
) -> None:
    async with sqlite_database.write() as session:
        connection = await session.connection()
        found = {}
        for pragma in ("journal_mode", "synchronous", "foreign_keys"):
            found[pragma] = (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
    }
