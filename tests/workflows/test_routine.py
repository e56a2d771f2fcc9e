"""What a gateway's schedule starts: each moment reconciles its own period, late or not."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import (
    ScheduleBackfill,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    WorkflowExecutionStatus,
)

from domain.findings import Match, Plan
from domain.policies import Budget, ReconciliationPolicy
from domain.reconciliations import Approval, Period, Routine
from domain.settlements import Report
from tests.support.fake_books import a_chunk, a_finding, an_entry
from tests.workflows.conftest import World
from workflows.reconciliation import ReconciliationResult, ReconciliationWorkflow
from workflows.routine import RoutineWorkflow
from workflows.schedules import keep_reconciling

HOURS_4 = timedelta(hours=4)
TRANSACTIONS = frozenset({Report.TRANSACTIONS})


def a_routine(budget: int = 10, sources: frozenset[Report] = TRANSACTIONS) -> Routine:
    # Nothing is at that gateway in the real world, but its name keeps this test's runs apart.
    return Routine("acme", ReconciliationPolicy(budget=Budget(budget)), sources)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def world(world: World) -> World:
    world.gateway.chunks = [a_chunk(an_entry())]
    return world


async def run_once(world: World, routine: Routine) -> dict[str, str]:
    return await world.client.execute_workflow(
        RoutineWorkflow.run, routine, id=f"routine-{uuid4()}", task_queue=world.task_queue
    )


async def test_what_happened_and_what_arrived_is_reconciled(world: World) -> None:
    file = world.files.put("acme", "today.csv", uuid4().bytes)
    world.files.waiting = [file]
    became = await run_once(world, a_routine())
    (report, from_file) = became
    assert report.startswith("reconciliation-acme-transactions-")
    assert from_file == f"reconciliation-acme-{file.sha256[:32]}"
    assert set(became.values()) == {"done"}


async def test_a_file_that_was_done_is_not_done_again(world: World) -> None:
    world.files.waiting = [world.files.put("acme", "today.csv", uuid4().bytes)]
    routine = a_routine(sources=frozenset())
    assert list((await run_once(world, routine)).values()) == ["done"]
    world.files.waiting = [world.files.put("acme", "renamed.csv", *world.files.kept.values())]
    assert list((await run_once(world, routine)).values()) == ["done before"]


async def test_a_run_that_waits_for_an_operator_holds_up_nobody(world: World) -> None:
    world.books.findings = [a_finding(1, Match.DUPLICATE_PAYMENT, Plan.REFUND)]
    file = world.files.put("acme", "today.csv", uuid4().bytes)
    world.files.waiting = [file]
    became = await run_once(world, a_routine(budget=0, sources=frozenset()))
    (run_id,) = became
    assert became[run_id] == "waits for an operator"
    run = world.client.get_workflow_handle(run_id, result_type=ReconciliationResult)
    await run.execute_update(ReconciliationWorkflow.approve, Approval("olga", "looked"))
    assert (await run.result()).handed_over == 1


async def test_one_that_is_refused_holds_up_nobody(world: World) -> None:
    world.gateway.chunks = [a_chunk(an_entry(), is_last=False)]
    world.files.waiting = [world.files.put("acme", f"{n}.csv", uuid4().bytes) for n in range(2)]
    became = await run_once(world, a_routine(sources=frozenset()))
    assert len(became) == 2
    assert all(word.startswith("failed: ") for word in became.values())


@pytest.fixture
async def schedule(world: World) -> AsyncIterator[ScheduleHandle]:
    routine = Routine(f"acme-{uuid4()}", ReconciliationPolicy(), frozenset())
    await keep_reconciling(world.client, world.task_queue, routine)
    handle = world.client.get_schedule_handle(f"reconcile-{routine.gateway}")
    yield handle
    await handle.delete()


async def test_none_is_dropped_and_never_two_at_once(
    world: World, schedule: ScheduleHandle
) -> None:
    policy = (await schedule.describe()).schedule.policy
    assert policy.overlap is ScheduleOverlapPolicy.BUFFER_ALL
    assert policy.catchup_window == timedelta(days=7)


async def test_what_was_missed_runs_each_for_its_own_time(
    world: World, schedule: ScheduleHandle
) -> None:
    missed = ScheduleBackfill(
        start_at=at(1, 0, 30), end_at=at(1, 13), overlap=ScheduleOverlapPolicy.BUFFER_ALL
    )
    await schedule.backfill(missed)
    starts: set[str] = set()
    while len(starts) < 3:
        async for run in world.client.list_workflows(f"WorkflowId STARTS_WITH '{schedule.id}-'"):
            if run.status is WorkflowExecutionStatus.COMPLETED:
                starts.add(run.id.removeprefix(f"{schedule.id}-"))
    assert starts == {"2026-03-01T04:00:00Z", "2026-03-01T08:00:00Z", "2026-03-01T12:00:00Z"}


def test_the_period_comes_from_the_scheduled_time_and_overlaps() -> None:
    early, late = (a_routine().reports(at(1, hour))[0].period for hour in (4, 8))
    assert early == Period(at(1, 4) - HOURS_4 - timedelta(hours=2), at(1, 4))
    assert late
    assert early
    assert late.start < early.end


def test_each_settlement_day_is_reconciled_once_it_has_ended() -> None:
    routine = Routine(
        "acme", ReconciliationPolicy(), frozenset({Report.SETTLEMENTS}), day_zone="Asia/Kolkata"
    )
    days = [plan.period for hour in range(0, 24, 4) for plan in routine.reports(at(2, hour))]
    assert days == [Period(at(1, 18, 30), at(2, 18, 30))]
