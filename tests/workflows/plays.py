"""Random plays on a server that skips time: many at once, each compared with a model.

`PLAYS=400` plays that many of each kind, and others each time; by default it is the same few.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from tests.workflows.histories import strays

PLAYS, AT_ONCE = int(os.environ.get("PLAYS", "16")), 8
in_time = pytest.mark.timeout(60 + 5 * PLAYS)
A_BREATH = 0.02

P = TypeVar("P")
E = TypeVar("E")

# A batch is not made smaller when one of its plays fails: that play is shown, and is short.
some = settings(
    max_examples=max(PLAYS // AT_ONCE, 1),
    deadline=None,
    derandomize="PLAYS" not in os.environ,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def batches(play: st.SearchStrategy[P]) -> st.SearchStrategy[list[P]]:
    return st.lists(play, min_size=AT_ONCE, max_size=AT_ONCE, unique=True)


async def play_all(
    plays: Sequence[P],
    play: Callable[[P], Awaitable[tuple[E, list[WorkflowHistory]]]],
    model: Callable[[P], E],
) -> None:
    """Each ends as the model says, and whatever Temporal kept of it goes the same way again."""
    played = await asyncio.gather(*map(play, plays))
    ends = {each: end for each, (end, _) in zip(plays, played, strict=True)}
    expected = {each: model(each) for each in plays}
    wrong = {each: (end, expected[each]) for each, end in ends.items() if end != expected[each]}
    assert not wrong, "(as it ended, as the model says)"
    histories = [history for _, kept in played for history in kept]
    assert await strays({history.run_id: history for history in histories}) == {}


async def is_at_rest(handle: WorkflowHandle[Any, Any]) -> bool:
    """Wait until it waits for nothing but time and messages, or is over; whether it runs."""
    while True:
        with unless_not_found():
            seen = await handle.describe()
            if seen.status is WorkflowExecutionStatus.RUNNING:
                pending = seen.raw_description
                busy = pending.pending_activities or pending.pending_children
                if not busy and not pending.HasField("pending_workflow_task"):
                    return True
                await asyncio.sleep(A_BREATH)
                continue
        return False


async def skip(
    env: WorkflowEnvironment, handle: WorkflowHandle[Any, Any], time: timedelta | None = None
) -> None:
    """Move the clock of a workflow that runs; without a time, to its end."""
    with unless_not_found():
        await env.fast_forward(handle, time)


async def runs(client: Client, workflow_id: str) -> list[WorkflowHistory]:
    """What was kept of every run of it."""
    found = client.list_workflows(f"WorkflowId = '{workflow_id}'")
    handles = [client.get_workflow_handle(run.id, run_id=run.run_id) async for run in found]
    return [await handle.fetch_history() for handle in handles]


@contextmanager
def unless_not_found() -> Iterator[None]:
    """A workflow that has ended has no clock, and some never began."""
    try:
        yield
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
