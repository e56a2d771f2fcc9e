"""Watching one order's payments until it is certain how they ended."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.checkouts import CheckoutActivities
from domain.checkouts import CaptureOrder, Checkout, Conclusion, LinkCapture, LinkQuery
from domain.errors import RequestRefused
from domain.names import written
from domain.news import PaymentNews
from workflows.ending import tell_doubt
from workflows.options import QUERY, failure, named


class PaymentWatch:
    """Listens, asks when nothing is heard, closes the link in the end, and asks until certain."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._notice: asyncio.Task[str] | None = None

    def hear(self, news: PaymentNews) -> None:
        """News may come from anywhere, at any time, in any order and more than once."""
        self._checkout.learn(news, workflow.now())
        self._tell_operator()

    async def until_certain(self) -> Conclusion:
        while not (conclusion := self._conclusion()):
            if self._notice is None and self._checkout.is_in_long_doubt(workflow.now()):
                # Nobody waits for it: a mail server that is away must not hold the order.
                self._notice = asyncio.create_task(tell_doubt(self._checkout.plan.order_id))
            if self._checkout.next_ask(workflow.now()) > workflow.now():
                await self._listen()
            elif self._checkout.wants_link_captured(workflow.now()):
                await self._capture_link()
            else:
                await self._ask()
        if self._notice and not self._notice.done():
            self._notice.cancel()
        return conclusion

    async def _listen(self) -> None:
        due = self._checkout.next_ask(workflow.now())
        self._tell_operator()
        try:
            await workflow.wait_condition(
                lambda: bool(self._conclusion()) or self._checkout.next_ask(workflow.now()) < due,
                timeout=due - workflow.now(),
                timeout_summary=self._reason_to_wake(),
            )
        except TimeoutError:
            return

    async def _ask(self) -> None:
        closing = self._checkout.is_closing(workflow.now())
        asking = workflow.start_activity_method(
            CheckoutActivities.close_and_ask if closing else CheckoutActivities.ask,
            self._query(),
            **named(QUERY, "Close the link, then ask" if closing else "Ask the gateway"),
        )
        try:
            await workflow.wait_condition(lambda: asking.done() or bool(self._conclusion()))
            if not asking.done():
                asking.cancel()
            self.hear(await asking)
            await self._capture_what_is_wanted()
        except ActivityError as error:
            if not self._conclusion():
                workflow.logger.warning("the gateway could not be asked: %s", error.cause)
        self._checkout.asked(workflow.now(), closing=closing)

    async def _capture_link(self) -> None:
        """Never two at once: the approval's webhook and the customer's return bring one capture."""
        price, key = self._checkout.plan.price, self._checkout.capture_key
        answered = True
        try:
            self.hear(
                await workflow.execute_activity_method(
                    CheckoutActivities.capture_link,
                    LinkCapture(self._query(), key),
                    **named(QUERY, f"Capture {price}, which the customer approved"),
                )
            )
        except ActivityError as error:
            answered = failure(error, RequestRefused) is not None
            workflow.logger.warning("the approved link was not captured: %s", error.cause)
        self._checkout.captured_link(workflow.now(), answered=answered)

    async def _capture_what_is_wanted(self) -> None:
        payment = self._checkout.to_capture
        if payment is None:
            return
        news = await workflow.execute_activity_method(
            CheckoutActivities.capture,
            CaptureOrder(self._query(), payment),
            **named(QUERY, f"Capture {payment.amount}, which was only authorized"),
        )
        self.hear(news)

    def _query(self) -> LinkQuery:
        plan, link = self._checkout.plan, self._checkout.link
        return LinkQuery(
            plan.order_id, plan.gateway, plan.link_key, link.reference if link else None
        )

    def _conclusion(self) -> Conclusion | None:
        return self._checkout.conclusion(workflow.now())

    def _reason_to_wake(self) -> str:
        if self._checkout.wants_link_captured(workflow.now()):
            return "Capture again: the last answer was lost"
        if self._checkout.is_closing(workflow.now()):
            return "Ask again whether it is over"
        due = self._checkout.next_ask(workflow.now())
        return (
            "The window ends" if due == self._checkout.window_ends else "Ask, if nothing is heard"
        )

    def _tell_operator(self) -> None:
        workflow.set_current_details(describe(self._checkout))


def describe(checkout: Checkout) -> str:
    """The state of a checkout in Markdown, for whoever looks at it in Temporal's UI."""
    now, plan = workflow.now(), checkout.plan
    state = "closing" if checkout.is_closing(now) else "waiting for the customer"
    payments = [f"{p.reference}: {p.status}, {p.amount}" for p in checkout.payments.values()]
    heard = checkout.last_evidence
    lines = [
        f"**{plan.price} by {written(plan.gateway)}**: {state}",
        f"link: {checkout.link.url if checkout.link else 'none yet'}",
        f"payments: {', '.join(payments) or 'none known'}",
        f"last evidence: {f'{heard.kind}, {heard.reference}' if heard else 'none'}",
        f"next check: {checkout.next_ask(now):%Y-%m-%d %H:%M:%S} UTC",
    ]
    return "\n".join(f"- {line}" for line in lines)
