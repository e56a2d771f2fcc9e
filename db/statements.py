"""The statements that are needed everywhere, and those that differ between the engines.

All are made once: SQLAlchemy takes as long to make a statement as to execute it.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

Row = TypeVar("Row", bound=SQLModel)


async def find(session: AsyncSession, table: type[Row], **key: Any) -> Row | None:
    """The row of that key, which is unique; None is a value like others."""
    rows: Any = await session.exec(_select(table, _names(key)), params=key)
    found: Row | None = rows.one_or_none()
    return found


async def find_locked(session: AsyncSession, table: type[Row], **key: Any) -> Row | None:
    """The row of that key, held until the transaction ends."""
    rows: Any = await session.exec(_select(table, _names(key), is_locked=True), params=key)
    found: Row | None = rows.one_or_none()
    return found


async def find_all(
    session: AsyncSession, table: type[Row], *in_order_of: str, **key: Any
) -> Sequence[Row]:
    """All rows of that key."""
    rows: Any = await session.exec(_select(table, _names(key), in_order_of), params=key)
    found: Sequence[Row] = rows.all()
    return found


async def change(
    session: AsyncSession, table: type[SQLModel], key: Mapping[str, Any], **values: Any
) -> int:
    """A guarded update of the rows of that key, in which None is a value like others; how many.

    Rows in memory stay as they were read.
    """
    statement = _update(table, _names(key), tuple(values))
    old = {f"old_{name}": value for name, value in key.items() if value is not None}
    new = {f"new_{name}": value for name, value in values.items()}
    result: Any = await session.exec(statement, params=old | new)
    return int(result.rowcount)


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
    """The same where the rows have no such key."""
    statement = sa.update(table).where(*conditions).values(**values)
    result = await session.exec(statement, execution_options={"synchronize_session": False})
    return result.rowcount


def _names(key: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
    """What is looked for, and whether that is nothing."""
    return tuple((name, value is None) for name, value in key.items())


@cache
def _select(
    table: type[SQLModel],
    key: tuple[tuple[str, bool], ...],
    in_order_of: tuple[str, ...] = (),
    *,
    is_locked: bool = False,
) -> Any:
    where = [_is(getattr(table, name), name, is_none) for name, is_none in key]
    rows = select(table).where(*where).order_by(*(getattr(table, name) for name in in_order_of))
    return rows.with_for_update() if is_locked else rows


# Changes go without the mapper, since nobody holds the row in memory.
@cache
def _update(
    row: type[SQLModel], key: tuple[tuple[str, bool], ...], values: tuple[str, ...]
) -> sa.Update:
    table = _table(row)
    where = [_is(table.c[name], f"old_{name}", is_none) for name, is_none in key]
    return sa.update(table).where(*where).values({it: sa.bindparam(f"new_{it}") for it in values})


def _is(column: Any, name: str, is_none: bool) -> Any:
    return column.is_(None) if is_none else column == sa.bindparam(name)


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
