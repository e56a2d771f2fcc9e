"""What becomes of news that an order's checkout can no longer take, and of orphaned orders."""

from collections import deque

from temporalio import workflow

from activities.checkouts import CheckoutActivities
from activities.repairs import RepairActivities
from domain.cases import Case, late_verdict
from domain.checkouts import Checkout, CheckoutPlan, LinkQuery, Standing
from domain.news import PaymentNews
from domain.orders import OrderStatus
from workflows.ending import confirm, record
from workflows.options import QUERY_UNTIL_ANSWERED, RECORD, named
from workflows.watch import PaymentWatch


@workflow.defn
class RepairWorkflow:
    """Its id is `repair-{order_id}`; it runs as long as there is something to settle.

    An order whose checkout is gone is concluded here: link closed, gateway asked. Money that
    arrived for an order that has ended becomes a case beside it.
    """

    @workflow.init
    def __init__(self, plan: CheckoutPlan) -> None:
        self._plan = plan
        self._news: deque[PaymentNews] = deque()
        self._adopted = False
        self._watch: PaymentWatch | None = None

    @workflow.run
    async def run(self, plan: CheckoutPlan) -> None:
        while self._news or self._adopted:
            standing = await self._standing()
            if standing.status.is_open:
                await self._conclude(standing)
            elif self._news:
                await self._examine(self._news.popleft(), standing)
            self._adopted = False

    @workflow.signal(description="News that the order's checkout did not hear")
    def learn(self, news: PaymentNews) -> None:
        self._news.append(news)
        if self._watch:
            self._watch.hear(news)

    @workflow.signal(description="The order awaits payment, and no checkout minds it")
    def adopt(self) -> None:
        self._adopted = True

    async def _standing(self) -> Standing:
        return await workflow.execute_activity_method(
            RepairActivities.standing,
            self._plan.order_id,
            **named(RECORD, "Read what is recorded"),
        )

    async def _conclude(self, standing: Standing) -> None:
        checkout = Checkout(self._plan, workflow.now() - self._plan.timetable.window)
        checkout.cancel_requested = standing.cancel_requested
        self._watch = PaymentWatch(checkout)
        for news in self._news:
            self._watch.hear(news)
        conclusion = await self._watch.until_certain()
        self._watch = None
        status = await record(conclusion)
        if status is not conclusion.status:
            self._news.append(conclusion.as_news(self._plan.gateway))
        elif status is OrderStatus.PAID:
            await confirm(self._plan.order_id)

    async def _examine(self, news: PaymentNews, standing: Standing) -> None:
        if standing.explains(news):
            return
        if news.is_hint:
            news = await self._ask()
        is_paid = standing.status is OrderStatus.PAID
        for payment in news.payments:
            verdict = late_verdict(payment, self._plan.price, order_is_paid=is_paid)
            if verdict and not standing.knows(payment):
                await self._open_case(Case(self._plan.order_id, verdict, payment, news.evidence))

    async def _ask(self) -> PaymentNews:
        plan = self._plan
        return await workflow.execute_activity_method(
            CheckoutActivities.ask,
            LinkQuery(plan.order_id, plan.gateway, plan.link_key),
            **named(QUERY_UNTIL_ANSWERED, "Ask the gateway"),
        )

    async def _open_case(self, case: Case) -> None:
        await workflow.execute_activity_method(
            RepairActivities.open_case,
            case,
            **named(RECORD, f"Open a case: {case.verdict}"),
        )
        workflow.set_current_details(f"Case open: **{case.verdict}**, {case.payment.reference}")
