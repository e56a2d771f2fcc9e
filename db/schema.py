"""The schema and its versions: one history of migrations for both engines."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import event

from db.engine import make_engine, names_trouble

MIGRATIONS = Path(__file__).with_name("migrations")


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema up to a revision; repeating it changes nothing.

    Raises `DatabaseUnavailable`, or Alembic's `CommandError` for a revision it does not know.
    """
    await _run(url, lambda config: command.upgrade(config, revision))


async def downgrade(url: str, revision: str) -> None:
    """Take the schema back to a revision; `base` drops every table, and all that is in them."""
    await _run(url, lambda config: command.downgrade(config, revision))


async def check(url: str) -> None:
    """Raises Alembic's `CommandError` unless the schema is exactly what the code expects."""
    await _run(url, command.check)


async def revise(url: str, message: str) -> None:
    """Write a new migration from what differs between the tables and the database at `url`."""
    await _run(url, lambda config: command.revision(config, message, autogenerate=True))


async def _run(url: str, work: Callable[[Config], Any]) -> None:
    engine = make_engine(url)
    if engine.dialect.name == "sqlite":
        # A migration rebuilds a table by dropping it, which would take its children along.
        event.listen(engine.sync_engine, "connect", _without_foreign_keys)
    try:
        async with names_trouble(), engine.begin() as connection:
            await connection.run_sync(lambda it: work(_config(it)))
    finally:
        await engine.dispose()


def _config(connection: sa.Connection) -> Config:
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _without_foreign_keys(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.close()
