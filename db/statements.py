"""The statements that concurrent writers need, in the words of either engine."""

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession


async def insert(session: AsyncSession, row: SQLModel) -> Any:
    """Insert the row now; its (first) primary key. What is read of it later is read anew."""
    result: Any = await session.exec(_insert(type(row)), params=row.model_dump(exclude_none=True))
    return result.inserted_primary_key[0]


async def insert_new(session: AsyncSession, row: SQLModel) -> Any | None:
    """Insert the row unless a unique key of it is taken: its (first) primary key, or None.

    Waits for another transaction that is inserting the same key, until that has ended.
    """
    statement = _insert_new(type(row), session.get_bind().dialect.name)
    result = await session.exec(statement, params=row.model_dump(exclude_none=True))
    return result.scalar_one_or_none()


async def update_where(
    session: AsyncSession, table: type[SQLModel], *conditions: Any, **values: Any
) -> int:
    """A guarded update; how many rows it changed. Rows in memory stay as they were read."""
    statement = sa.update(table).where(*conditions).values(**values)
    result = await session.exec(statement, execution_options={"synchronize_session": False})
    return result.rowcount


# Without the mapper, since nobody holds the row in memory; and made once, since SQLAlchemy takes
# as long to make a statement as to execute it.
@cache
def _insert(row: type[SQLModel]) -> sa.Insert:
    return sa.insert(_table(row))


@cache
def _insert_new(row: type[SQLModel], dialect: str) -> Any:
    table = _table(row)
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing().returning(next(iter(table.primary_key)))


def _table(row: type[SQLModel]) -> sa.Table:
    table: sa.Table = sa.inspect(row).local_table
    return table
