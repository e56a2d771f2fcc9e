"""One refund, from the wish to proof that the money went back or did not."""

from collections import deque
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError
from temporalio.workflow import ActivityConfig

from activities.deliveries import DeliveryActivities
from activities.letters import LetterActivities
from activities.refunds import RefundActivities
from domain.errors import RequestRefused
from domain.news import Evidence, EvidenceKind
from domain.refunds import RefundNews, RefundPlan, RefundQuery, RefundStatus
from workflows.options import LETTER, QUERY, RECORD, REFUND, failure, named


@workflow.defn
class RefundWorkflow:
    """Its id is the refund's. It may run again: gateways take a success back."""

    @workflow.init
    def __init__(self, plan: RefundPlan) -> None:
        self._plan = plan
        self._refund = plan.refund
        self._news: deque[RefundNews] = deque()
        self._is_taken_back = False

    @workflow.run
    async def run(self, plan: RefundPlan) -> RefundStatus:
        started = workflow.now()
        if self._refund.status is RefundStatus.REQUESTED and not self._news:
            self._news.append(await self._send())
        await self._record_news()
        while not self._refund.status.is_final:
            await self._listen(started)
            await self._record_news()
        if self._refund.status is RefundStatus.SUCCEEDED and self._refund.order_id:
            await self._tell()
        await self._record_news()
        if self._is_taken_back:
            await self._hand_over()
        return self._refund.status

    @workflow.signal(description="News of the refund, from a webhook or a file")
    def learn(self, news: RefundNews) -> None:
        self._news.append(news)

    async def _send(self) -> RefundNews:
        sending: ActivityConfig = {
            **REFUND,
            "schedule_to_close_timeout": self._plan.patience.longest,
        }
        try:
            return await workflow.execute_activity_method(
                RefundActivities.send_refund,
                self._refund,
                **named(sending, f"Send {self._refund.amount} back"),
            )
        except ActivityError as error:
            refused = failure(error, RequestRefused)
            status = RefundStatus.FAILED if refused else RefundStatus.NEEDS_REVIEW
            kind = EvidenceKind.REFUND_REFUSED if refused else EvidenceKind.NO_ANSWER
            return self._about(status, Evidence(kind, refused or str(error.cause)))

    async def _record_news(self) -> None:
        while self._news:
            before = self._refund.status
            self._refund = await workflow.execute_activity_method(
                RefundActivities.record_refund,
                self._news.popleft(),
                **named(RECORD, "Record what became of the refund"),
            )
            succeeded = before is RefundStatus.SUCCEEDED
            self._is_taken_back |= succeeded and self._refund.status is RefundStatus.FAILED
        self._tell_operator()

    async def _listen(self, started: datetime) -> None:
        waited = workflow.now() - started
        if waited >= self._plan.patience.longest:
            lost = Evidence(EvidenceKind.NO_ANSWER, f"no final answer in {waited}")
            self._news.append(self._about(RefundStatus.NEEDS_REVIEW, lost))
            return
        try:
            await workflow.wait_condition(
                lambda: bool(self._news),
                timeout=self._plan.patience.pause(waited),
                timeout_summary="Ask what became of the refund",
            )
        except TimeoutError:
            await self._ask()

    async def _ask(self) -> None:
        try:
            news = await workflow.execute_activity_method(
                RefundActivities.ask_refund,
                RefundQuery.of(self._refund),
                **named(QUERY, "Ask the gateway"),
            )
        except ActivityError as error:
            workflow.logger.warning("the gateway could not be asked: %s", error.cause)
            return
        if news:
            self._news.append(news)

    async def _tell(self) -> None:
        try:
            await workflow.execute_activity_method(
                LetterActivities.tell_refund,
                self._refund.refund_id,
                **named(LETTER, "Tell the customer"),
            )
        except ActivityError as error:
            workflow.logger.error("the customer was not told: %s", error.cause)

    async def _hand_over(self) -> None:
        """Whatever the refund had settled is open again."""
        refund = self._refund
        await workflow.execute_activity_method(
            DeliveryActivities.hand_over_cases,
            refund.order_id or f"{refund.gateway}:{refund.payment_reference}",
            **named(RECORD, "Let the repair deal with what is open again"),
        )

    def _about(self, status: RefundStatus, evidence: Evidence) -> RefundNews:
        refund = self._refund
        return RefundNews(
            refund.gateway,
            refund.refund_id,
            status,
            evidence,
            refund.payment_reference,
            refund.amount,
            refund.reference,
            failure=evidence.reference,
        )

    def _tell_operator(self) -> None:
        refund = self._refund
        workflow.set_current_details(
            f"**{refund.status}**: {refund.amount} of {refund.payment_reference}\n\n"
            f"- at the gateway: {refund.reference or 'not known yet'}\n"
            f"- failure: {refund.failure or 'none'}"
        )
