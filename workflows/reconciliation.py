"""One reconciliation: rows staged, compared with the orders, and what disagrees is repaired."""

from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.findings import FindingActivities
from activities.reconciliations import ReconciliationActivities
from domain.errors import FileRefused, WordNotWanted
from domain.findings import Match, Page, Tally
from domain.reconciliations import Approval, ReconciliationPlan, RunState
from workflows.options import LOAD, RECORD, REPAIR_PAGE, failure, named


@dataclass(frozen=True)
class ReconciliationResult:
    """How many rows of each class there were, and how many findings were handed over."""

    rows: dict[str, int]
    handed_over: int


@workflow.defn
class ReconciliationWorkflow:
    """Its id is the run's: gateway and period, or gateway and file. Repeating it is harmless."""

    @workflow.init
    def __init__(self, plan: ReconciliationPlan) -> None:
        self._plan, self._left = plan, plan.budget
        self._state = RunState.STAGING
        self._rows = 0
        self._tallies: list[Tally] = []
        self._handed_over = 0
        self._approval: Approval | None = None

    @workflow.run
    async def run(self, plan: ReconciliationPlan) -> ReconciliationResult:
        call = workflow.execute_activity_method
        await call(
            ReconciliationActivities.begin_run, plan, **named(RECORD, "Record that the run begins")
        )
        await self._compare()
        if not plan.dry_run:
            await self._repair()
        await self._proceed(RunState.DONE)
        await workflow.wait_condition(workflow.all_handlers_finished)
        rows = {str(tally.match): tally.rows for tally in self._tallies}
        return ReconciliationResult(rows, self._handed_over)

    @workflow.update
    async def approve(self, approval: Approval) -> None:
        """An operator's word: this run may move more money than its budget."""
        await workflow.execute_activity_method(
            ReconciliationActivities.approve_run,
            args=[self._plan.run_id, approval],
            **named(RECORD, f"Keep the approval of {approval.actor}"),
        )
        self._approval = approval

    @approve.validator
    def _may_approve(self, approval: Approval) -> None:
        if not approval.reason.strip() or not approval.actor.strip():
            raise _unwanted("say who you are, and why")
        if self._state is not RunState.WAITING or self._approval:
            raise _unwanted("the run does not wait for an approval")

    async def _compare(self) -> None:
        call, plan = workflow.execute_activity_method, self._plan
        try:
            self._tell_operator()
            self._rows = await call(
                ReconciliationActivities.load, plan, **named(LOAD, "Read every row")
            )
            await self._proceed(RunState.MATCHING)
            self._tallies = await call(
                ReconciliationActivities.match, plan, **named(LOAD, "Compare with the orders")
            )
        except ActivityError as error:
            why = failure(error, FileRefused)
            if why is None:
                raise
            await self._refuse(why)
            raise ApplicationError(why, type=FileRefused.__name__, non_retryable=True) from error

    async def _refuse(self, why: str) -> None:
        self._state = RunState.REFUSED
        await workflow.execute_activity_method(
            ReconciliationActivities.refuse_load,
            args=[self._plan, why],
            **named(RECORD, "Refuse the whole of it"),
        )
        self._tell_operator(why)

    async def _repair(self) -> None:
        await self._proceed(RunState.REPAIRING)
        while True:
            page = await self._next_page()
            if page.last:
                await self._hand_over(page.last)
                self._left = self._left.less(page.refunds, page.minor_by_currency)
            elif page.is_held:
                await self._hold()
            else:
                return

    async def _next_page(self) -> Page:
        budget = None if self._approval else self._left
        return await workflow.execute_activity_method(
            ReconciliationActivities.next_page,
            args=[self._plan.run_id, budget],
            **named(RECORD, "See what is to be repaired next"),
        )

    async def _hand_over(self, last: str) -> None:
        self._handed_over += await workflow.execute_activity_method(
            FindingActivities.hand_over_page,
            args=[self._plan.run_id, last, self._approval],
            **named(REPAIR_PAGE, "Hand the findings over to their orders"),
        )
        self._tell_operator()

    async def _hold(self) -> None:
        """The brake: whoever started this run goes on without it until an operator has spoken."""
        await self._proceed(RunState.WAITING)
        if parent := workflow.info().parent:
            starter = workflow.get_external_workflow_handle(parent.workflow_id)
            await starter.signal("held", self._plan.run_id)
        await workflow.wait_condition(lambda: self._approval is not None)
        await self._proceed(RunState.REPAIRING)

    async def _proceed(self, state: RunState) -> None:
        self._state = state
        await workflow.execute_activity_method(
            ReconciliationActivities.proceed,
            args=[self._plan.run_id, state],
            **named(RECORD, f"Record that the run is {state}"),
        )
        self._tell_operator()

    def _tell_operator(self, why: str = "") -> None:
        source = self._plan.file.name if self._plan.file else f"report of {self._plan.report}"
        shown = [f"{t.match}: {t.rows}" for t in self._tallies if t.rows]
        lines = [
            f"**{self._state}**{' (dry run)' if self._plan.dry_run else ''}: {source}",
            f"rows read: {self._rows}",
            f"found: {', '.join(shown) or 'nothing yet'}",
            f"handed over: {self._handed_over} of {_findings(self._tallies)}",
        ]
        if self._state is RunState.WAITING:
            lines.append("the budget of automatic refunds is used up: approve, with a reason")
        if self._approval:
            lines.append(f"approved by {self._approval.actor}: {self._approval.reason}")
        workflow.set_current_details("\n".join(f"- {line}" for line in [*lines, why] if line))


def _findings(tallies: list[Tally]) -> int:
    return sum(tally.rows for tally in tallies if Match(tally.match).is_finding)


def _unwanted(why: str) -> ApplicationError:
    return ApplicationError(why, type=WordNotWanted.__name__, non_retryable=True)
