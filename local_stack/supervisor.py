"""Keeps processes alive, starts them in order of readiness and leaves none behind."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic

import httpx

ROOT = Path(__file__).resolve().parent.parent
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "TERM", "COLUMNS", "NO_COLOR")
READY_WITHIN, STOPPED_WITHIN, LONG_LIFE = 60.0, 15.0, 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
TRIES_TO_START = 3
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)

say = partial(print, flush=True)


class NotReady(Exception):
    """A process did not come up; everything was stopped again."""


@dataclass(frozen=True)
class Service:
    """A process to keep alive.

    It is ready when the URL `ready` answers, or the words `ready` stand in its log. A job has
    neither: it is ready when it has ended well, and is not started again.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready: str | None


@asynccontextmanager
async def supervised(
    services: Sequence[Service], logs: Path
) -> AsyncIterator[Mapping[str, "Process"]]:
    """Each service ready before the next one starts; at the end all stopped, the last one first."""
    processes = {service.name: Process(service, logs) for service in services}
    async with AsyncExitStack() as house:
        for process in processes.values():
            house.push_async_callback(process.stop)
            await process.start()
        yield processes


class Process:
    """A service that is started again when it dies, after growing pauses, until it is stopped."""

    def __init__(self, service: Service, logs: Path) -> None:
        self.name, self.ready = service.name, asyncio.Event()
        self._service, self._log = service, logs / f"{service.name}.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._child: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._once_ready = False

    @property
    def pid(self) -> int:
        assert self._child is not None, f"{self.name} was never started"
        return self._child.pid

    async def start(self) -> None:
        """Return once it is ready; raises NotReady when it dies too often or takes too long."""
        self._log.write_bytes(b"")
        self._keeper = asyncio.create_task(self._keep())
        ready = asyncio.create_task(self.ready.wait())
        try:
            either = {self._keeper, ready}
            await asyncio.wait(either, timeout=READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if not self._once_ready:
            raise NotReady(f"{self.name} does not come up: {self._last_words()}")

    async def _keep(self) -> None:
        """Live, die, live again; but a job lives once, and what never got ready a few times."""
        pause, lives = FIRST_PAUSE, 0
        while True:
            born, lives = monotonic(), lives + 1
            code = await self._live()
            if self._service.ready is None:
                self._once_ready = code == 0
                return
            if not self._once_ready and lives == TRIES_TO_START:
                return
            pause = FIRST_PAUSE if monotonic() - born > LONG_LIFE else pause
            say(f"{self.name} died ({code}), again in {pause:g} s: {self._last_words()}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _live(self) -> int:
        """One life, from start to death; its exit code, negative for a signal."""
        said_before = self._log.stat().st_size
        self._child = await spawn(self._service.argv, self._service.env, self._log)
        watch = asyncio.create_task(self._watch(said_before))
        try:
            return await self._child.wait()
        finally:
            watch.cancel()
            self.ready.clear()

    async def _watch(self, said_before: int) -> None:
        while True:
            if await self._is_ready(said_before):
                return self._announce()
            await asyncio.sleep(0.05)

    def _announce(self) -> None:
        if self._once_ready:
            say(f"{self.name} is up again")
        self._once_ready = True
        self.ready.set()

    async def _is_ready(self, said_before: int) -> bool:
        sign = self._service.ready
        if sign is None:
            return False
        if sign.startswith("http://"):
            return await answers(sign)
        return sign in self._log.read_bytes()[said_before:].decode(errors="replace")

    def _last_words(self) -> str:
        lines = self._log.read_bytes()[-4096:].decode(errors="replace").split("\n")
        spoken = [line.strip() for line in lines if line.strip()]
        return f"{spoken[-1] if spoken else 'it said nothing'} [{self._log}]"

    async def stop(self) -> None:
        """Ask it to go, then insist; a second Ctrl-C, which cancels the asking, insists at once."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        if self._child is not None:
            await ended(self._child)


async def spawn(
    argv: Sequence[str], env: Mapping[str, str], log: Path
) -> asyncio.subprocess.Process:
    """A child in a process group of its own, so that a terminal's Ctrl-C reaches only us."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *argv,
            cwd=ROOT,
            env=environment(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            process_group=0,
            preexec_fn=tied_to_us(),
        )


async def ended(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.terminate()
    try:
        async with asyncio.timeout(STOPPED_WITHIN):
            await child.wait()
    except TimeoutError:
        say(f"process {child.pid} did not stop within {STOPPED_WITHIN:g} s and was killed")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    await child.wait()


async def in_foreground(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a command on our terminal and return its exit code; it does not outlive us."""
    child = await asyncio.create_subprocess_exec(
        *argv, cwd=ROOT, env=environment(env), preexec_fn=tied_to_us()
    )
    try:
        return await child.wait()
    finally:
        await ended(child)


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Its own settings and little else: nobody inherits a secret or a proxy by accident."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, "PYTHONUNBUFFERED": "1", **own}


async def answers(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=2) as http:
        try:
            return (await http.get(url)).status_code < 400
        except httpx.TransportError:
            return False


def tied_to_us() -> Callable[[], None]:
    """A preexec_fn: the kernel kills the child when we die, however we die (Linux)."""
    return partial(die_with, os.getpid(), signal.SIGKILL)


def die_with(parent: int, by: signal.Signals) -> None:
    """Have the kernel send us this signal when our parent dies; only Linux does."""
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, by)
        if os.getppid() != parent:
            os._exit(1)
