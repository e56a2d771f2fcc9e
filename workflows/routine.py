"""What the schedule of a gateway starts: whatever arrived or happened since is reconciled."""

from datetime import datetime

from temporalio import workflow
from temporalio.common import SearchAttributeKey, WorkflowIDReusePolicy
from temporalio.exceptions import ChildWorkflowError, WorkflowAlreadyStartedError

from activities.reconciliations import ReconciliationActivities
from domain.reconciliations import ReconciliationPlan, Routine
from domain.settlements import TransactionFile
from workflows.options import REPAIR_PAGE, named
from workflows.reconciliation import ReconciliationWorkflow

SCHEDULED_FOR = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@workflow.defn
class RoutineWorkflow:
    """One for each moment of the schedule, however late it runs; each run is a child of it."""

    @workflow.init
    def __init__(self, routine: Routine) -> None:
        self._held: set[str] = set()

    @workflow.run
    async def run(self, routine: Routine) -> dict[str, str]:
        """What became of each run, by its id."""
        at = scheduled_time()
        files = await self._arrived(routine.gateway)
        plans = [*routine.reports(at), *(routine.of_file(file, at) for file in files)]
        became = {}
        for plan in plans:
            became[plan.run_id] = await self._reconcile(plan)
            workflow.set_current_details(
                "\n".join(f"- {run_id}: {state}" for run_id, state in became.items())
            )
        return became

    @workflow.signal(description="A run waits for an operator; the others go on")
    def held(self, run_id: str) -> None:
        self._held.add(run_id)

    async def _arrived(self, gateway: str) -> list[TransactionFile]:
        return await workflow.execute_activity_method(
            ReconciliationActivities.arrived_files,
            gateway,
            **named(REPAIR_PAGE, "Take in the files that have arrived"),
        )

    async def _reconcile(self, plan: ReconciliationPlan) -> str:
        try:
            run = await workflow.start_child_workflow(
                ReconciliationWorkflow.run,
                plan,
                id=plan.run_id,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=plan.summary,
            )
            await workflow.wait_condition(lambda: run.done() or plan.run_id in self._held)
            if not run.done():
                return "waits for an operator"
            await run
        except WorkflowAlreadyStartedError:
            return "done before"
        except ChildWorkflowError as error:
            workflow.logger.warning("%s: %s", plan.run_id, error.cause)
            return f"failed: {error.cause}"
        return "done"


def scheduled_time() -> datetime:
    """The moment that this run stands for; a late or repeated run stands for the same one."""
    return workflow.info().typed_search_attributes.get(SCHEDULED_FOR) or workflow.now()
