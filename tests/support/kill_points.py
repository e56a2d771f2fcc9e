"""Where a worker can die: read from the histories of stories that went well."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from inspect import getmembers
from random import Random

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tests.support.doomed import AROUND, Doom, Phase
from workflows.checkout import CheckoutWorkflow

Point = tuple[str, Doom]
CHECKOUT = CheckoutWorkflow.__name__
MARK = "__temporal_activity_definition"
SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
STARTED = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
DECIDED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED


@dataclass(frozen=True)
class Step:
    """An activity that a workflow has scheduled, and what the operator reads beside it."""

    workflow: str
    activity: str
    summary: str


def steps_of(histories: Iterable[WorkflowHistory]) -> list[Step]:
    """In the order in which they were scheduled, each once."""
    return list(dict.fromkeys(step for history in histories for step in _steps(history)))


def _steps(history: WorkflowHistory) -> Iterator[Step]:
    workflow = history.events[0].workflow_execution_started_event_attributes.workflow_type.name
    for event in history.events:
        if event.event_type == SCHEDULED:
            activity = event.activity_task_scheduled_event_attributes.activity_type.name
            yield Step(workflow, activity, event.user_metadata.summary.data.decode())


def activity_names(actor: type) -> list[str]:
    """The activities that the class has, whether anybody schedules them or not."""
    return [name for name, _ in getmembers(actor, lambda member: hasattr(member, MARK))]


def points_in(stories: Mapping[str, Iterable[Step]]) -> list[Point]:
    """Every phase of every step. Refunds and repairs are alike: theirs in one story will do."""
    seen: set[tuple[str, Step]] = set()
    points: list[Point] = []
    for story, steps in stories.items():
        for step in steps:
            key = (story if step.workflow == CHECKOUT else "any", step)
            if key not in seen:
                seen.add(key)
                points += [(story, Doom(step.activity, phase)) for phase in AROUND]
    return list(dict.fromkeys(points))


def one_of_each(points: Iterable[Point], seed: int) -> list[Point]:
    """One point of each activity; another seed chooses others."""
    by_activity: dict[str, list[Point]] = {}
    for story, doom in points:
        by_activity.setdefault(doom.activity, []).append((story, doom))
    choose = Random(seed).choice
    return [choose(found) for found in by_activity.values()]


def recovery(histories: Iterable[WorkflowHistory], doom: Doom, died_at: float) -> float | None:
    """Seconds from the kill to the next step: the activity's next attempt, or the workflow's move.

    None if nothing was left to do.
    """
    moves = {STARTED, DECIDED} if doom.phase is Phase.AFTER_RECORD else {STARTED}
    return min(_after(died_at, _events(histories, moves)), default=None)


def _events(histories: Iterable[WorkflowHistory], kinds: Collection[int]) -> Iterator[HistoryEvent]:
    return (e for history in histories for e in history.events if e.event_type in kinds)


def _after(died_at: float, events: Iterable[HistoryEvent]) -> Iterator[float]:
    for event in events:
        passed = event.event_time.ToNanoseconds() / 1e9 - died_at
        if passed > 0:
            yield passed


def percentile(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
