"""One history of migrations brings both engines up, down, and up again."""

import pytest
import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from db.books import BookStore
from db.engine import Database, make_engine
from db.inbox import InboxStore
from db.letters import LetterStore
from db.schema import check, downgrade, upgrade
from db.staged_tables import STAGED
from domain.events import GatewayEvent
from domain.orders import OrderStatus
from tests.support.databases import fill
from tests.support.orders import NOON, PROOF, place, place_awaiting
from tests.support.refunds import (
    LATER,
    a_dispute,
    a_refund_wish,
    pay_for_nobody,
    pay_twice,
    place_ended,
    refunded,
)
from tests.support.transactions import a_chunk, a_plan, a_row

SELDOM = {"brakes", "approvals", "settlements"}


async def tables_of(url: str) -> set[str]:
    engine = make_engine(url)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda it: sa.inspect(it).get_table_names())
    await engine.dispose()
    return set(names)


@pytest.fixture
async def filled_database_url(empty_database_url: str) -> str:
    """Migrated and seeded, for a test that changes its tables."""
    await fill(empty_database_url)
    return empty_database_url


async def test_up_check_down_up(empty_database_url: str) -> None:
    url = empty_database_url
    await upgrade(url)
    await check(url)
    staged = STAGED.tables if url.startswith("postgresql") else ()
    assert await tables_of(url) == {*SQLModel.metadata.tables, *staged, "alembic_version"}
    await downgrade(url, "base")
    assert await tables_of(url) == {"alembic_version"}
    await upgrade(url)
    await check(url)


async def a_bit_of_everything(database: Database) -> None:
    """Orders of every status, and rows in every table that money leaves a trace in."""
    await place(database)
    await place_awaiting(database)
    for status in (OrderStatus.FAILED, OrderStatus.EXPIRED, OrderStatus.CANCELED):
        await place_ended(database, status)
    paid, second = await pay_twice(database)
    await InboxStore(database).record_dispute(a_dispute(second), LATER)
    for minor in (100, None):
        await refunded(database, a_refund_wish(await place_ended(database), minor))
    await refunded(database, a_refund_wish(paid, second.amount.minor))
    await pay_for_nobody(database)
    await LetterStore(database).confirmation(paid, f"<{paid}@shop>", NOON)
    event = GatewayEvent("acme", f"evt_{paid}", "payment.captured", PROOF)
    await InboxStore(database).accept(event, b"{}", NOON)
    plan, books = a_plan(), BookStore(database)
    await books.begin(plan, LATER)
    await books.stage(plan, a_chunk(a_row(1, paid), a_row(2, None, reference="pay_nobody")))
    await books.match(plan, LATER)


ORDERS = "SELECT order_id || status || amount_minor FROM orders ORDER BY order_id"
CAPTURED = "SELECT reference || status || amount_minor FROM payments WHERE order_id IS NOT NULL"


async def test_down_and_up_again_with_rows_in_the_tables(filled_database_url: str) -> None:
    async with Database(filled_database_url) as database:
        await a_bit_of_everything(database)
    for table in SQLModel.metadata.tables.keys() - SELDOM:
        assert await words_in(filled_database_url, f"SELECT 'some' FROM {table} LIMIT 1"), table
    orders = await words_in(filled_database_url, ORDERS)
    payments = sorted(await words_in(filled_database_url, CAPTURED))
    await downgrade(filled_database_url, "0001")
    await upgrade(filled_database_url)
    await check(filled_database_url)
    assert await words_in(filled_database_url, ORDERS) == orders
    assert sorted(await words_in(filled_database_url, CAPTURED)) == payments
    async with Database(filled_database_url) as database:
        await a_bit_of_everything(database)
    await downgrade(filled_database_url, "base")
    await upgrade(filled_database_url)
    await check(filled_database_url)


async def test_an_upgrade_is_safe_to_repeat(database_url: str) -> None:
    async with Database(database_url) as database:
        order_id = await place(database)
    await upgrade(database_url)
    assert await words_in(database_url, "SELECT order_id FROM orders") == [order_id]


async def test_a_schema_that_differs_is_told(filled_database_url: str) -> None:
    await run(filled_database_url, "ALTER TABLE products ADD COLUMN colour VARCHAR(9)")
    with pytest.raises(CommandError, match="colour"):
        await check(filled_database_url)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("orders", "status"),
        ("orders", "late_policy"),
        ("order_items", "late_policy"),
        ("timeline", "event"),
        ("timeline", "from_status"),
        ("timeline", "to_status"),
    ],
)
async def test_a_word_of_ours_is_all_that_fits(database_url: str, table: str, column: str) -> None:
    async with Database(database_url) as database:
        await place(database)
    with pytest.raises(IntegrityError):
        await run(database_url, f"UPDATE {table} SET {column} = 'lost'")


async def test_every_word_fits(database_url: str) -> None:
    """The words in the migration are those of the code."""
    for table in SQLModel.metadata.tables.values():
        stored = {check["name"]: check["sqltext"] for check in await checks_of(database_url, table)}
        for column in table.columns:
            if isinstance(column.type, sa.Enum):
                text = stored[f"ck_{table.name}_{column.name}"]
                assert all(f"'{word}'" in text for word in column.type.enums)


async def checks_of(url: str, table: sa.Table) -> list[dict[str, str]]:
    engine = make_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(
            lambda it: sa.inspect(it).get_check_constraints(table.name)
        )
    await engine.dispose()
    return [{"name": str(one["name"]), "sqltext": one["sqltext"]} for one in found]


async def run(url: str, sql: str) -> None:
    engine = make_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(sql)
    finally:
        await engine.dispose()


async def words_in(url: str, sql: str) -> list[str]:
    engine = make_engine(url)
    async with engine.connect() as connection:
        result = list((await connection.exec_driver_sql(sql)).scalars())
    await engine.dispose()
    return result
