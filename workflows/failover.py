"""From a gateway that cannot make a link to the next one, and never to two live links."""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.checkouts import CheckoutActivities
from domain.checkouts import Checkout, LinkOpened, LinkOrder, LinkQuery
from domain.errors import GatewayUnavailable, RequestRefused
from domain.names import written
from workflows.options import GATEWAY, ONE_TRY, QUERY, RECORD, failure, named

TRIES = 3
PAUSE = timedelta(seconds=1)


@dataclass
class Attempt:
    """What came of asking one gateway for a link; `is_certain` if it has made none."""

    opened: LinkOpened | None = None
    is_certain: bool = True


async def first_link(checkout: Checkout) -> LinkOpened | None:
    """The link of the first gateway that makes one, while there is another to fall back on.

    None if it is the last one's turn, who is asked as if it were the only one; or if it cannot be
    told whether the one before has a live link: then that one has to make it.
    """
    while checkout.plan.fallbacks and not checkout.is_closing(workflow.now()):
        attempt = await _attempt(checkout)
        if attempt.opened or checkout.is_closing(workflow.now()):
            return attempt.opened
        if not await _is_out_of_the_way(checkout, attempt):
            return None
        before = checkout.plan.gateway
        checkout.fall_back()
        workflow.logger.warning("%s makes no link: %s is asked", before, checkout.plan.gateway)
        workflow.upsert_search_attributes([GATEWAY.value_set(checkout.plan.gateway)])
    return None


def link_order(checkout: Checkout) -> LinkOrder:
    plan = checkout.plan
    return LinkOrder(
        plan.order_id,
        plan.link_key,
        asked_at=workflow.now(),
        closes_at=checkout.window_ends,
        gateway=plan.gateway,
    )


async def _attempt(checkout: Checkout) -> Attempt:
    attempt, name = Attempt(), written(checkout.plan.gateway)
    for tries in range(TRIES):
        try:
            attempt.opened = await workflow.execute_activity_method(
                CheckoutActivities.open_link,
                link_order(checkout),
                **named(ONE_TRY, f"Ask {name} for a payment link"),
            )
            checkout.link = attempt.opened.link
            return attempt
        except ActivityError as error:
            if failure(error, RequestRefused) is not None:
                return Attempt(is_certain=True)
            attempt.is_certain &= failure(error, GatewayUnavailable) is not None
        if tries + 1 == TRIES or checkout.is_closing(workflow.now()):
            break
        await workflow.sleep(PAUSE * 2**tries, summary=f"Ask {name} again")
    return attempt


async def _is_out_of_the_way(checkout: Checkout, attempt: Attempt) -> bool:
    """Whether it is known that no link of this gateway can be paid; and that is written down."""
    plan = checkout.plan
    query = LinkQuery(plan.order_id, plan.gateway, plan.link_key)
    if attempt.is_certain or plan.gateway in plan.powerless:
        await workflow.execute_activity_method(
            CheckoutActivities.forget_link,
            query,
            **named(RECORD, f"Note that {written(plan.gateway)} has no live link"),
        )
        return True
    try:
        news = await workflow.execute_activity_method(
            CheckoutActivities.close_and_ask,
            query,
            **named(QUERY, f"Close whatever {written(plan.gateway)} has made"),
        )
    except ActivityError as error:
        workflow.logger.warning("a link may live: %s", error.cause)
        return False
    return news.is_final_answer and not news.payments
