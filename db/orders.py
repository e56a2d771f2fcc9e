"""Orders, and what is recorded of them: `domain.ports.Orders`, each write one transaction."""

from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db import links
from db.cases import record_case
from db.engine import Database
from db.invoices import issue
from db.payments import record_payment
from db.retractions import retract
from db.rows import order_from, payment_from
from db.statements import change, find, find_all, update_where
from db.tables import OrderRow, PaymentRow, TimelineEvent
from db.transitions import SYSTEM, Step, cite, cited, lock_order, move, note
from db.unbroken import unbroken_calls
from domain.checkouts import Conclusion, LinkOrder, LinkQuery, Standing
from domain.errors import OrderNotFound
from domain.invoices import Invoicing
from domain.news import Evidence, EvidenceKind
from domain.orders import Order, OrderStatus
from domain.payments import LinkStatus, Payment, PaymentLink
from domain.ports import LinkAttempt, LinkDraft
from domain.repairs import Retraction

EXPIRED_AT_ONCE = 20


@unbroken_calls
class OrderStore:
    """`invoicing` is for the invoice that an order gets when it becomes paid."""

    def __init__(self, database: Database, invoicing: Invoicing | None = None) -> None:
        self._database = database
        self._invoicing = invoicing or Invoicing()

    async def order(self, order_id: str) -> Order:
        """Raises `OrderNotFound`."""
        async with self._database.read() as session:
            row = await find(session, OrderRow, order_id=order_id)
        if row is None:
            raise OrderNotFound(f"there is no order {order_id}")
        return order_from(row)

    async def standing(self, order_id: str) -> Standing:
        """Raises `OrderNotFound`."""
        async with self._database.read() as session:
            order = await find(session, OrderRow, order_id=order_id)
            rows = await find_all(session, PaymentRow, order_id=order_id)
        if order is None:
            raise OrderNotFound(f"there is no order {order_id}")
        payments = tuple(payment_from(payment) for payment in rows)
        return Standing(order.status, payments, order.cancel_requested_at is not None)

    async def begin_link(self, wish: LinkOrder, draft: LinkDraft, token: str) -> LinkAttempt:
        """Raises `OrderNotFound`; `IllegalTransition` while another link of the order lives."""
        async with self._database.write() as session:
            return await links.begin_link(session, wish, draft, token)

    async def latest_link(self, order_id: str) -> str | None:
        async with self._database.read() as session:
            return await links.latest_link(session, order_id)

    async def stored_link(self, key: str) -> LinkAttempt | None:
        async with self._database.read() as session:
            return await links.stored_link(session, key)

    async def keep_link(self, link: PaymentLink) -> bool:
        """Raises `IllegalTransition` if another answer was kept, or no draft."""
        async with self._database.write() as session:
            return await links.keep_link(session, link)

    async def end_link(self, key: str, status: LinkStatus, at: datetime) -> bool:
        async with self._database.write() as session:
            return await links.end_link(session, key, status, at)

    async def late_links(self, at: datetime, limit: int) -> list[LinkQuery]:
        async with self._database.write() as session:
            return await links.late_links(session, at, limit)

    async def looked_for(self, key: str) -> None:
        async with self._database.write() as session:
            await links.looked_for(session, key)

    async def first_heard(self, order_id: str, evidence: Evidence, at: datetime) -> bool:
        """Keep the evidence; False if it was known before. Raises `OrderNotFound`."""
        async with self._database.write() as session:
            await lock_order(session, order_id)
            if await cited(session, order_id, evidence) is not None:
                return False
            await cite(session, order_id, evidence, at)
            return True

    async def conclude(self, conclusion: Conclusion) -> OrderStatus:
        """Record the end once; an order that has ended keeps its status, whatever came second.

        A repeat is answered as it was the first time, though some of the money may have gone back
        since. Raises `OrderNotFound`, `IllegalTransition`, and `PaymentTaken`.
        """
        async with self._database.write() as session:
            order = await lock_order(session, conclusion.order_id)
            if not order.status.is_open:
                return conclusion.status if _is_paid_by(order, conclusion) else order.status
            await _conclude(session, order, conclusion)
            if conclusion.payment:
                at = conclusion.concluded_at
                await issue(session, order, conclusion.payment, self._invoicing, at)
            return conclusion.status

    async def request_cancel(self, order_id: str, actor: str, at: datetime) -> OrderStatus:
        """Cancel an order that never asked for a link; mark one whose checkout has to end first.

        Answers with the status that stands. Raises `OrderNotFound`.
        """
        async with self._database.write() as session:
            order = await lock_order(session, order_id)
            if order.status is OrderStatus.CREATED:
                await _end_untouched(session, order, OrderStatus.CANCELED, at, actor)
                return OrderStatus.CANCELED
            if order.status.is_open and order.cancel_requested_at is None:
                await _mark_canceled(session, order, actor, at)
            return order.status

    async def retract(self, retraction: Retraction, at: datetime) -> OrderStatus:
        """Cancel a paid order whose payment was never captured; the status that stands.

        Only if that payment fulfils it and none of its money is on its way back; else nothing is
        written. Raises `OrderNotFound`.
        """
        async with self._database.write() as session:
            return await retract(session, retraction, at)

    async def expire_untouched(self, older_than: timedelta, at: datetime) -> int:
        """Expires few at a time, since everybody else waits; how many it was."""
        async with self._database.write() as session:
            untouched = (
                select(OrderRow)
                .where(OrderRow.status == OrderStatus.CREATED)
                .where(OrderRow.created_at <= at - older_than)
                .order_by(col(OrderRow.created_at))
                .limit(EXPIRED_AT_ONCE)
                .with_for_update(skip_locked=True)
            )
            orders = (await session.exec(untouched)).all()
            for order in orders:
                await _end_untouched(session, order, OrderStatus.EXPIRED, at)
            return len(orders)

    async def awaiting(self, older_than: timedelta, at: datetime, limit: int) -> list[Order]:
        """Each call answers with those that waited longest for a look, so that all get one."""
        async with self._database.write() as session:
            waiting = (
                select(OrderRow)
                .where(OrderRow.status == OrderStatus.AWAITING_PAYMENT)
                .where(col(OrderRow.checkout_started_at) <= at - older_than)
                .order_by(col(OrderRow.minded_at))
                .limit(limit)
            )
            orders = [order_from(row) for row in await session.exec(waiting)]
            seen = col(OrderRow.order_id).in_([order.order_id for order in orders])
            await update_where(session, OrderRow, seen, minded_at=at)
            return orders


