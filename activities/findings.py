"""Finding activities: each disagreement goes to whoever can settle it."""

from collections.abc import Awaitable, Callable, Mapping

from temporalio import activity

from activities.asking import asking
from activities.heartbeats import progress
from domain.books import Books
from domain.cases import Case, CaseVerdict
from domain.errors import OrderNotFound, PaymentTaken, RefundNotFound
from domain.findings import Answer, Doubt, Finding, Match, Plan, RepairState
from domain.news import PaymentNews
from domain.ports import Cases, Delivery, Destination, Refunds
from domain.reconciliations import Approval
from domain.refunds import RefundQuery
from gateways.base import Gateway

# What repeating does not change: somebody has to look.
FOR_A_PERSON = (OrderNotFound, PaymentTaken, RefundNotFound, ValueError)
Outcome = tuple[RepairState, str]


class FindingActivities:
    def __init__(
        self,
        books: Books,
        refunds: Refunds,
        cases: Cases,
        delivery: Delivery,
        gateways: Mapping[str, Gateway],
    ) -> None:
        self._books, self._refunds, self._cases = books, refunds, cases
        self._delivery, self._gateways = delivery, gateways

    @activity.defn
    async def hand_over_page(self, run_id: str, last: str, approval: Approval | None) -> int:
        """Hand over the planned findings up to the last; those of an earlier attempt stay so."""
        findings = await self._books.page(run_id, last)
        for number, finding in enumerate(findings, 1):
            state, note = await self._handed_over(finding, approval)
            at = activity.info().started_time
            await self._books.handed_over(finding.finding_id, state, note, at)
            progress(f"{number} of {len(findings)} findings handed over")
        return len(findings)

    @activity.defn
    async def answer_finding(self, finding_id: str, answer: Answer) -> None:
        """Keep what the gateway said when it was asked."""
        await self._books.answered(finding_id, answer, activity.info().started_time)

    async def _handed_over(self, finding: Finding, approval: Approval | None) -> Outcome:
        try:
            return await self._ways(finding, approval)()
        except FOR_A_PERSON as error:
            return RepairState.LEFT, f"{type(error).__name__}: {error}"

    def _ways(
        self, finding: Finding, approval: Approval | None
    ) -> Callable[[], Awaitable[Outcome]]:
        if finding.is_refund:
            asks = finding.plan is Plan.ASK
            return lambda: self._ask_refund(finding) if asks else self._tell_refund(finding)
        if finding.plan is Plan.ASK:
            return lambda: self._doubt(finding)
        if finding.order_id is None:
            return lambda: self._open_case(finding)
        return lambda: self._tell(finding, finding.order_id or "", approval)

    async def _tell(self, finding: Finding, order_id: str, approval: Approval | None) -> Outcome:
        news = PaymentNews(
            finding.gateway,
            order_id,
            finding.evidence,
            (finding.payment,),
            approved_by=approval.actor if approval else None,
        )
        return _outcome(await self._delivery.deliver(news))

    async def _doubt(self, finding: Finding) -> Outcome:
        if finding.order_id is None:
            raise ValueError("nobody knows whose payment it is")
        reference = finding.payment_reference or finding.reference
        doubt = Doubt(
            finding.finding_id, finding.gateway, finding.order_id, reference, finding.evidence
        )
        await self._delivery.doubt(doubt)
        return RepairState.HANDED_OVER, "the gateway is asked"

    async def _open_case(self, finding: Finding) -> Outcome:
        case = Case(None, CaseVerdict.UNKNOWN_ORDER, finding.payment, finding.evidence)
        is_new = await self._cases.open_case(case, activity.info().started_time)
        await self._delivery.mind_cases(case.subject)
        if not is_new:
            return RepairState.KNOWN, "its case was opened before"
        return RepairState.HANDED_OVER, "a case waits for an operator"

    async def _tell_refund(self, finding: Finding) -> Outcome:
        if finding.match is Match.MISSING_IN_ORDERS:
            raise ValueError("the refund of a payment that nobody knows")
        at = activity.info().started_time
        return _outcome(await self._delivery.deliver_refund(finding.refund, at))

    async def _ask_refund(self, finding: Finding) -> Outcome:
        """A refund that we count as done and the file does not show: the gateway has the word."""
        refund = await self._refunds.refund(finding.refund_id or finding.reference)
        with asking(self._gateways, finding.gateway) as gateway:
            news = await gateway.ask_refund(RefundQuery.of(refund))
        if news is None:
            raise ValueError("the gateway knows nothing of this refund")
        destination = await self._delivery.deliver_refund(news, activity.info().started_time)
        if destination is Destination.NOTHING_NEW:
            await self.answer_finding(finding.finding_id, Answer.CONFIRMED)
            return RepairState.HANDED_OVER, "the gateway confirms the refund"
        return _outcome(destination)


def _outcome(destination: Destination) -> Outcome:
    if destination is Destination.NOTHING_NEW:
        return RepairState.KNOWN, "recorded before"
    return RepairState.HANDED_OVER, f"went to the {destination}"
