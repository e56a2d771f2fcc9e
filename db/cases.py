"""Cases, and the words of operators on them: `domain.ports.Cases`."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine import Database
from db.honours import honour
from db.payments import hold_payment, record_payment
from db.reopenings import waits_instead
from db.repair_tables import CaseRow
from db.rows import case_from, decision_from
from db.statements import insert_new, update_where
from db.tables import EvidenceRow, OrderItemRow, OrderRow, PaymentRow, ProductRow, TimelineEvent
from db.transitions import SYSTEM, Step, cite, lock_order, move, note
from db.unbroken import unbroken_calls
from domain.cases import Case, CaseOutcome, CaseRecord, CaseStatus, Decision, OrderPolicy
from domain.errors import CaseNotFound, OrderNotFound
from domain.invoices import Invoicing
from domain.keys import new_id
from domain.news import Evidence, EvidenceKind
from domain.orders import LatePolicy, OrderStatus

UNSETTLED = CaseRow.status != CaseStatus.SETTLED


@unbroken_calls
class CaseStore:
    """Methods that take a case id raise `CaseNotFound`.

    `invoicing` is for the invoice of an order that becomes paid when its late money is honoured.
    """

    def __init__(self, database: Database, invoicing: Invoicing | None = None) -> None:
        self._database = database
        self._invoicing = invoicing or Invoicing()

    async def open_case(self, case: Case, at: datetime) -> bool:
        """Raises `OrderNotFound` and `PaymentTaken`."""
        async with self._database.write() as session:
            if case.order_id:
                await lock_order(session, case.order_id)
            return await record_case(session, case, at)

    async def open_cases(self, subject: str) -> tuple[CaseRecord, ...]:
        """Those that are not settled, the oldest first."""
        mine = select(CaseRow).where(CaseRow.subject == subject, UNSETTLED)
        async with self._database.read() as session:
            rows = await session.exec(mine.order_by(col(CaseRow.opened_at), col(CaseRow.case_id)))
            return tuple([await _record(session, row) for row in rows.all()])

    async def case(self, case_id: str) -> CaseRecord:
        async with self._database.read() as session:
            return await _record(session, await _get(session, case_id))

    async def order_policy(self, order_id: str) -> OrderPolicy:
        """Raises `OrderNotFound`."""
        async with self._database.read() as session:
            order = await session.get(OrderRow, order_id)
            if order is None:
                raise OrderNotFound(f"there is no order {order_id}")
            honours = order.late_policy is LatePolicy.HONOUR
            same_price = await _same_price(session, order_id)
            is_paid = order.status.is_fulfilled
            return OrderPolicy(honours, order.concluded_at, same_price, is_paid)

    async def await_word(self, case_id: str, why: str, at: datetime) -> None:
        """The case waits for an operator: also again, if what the last one wished cannot be.

        A case that waits keeps its reason. A call from before an operator's word is too late.
        """
        undecided = or_(col(CaseRow.decided_at).is_(None), col(CaseRow.decided_at) < at)
        async with self._database.write() as session:
            await _get(session, case_id)
            this = (CaseRow.case_id == case_id, CaseRow.status == CaseStatus.OPEN, undecided)
            waiting = {"status": CaseStatus.WAITING, "why": why, **_word(None, None)}
            await update_where(session, CaseRow, *this, **waiting)

    async def decide(self, decision: Decision, at: datetime) -> bool:
        """Keep an operator's word, and let the case be dealt with; False if it waits for none.

        Only a waiting case takes a word, so that none crosses a remedy under way. The same word
        again, by the same operator for the same reason, is a repeat and not another word.
        """
        async with self._database.write() as session:
            case = await _get(session, decision.case_id)
            order = await lock_order(session, case.order_id) if case.order_id else None
            waiting = (CaseRow.case_id == case.case_id, CaseRow.status == CaseStatus.WAITING)
            word = {**_word(decision, at), "words": CaseRow.words + 1}
            if not await update_where(session, CaseRow, *waiting, status=CaseStatus.OPEN, **word):
                await session.refresh(case)
                return decision_from(case) == decision
            await _keep_word(session, order, decision, at)
            return True

    async def honour(self, case_id: str, at: datetime) -> str | None:
        """Let the case's payment fulfil its order, `late_capture` if that had ended unpaid.

        None once it does; else the reason why it cannot, and nothing was written: the order must
        have ended without a payment, and this one be captured and whole.
        """
        async with self._database.write() as session:
            return await honour(session, await _get(session, case_id), self._invoicing, at)

    async def settle(
        self, case_id: str, outcome: CaseOutcome, refund_id: str | None, at: datetime
    ) -> None:
        """The first outcome stays. What a refund that was taken back would settle waits instead."""
        async with self._database.write() as session:
            case = await _get(session, case_id)
            order, _ = await hold_payment(session, case.gateway, case.payment_reference)
            if await waits_instead(session, case_id, refund_id):
                return
            end = {"outcome": outcome, "refund_id": refund_id, "settled_at": at}
            unsettled = (CaseRow.case_id == case_id, UNSETTLED)
            settled = await update_where(
                session, CaseRow, *unsettled, status=CaseStatus.SETTLED, **end
            )
            if settled and order:
                await _end_review(session, order, case, outcome, at)

    async def subjects_unattended(
        self, older_than: timedelta, at: datetime, limit: int
    ) -> list[str]:
        """Each call answers with those that waited longest for a look, so that all get one."""
        async with self._database.write() as session:
            waiting = (
                select(CaseRow.subject)
                .where(UNSETTLED, CaseRow.minded_at <= at - older_than)
                .group_by(col(CaseRow.subject))
                .order_by(func.min(CaseRow.minded_at))
                .limit(limit)
            )
            subjects = list(await session.exec(waiting))
            seen = (col(CaseRow.subject).in_(subjects), UNSETTLED)
            await update_where(session, CaseRow, *seen, minded_at=at)
            return subjects


async def _end_review(
    session: AsyncSession, order: OrderRow, case: CaseRow, outcome: CaseOutcome, at: datetime
) -> None:
    """An order under review has ended once its last case is settled without honouring it."""
    left = select(CaseRow.case_id).where(CaseRow.order_id == case.order_id, UNSETTLED)
    if order.status is not OrderStatus.NEEDS_REVIEW or (await session.exec(left)).first():
        return
    end = OrderStatus.CANCELED if outcome is CaseOutcome.REFUNDED else OrderStatus.FAILED
    proof = Evidence(EvidenceKind.OPERATOR, f"{case.case_id} {outcome}")
    step = Step(TimelineEvent.CONCLUDED, at, case.decided_by or SYSTEM, proof)
    await move(session, order, end, step, concluded_at=at)


async def record_case(session: AsyncSession, case: Case, at: datetime) -> bool:
    """Record the payment and open the case; False if that case was open already."""
    proof = await cite(session, case.order_id, case.evidence, at)
    await record_payment(session, case.order_id, case.payment, proof, at)
    row = CaseRow(
        case_id=new_id("case"),
        order_id=case.order_id,
        subject=case.subject,
        gateway=case.payment.gateway,
        payment_reference=case.payment.reference,
        verdict=case.verdict,
        approved_by=case.approved_by,
        evidence_id=proof,
        opened_at=at,
        minded_at=at,
    )
    return await insert_new(session, row) is not None


async def _get(session: AsyncSession, case_id: str) -> CaseRow:
    row = await session.get(CaseRow, case_id)
    if row is None:
        raise CaseNotFound(f"there is no case {case_id}")
    return row


async def _record(session: AsyncSession, row: CaseRow) -> CaseRecord:
    payment = await session.get_one(PaymentRow, (row.gateway, row.payment_reference))
    return case_from(row, payment, await session.get_one(EvidenceRow, row.evidence_id))


async def _same_price(session: AsyncSession, order_id: str) -> bool:
    """Whether the catalogue has every item of the order at the price it was sold at."""
    unchanged = (
        (col(ProductRow.sku) == col(OrderItemRow.sku))
        & (col(ProductRow.amount_minor) == col(OrderItemRow.unit_amount_minor))
        & (col(ProductRow.currency) == col(OrderItemRow.currency))
    )
    changed = (
        select(OrderItemRow.sku)
        .outerjoin(ProductRow, unchanged)
        .where(OrderItemRow.order_id == order_id, col(ProductRow.sku).is_(None))
    )
    return (await session.exec(changed)).first() is None


def _word(decision: Decision | None, at: datetime | None) -> dict[str, Any]:
    return {
        "decision": decision and decision.remedy,
        "decided_by": decision and decision.actor,
        "decision_reason": decision and decision.reason,
        "decided_at": at,
    }


async def _keep_word(
    session: AsyncSession, order: OrderRow | None, decision: Decision, at: datetime
) -> None:
    """Beside the case's own columns, where another word may take its place."""
    said = f"{decision.case_id} {decision.remedy}: {decision.reason}"
    proof = Evidence(EvidenceKind.OPERATOR, said)
    if order is None:
        await cite(session, None, proof, at)
        return
    step = Step(TimelineEvent.CASE_DECIDED, at, decision.actor, proof)
    await note(session, order.order_id, None, order.status, step)
