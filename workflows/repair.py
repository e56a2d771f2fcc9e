"""What becomes of news that an order's checkout can no longer take, and of orphaned orders."""

import asyncio
from collections import deque

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.checkouts import CheckoutActivities
from activities.repairs import RepairActivities
from domain.cases import Case, Decision, late_verdict
from domain.checkouts import Checkout, CheckoutPlan, LinkQuery, Standing
from domain.errors import WordNotWanted
from domain.findings import Doubt
from domain.news import PaymentNews
from domain.repairs import RepairPlan
from workflows.doubt import Examination
from workflows.ending import record, tell_end
from workflows.options import QUERY_UNTIL_ANSWERED, RECORD, named
from workflows.settlement import Settlement
from workflows.watch import PaymentWatch


@workflow.defn
class RepairWorkflow:
    """Its id is `repair-` and the subject's; it runs as long as there is something to settle.

    An order whose checkout is gone is concluded here: link closed, gateway asked. Money that
    arrived for an order that has ended becomes a case, and each case is dealt with by itself.
    """

    @workflow.init
    def __init__(self, plan: RepairPlan) -> None:
        self._plan = plan
        self._news: deque[PaymentNews] = deque()
        self._is_called = True
        self._has_looked = False
        self._watch: PaymentWatch | None = None
        self._doubts: deque[Doubt] = deque()
        self._settlements: dict[str, Settlement] = {}
        self._examinations: dict[str, Examination] = {}
        self._work: dict[str, asyncio.Task[None]] = {}

    @workflow.run
    async def run(self, plan: RepairPlan) -> None:
        while self._is_needed:
            self._is_called = False
            if plan.checkout:
                await self._take_in_news(plan.checkout)
            await self._take_up_cases()
            await workflow.wait_condition(
                lambda: self._has_something_new or not self._work or self._is_some_done
            )
            await self._put_away_what_is_done()
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.signal(description="News that the order's checkout did not hear")
    def learn(self, news: PaymentNews) -> None:
        self._news.append(news)
        if self._watch:
            self._watch.hear(news)

    @workflow.signal(description="A file denies what is recorded of a payment")
    def doubt(self, doubt: Doubt) -> None:
        self._doubts.append(doubt)

    @workflow.signal(description="There is something to look after")
    def call(self) -> None:
        self._is_called = True

    @workflow.update
    async def decide(self, decision: Decision) -> None:
        """An operator's word: honour, refund or dismiss; refused unless the case waits for it."""
        await workflow.wait_condition(lambda: self._has_looked)
        settlement = self._settlements.get(decision.case_id)
        await workflow.wait_condition(lambda: settlement is None or settlement.is_ready)
        objection = settlement.objection(decision.remedy) if settlement else "there is no such case"
        if settlement is None or objection or not await self._is_kept(decision):
            raise _unwanted(objection or "somebody was faster")
        settlement.hear(decision)
        self.tell_operator()

    @decide.validator
    def _may_decide(self, decision: Decision) -> None:
        settlement = self._settlements.get(decision.case_id)
        if not decision.reason.strip() or not decision.actor.strip():
            raise _unwanted("say who you are, and why")
        if settlement is None and self._has_looked:
            raise _unwanted("there is no such case")
        if settlement and (objection := settlement.objection(decision.remedy)):
            raise _unwanted(objection)

    def take(self, news: PaymentNews) -> None:
        """What a settlement has learned is examined like any other news."""
        self._news.append(news)

    def tell_operator(self) -> None:
        """Show in Temporal's UI what becomes of each case and each doubt."""
        summaries = [settlement.summary for settlement in self._settlements.values()]
        summaries += [examination.summary for examination in self._examinations.values()]
        lines = [f"- {summary}" for summary in summaries]
        workflow.set_current_details("\n".join(lines) or "no case is open")

    @property
    def _has_something_new(self) -> bool:
        return bool(self._news or self._doubts) or self._is_called

    @property
    def _is_needed(self) -> bool:
        return self._has_something_new or bool(self._work)

    @property
    def _is_some_done(self) -> bool:
        return any(task.done() for task in self._work.values())

    async def _take_in_news(self, checkout: CheckoutPlan) -> None:
        standing = await self._standing(checkout)
        if standing.status.is_open:
            await self._conclude(checkout, standing)
            standing = await self._standing(checkout)
        while self._news:
            await self._examine(self._news.popleft(), checkout, standing)
            standing = await self._standing(checkout)
        while self._doubts:
            self._take_up(self._doubts.popleft(), checkout)

    def _take_up(self, doubt: Doubt, checkout: CheckoutPlan) -> None:
        """The same doubt, told again while it is examined, is one."""
        if doubt.finding_id not in self._work:
            examination = Examination(doubt, checkout, self._plan.policy.patience, self)
            self._examinations[doubt.finding_id] = examination
            self._work[doubt.finding_id] = asyncio.create_task(examination.run())

    async def _take_up_cases(self) -> None:
        for case in await workflow.execute_activity_method(
            RepairActivities.open_cases,
            self._plan.subject,
            **named(RECORD, "Read the cases that are not settled"),
        ):
            if case.case_id not in self._work:
                settlement = Settlement(self._plan, case, self)
                self._settlements[case.case_id] = settlement
                self._work[case.case_id] = asyncio.create_task(settlement.run())
        self._has_looked = True
        self.tell_operator()

    async def _put_away_what_is_done(self) -> None:
        for case_id, task in list(self._work.items()):
            if task.done():
                await task
                del self._work[case_id]
                self._settlements.pop(case_id, None)
                self._examinations.pop(case_id, None)
        self.tell_operator()

    async def _standing(self, checkout: CheckoutPlan) -> Standing:
        return await workflow.execute_activity_method(
            RepairActivities.standing, checkout.order_id, **named(RECORD, "Read what is recorded")
        )

    async def _conclude(self, plan: CheckoutPlan, standing: Standing) -> None:
        checkout = Checkout(plan, workflow.now() - plan.timetable.window)
        checkout.cancel_requested = standing.cancel_requested
        self._watch = PaymentWatch(checkout)
        for news in self._news:
            self._watch.hear(news)
        conclusion = await self._watch.until_certain()
        self._watch = None
        status = await record(conclusion)
        if status is not conclusion.status:
            self._news.append(conclusion.as_news(plan.gateway))
        else:
            await tell_end(plan, status)

    async def _examine(self, news: PaymentNews, plan: CheckoutPlan, standing: Standing) -> None:
        if standing.explains(news):
            return
        if news.is_hint:
            news = await self._ask(plan)
        is_paid = standing.status.is_fulfilled
        for payment in news.payments:
            verdict = late_verdict(payment, plan.price, order_is_paid=is_paid)
            if verdict and not standing.knows(payment):
                case = Case(plan.order_id, verdict, payment, news.evidence, news.approved_by)
                await self._open_case(case)

    async def _ask(self, plan: CheckoutPlan) -> PaymentNews:
        return await workflow.execute_activity_method(
            CheckoutActivities.ask,
            LinkQuery(plan.order_id, plan.gateway, plan.link_key),
            **named(QUERY_UNTIL_ANSWERED, "Ask the gateway"),
        )

    async def _open_case(self, case: Case) -> None:
        await workflow.execute_activity_method(
            RepairActivities.open_case, case, **named(RECORD, f"Open a case: {case.verdict}")
        )

    async def _is_kept(self, decision: Decision) -> bool:
        return await workflow.execute_activity_method(
            RepairActivities.decide,
            decision,
            **named(RECORD, f"Keep the word of {decision.actor}: {decision.remedy}"),
        )


def _unwanted(why: str) -> ApplicationError:
    return ApplicationError(why, type=WordNotWanted.__name__, non_retryable=True)
