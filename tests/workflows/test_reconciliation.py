"""Reconciliation on a real server: staged, compared, handed over, and held by its brake."""

from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError

from domain.errors import DatabaseUnavailable, FileRefused
from domain.findings import Match, Plan, RepairState
from domain.ports import Destination
from domain.reconciliations import Approval, ReconciliationPlan, RunState
from tests.support.fake_books import a_chunk, a_finding, a_plan, an_entry
from tests.workflows.conftest import World
from workflows.reconciliation import ReconciliationResult, ReconciliationWorkflow

Run = WorkflowHandle[ReconciliationWorkflow, ReconciliationResult]
REFUNDS = [a_finding(number, Match.DUPLICATE_PAYMENT, Plan.REFUND) for number in range(1, 5)]
YES = Approval("olga", "I looked at each of them")


async def start(world: World, plan: ReconciliationPlan) -> Run:
    return await world.client.start_workflow(
        ReconciliationWorkflow.run,
        plan,
        id=f"{plan.run_id}-{uuid4()}",
        task_queue=world.task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    )


async def until(run: Run, world: World, state: RunState) -> None:
    while state not in world.books.states:
        description = await run.describe()
        assert description.status is not None


async def test_all_rows_are_staged_and_all_findings_handed_over(world: World) -> None:
    world.gateway.chunks = [
        a_chunk(an_entry(1), an_entry(2, "pay_2"), cursor="1", is_last=False),
        a_chunk(an_entry(3, "pay_3"), cursor="2"),
    ]
    world.books.findings = [
        a_finding(1, Match.FAIL_PAID, Plan.TELL),
        a_finding(2, Match.FAIL_PAID, Plan.REFUND),
        a_finding(3, Match.OK_UNPAID, Plan.ASK, file_status="failed"),
    ]
    result = await (await start(world, a_plan())).result()
    assert [entry.reference for entry in world.books.staged] == ["pay_1", "pay_2", "pay_3"]
    assert result == ReconciliationResult({"fail_paid": 2, "ok_unpaid": 1}, handed_over=3)
    assert [news.order_id for news in world.delivery.delivered] == ["ord_1", "ord_2"]
    assert [doubt.order_id for doubt in world.delivery.doubts] == ["ord_3"]
    assert {state for state, _ in world.books.repairs.values()} == {RepairState.HANDED_OVER}
    assert world.books.states[-1] is RunState.DONE


async def test_a_dry_run_only_looks(world: World) -> None:
    world.gateway.chunks = [a_chunk(an_entry())]
    world.books.findings = REFUNDS
    result = await (await start(world, a_plan(dry_run=True))).result()
    assert result == ReconciliationResult({"duplicate_payment": 4}, handed_over=0)
    assert not world.delivery.delivered
    assert not world.books.repairs


async def test_past_its_budget_it_moves_no_money_until_an_operator_approves(world: World) -> None:
    world.gateway.chunks = [a_chunk(an_entry())]
    world.books.findings = [*REFUNDS, a_finding(9, Match.OK_UNPAID, Plan.ASK, file_status="failed")]
    run = await start(world, a_plan(budget=1))
    await until(run, world, RunState.WAITING)
    assert [news.order_id for news in world.delivery.delivered] == ["ord_1"]
    assert len(world.delivery.doubts) == 1, "what moves no money is not held"
    await run.execute_update(ReconciliationWorkflow.approve, YES)
    assert (await run.result()).handed_over == 5
    assert [n.approved_by for n in world.delivery.delivered] == [None, "olga", "olga", "olga"]
    assert world.books.approvals == [YES]


@pytest.mark.parametrize(
    ("approval", "why"),
    [(Approval("olga", " "), "say who you are"), (Approval("", "I looked"), "say who you are")],
)
async def test_an_approval_needs_a_name_and_a_reason(
    world: World, approval: Approval, why: str
) -> None:
    world.gateway.chunks = [a_chunk(an_entry())]
    world.books.findings = REFUNDS
    run = await start(world, a_plan(budget=0))
    await until(run, world, RunState.WAITING)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await run.execute_update(ReconciliationWorkflow.approve, approval)
    assert why in str(refused.value.cause)
    await run.terminate()


async def test_nothing_is_approved_that_does_not_wait(world: World) -> None:
    world.gateway.chunks = [a_chunk(an_entry())]
    world.books.findings = REFUNDS
    run = await start(world, a_plan(budget=0))
    await until(run, world, RunState.WAITING)
    await run.execute_update(ReconciliationWorkflow.approve, YES)
    await run.result()
    again = await start(world, a_plan(budget=0))
    with pytest.raises(WorkflowUpdateFailedError, match="Workflow update failed") as refused:
        await again.execute_update(ReconciliationWorkflow.approve, YES)
    assert "does not wait" in str(refused.value.cause)
    await again.result()


async def test_what_is_refused_is_refused_whole(world: World) -> None:
    world.gateway.chunks = [a_chunk(an_entry(), is_last=False)]
    run = await start(world, a_plan())
    with pytest.raises(WorkflowFailureError) as failed:
        await run.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == FileRefused.__name__
    assert world.books.refusals == ["it ends before its last row"]
    assert world.books.staged == []


async def test_a_load_goes_on_where_it_was(world: World) -> None:
    world.gateway.chunks = [
        a_chunk(an_entry(1), cursor="1", is_last=False),
        a_chunk(an_entry(2, "pay_2"), cursor="2"),
    ]
    world.books.failures = [DatabaseUnavailable("away")]
    await (await start(world, a_plan())).result()
    assert [entry.reference for entry in world.books.staged] == ["pay_1", "pay_2"]


async def test_a_file_is_read_from_where_it_is_kept(world: World) -> None:
    world.gateway.chunks = [a_chunk(an_entry())]
    file = world.files.put("acme", "today.csv", b"whatever the adapter reads")
    await (await start(world, a_plan(file=file))).result()
    assert len(world.books.staged) == 1
    assert "report transactions" not in world.gateway.calls


@dataclass
class Unknowing:
    """A delivery to which nothing is news."""

    seen: list[str] = field(default_factory=list)

    async def deliver(self, news: object) -> Destination:
        return Destination.NOTHING_NEW


async def test_what_was_dealt_with_before_is_said_to_be_known(world: World) -> None:
    world.delivery.through = Unknowing()  # type: ignore[assignment]
    world.gateway.chunks = [a_chunk(an_entry())]
    world.books.findings = [a_finding(1, Match.FAIL_PAID, Plan.REFUND)]
    await (await start(world, a_plan())).result()
    assert world.books.repairs["fnd_1"] == (RepairState.KNOWN, "recorded before")


async def test_money_of_an_unknown_order_becomes_a_case(world: World) -> None:
    world.gateway.chunks = [a_chunk(an_entry())]
    unknown = a_finding(1, Match.MISSING_IN_ORDERS, Plan.CASE, order_id=None)
    nobody = a_finding(
        2, Match.MISSING_IN_ORDERS, Plan.CASE, order_id=None, is_refund=True, file_status="pending"
    )
    world.books.findings = [unknown, nobody]
    await (await start(world, a_plan())).result()
    (case,) = world.cases.unclaimed
    assert (case.order_id, case.payment.reference) == (None, "pay_1")
    assert world.books.repairs["fnd_2"][0] is RepairState.LEFT
