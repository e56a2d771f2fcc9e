"""Pay: one payment link for an order, however often and however fast it is asked for."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Response
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.auth import Anyone
from api.models import CheckoutOut
from api.orders import allowed
from api.problems import documented
from api.services import Opened, Services
from api.temporal import reached
from db.views import CheckoutView
from domain.checkouts import CheckoutPlan
from domain.names import written
from domain.orders import Order
from domain.policies import gateways_for
from workflows.checkout import CheckoutWorkflow
from workflows.options import DECISION, at_the_start

# The server lets only ten updates with different ids wait at once: all clicks on Pay are one.
UPDATE_ID = "payment-link"
router = APIRouter(tags=["checkout"])


@router.post(
    "/orders/{order_id}/checkout",
    responses={202: {"model": CheckoutOut}, **documented(401, 404, 503)},
)
async def check_out(
    order_id: str, services: Services, principal: Anyone, response: Response
) -> CheckoutOut:
    """The payment link. 202 while it is not known yet: ask again after Retry-After seconds."""
    view = await services.reads.checkout_view(order_id)
    allowed(view.order, principal)
    if _link_is_to_come(view):
        await _open(view.order, services)
        view = await services.reads.checkout_view(order_id)
    if _link_is_to_come(view):
        response.status_code = 202
        response.headers["Retry-After"] = "2"
    return _answer(view)


def _link_is_to_come(view: CheckoutView) -> bool:
    return view.order.status.is_open and (view.link is None or view.link.url is None)


def _answer(view: CheckoutView) -> CheckoutOut:
    order, link = view.order, view.link
    payable = order.status.is_open and link and link.status and link.status.is_live
    return CheckoutOut(
        order_id=order.order_id,
        status=order.status,
        payment_url=link.url if link and payable else None,
        expires_at=link.closes_at if link and payable else None,
    )


async def _open(order: Order, services: Opened) -> None:
    """Wait for the link, but not for ever; the workflow goes on whether we wait or not."""
    start = _start(order, services)
    waiting = services.temporal.execute_update_with_start_workflow(
        CheckoutWorkflow.payment_link, start_workflow_operation=start, id=UPDATE_ID
    )
    try:
        with reached():
            await asyncio.wait_for(waiting, services.settings.link_patience)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        return
    except (WorkflowUpdateFailedError, WorkflowAlreadyStartedError):
        return  # it has ended: what is recorded answers
    finally:
        await _look_at(start)


async def _look_at(start: WithStartWorkflowOperation[CheckoutWorkflow, Any]) -> None:
    """asyncio complains of an error that nobody has looked at, and one may be left in there."""
    with suppress(Exception, asyncio.CancelledError):
        async with asyncio.timeout(0):
            await start.workflow_handle()


def _plan(order: Order, services: Opened) -> CheckoutPlan:
    """After the order's own gateway come those that a rule names behind it."""
    named = gateways_for(order.amount, services.policies.gateway_rules, services.takes)
    behind = named[named.index(order.gateway) + 1 :] if order.gateway in named else ()
    powerless = [
        name for name, known in services.gateways.items() if known.capabilities.needs_capture
    ]
    plan = CheckoutPlan.of(order, services.policies.timetable, services.policies.notices)
    return replace(plan, fallbacks=behind, powerless=tuple(powerless) if behind else ())


def _start(order: Order, services: Opened) -> WithStartWorkflowOperation[CheckoutWorkflow, Any]:
    amount = order.amount
    return WithStartWorkflowOperation(
        CheckoutWorkflow.run,
        _plan(order, services),
        id=order.order_id,
        task_queue=services.settings.task_queue,
        task_timeout=DECISION,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        search_attributes=at_the_start(order.gateway, amount),
        static_summary=f"{amount} by {written(order.gateway)}, {order.order_id}",
    )
