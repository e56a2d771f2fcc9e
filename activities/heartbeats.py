"""A sign of life from every activity, so that a killed worker is missed within seconds."""

import asyncio
from contextvars import ContextVar
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

_said: ContextVar[list[Any]] = ContextVar("what the activity said last")


def progress(*details: Any) -> None:
    """Say how far the activity is; each later sign of life says it again, until it says more."""
    _said.get()[:] = details
    activity.heartbeat(*details)


class Heartbeats(Interceptor):
    """Beats for each running activity, and lets what has begun be finished.

    A canceled activity is not interrupted in the middle of a gateway's answer: the cancellation
    takes effect between two attempts. Only the end of the worker, or of the attempt's own time,
    interrupts it.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        _said.set([])
        work = asyncio.create_task(super().execute_activity(input))
        heart = asyncio.create_task(_beat())
        try:
            return await _finished(work)
        finally:
            heart.cancel()


async def _beat() -> None:
    timeout = activity.info().heartbeat_timeout
    while timeout:
        # Most have ended by then, and cost no call to the server.
        await asyncio.sleep(timeout.total_seconds() / 3)
        activity.heartbeat(*_said.get())


async def _finished(work: asyncio.Task[Any]) -> Any:
    while True:
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if work.done() or not _may_finish():
                work.cancel()
                raise


def _may_finish() -> bool:
    """Not when the worker ends, nor when the attempt was given up and another may have begun."""
    details = activity.cancellation_details()
    return details is not None and details.cancel_requested and not details.worker_shutdown
