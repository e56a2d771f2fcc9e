"""Where workflows run: what a workflow file may import is checked once, when a worker starts.

The SDK's sandbox loads the file anew for each workflow, and asks it about each payload whether
a codec wants to know whose that is. There is no such codec, and our files hold no state.
"""

from typing import Any

from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

SHARED = (
    "domain",
    "activities",
    "gateways.base",
    "workflows.doubt",
    "workflows.ending",
    "workflows.failover",
    "workflows.options",
    "workflows.reconciliation",
    "workflows.refund",
    "workflows.settlement",
    "workflows.watch",
)


def sandbox(*passed_through: str) -> SandboxedWorkflowRunner:
    """Anything else that a file in it imports is refused."""
    passing = SandboxRestrictions.default.with_passthrough_modules(*passed_through)
    return SandboxedWorkflowRunner(
        restrictions=passing.with_import_notification_policy(
            SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
        )
    )


class Runner(WorkflowRunner):
    """Checks each workflow in a sandbox that lets in what is `SHARED`, and runs it where it is.

    `more` names modules of other workflows that hold no state either.
    """

    def __init__(self, *more: str) -> None:
        self._checking = sandbox(*SHARED)
        self._running = sandbox(*SHARED, "workflows", *more)

    def prepare_workflow(self, defn: Any) -> None:
        self._checking.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Instance(self._running.create_instance(det))

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        for runner in (self._checking, self._running):
            runner.set_worker_level_failure_exception_types(types)


class _Instance(WorkflowInstance):
    """A workflow in the sandbox, which is told of turns only."""

    def __init__(self, inside: WorkflowInstance) -> None:
        self._inside = inside

    def activate(self, act: Any) -> Any:
        return self._inside.activate(act)

    def get_info(self) -> Any:
        return self._inside.get_info()

    def get_thread_id(self) -> int | None:
        return self._inside.get_thread_id()

    def get_serialization_context(self, command_info: Any) -> None:
        return None

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)


SANDBOX = Runner()
