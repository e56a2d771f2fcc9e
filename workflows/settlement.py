"""One case, from opened to settled: by policy where that decides, by an operator's word else."""

from typing import Protocol

from temporalio import workflow
from temporalio.exceptions import ActivityError, ChildWorkflowError, WorkflowAlreadyStartedError

from activities.checkouts import CheckoutActivities
from activities.refunds import RefundActivities
from activities.repairs import RepairActivities
from domain.cases import CaseOutcome, CaseRecord, CaseStatus, CaseVerdict, Decision, Remedy
from domain.checkouts import CaptureOrder, CheckoutPlan, LinkQuery
from domain.errors import KeyReused, RefundRefused
from domain.keys import derived_id
from domain.news import PaymentNews
from domain.payments import Payment, PaymentStatus
from domain.refunds import Refund, RefundPlan, RefundStatus, RefundWish
from domain.repairs import RepairPlan, is_honoured, may_remedy, remedy
from workflows.ending import confirm
from workflows.options import QUERY, QUERY_UNTIL_ANSWERED, RECORD, RESERVE, failure, named
from workflows.refund import RefundWorkflow

AUTOMATIC = "repair"
GIVEN_BACK = (PaymentStatus.FAILED, PaymentStatus.CANCELED)


class Repair(Protocol):
    """Whoever runs the settlements of one order."""

    def take(self, news: PaymentNews) -> None:
        """Examine what a settlement has learned."""

    def tell_operator(self) -> None:
        """A settlement has something else to say."""


