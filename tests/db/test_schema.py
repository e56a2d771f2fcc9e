"""One history of migrations brings both engines up, down, and up again."""

import pytest
import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from db.engine import Database, make_engine
from db.schema import check, downgrade, upgrade
from db.staged_tables import STAGED
from tests.support.orders import place


async def tables_of(url: str) -> set[str]:
    engine = make_engine(url)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda it: sa.inspect(it).get_table_names())
    await engine.dispose()
    return set(names)


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


async def test_an_upgrade_is_safe_to_repeat(database_url: str) -> None:
    async with Database(database_url) as database:
        order_id = await place(database)
    await upgrade(database_url)
    assert await words_in(database_url, "SELECT order_id FROM orders") == [order_id]


async def test_a_schema_that_differs_is_told(database_url: str) -> None:
    await run(database_url, "ALTER TABLE products ADD COLUMN colour VARCHAR(9)")
    with pytest.raises(CommandError, match="colour"):
        await check(database_url)


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
