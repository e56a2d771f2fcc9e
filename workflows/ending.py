"""How an order's end is recorded and told; the same for a checkout and for a repair."""

from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.checkouts import CheckoutActivities
from activities.letters import LetterActivities
from domain.checkouts import CheckoutPlan, Conclusion
from domain.orders import OrderStatus
from workflows.options import LETTER, RECORD, named

Tell = Callable[[LetterActivities, str], Awaitable[None]]


async def record(conclusion: Conclusion) -> OrderStatus:
    """Record the end; the status that stands, which may be another if the order had ended."""
    return await workflow.execute_activity_method(
        CheckoutActivities.conclude,
        conclusion,
        **named(RECORD, f"Record that the order is {conclusion.status}"),
    )


async def tell_end(plan: CheckoutPlan, status: OrderStatus) -> str | None:
    """Tell the customer how the order ended, if that is told; what became of it, for operators."""
    if status is OrderStatus.PAID:
        return await confirm(plan.order_id)
    if status is OrderStatus.EXPIRED and plan.notices.expiry:
        return await _told(LetterActivities.tell_expiry, plan.order_id, "notice of expiry")
    return None


async def confirm(order_id: str) -> str:
    """Mail the confirmation, however long that takes; what became of it, for operators."""
    return await _told(LetterActivities.confirm, order_id, "confirmation")


async def tell_doubt(order_id: str) -> str:
    """Mail that nothing is certain yet; what became of it, for operators."""
    return await _told(LetterActivities.tell_doubt, order_id, "notice of doubt")


async def _told(tell: Tell, order_id: str, letter: str) -> str:
    try:
        await workflow.execute_activity_method(
            tell, order_id, **named(LETTER, f"Mail the {letter}")
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            return f"{letter} not wanted any more"
        workflow.logger.error("the %s was not sent: %s", letter, error.cause)
        return f"{letter} not sent: {error.cause}"
    return f"{letter} sent"
