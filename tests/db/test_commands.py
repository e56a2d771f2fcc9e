"""`python -m db`, as it is run from a shell."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from db.catalogue import CatalogueStore, read_catalogue
from db.engine import Database
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


async def db(*words: str, url: str | None) -> tuple[int | None, str]:
    """The exit code and what was written to stderr."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "db", *words),
        cwd=ROOT,
        env=environment | ({"DATABASE_URL": url} if url is not None else {}),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    return process.returncode, errors.decode()


async def test_a_new_database_is_made_ready(empty_database_url: str) -> None:
    url = empty_database_url
    for command in (["upgrade"], ["check"], ["seed"], ["seed"]):
        assert await db(*command, url=url) == (0, "")
    async with Database(url) as database:
        assert len(await CatalogueStore(database).products()) == len(read_catalogue())
    assert await db("downgrade", "base", url=url) == (0, "")
    code, errors = await db("check", url=url)
    assert (code, errors.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    "url", [None, "", "nonsense", "sqlite:///orders.db", "mysql+aiomysql://127.0.0.1/shop"]
)
async def test_an_odd_url_is_one_clear_line(url: str | None) -> None:
    code, errors = await db("upgrade", url=url)
    assert (code, errors.count("\n")) == (2, 1)
    assert "DATABASE_URL" in errors


async def test_a_database_that_never_comes_is_one_clear_line() -> None:
    code, errors = await db("upgrade", url=f"postgresql+asyncpg://u@127.0.0.1:{free_port()}/shop")
    assert (code, errors.count("\n")) == (1, 1)
    assert "away" in errors


async def test_an_unknown_revision_is_one_clear_line(tmp_path: Path) -> None:
    code, errors = await db("upgrade", "nowhere", url=f"sqlite+aiosqlite:///{tmp_path}/orders.db")
    assert (code, errors.count("\n")) == (1, 1)
    assert "nowhere" in errors


async def test_a_catalogue_of_ones_own(tmp_path: Path, sqlite_database_url: str) -> None:
    file = tmp_path / "catalogue.json"
    file.write_text("[{}]")
    code, errors = await db("seed", str(file), url=sqlite_database_url)
    assert (code, errors.count("\n")) == (2, 1)
    file.write_text("[]")
    assert await db("seed", str(file), url=sqlite_database_url) == (0, "")