class Settlement:
    """Deals with one case; whatever it cannot do by itself waits for an operator."""

    def __init__(self, plan: RepairPlan, record: CaseRecord, repair: Repair) -> None:
        self._plan, self._record, self._repair = plan, record, repair
        self._words, self._actor = record.words, record.decided_by
        self._decision = record.decision
        self._why = "an operator has to say what becomes of it"
        self._is_waiting = self.is_ready = record.status is CaseStatus.WAITING

    @property
    def summary(self) -> str:
        """One line for whoever looks at the repair in Temporal's UI."""
        case, state = self._record.case, self._why if self._is_waiting else "being dealt with"
        return f"**{case.verdict}** {case.payment.amount}, {case.payment.reference}: {state}"

    def objection(self, wanted: Remedy) -> str | None:
        """Why an operator cannot say this now; None if it is welcome."""
        if self.is_ready and not self._is_waiting:
            return "the case is being dealt with"
        if not may_remedy(self._record.case.verdict, wanted):
            return f"a case of {self._record.case.verdict} cannot be answered with {wanted}"
        return None

    def hear(self, decision: Decision) -> None:
        if not self._is_waiting:
            return  # The same word came twice, and counts once.
        self._words += 1
        self._decision, self._actor, self._is_waiting = decision.remedy, decision.actor, False

    async def run(self) -> None:
        chosen = self._decision
        if chosen is None and not self._is_waiting:
            chosen = await self._by_policy()
        self.is_ready |= chosen is not None
        while chosen is None or not await self._applied(chosen):
            chosen = await self._word()

    async def _by_policy(self) -> Remedy | None:
        case = self._record.case
        if case.order_id is None:
            return None
        order = await workflow.execute_activity_method(
            RepairActivities.order_policy,
            case.order_id,
            **named(RECORD, "Read what the products say of late money"),
        )
        return remedy(case.verdict, is_honoured(order, self._plan.policy, workflow.now()))

    async def _word(self) -> Remedy:
        # A word that comes while this is written down is welcome, and waits for it.
        self._decision, self.is_ready = None, False
        await workflow.execute_activity_method(
            RepairActivities.await_word,
            args=[self._record.case_id, self._why],
            **named(RECORD, "Let the case wait for an operator"),
        )
        self._is_waiting = self.is_ready = True
        self._repair.tell_operator()
        await workflow.wait_condition(lambda: self._decision is not None)
        assert self._decision
        return self._decision

    async def _applied(self, chosen: Remedy) -> bool:
        if chosen is Remedy.DISMISS:
            return await self._settled(CaseOutcome.DISMISSED)
        if self._record.case.verdict is CaseVerdict.LATE_AUTHORIZATION and self._plan.checkout:
            if chosen is Remedy.REFUND:
                return await self._watched(self._plan.checkout)
            return await self._captured(self._plan.checkout)
        return await (self._honoured() if chosen is Remedy.HONOUR else self._refunded())

    async def _honoured(self) -> bool:
        obstacle = await workflow.execute_activity_method(
            RepairActivities.honour,
            self._record.case_id,
            **named(RECORD, "Honour the late payment"),
        )
        if obstacle and self._actor is None:
            return await self._refunded()
        if obstacle:
            self._why = f"it cannot be honoured: {obstacle}"
            return False
        await self._settled(CaseOutcome.HONOURED)
        assert self._record.case.order_id
        await confirm(self._record.case.order_id)
        return True

    async def _refunded(self) -> bool:
        refund = await self._reserve()
        if refund is None:
            return False
        status = await self._finished(refund)
        if status is not RefundStatus.SUCCEEDED:
            self._why = f"the refund {refund.refund_id} is {status}"
            return False
        return await self._settled(CaseOutcome.REFUNDED, refund.refund_id)

    async def _reserve(self) -> Refund | None:
        case, is_automatic = self._record.case, self._actor is None
        is_limited = is_automatic and case.approved_by is None
        wish = RefundWish(
            refund_id=derived_id("rfd", self._record.case_id, str(self._words)),
            order_id=case.order_id,
            gateway=case.payment.gateway,
            payment_reference=case.payment.reference,
            amount=None,
            reason=f"case {self._record.case_id}: {case.verdict}",
            actor=self._actor or AUTOMATIC,
            automatic=is_automatic,
        )
        try:
            refund = await workflow.execute_activity_method(
                RefundActivities.reserve_refund,
                args=[wish, self._plan.budget if is_limited else None],
                **named(RESERVE, "Set the money aside"),
            )
        except ActivityError as error:
            refusal = failure(error, RefundRefused) or failure(error, KeyReused)
            if refusal is None:
                raise
            self._why = refusal
            return None
        if refund is None:
            self._why = "the budget of automatic refunds is used up"
        return refund

    async def _finished(self, refund: Refund) -> RefundStatus:
        """Run the refund, or wait for the run that somebody else began."""
        patience = self._plan.policy.patience
        try:
            return await workflow.execute_child_workflow(
                RefundWorkflow.run,
                RefundPlan(refund, patience),
                id=refund.refund_id,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=f"Refund: {refund.amount}, {refund.refund_id}",
            )
        except (WorkflowAlreadyStartedError, ChildWorkflowError):
            started = workflow.now()
            while not refund.status.is_final:
                await workflow.sleep(patience.pause(workflow.now() - started))
                refund = await workflow.execute_activity_method(
                    RefundActivities.read_refund,
                    refund.refund_id,
                    **named(RECORD, "Read how the refund stands"),
                )
            return refund.status

    async def _captured(self, checkout: CheckoutPlan) -> bool:
        """Take what the order still wants; once taken, it is a late capture like any other."""
        amount = self._record.case.payment.amount
        try:
            news = await workflow.execute_activity_method(
                CheckoutActivities.capture,
                CaptureOrder(_query(checkout), self._record.case.payment),
                **named(QUERY_UNTIL_ANSWERED, f"Capture {amount}, which the order still wants"),
            )
        except ActivityError as error:
            self._why = f"it could not be captured: {error.cause}"
            return False
        payment = self._found(news)
        if payment is None or payment.status is not PaymentStatus.CAPTURED:
            self._why = "the gateway did not capture it"
            return False
        self._repair.take(news)
        return await self._settled(CaseOutcome.CAPTURED)

    async def _watched(self, checkout: CheckoutPlan) -> bool:
        """Where no void exists: look until the gateway has given the money back, or taken it."""
        started, patience = workflow.now(), self._plan.policy.patience
        while (waited := workflow.now() - started) < patience.longest:
            news = await self._look(checkout)
            payment = self._found(news) if news else self._record.case.payment
            if payment and payment.status in GIVEN_BACK:
                return await self._settled(CaseOutcome.GIVEN_BACK)
            if news and payment and payment.status is PaymentStatus.CAPTURED:
                self._repair.take(news)
                return await self._settled(CaseOutcome.CAPTURED)
            await workflow.sleep(patience.pause(waited), summary="See whether it was given back")
        self._why = f"the gateway still holds the money after {patience.longest}"
        return False

    async def _look(self, checkout: CheckoutPlan) -> PaymentNews | None:
        try:
            return await workflow.execute_activity_method(
                CheckoutActivities.ask, _query(checkout), **named(QUERY, "Ask the gateway")
            )
        except ActivityError as error:
            workflow.logger.warning("the gateway could not be asked: %s", error.cause)
            return None

    def _found(self, news: PaymentNews) -> Payment | None:
        identity = self._record.case.payment.identity
        return next((p for p in news.payments if p.identity == identity), None)

    async def _settled(self, outcome: CaseOutcome, refund_id: str | None = None) -> bool:
        await workflow.execute_activity_method(
            RepairActivities.settle,
            args=[self._record.case_id, outcome, refund_id],
            **named(RECORD, f"Settle the case: {outcome}"),
        )
        return True


def _query(checkout: CheckoutPlan) -> LinkQuery:
    return LinkQuery(checkout.order_id, checkout.gateway, checkout.link_key)
