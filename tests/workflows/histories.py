"""What Temporal recorded of a workflow: replayed, counted and measured."""

from collections import Counter
from collections.abc import Iterable

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from worker import SANDBOX, WORKFLOWS

PREFIX = "EVENT_TYPE_"
BILLABLE = (
    "WORKFLOW_EXECUTION_STARTED",
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
    "WORKFLOW_EXECUTION_SIGNALED",
    "TIMER_STARTED",
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
)


async def replay(histories: Iterable[WorkflowHistory]) -> None:
    """Raises if any of them would go another way today."""
    replayer = Replayer(
        workflows=WORKFLOWS, workflow_runner=SANDBOX, data_converter=pydantic_data_converter
    )
    for history in histories:
        await replayer.replay_workflow(history)


def kinds(history: WorkflowHistory) -> Counter[str]:
    return Counter(EventType.Name(e.event_type).removeprefix(PREFIX) for e in history.events)


def actions(history: WorkflowHistory) -> int:
    """What a hosted Temporal would bill: one for each of these, and for each attempt."""
    started = (e.activity_task_started_event_attributes for e in history.events)
    attempts = sum(each.attempt for each in started)
    return attempts + sum(kinds(history)[kind] for kind in BILLABLE)


def size(history: WorkflowHistory) -> int:
    """In bytes, as the server counts it."""
    return History(events=history.events).ByteSize()
