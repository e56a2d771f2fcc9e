"""What waits for a person: cases, and the one word that settles each."""

from typing import Annotated

from fastapi import APIRouter, Query
from temporalio.client import WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError

from api.auth import Operator
from api.models import CaseOut, DecisionIn
from api.problems import ApiError, documented
from api.services import Services
from api.views import case_out
from domain.cases import CaseStatus, Decision
from workflows.delivery import repair_id, repair_plan
from workflows.options import DECISION
from workflows.repair import RepairWorkflow

router = APIRouter(tags=["cases"])
Status = Annotated[CaseStatus | None, Query(description="Only cases of this status")]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/cases", responses=documented(401, 403, 422, 503))
async def list_cases(
    services: Services, principal: Operator, status: Status = None, limit: Limit = 100
) -> list[CaseOut]:
    """The newest first."""
    return [case_out(view) for view in await services.reads.case_list(status, limit)]


@router.post("/cases/{case_id}", responses=documented(400, 401, 403, 404, 409, 413, 422, 503))
async def decide_case(
    case_id: str, body: DecisionIn, services: Services, principal: Operator
) -> CaseOut:
    """Honour, refund or dismiss, once; the order's repair does it, also if it was away."""
    subject = (await services.reads.case_view(case_id)).subject
    decision = Decision(case_id, body.verdict, principal.name, body.reason)
    plan = await repair_plan(subject, services.orders, services.policies)
    start = WithStartWorkflowOperation(
        RepairWorkflow.run,
        plan,
        id=repair_id(subject),
        task_queue=services.settings.task_queue,
        task_timeout=DECISION,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=plan.summary,
    )
    try:
        await services.temporal.execute_update_with_start_workflow(
            RepairWorkflow.decide, decision, start_workflow_operation=start
        )
    except WorkflowUpdateFailedError as error:
        raise word_not_wanted(error) from error
    return case_out(await services.reads.case_view(case_id))


def word_not_wanted(error: WorkflowUpdateFailedError) -> ApiError:
    """What a workflow said when it refused an operator's word."""
    cause = error.cause
    why = cause.message if isinstance(cause, ApplicationError) else "no word is taken now"
    return ApiError(409, "word-not-wanted", f"Nothing was done: {why}.")
