"""A real Temporal dev server for the whole test run, and one that may be killed."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from local_stack.services import SEARCH_ATTRIBUTES as KINDS
from tests.support.ports import free_port
from workflows.options import SEARCH_ATTRIBUTES
from workflows.payloads import DATA_CONVERTER

TEMPORAL = Path(sys.executable).with_name("temporal")
# By default timers may fire up to a second late.
PROMPT = ["--dynamic-config-value", 'history.timerProcessorMaxTimeShift="1ms"']


@pytest.fixture(scope="session")
async def real_time() -> AsyncIterator[WorkflowEnvironment]:
    """With the clock of the world, and our search attributes."""
    async with await temporal_server() as env:
        yield env


async def temporal_server(file: Path | None = None) -> WorkflowEnvironment:
    """A server that keeps its state in this file, or in memory."""
    return await WorkflowEnvironment.start_local(
        data_converter=DATA_CONVERTER,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        dev_server_database_filename=str(file) if file else None,
        dev_server_extra_args=PROMPT,
    )


class MortalTemporal:
    """A dev server of our own that keeps its state in a file, and comes back at its address."""

    def __init__(self, state: Path) -> None:
        self._port = free_port()
        words = ("server", "start-dev", "--headless", "--ip", "127.0.0.1", "--log-level", "error")
        kinds = (f"--search-attribute={name}={kind}" for name, kind in KINDS.items())
        where = ("--port", f"{self._port}", "--db-filename", f"{state}")
        self._argv = [f"{TEMPORAL}", *words, *where, *kinds, *PROMPT]

    async def start(self) -> Client:
        """A client of it, once it answers."""
        self._process = await asyncio.create_subprocess_exec(*self._argv, stdout=DEVNULL)
        async with asyncio.timeout(30):
            while True:
                try:
                    return await Client.connect(
                        f"127.0.0.1:{self._port}", data_converter=DATA_CONVERTER
                    )
                except RuntimeError:
                    await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """Kill -9, at once."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def mortal_temporal(folder: Path) -> AsyncIterator[tuple[MortalTemporal, Client]]:
    temporal = MortalTemporal(folder / "temporal.db")
    try:
        yield temporal, await temporal.start()
    finally:
        await temporal.kill()
