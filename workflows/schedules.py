"""The schedules that Temporal keeps for us."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from workflows.sweep import SweepWorkflow

SWEEP = "sweep"


async def keep_sweeping(client: Client, task_queue: str, every: timedelta) -> None:
    """See that the sweep is scheduled, and as often as the settings say."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(SweepWorkflow.run, id=SWEEP, task_queue=task_queue),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
    )
    try:
        await client.create_schedule(SWEEP, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(SWEEP).update(lambda old: _renewed(old, schedule))


def _renewed(old: ScheduleUpdateInput, schedule: Schedule) -> ScheduleUpdate:
    # An operator's pause outlives a restart of the worker.
    schedule.state = old.description.schedule.state
    return ScheduleUpdate(schedule)
