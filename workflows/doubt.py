"""A file that contradicts a recorded capture: the gateway is asked, and only its answer counts."""

from typing import Protocol

from temporalio import workflow

from activities.checkouts import CheckoutActivities
from activities.findings import FindingActivities
from activities.repairs import RepairActivities
from domain.cases import Case, CaseVerdict, mismatch
from domain.checkouts import CheckoutPlan, LinkQuery
from domain.findings import Answer, Doubt
from domain.news import PaymentNews
from domain.orders import OrderStatus
from domain.payments import Payment, PaymentStatus
from domain.policies import Patience
from domain.repairs import PaymentQuery, Retraction
from workflows.options import QUERY_UNTIL_ANSWERED, RECORD, named


class Listener(Protocol):
    """Whoever runs the examination."""

    def take(self, news: PaymentNews) -> None:
        """Examine what was learned of the order's other payments."""

    def call(self) -> None:
        """There is a case to take up."""


class Examination:
    """Asks until the gateway's word is final, and acts on that alone."""

    def __init__(
        self, doubt: Doubt, checkout: CheckoutPlan, patience: Patience, listener: Listener
    ) -> None:
        self._doubt, self._checkout = doubt, checkout
        self._patience, self._listener = patience, listener

    @property
    def summary(self) -> str:
        """One line for whoever looks at the repair in Temporal's UI."""
        return f"**in doubt** {self._doubt.payment_reference}: the gateway is asked"

    async def run(self) -> None:
        news = await self._final_answer()
        payment = self._found(news)
        if payment is None or payment.status is not PaymentStatus.CAPTURED:
            await self._retract(payment, news)
        elif verdict := mismatch(payment, self._checkout.price):
            await self._open_case(verdict, payment, news)
        else:
            await self._answer(Answer.CONFIRMED)

    async def _final_answer(self) -> PaymentNews:
        started = workflow.now()
        while True:
            news = await self._ask()
            payment = self._found(news)
            if payment is None or not payment.status.may_still_capture:
                return news
            pause = self._patience.pause(workflow.now() - started)
            await workflow.sleep(pause, summary="Ask again whether it was captured")

    async def _ask(self) -> PaymentNews:
        doubt = self._doubt
        return await workflow.execute_activity_method(
            CheckoutActivities.ask_payment,
            PaymentQuery(doubt.order_id, doubt.gateway, doubt.payment_reference),
            **named(QUERY_UNTIL_ANSWERED, "Ask the gateway about a capture that a file denies"),
        )

    def _found(self, news: PaymentNews) -> Payment | None:
        wanted = self._doubt.payment_reference
        return next((p for p in news.payments if p.reference == wanted), None)

    async def _retract(self, payment: Payment | None, news: PaymentNews) -> None:
        doubt = self._doubt
        status = payment.status if payment else PaymentStatus.FAILED
        retraction = Retraction(
            doubt.order_id, doubt.gateway, doubt.payment_reference, status, news.evidence
        )
        stands = await workflow.execute_activity_method(
            RepairActivities.retract,
            retraction,
            **named(RECORD, "Cancel the order: its payment was never captured"),
        )
        if stands.is_fulfilled:
            said = payment or Payment(
                doubt.gateway, doubt.payment_reference, status, self._checkout.price
            )
            await self._open_case(CaseVerdict.OK_UNPAID, said, news)
            return
        await self._answer(Answer.RETRACTED)
        if stands is OrderStatus.CANCELED:
            self._listener.take(await self._look_for_others())

    async def _look_for_others(self) -> PaymentNews:
        """Whatever else was charged for the order is dealt with like any late payment."""
        plan = self._checkout
        return await workflow.execute_activity_method(
            CheckoutActivities.ask,
            LinkQuery(plan.order_id, plan.gateway, plan.link_key),
            **named(QUERY_UNTIL_ANSWERED, "Ask what else was charged for the order"),
        )

    async def _open_case(self, verdict: CaseVerdict, payment: Payment, news: PaymentNews) -> None:
        case = Case(self._doubt.order_id, verdict, payment, news.evidence)
        await workflow.execute_activity_method(
            RepairActivities.open_case, case, **named(RECORD, f"Open a case: {verdict}")
        )
        await self._answer(Answer.CASE)
        self._listener.call()

    async def _answer(self, answer: Answer) -> None:
        await workflow.execute_activity_method(
            FindingActivities.answer_finding,
            args=[self._doubt.finding_id, answer],
            **named(RECORD, f"Keep the gateway's answer: {answer}"),
        )
