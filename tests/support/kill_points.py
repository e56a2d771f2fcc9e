"""Where a worker can die: read from the histories of stories that went well."""

from collections.abc import Collection, Iterable, Iterator
from inspect import getmembers
from random import Random

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tests.support.doomed import Doom, Phase

MARK = "__temporal_activity_definition"
SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
STARTED = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
DECIDED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED


def activities_of(histories: Iterable[WorkflowHistory]) -> list[str]:
    """The activities that were scheduled, each once, by the names that Temporal knows them by."""
    scheduled = (
        event.activity_task_scheduled_event_attributes.activity_type.name
        for history in histories
        for event in history.events
        if event.event_type == SCHEDULED
    )
    return list(dict.fromkeys(scheduled))


def activity_names(actor: type) -> list[str]:
    """The activities that the class has, whether anybody schedules them or not."""
    return [name for name, _ in getmembers(actor, lambda member: hasattr(member, MARK))]


def every_doom(activities: Iterable[str]) -> list[Doom]:
    return [Doom(activity, phase) for activity in activities for phase in Phase]


def one_of_each(points: Iterable[tuple[str, Doom]], seed: int) -> list[tuple[str, Doom]]:
    """One point of each activity; another seed chooses others."""
    by_activity: dict[str, list[tuple[str, Doom]]] = {}
    for story, doom in points:
        by_activity.setdefault(doom.activity, []).append((story, doom))
    choose = Random(seed).choice
    return [choose(found) for found in by_activity.values()]


def recovery(histories: Iterable[WorkflowHistory], doom: Doom, died_at: float) -> float:
    """Seconds from the kill to the next step: the activity's next attempt, or the workflow's move.

    Raises `ValueError` if nothing moved after it.
    """
    moves = {STARTED, DECIDED} if doom.phase is Phase.AFTER_RECORD else {STARTED}
    return min(_after(died_at, _events(histories, moves)))


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
