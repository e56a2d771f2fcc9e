"""How an order's end is recorded and told; the same for a checkout and for a repair."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.checkouts import CheckoutActivities
from activities.letters import LetterActivities
from domain.checkouts import Conclusion
from domain.orders import OrderStatus
from workflows.options import LETTER, RECORD, named


async def record(conclusion: Conclusion) -> OrderStatus:
    """Record the end; the status that stands, which may be another if the order had ended."""
    return await workflow.execute_activity_method(
        CheckoutActivities.conclude,
        conclusion,
        **named(RECORD, f"Record that the order is {conclusion.status}"),
    )


async def confirm(order_id: str) -> str:
    """Mail the confirmation, however long that takes; what became of it, for operators."""
    try:
        await workflow.execute_activity_method(
            LetterActivities.confirm, order_id, **named(LETTER, "Mail the confirmation")
        )
    except ActivityError as error:
        workflow.logger.error("the confirmation was not sent: %s", error.cause)
        return f"confirmation not sent: {error.cause}"
    return "confirmation sent"
