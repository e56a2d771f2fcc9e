"""What Temporal recorded of a workflow: replayed, counted and measured."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from worker import WORKFLOWS
from workflows.payloads import DATA_CONVERTER
from workflows.sandbox import SANDBOX

PREFIX = "EVENT_TYPE_"
BILLABLE = (
    "WORKFLOW_EXECUTION_STARTED",
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
    "WORKFLOW_EXECUTION_SIGNALED",
    "TIMER_STARTED",
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
)


async def replay(
    histories: Iterable[WorkflowHistory], workflows: Sequence[type] = WORKFLOWS
) -> None:
    """Raises if any of them would go another way today."""
    for history in histories:
        await _replayer(workflows).replay_workflow(history)


async def strays(
    histories: Mapping[str, WorkflowHistory], workflows: Sequence[type] = WORKFLOWS
) -> dict[str, Exception]:
    """Those that would go another way with these workflows, by name, and how it shows."""

    async def every() -> AsyncIterator[WorkflowHistory]:
        for history in histories.values():
            yield history

    replayed = await _replayer(workflows).replay_workflows(every(), raise_on_replay_failure=False)
    names = {history.run_id: name for name, history in histories.items()}
    return {names[run_id]: error for run_id, error in replayed.replay_failures.items()}


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


def _replayer(workflows: Sequence[type]) -> Replayer:
    """As the worker would run them: its sandbox, its converter."""
    return Replayer(workflows=workflows, workflow_runner=SANDBOX, data_converter=DATA_CONVERTER)
