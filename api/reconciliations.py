"""Reconciliation: files come in, runs are started, and what they found is told."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.requests import ClientDisconnect
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.auth import Operator, Reader, wants_page
from api.cases import word_not_wanted
from api.models import Moment
from api.problems import ApiError, documented
from api.reconciliation_models import (
    ApprovalIn,
    ReconciliationIn,
    ReconciliationOut,
    RunOut,
    RunStartedOut,
)
from api.reconciliation_pages import list_page, run_page
from api.reconciliation_views import reconciliation_out, run_out
from api.services import Opened, Services
from api.spreadsheets import HEAD, cells_of, csv_of
from api.temporal import reached
from domain.findings import Match
from domain.reconciliations import Approval, Period, ReconciliationPlan, Routine
from gateways.base import Gateway
from workflows.reconciliation import ReconciliationWorkflow

router = APIRouter(tags=["reconciliation"])
ROWS_AT_ONCE = 500
# Some reports are told day by day: one of centuries would be asked for until the end of days.
LONGEST_REPORT = timedelta(days=366)
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str | None, Query(max_length=128)]
PAGE: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}
EITHER: dict[int | str, dict[str, Any]] = {200: {"content": PAGE}}
TABLE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}


class Wishes:
    """What an uploaded file may be told with: a name for people, a period, a dry run."""

    def __init__(
        self,
        name: Annotated[str, Query(max_length=255, description="For people only")] = "upload.csv",
        start: Annotated[Moment | None, Query(alias="from")] = None,
        end: Annotated[Moment | None, Query(alias="to")] = None,
        dry_run: bool = False,
    ) -> None:
        self.name, self.start, self.end, self.dry_run = name, start, end, dry_run

    @property
    def period(self) -> Period | None:
        if self.start is None and self.end is None:
            return None
        if self.start is None or self.end is None:
            raise ApiError(422, "invalid-period", "A period has a `from` and a `to`.")
        return period_of(self.start, self.end)


@router.post(
    "/transaction-files/{gateway}",
    status_code=202,
    responses=documented(400, 401, 403, 404, 422, 503),
    openapi_extra={"requestBody": {"required": True, "content": {"*/*": {}}}},
)
async def take_file(
    gateway: str,
    request: Request,
    services: Services,
    principal: Operator,
    wishes: Annotated[Wishes, Depends()],
) -> RunStartedOut:
    """Keep the body as it streams in, of any size, and reconcile it.

    A file is known by its bytes: the same again, under whatever name, is the same run.
    """
    known = services.gateways.get(gateway)
    if known is None:
        raise ApiError(404, "unknown-gateway", "There is no such gateway here.")
    period = wishes.period
    try:
        file = await services.files.keep(gateway, wishes.name, request.stream())
    except ClientDisconnect as error:
        raise ApiError(400, "cut-off", "The body ended too early; nothing was kept.") from error
    plan = routine(known, services).of_file(file, datetime.now(UTC), period, dry_run=wishes.dry_run)
    return await started(plan, services)


@router.post(
    "/reconciliations", status_code=202, responses=documented(400, 401, 403, 413, 422, 503)
)
async def reconcile(
    body: ReconciliationIn, services: Services, principal: Operator
) -> RunStartedOut:
    """Reconcile a period by the gateway's own reports; the same period again is the same run."""
    known = services.gateways.get(body.gateway)
    if known is None:
        raise ApiError(422, "unknown-gateway", "There is no such gateway here.")
    if body.report not in known.capabilities.reports:
        raise ApiError(422, "no-such-report", "This gateway has no such report: send its file.")
    period, now = period_of(body.start, body.end), datetime.now(UTC)
    if period.end > now:
        raise ApiError(422, "invalid-period", "The period must have ended.")
    if period.end - period.start > LONGEST_REPORT:
        most = f"A report is asked for {LONGEST_REPORT.days} days at most; take several, or a file."
        raise ApiError(422, "invalid-period", most)
    plan = routine(known, services).of_period(body.report, period, now, dry_run=body.dry_run)
    return await started(plan, services)


@router.get(
    "/reconciliations.html",
    response_class=HTMLResponse,
    responses=documented(401, 403, 503),
)
async def show_list(services: Services, principal: Reader) -> Response:
    """The last runs as a page to read in a browser."""
    return await list_page(await services.reconciliations.runs(), services)


