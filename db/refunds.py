"""Refunds, and what they may cost: `domain.ports.Refunds`, each write one transaction."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine import Database
from db.invoices import credit, void_credit
from db.payments import hold_payment
from db.reopenings import reopen
from db.repair_tables import RefundRow
from db.reservations import refund_row, reserve, sum_of_refunds
from db.rows import refund_draft_from, refund_from
from db.statements import change, insert_new, update_where
from db.tables import OrderRow, PaymentRow, TimelineEvent
from db.transitions import SYSTEM, Step, cite, move, note
from db.unbroken import unbroken_calls
from domain.errors import IllegalTransition, RefundNotFound
from domain.invoices import CreditReason
from domain.keys import derived_id
from domain.money import Money
from domain.orders import OrderStatus
from domain.policies import Budget
from domain.ports import RefundAttempt, RefundDraft
from domain.refunds import Refund, RefundNews, RefundStatus, RefundWish

UNFINISHED = [status for status in RefundStatus if not status.is_final]
FOLLOWS_SUMS = (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED, OrderStatus.REFUNDED)
EVENTS = {
    RefundStatus.NEEDS_REVIEW: TimelineEvent.REFUND_NEEDS_REVIEW,
    RefundStatus.SUCCEEDED: TimelineEvent.REFUND_SUCCEEDED,
    RefundStatus.FAILED: TimelineEvent.REFUND_FAILED,
}


@unbroken_calls
class RefundStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, wish: RefundWish, budget: Budget | None, at: datetime) -> Refund | None:
        """Set the money aside: requested + pending + succeeded never exceed what was captured.

        The same refund id again answers with that refund as it stands, and raises `KeyReused` if
        the wish was another. None if the budget is used up: nothing was written. Raises
        `RefundRefused` with the reason, `OrderNotFound`.
        """
        async with self._database.write() as session:
            return await reserve(session, wish, budget, at)

    async def refund(self, refund_id: str) -> Refund:
        """Raises `RefundNotFound`."""
        async with self._database.read() as session:
            return refund_from(_found(await session.get(RefundRow, refund_id)))

    async def begin_refund(self, draft: RefundDraft, at: datetime) -> RefundAttempt:
        """Store the draft before it is sent; the one that was stored first is returned.

        Raises `RefundNotFound`, and `IllegalTransition` if none was and the refund has ended.
        """
        async with self._database.write() as session:
            row = _found(await session.get(RefundRow, draft.refund_id, with_for_update=True))
            if before := refund_draft_from(row):
                return RefundAttempt(before, repeated=True)
            if row.status is not RefundStatus.REQUESTED:
                raise IllegalTransition(f"a refund that is {row.status} is not sent")
            stored = {"wire_key": draft.wire_key, "draft": draft.body, "sent_at": at}
            await change(session, RefundRow, {"refund_id": draft.refund_id}, **stored)
            return RefundAttempt(draft, repeated=False)

    async def record_refund(self, news: RefundNews, at: datetime) -> Refund:
        """Join the news, and let the order follow the sums of its fulfilling payment.

        A refund that we did not ask for is recorded as the gateway's own. Raises
        `RefundNotFound` if the payment is not known either.
        """
        async with self._database.write() as session:
            about = await find_refund(session, news) or news
            order, payment = await hold_payment(session, news.gateway, about.payment_reference)
            if payment is None:
                raise RefundNotFound(f"there is no payment {news.payment_reference} to refund")
            row = await find_refund(session, news)
            row = row or await _add_gateways_own(session, news, payment, at)
            return await _join(session, row, news, order, payment, at)

    async def unattended_refunds(
        self, older_than: timedelta, at: datetime, limit: int
    ) -> list[Refund]:
        """Each call answers with those that waited longest for a look, so that all get one."""
        async with self._database.write() as session:
            waiting = (
                select(RefundRow)
                .where(col(RefundRow.status).in_(UNFINISHED))
                .where(RefundRow.minded_at <= at - older_than)
                .order_by(col(RefundRow.minded_at))
                .limit(limit)
            )
            refunds = [refund_from(row) for row in await session.exec(waiting)]
            seen = col(RefundRow.refund_id).in_([refund.refund_id for refund in refunds])
            await update_where(session, RefundRow, seen, minded_at=at)
            return refunds


async def find_refund(session: AsyncSession, news: RefundNews) -> RefundRow | None:
    """The refund that the news is of: by our id, unless that has another name at the gateway."""
    name = col(RefundRow.gateway_reference)
    by_id = col(RefundRow.refund_id) == news.refund_id
    if news.reference:
        by_id = by_id & or_(name.is_(None), name == news.reference)
    for same in (by_id, name == (news.reference or "")):
        query = select(RefundRow).where(RefundRow.gateway == news.gateway, same)
        found = await session.exec(query, execution_options={"populate_existing": True})
        if row := found.one_or_none():
            return row
    return None


def _found(row: RefundRow | None) -> RefundRow:
    if row is None:
        raise RefundNotFound("there is no such refund")
    return row


async def _add_gateways_own(
    session: AsyncSession, news: RefundNews, payment: PaymentRow, at: datetime
) -> RefundRow:
    if news.reference is None:
        raise RefundNotFound(f"there is no refund {news.refund_id} of that payment")
    wish = RefundWish(
        refund_id=derived_id("rfd", news.gateway, news.reference),
        order_id=payment.order_id,
        gateway=news.gateway,
        payment_reference=news.payment_reference,
        amount=news.amount,
        reason="made at the gateway",
        actor="gateway",
    )
    row = refund_row(wish, payment.order_id, news.amount, at)
    if await insert_new(session, row) is None:
        raise RefundNotFound(f"{news.reference} is a refund of another payment")
    return await session.get_one(RefundRow, row.refund_id)


async def _join(
    session: AsyncSession,
    row: RefundRow,
    news: RefundNews,
    order: OrderRow | None,
    payment: PaymentRow,
    at: datetime,
) -> Refund:
    news = await _believed(session, row, news)
    before = refund_from(row)
    after = before.joined(news)
    if after == before:
        return before
    changes: dict[str, Any] = {"gateway_reference": after.reference}
    moved = after.status is not before.status
    if moved:
        changes |= {"status": after.status, "failure": after.failure}
        changes["evidence_id"] = await cite(session, row.order_id, news.evidence, at)
        changes["concluded_at"] = at if after.status.is_final else None
    await change(session, RefundRow, {"refund_id": row.refund_id}, **changes)
    if moved and after.status is RefundStatus.FAILED:
        await reopen(session, row.refund_id)
    if moved and order and after.status in EVENTS:
        step = Step(EVENTS[after.status], at, SYSTEM, news.evidence)
        await _follow_sums(session, order, payment, step)
        await _credit(session, order, payment, after, at)
    return after


async def _believed(session: AsyncSession, row: RefundRow, news: RefundNews) -> RefundNews:
    """The news; or that somebody must look, if another refund has that name at the gateway."""
    twins = select(RefundRow.refund_id).where(
        RefundRow.gateway == news.gateway,
        RefundRow.gateway_reference == (news.reference or ""),
        RefundRow.refund_id != row.refund_id,
    )
    twin = (await session.exec(twins)).one_or_none()
    if twin is None:
        return news
    failure = f"{twin} has the name {news.reference} at the gateway"
    return replace(news, status=RefundStatus.NEEDS_REVIEW, reference=None, failure=failure)


async def _follow_sums(
    session: AsyncSession, order: OrderRow, payment: PaymentRow, step: Step
) -> None:
    """Only refunds of the payment that fulfils the order move it; others are only noted."""
    status = order.status
    if _fulfils(payment, order) and status in FOLLOWS_SUMS:
        status = await _status_by_sums(session, payment)
    if status is order.status:
        await note(session, order.order_id, None, status, step)
    else:
        await move(session, order, status, step)


async def _credit(
    session: AsyncSession, order: OrderRow, payment: PaymentRow, refund: Refund, at: datetime
) -> None:
    """The invoice follows the refunds of the payment that fulfils the order, as the status does."""
    if refund.status is RefundStatus.FAILED:
        await void_credit(session, refund.refund_id, at)
    elif refund.status is RefundStatus.SUCCEEDED and _fulfils(payment, order):
        # An operator may have let a payment of another amount do; credited is its share.
        share = order.amount_minor * refund.amount.minor // payment.amount_minor
        amount = Money(share, order.currency)
        await credit(session, order, amount, CreditReason.REFUND, at, refund.refund_id)


def _fulfils(payment: PaymentRow, order: OrderRow) -> bool:
    fulfilling = (order.fulfilling_gateway, order.fulfilling_reference)
    return fulfilling == (payment.gateway, payment.reference)


async def _status_by_sums(session: AsyncSession, payment: PaymentRow) -> OrderStatus:
    back = await sum_of_refunds(session, payment, [RefundStatus.SUCCEEDED])
    if back.minor == 0:
        return OrderStatus.PAID
    whole = back.minor >= payment.amount_minor
    return OrderStatus.REFUNDED if whole else OrderStatus.PARTIALLY_REFUNDED
