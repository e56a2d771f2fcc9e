"""The statements that concurrent writers need, in the words of either engine."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession


async def insert(session: AsyncSession, row: SQLModel) -> Any:
    """Insert the row now; its (first) primary key. What is read of it later is read anew."""
    statement = sa.insert(_table(row)).values(row.model_dump(exclude_none=True))
    result: Any = await session.exec(statement)
    return result.inserted_primary_key[0]


async def insert_new(session: AsyncSession, row: SQLModel) -> Any | None:
    """Insert the row unless a unique key of it is taken: its (first) primary key, or None.

    Waits for another transaction that is inserting the same key, until that has ended.
    """
    table = _table(row)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(row.model_dump(exclude_none=True))
    key = next(iter(table.primary_key))
    result = await session.exec(statement.on_conflict_do_nothing().returning(key))
    return result.scalar_one_or_none()


async def update_where(
    session: AsyncSession, table: type[SQLModel], *conditions: Any, **values: Any
) -> int:
    """A guarded update; how many rows it changed. Rows in memory stay as they were read."""
    statement = sa.update(table).where(*conditions).values(**values)
    result = await session.exec(statement, execution_options={"synchronize_session": False})
    return result.rowcount


def _table(row: SQLModel) -> sa.Table:
    """Without the mapper: nobody holds the row in memory, so it needs no looking after."""
    table: sa.Table = sa.inspect(type(row)).local_table
    return table
