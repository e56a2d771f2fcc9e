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

from domain.reconciliations import Routine
from workflows.routine import RoutineWorkflow
from workflows.sweep import SweepWorkflow

SWEEP = "sweep"
LONGEST_OUTAGE = timedelta(days=7)


async def keep_sweeping(client: Client, task_queue: str, every: timedelta) -> None:
    """See that the sweep is scheduled, and as often as the settings say."""
    await _keep(client, SWEEP, _sweep(task_queue, every))


async def keep_reconciling(client: Client, task_queue: str, routine: Routine) -> None:
    """See that the gateway is reconciled on schedule: one run at a time, and none dropped."""
    name, every = f"reconcile-{routine.gateway}", routine.policy.every
    action = ScheduleActionStartWorkflow(
        RoutineWorkflow.run, routine, id=name, task_queue=task_queue
    )
    schedule = Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.BUFFER_ALL, catchup_window=LONGEST_OUTAGE
        ),
    )
    await _keep(client, name, schedule)


def _sweep(task_queue: str, every: timedelta) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(SweepWorkflow.run, id=SWEEP, task_queue=task_queue),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
    )


async def _keep(client: Client, name: str, schedule: Schedule) -> None:
    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(lambda old: _renewed(old, schedule))


def _renewed(old: ScheduleUpdateInput, schedule: Schedule) -> ScheduleUpdate:
    # An operator's pause outlives a restart of the worker.
    schedule.state = old.description.schedule.state
    return ScheduleUpdate(schedule)