@router.get(
    "/reconciliations",
    response_model=list[RunOut],
    responses=EITHER | documented(401, 403, 404, 422, 503),
)
async def list_reconciliations(
    request: Request,
    services: Services,
    principal: Reader,
    gateway: str | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Response | list[RunOut]:
    """The newest first; `after` is the run that ended the page before. A browser gets a page."""
    runs = await services.reconciliations.runs(gateway, limit, after)
    if wants_page(request):
        return await list_page(runs, services)
    return [run_out(view) for view in runs]


@router.get(
    "/reconciliations/{run_id}.csv",
    response_class=StreamingResponse,
    responses=TABLE | documented(401, 403, 404, 503),
)
async def export_findings(run_id: str, services: Services, principal: Reader) -> Response:
    """Every disagreement as a line of a table, with what became of it."""
    await services.reconciliations.run(run_id)
    table = csv_of(HEAD, pages_of(run_id, services))
    headers = {"Content-Disposition": f'attachment; filename="{run_id}.csv"'}
    return StreamingResponse(table, media_type="text/csv", headers=headers)


@router.get(
    "/reconciliations/{run_id}.html",
    response_class=HTMLResponse,
    responses=documented(401, 403, 404, 503),
)
async def show_page(run_id: str, services: Services, principal: Reader) -> Response:
    """The run as a page to read in a browser."""
    return await run_page(run_id, services)


@router.get(
    "/reconciliations/{run_id}",
    response_model=ReconciliationOut,
    responses=EITHER | documented(401, 403, 404, 422, 503),
)
async def show_reconciliation(
    run_id: str,
    request: Request,
    services: Services,
    principal: Reader,
    match: Match | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Response | ReconciliationOut:
    """A run, its progress and a page of its disagreements. A browser gets a page to read."""
    if wants_page(request):
        return await run_page(run_id, services)
    reads = services.reconciliations
    view, settlements = await reads.run(run_id), await reads.settlements(run_id)
    findings = await reads.findings(run_id, match, limit, after)
    return reconciliation_out(view, settlements, findings, limit)


@router.post(
    "/reconciliations/{run_id}/approve",
    responses=documented(400, 401, 403, 404, 409, 413, 422, 503),
)
async def approve(run_id: str, body: ApprovalIn, services: Services, principal: Operator) -> RunOut:
    """Let a run that waits move more money than its budget; once, and with a reason."""
    await services.reconciliations.run(run_id)
    run = services.temporal.get_workflow_handle(run_id)
    approval = Approval(principal.name, body.reason)
    try:
        await run.execute_update(ReconciliationWorkflow.approve, approval)
    except WorkflowUpdateFailedError as error:
        raise word_not_wanted(error) from error
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise ApiError(409, "word-not-wanted", "Nothing was done: the run has ended.") from error
    return run_out(await services.reconciliations.run(run_id))


def period_of(start: datetime, end: datetime) -> Period:
    try:
        return Period(start, end)
    except ValueError as error:
        raise ApiError(422, "invalid-period", "A period begins before it ends.") from error


def routine(gateway: Gateway, services: Opened) -> Routine:
    can = gateway.capabilities
    policy = services.policies.reconciliation
    return Routine(gateway.name, policy, can.reports, can.settles_at)


async def started(plan: ReconciliationPlan, services: Opened) -> RunStartedOut:
    """Start the run, unless it runs or is done; one that was refused begins again."""
    try:
        with reached():
            await services.temporal.start_workflow(
                ReconciliationWorkflow.run,
                plan,
                id=plan.run_id,
                task_queue=services.settings.task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=plan.summary,
            )
    except WorkflowAlreadyStartedError:
        return RunStartedOut(run_id=plan.run_id)
    await services.books.begin(plan, datetime.now(UTC))
    return RunStartedOut(run_id=plan.run_id)


async def pages_of(run_id: str, services: Opened) -> AsyncIterator[Iterable[Iterable[object]]]:
    after: str | None = None
    reads = services.reconciliations
    while page := await reads.findings(run_id, limit=ROWS_AT_ONCE, after=after):
        yield [cells_of(view) for view in page]
        after = page[-1].finding.finding_id
