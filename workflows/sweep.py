"""The sweep: every half minute, whatever is stuck is set going again."""

from dataclasses import dataclass

from temporalio import workflow

from activities.sweeps import SweepActivities
from workflows.options import SWEEP, named


@dataclass(frozen=True)
class SweepResult:
    """How many were found stuck."""

    events_forwarded: int
    orders_expired: int
    orders_adopted: int


@workflow.defn
class SweepWorkflow:
    """Run by a schedule that never lets two overlap."""

    @workflow.run
    async def run(self) -> SweepResult:
        now, call = workflow.now(), workflow.execute_activity_method
        return SweepResult(
            await call(
                SweepActivities.forward_inbox, now, **named(SWEEP, "Forward stored webhooks")
            ),
            await call(
                SweepActivities.expire_untouched, now, **named(SWEEP, "Expire untouched orders")
            ),
            await call(SweepActivities.adopt_orphans, now, **named(SWEEP, "Adopt orphaned orders")),
        )
