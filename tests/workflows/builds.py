"""The checkout of a next version, with two new steps: behind a patch, as it must be, and bare."""

from temporalio import workflow

from activities.repairs import RepairActivities
from domain.checkouts import CheckoutPlan, Conclusion, LinkOpened
from domain.orders import OrderStatus
from workflows.options import RECORD, named

with workflow.unsafe.imports_passed_through():
    # The sandbox would have it that a version does not build on another.
    from workflows.checkout import CheckoutResult, CheckoutWorkflow

PATCH = "look-before-the-link"
PATCH_AFTER = "look-after-the-end"


async def look(order_id: str) -> None:
    """A step that the last version does not take."""
    await workflow.execute_activity_method(
        RepairActivities.standing, order_id, **named(RECORD, "Read what is recorded")
    )


@workflow.defn(name="CheckoutWorkflow")
class PatchedCheckout(CheckoutWorkflow):
    """Takes the steps in checkouts that had not come so far when it took over."""

    @workflow.init
    def __init__(self, plan: CheckoutPlan) -> None:
        super().__init__(plan)

    @workflow.run
    async def run(self, plan: CheckoutPlan) -> CheckoutResult:
        return await super().run(plan)

    async def _open_link(self) -> LinkOpened:
        if workflow.patched(PATCH):
            await look(self._checkout.plan.order_id)
        return await super()._open_link()

    async def _record(self, conclusion: Conclusion) -> OrderStatus:
        if workflow.patched(PATCH_AFTER):
            await look(conclusion.order_id)
        return await super()._record(conclusion)


@workflow.defn(name="CheckoutWorkflow")
class BareCheckout(CheckoutWorkflow):
    """The same steps, and no thought for the checkouts that run."""

    @workflow.init
    def __init__(self, plan: CheckoutPlan) -> None:
        super().__init__(plan)

    @workflow.run
    async def run(self, plan: CheckoutPlan) -> CheckoutResult:
        return await super().run(plan)

    async def _open_link(self) -> LinkOpened:
        await look(self._checkout.plan.order_id)
        return await super()._open_link()

    async def _record(self, conclusion: Conclusion) -> OrderStatus:
        await look(conclusion.order_id)
        return await super()._record(conclusion)