def _is_paid_by(order: OrderRow, end: Conclusion) -> bool:
    fulfilling = (order.fulfilling_gateway, order.fulfilling_reference)
    return end.payment is not None and fulfilling == (end.payment.gateway, end.payment.reference)


async def _conclude(session: AsyncSession, order: OrderRow, end: Conclusion) -> None:
    step = Step(TimelineEvent.CONCLUDED, end.concluded_at, SYSTEM, end.evidence)
    paid = end.payment
    proof = await move(
        session,
        order,
        end.status,
        step,
        concluded_at=end.concluded_at,
        fulfilling_gateway=paid and paid.gateway,
        fulfilling_reference=paid and paid.reference,
        paid_after_ms=_milliseconds(order, end) if paid else None,
    )
    proofs = {end.evidence: proof, None: None}
    for payment in end.standing.payments:
        evidence = _proof(end, payment)
        if evidence and evidence not in proofs:
            proofs[evidence] = await cite(session, order.order_id, evidence, end.concluded_at)
        at = end.concluded_at
        await record_payment(session, order.order_id, payment, proofs[evidence], at)
    for case in end.cases:
        await record_case(session, case, end.concluded_at)


def _proof(end: Conclusion, payment: Payment) -> Evidence | None:
    """A status query speaks of every payment of the order, a webhook of the one it names."""
    if payment == end.payment:
        return end.evidence
    if proofs := [case.evidence for case in end.cases if case.payment == payment]:
        return proofs[0]
    return end.evidence if end.evidence.kind is EvidenceKind.STATUS_QUERY else None


def _milliseconds(order: OrderRow, end: Conclusion) -> int | None:
    if order.checkout_started_at is None:
        return None
    return (end.concluded_at - order.checkout_started_at) // timedelta(milliseconds=1)


async def _end_untouched(
    session: AsyncSession, order: OrderRow, end: OrderStatus, at: datetime, actor: str = SYSTEM
) -> None:
    proof = Evidence(EvidenceKind.NO_LINK, order.order_id)
    step = Step(TimelineEvent.CONCLUDED, at, actor, proof)
    canceled = {"cancel_requested_at": at} if end is OrderStatus.CANCELED else {}
    await move(session, order, end, step, concluded_at=at, **canceled)


async def _mark_canceled(session: AsyncSession, order: OrderRow, actor: str, at: datetime) -> None:
    await change(session, OrderRow, {"order_id": order.order_id}, cancel_requested_at=at)
    step = Step(TimelineEvent.CANCEL_REQUESTED, at, actor)
    await note(session, order.order_id, None, order.status, step)
