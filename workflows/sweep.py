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
    refunds_adopted: int
    cases_opened: int
    cases_adopted: int
    late_links_closed: int = 0


@workflow.defn
class SweepWorkflow:
    """Run by a schedule that never lets two overlap."""

    @workflow.run
    async def run(self) -> SweepResult:
        now, call, do = workflow.now(), workflow.execute_activity_method, SweepActivities
        return SweepResult(
            await call(do.forward_inbox, now, **named(SWEEP, "Forward stored webhooks")),
            await call(do.expire_untouched, now, **named(SWEEP, "Expire untouched orders")),
            await call(do.adopt_orphans, now, **named(SWEEP, "Adopt orphaned orders")),
            await call(do.mind_refunds, now, **named(SWEEP, "Adopt orphaned refunds")),
            await call(do.open_unclaimed, now, **named(SWEEP, "Open cases of unknown orders")),
            await call(do.mind_cases, now, **named(SWEEP, "Adopt orphaned cases")),
            await call(do.close_late_links, now, **named(SWEEP, "Close links that came too late"))
            if workflow.patched("close-late-links")
            else 0,
        )
