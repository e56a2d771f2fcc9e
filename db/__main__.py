"""`python -m db`: the schema and the catalogue of the database that DATABASE_URL names."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

import sqlalchemy as sa
from alembic.util import CommandError
from cyclopts import App

from db import schema
from db.catalogue import OUR_PRODUCTS, CatalogueStore, read_catalogue
from db.engine import Database
from domain.errors import DatabaseUnavailable

WRONG_SETTINGS = 2
TRIES = 10
PAUSE_SECONDS = 0.5

app = App(name="python -m db", help="The schema and the catalogue of DATABASE_URL.")


@app.command
async def upgrade(revision: str = "head") -> None:
    """Bring the schema up to a revision; repeating it changes nothing."""
    await _patiently(lambda: schema.upgrade(_url(), revision))


@app.command
async def downgrade(revision: str) -> None:
    """Take the schema back to a revision. `base` drops every table and all that is in them."""
    await _patiently(lambda: schema.downgrade(_url(), revision))


@app.command
async def check() -> None:
    """Say whether the schema is exactly what the code expects; exit 1 if not."""
    await _patiently(lambda: schema.check(_url()))


@app.command
async def revise(message: str) -> None:
    """Write a new migration from what differs between the tables and the database."""
    await _patiently(lambda: schema.revise(_url(), message))


@app.command
async def seed(file: Path = OUR_PRODUCTS) -> None:
    """Add or replace the products of a catalogue file; repeating it changes nothing."""
    try:
        products = read_catalogue(file)
    except (OSError, ValueError) as error:
        _refuse(f"{file} is not a catalogue: {str(error).splitlines()[0]}", WRONG_SETTINGS)
    async with Database(_url()) as database:
        await _patiently(lambda: CatalogueStore(database).seed(products))


def _url() -> str:
    """DATABASE_URL, or exit 2 with one line that says what it should be."""
    text = os.environ.get("DATABASE_URL", "")
    try:
        driver = sa.make_url(text).drivername
    except sa.exc.ArgumentError:
        driver = None
    if driver not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        shape = "sqlite+aiosqlite:///path/to/file or postgresql+asyncpg://user:password@host/name"
        _refuse(f"DATABASE_URL must be {shape}", WRONG_SETTINGS)
    return text


async def _patiently(work: Callable[[], Awaitable[None]]) -> None:
    """Do the work, waiting some seconds for a database that is still starting."""
    for attempt in range(1, TRIES + 1):
        try:
            return await work()
        except CommandError as error:
            _refuse(str(error), 1)
        except DatabaseUnavailable as error:
            if attempt == TRIES:
                _refuse(f"{error}: {error.__cause__}", 1)
            await asyncio.sleep(PAUSE_SECONDS)


def _refuse(what: str, code: int) -> NoReturn:
    sys.stderr.write(f"db: {' '.join(what.split())}\n")
    sys.exit(code)


if __name__ == "__main__":
    app()
