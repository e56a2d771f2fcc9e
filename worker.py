"""The worker: runs the workflows, and does their activities."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import (
    SandboxedWorkflowRunner,
    SandboxRestrictions,
)
from temporalio.workflow import SandboxImportNotificationPolicy

from activities.checkouts import CheckoutActivities
from activities.deliveries import DeliveryActivities
from activities.heartbeats import Heartbeats
from activities.letters import LetterActivities
from activities.repairs import RepairActivities
from activities.sweeps import SweepActivities
from domain.ports import Delivery, Inbox, Letters, Orders
from gateways.base import Gateway
from workflows.checkout import CheckoutWorkflow
from workflows.repair import RepairWorkflow
from workflows.sweep import SweepWorkflow

WORKFLOWS = (CheckoutWorkflow, RepairWorkflow, SweepWorkflow)
# A workflow file that imports anything else is refused when the worker starts.
PASSED_THROUGH = (
    "domain",
    "activities",
    "gateways.base",
    "workflows.ending",
    "workflows.options",
    "workflows.watch",
)
SANDBOX = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(
        *PASSED_THROUGH
    ).with_import_notification_policy(
        SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    )
)


def all_activities(
    *,
    orders: Orders,
    inbox: Inbox,
    gateways: Mapping[str, Gateway],
    letters: Letters,
    delivery: Delivery,
    public_url: str,
    window: timedelta,
) -> list[Callable[..., Any]]:
    """Every activity, bound to the world it acts on."""
    checkouts = CheckoutActivities(orders, gateways, public_url)
    repairs, sweeps = (
        RepairActivities(orders),
        SweepActivities(orders, inbox, delivery, window),
    )
    return [
        checkouts.open_link,
        checkouts.ask,
        checkouts.close_and_ask,
        checkouts.conclude,
        LetterActivities(letters).confirm,
        DeliveryActivities(delivery).hand_over,
        repairs.standing,
        repairs.open_case,
        sweeps.forward_inbox,
        sweeps.expire_untouched,
        sweeps.adopt_orphans,
    ]


def build_worker(
    client: Client, task_queue: str, activities: Sequence[Callable[..., Any]]
) -> Worker:
    """A worker as production runs it; a killed one is replaced within seconds."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=activities,
        workflow_runner=SANDBOX,
        interceptors=[Heartbeats()],
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        graceful_shutdown_timeout=timedelta(seconds=10),
    )
