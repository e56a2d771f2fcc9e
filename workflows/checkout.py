"""One order, from its payment link to proof that it was paid or will not be."""

import asyncio
from collections import deque
from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError
from temporalio.workflow import ActivityConfig

from activities.checkouts import CheckoutActivities
from activities.deliveries import DeliveryActivities
from domain.checkouts import Checkout, CheckoutPlan, Conclusion, LinkOpened
from domain.errors import RequestRefused
from domain.names import written
from domain.news import Evidence, PaymentNews
from domain.orders import OrderStatus
from workflows.ending import record, tell_end
from workflows.failover import first_link, link_order
from workflows.options import LINK, ORDER_STATUS, RECORD, failure, named
from workflows.watch import PaymentWatch


@dataclass(frozen=True)
class CheckoutResult:
    """How the checkout ended, and the proof; no proof if the order had ended before it."""

    status: OrderStatus
    evidence: Evidence | None = None
    payment_reference: str | None = None


@workflow.defn
class CheckoutWorkflow:
    """Its id is the order's. Canceling it means the same as `POST /orders/{id}/cancel`."""

    @workflow.init
    def __init__(self, plan: CheckoutPlan) -> None:
        self._checkout = Checkout(plan, workflow.now())
        self._watch = PaymentWatch(self._checkout)
        self._opened: LinkOpened | None = None
        self._conclusion: Conclusion | None = None
        self._late: deque[PaymentNews] = deque()

    @workflow.run
    async def run(self, plan: CheckoutPlan) -> CheckoutResult:
        story = asyncio.create_task(self._story())
        try:
            return await asyncio.shield(story)
        except asyncio.CancelledError:
            if workflow.cancellation_reason() is None:
                raise
            self.cancel()
            return await story

    async def _story(self) -> CheckoutResult:
        self._opened = await first_link(self._checkout) or await self._open_link()
        if not self._opened.order_status.is_open:
            return await self._ended(CheckoutResult(self._opened.order_status))
        conclusion = self._conclusion = await self._watch.until_certain()
        status = await self._record(conclusion)
        await self._tell(conclusion, status)
        payment = conclusion.payment.reference if conclusion.payment else None
        return await self._ended(CheckoutResult(status, conclusion.evidence, payment))

    @workflow.update
    async def payment_link(self) -> LinkOpened:
        """The link, as soon as there is one; none if the order ended without."""
        await workflow.wait_condition(lambda: self._opened is not None)
        assert self._opened
        return self._opened

    @workflow.signal(description="News of a payment, from a webhook, callback, file or operator")
    def learn(self, news: PaymentNews) -> None:
        if self._conclusion is None:
            self._watch.hear(news)
        elif not self._conclusion.standing.explains(news):
            self._late.append(news)

    @workflow.signal(description="Close the link and end the order, unless it is paid")
    def cancel(self) -> None:
        self._checkout.cancel_requested = True

    async def _open_link(self) -> LinkOpened:
        checkout, plan = self._checkout, self._checkout.plan
        now, ends = workflow.now(), checkout.window_ends
        link: ActivityConfig = {**LINK, "schedule_to_close_timeout": ends - now}
        opening = workflow.start_activity_method(
            CheckoutActivities.open_link,
            link_order(checkout),
            **named(link, f"Ask {written(plan.gateway)} for a payment link"),
        )
        await workflow.wait_condition(lambda: opening.done() or checkout.is_closing(workflow.now()))
        try:
            if not opening.done():
                opening.cancel()
            opened = await opening
            checkout.link = opened.link
            return opened
        except ActivityError as error:
            if refusal := failure(error, RequestRefused):
                checkout.refuse(refusal)
            return LinkOpened(OrderStatus.AWAITING_PAYMENT)

    async def _record(self, conclusion: Conclusion) -> OrderStatus:
        status = await record(conclusion)
        if status is not conclusion.status:
            self._late.append(conclusion.as_news(self._checkout.plan.gateway))
        workflow.upsert_search_attributes([ORDER_STATUS.value_set(status)])
        if conclusion.cases:
            await workflow.execute_activity_method(
                DeliveryActivities.hand_over_cases,
                conclusion.order_id,
                **named(RECORD, "Let the repair deal with the open cases"),
            )
        return status

    async def _tell(self, conclusion: Conclusion, status: OrderStatus) -> None:
        proof = f"{conclusion.evidence.kind}, {conclusion.evidence.reference}"
        workflow.set_current_details(f"**{status}**\n\n- proof: {proof}")
        letter = asyncio.create_task(tell_end(self._checkout.plan, status))
        while not letter.done():
            await workflow.wait_condition(lambda: letter.done() or bool(self._late))
            await self._hand_over_late_news()
        if told := await letter:
            workflow.set_current_details(f"**{status}**\n\n- proof: {proof}\n- {told}")

    async def _ended(self, result: CheckoutResult) -> CheckoutResult:
        await workflow.wait_condition(workflow.all_handlers_finished)
        while self._late:
            await self._hand_over_late_news()
        return result

    async def _hand_over_late_news(self) -> None:
        while self._late:
            await workflow.execute_activity_method(
                DeliveryActivities.hand_over,
                self._late.popleft(),
                **named(RECORD, "Hand over what was learned after the end"),
            )
