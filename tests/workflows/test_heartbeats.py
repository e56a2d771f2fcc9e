"""An activity that has begun is finished, unless its worker ends or its time is up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, TimeoutError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.heartbeats import Heartbeats

HEARTBEAT = timedelta(seconds=0.5)


class Work:
    """An activity that tells how far it came."""

    def __init__(self) -> None:
        self.begun, self.allowed = asyncio.Event(), asyncio.Event()
        self.interrupted = asyncio.Event()

    @activity.defn
    async def work(self) -> str:
        self.begun.set()
        try:
            await self.allowed.wait()
        except asyncio.CancelledError:
            self.interrupted.set()
            raise
        return "done"


@workflow.defn
class OneWork:
    @workflow.run
    async def run(self, seconds: float) -> str:
        return await workflow.execute_activity_method(
            Work.work,
            start_to_close_timeout=timedelta(seconds=seconds),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RetryPolicy(maximum_attempts=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


@asynccontextmanager
async def working(env: WorkflowEnvironment, seconds: float) -> AsyncIterator[tuple[Any, Work]]:
    """One piece of work that has begun, and may take so long."""
    work, queue = Work(), f"queue-{uuid4()}"
    async with Worker(
        env.client,
        task_queue=queue,
        workflows=[OneWork],
        activities=[work.work],
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=[Heartbeats()],
        graceful_shutdown_timeout=timedelta(seconds=0.2),
    ):
        handle = await env.client.start_workflow(OneWork.run, seconds, id=queue, task_queue=queue)
        await work.begun.wait()
        yield handle, work


async def test_it_is_heard_of_for_as_long_as_it_works(real_time: WorkflowEnvironment) -> None:
    async with working(real_time, seconds=30) as (handle, work):
        await asyncio.sleep(3 * HEARTBEAT.total_seconds())
        work.allowed.set()
        assert await handle.result() == "done"


async def test_a_cancellation_lets_it_finish(real_time: WorkflowEnvironment) -> None:
    async with working(real_time, seconds=30) as (handle, work):
        await handle.cancel()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(work.interrupted.wait(), 3 * HEARTBEAT.total_seconds())
        work.allowed.set()
        assert await handle.result() == "done"


async def test_the_end_of_its_time_interrupts_it(real_time: WorkflowEnvironment) -> None:
    async with working(real_time, seconds=0.6) as (handle, work):
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        assert isinstance(failed.value.cause, ActivityError)
        assert isinstance(failed.value.cause.cause, TimeoutError)
        await asyncio.wait_for(work.interrupted.wait(), 10)


async def test_the_end_of_the_worker_interrupts_it(real_time: WorkflowEnvironment) -> None:
    async with working(real_time, seconds=30) as (handle, work):
        await handle.terminate()
    assert work.interrupted.is_set()
