"""Workers that kill themselves with -9 at one activity, and what goes on after them.

Each is a real process with a real service behind it. It dies at the first attempt of the activity:
before it begins, when it has had its effect but nobody has heard of its result, or once Temporal
has the result; what reports its progress also halfway.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from typing import Any

from temporalio import activity, client, worker
from temporalio.client import Client

from settings import Settings
from worker import at_work
from workflows.payloads import DATA_CONVERTER

# Forked from a process that has imported everything: a worker is there at once.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


class Phase(StrEnum):
    """When it dies: the effect is the activity's, the record is Temporal's."""

    BEFORE = "before"
    AFTER_EFFECT = "after its effect"
    AFTER_RECORD = "after its record"
    HALFWAY = "halfway"


AROUND = (Phase.BEFORE, Phase.AFTER_EFFECT, Phase.AFTER_RECORD)


@dataclass(frozen=True)
class Doom:
    """One way to die; `activity` is the name that Temporal knows it by."""

    activity: str
    phase: Phase

    def __str__(self) -> str:
        return f"{self.activity}, {self.phase}"


class Doomed(client.Interceptor, worker.Interceptor):
    """Given to a client, it is the outermost interceptor of that client's workers."""

    def __init__(self, doom: Doom) -> None:
        self.doom = doom

    def intercept_activity(
        self, next: worker.ActivityInboundInterceptor
    ) -> worker.ActivityInboundInterceptor:
        return _Dying(next, self.doom)


class _Dying(worker.ActivityInboundInterceptor):
    def __init__(self, next: worker.ActivityInboundInterceptor, doom: Doom) -> None:
        super().__init__(next)
        self._doom = doom
        self._last: asyncio.Task[None] | None = None

    def init(self, outbound: worker.ActivityOutboundInterceptor) -> None:
        super().init(_DyingHalfway(outbound, self._doom))

    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        if activity.info().activity_type != self._doom.activity:
            return await super().execute_activity(input)
        if self._doom.phase is Phase.BEFORE:
            die()
        result = await super().execute_activity(input)
        if self._doom.phase is Phase.AFTER_EFFECT:
            die()
        assert self._doom.phase is Phase.AFTER_RECORD, "it never said how far it was"
        self._last = asyncio.create_task(_die_once_recorded(activity.info()))
        return result


class _DyingHalfway(worker.ActivityOutboundInterceptor):
    def __init__(self, next: worker.ActivityOutboundInterceptor, doom: Doom) -> None:
        super().__init__(next)
        self._doom = doom

    def heartbeat(self, *details: Any) -> None:
        is_it = activity.info().activity_type == self._doom.activity
        if is_it and self._doom.phase is Phase.HALFWAY and details:
            die()
        super().heartbeat(*details)


async def _die_once_recorded(info: activity.Info) -> None:
    assert info.workflow_id
    workflow = activity.client().get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id)
    while True:
        pending = (await workflow.describe()).raw_description.pending_activities
        if info.activity_id not in [each.activity_id for each in pending]:
            die()
        await asyncio.sleep(0.01)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def work(settings: Settings, doom: Doom | None) -> None:
    """What the process does: it works for ever, unless it is doomed."""
    asyncio.run(_work(settings, [Doomed(doom)] if doom else []))


async def _work(settings: Settings, interceptors: list[client.Interceptor]) -> None:
    connected = await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=DATA_CONVERTER,
        interceptors=interceptors,
    )
    async with at_work(settings, connected):
        await asyncio.Event().wait()


@contextmanager
def worker_process(settings: Settings, doom: Doom | None = None) -> Iterator[ForkServerProcess]:
    """A worker in a process of its own; killed in the end, if it was not before."""
    process = PROCESSES.Process(target=work, args=(settings, doom), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


async def killed(process: ForkServerProcess) -> None:
    """Return once it was killed with -9; any other end is a failure."""
    gone, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(process.sentinel, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(process.sentinel)
    process.join()
    assert process.exitcode == -signal.SIGKILL, f"it ended with {process.exitcode}"


async def played(settings: Settings, doom: Doom, play: Callable[[], Awaitable[None]]) -> float:
    """Play, with a doomed worker, and from its death on with one that lasts.

    Answers with the time of that death, in seconds since the epoch.
    """
    with worker_process(settings, doom) as doomed:
        playing = asyncio.ensure_future(play())
        death = asyncio.create_task(killed(doomed))
        await asyncio.wait([playing, death], return_when=asyncio.FIRST_COMPLETED)
        if playing.done() and not death.done():
            death.cancel()
            await playing
            raise AssertionError("it was over before the worker came to die")
        await death
        died_at = time.time()
    with worker_process(settings):
        await playing
    return died_at
