"""Every way in which reconciliations, routines and sweeps go; each returns the handle to one."""

from typing import Any
from uuid import uuid4

from temporalio.client import WorkflowHandle

from domain.findings import Match, Plan
from domain.policies import Budget, ReconciliationPolicy
from domain.reconciliations import Approval, ReconciliationPlan, Routine, RunState
from domain.settlements import Report
from tests.support.fake_books import a_chunk, a_finding, a_plan, an_entry
from tests.support.fakes import a_payment, news_of
from tests.workflows.conftest import World
from workflows.reconciliation import ReconciliationResult, ReconciliationWorkflow
from workflows.routine import RoutineWorkflow
from workflows.sweep import SweepResult, SweepWorkflow

Run = WorkflowHandle[ReconciliationWorkflow, ReconciliationResult]
TELL = a_finding(1, Match.FAIL_PAID, Plan.TELL)
ASK = a_finding(2, Match.OK_UNPAID, Plan.ASK, file_status="failed")
REFUNDS = [a_finding(number, Match.DUPLICATE_PAYMENT, Plan.REFUND) for number in (3, 4, 5)]
YES = Approval("olga", "I looked at each of them")


async def begun(world: World, plan: ReconciliationPlan) -> Run:
    world.gateway.chunks = world.gateway.chunks or [a_chunk(an_entry())]
    world.books.findings = [TELL, ASK, *REFUNDS]
    return await world.client.start_workflow(
        ReconciliationWorkflow.run, plan, id=f"run-{uuid4()}", task_queue=world.task_queue
    )


async def reconciliation_done(world: World) -> Run:
    return await begun(world, a_plan())


async def reconciliation_of_a_file(world: World) -> Run:
    file = world.files.put("acme", "today.csv", b"whatever the adapter reads")
    return await begun(world, a_plan(file=file))


async def reconciliation_held_and_approved(world: World) -> Run:
    run = await running_reconciliation_held(world)
    await run.execute_update(ReconciliationWorkflow.approve, YES)
    return run


async def reconciliation_dry(world: World) -> Run:
    return await begun(world, a_plan(dry_run=True))


async def reconciliation_refused(world: World) -> Run:
    world.gateway.chunks = [a_chunk(an_entry(), is_last=False)]
    return await begun(world, a_plan())


async def running_reconciliation_held(world: World) -> Run:
    run = await begun(world, a_plan(budget=1))
    while RunState.WAITING not in world.books.states:
        await run.describe()
    return run


async def routine(world: World, budget: int, *reports: Report) -> WorkflowHandle[Any, Any]:
    """A moment of the schedule at which one file has arrived."""
    world.gateway.chunks = world.gateway.chunks or [a_chunk(an_entry())]
    world.books.findings = [*REFUNDS]
    world.files.waiting = [world.files.put("acme", "today.csv", uuid4().bytes)]
    policy = ReconciliationPolicy(budget=Budget(budget))
    return await world.client.start_workflow(
        RoutineWorkflow.run,
        Routine("acme", policy, frozenset(reports)),
        id=f"routine-{uuid4()}",
        task_queue=world.task_queue,
    )


async def routine_done(world: World) -> WorkflowHandle[Any, Any]:
    return await routine(world, 10, Report.TRANSACTIONS)


async def routine_whose_run_is_held(world: World) -> WorkflowHandle[Any, Any]:
    return await routine(world, 0)


async def routine_whose_run_is_refused(world: World) -> WorkflowHandle[Any, Any]:
    world.gateway.chunks = [a_chunk(an_entry(), is_last=False)]
    return await routine(world, 10)


async def sweep(world: World) -> WorkflowHandle[SweepWorkflow, SweepResult]:
    world.deliver_for_real()
    running, orphan = await world.open(), await world.open()
    await orphan.terminate("lost")
    world.inbox.rows = {1: news_of(running.id, a_payment()), 2: None}
    return await world.client.start_workflow(
        SweepWorkflow.run, id=f"sweep-{uuid4()}", task_queue=world.task_queue
    )


async def sweep_that_closes_a_late_link(
    world: World,
) -> WorkflowHandle[SweepWorkflow, SweepResult]:
    await world.late_link()
    return await world.client.start_workflow(
        SweepWorkflow.run, id=f"sweep-{uuid4()}", task_queue=world.task_queue
    )


OUTCOMES = (
    reconciliation_done,
    reconciliation_of_a_file,
    reconciliation_held_and_approved,
    reconciliation_dry,
    reconciliation_refused,
    running_reconciliation_held,
    routine_done,
    routine_whose_run_is_held,
    routine_whose_run_is_refused,
    sweep,
    sweep_that_closes_a_late_link,
)
