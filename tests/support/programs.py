"""Our programs as real processes, with all that they say."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from settings import Settings

ROOT = Path(__file__).parents[2]


class Program:
    """A running process. What it writes on stdout and stderr is kept in `said`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process, self.said = process, ""
        self._more = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen())

    async def says(self, words: str) -> None:
        """Wait until it has written these words."""
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: words in self.said or self._listening.done())
        assert words in self.said, self.said

    async def stop(self) -> int:
        """Send SIGTERM, and wait for its exit code; TimeoutError if it will not stop."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            return await self.ended()

    async def ended(self) -> int:
        code = await self.process.wait()
        await self._listening
        return code

    async def _listen(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            async with self._more:
                self.said += line.decode()
                self._more.notify_all()
        async with self._more:
            self._more.notify_all()


@asynccontextmanager
async def running_program(*argv: str, env: Mapping[str, str]) -> AsyncIterator[Program]:
    """`python *argv` with nothing in its environment but PATH and `env`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *argv),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **env},
        stdout=PIPE,
        stderr=STDOUT,
    )
    program = Program(process)
    try:
        yield program
    finally:
        if process.returncode is None:
            process.kill()
        await program.ended()


def environment(settings: Settings) -> dict[str, str]:
    """The environment that gives a process these settings."""
    fields = {name: getattr(settings, name) for name in Settings.model_fields}
    return {name.upper(): _text(value) for name, value in fields.items() if value is not None}


def _text(value: object) -> str:
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain)


def _plain(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.model_dump() if hasattr(value, "model_dump") else value
