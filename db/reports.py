"""Figures over all orders, for those who watch the service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import case, col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine import Database
from db.repair_tables import CaseRow, DisputeRow
from db.tables import InboxRow, InboxState, OrderRow, PaymentRow
from db.unbroken import unbroken_calls
from domain.cases import CaseStatus
from domain.disputes import DisputeStatus
from domain.orders import OrderStatus
from domain.payments import PaymentStatus

OPEN = [status for status in OrderStatus if status.is_open]
MONEY = [status for status in PaymentStatus if status.moves_money]


@dataclass(frozen=True)
class Histogram:
    """Seconds from the click on Pay to the proof. `at_most` counts those up to each bound."""

    at_most: Mapping[float, int]
    count: int
    total_seconds: float


@dataclass(frozen=True)
class Report:
    """`money_at_risk` is in minor units by currency: paid, but not concluded or not settled.

    Each payment counts once, with all of it: unsettled are those with such a case, or a dispute.
    """

    orders_by_status: Mapping[OrderStatus, int]
    money_at_risk: Mapping[str, int]
    inbox_waiting: int
    seconds_to_paid: Histogram


@unbroken_calls
class Reports:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, bounds: Sequence[float]) -> Report:
        """`bounds` are the upper ends of the histogram's buckets, in seconds."""
        async with self._database.browse() as session:
            return Report(
                orders_by_status=await _orders_by_status(session),
                money_at_risk=await _money_at_risk(session),
                inbox_waiting=await _inbox_waiting(session),
                seconds_to_paid=await _seconds_to_paid(session, bounds),
            )


async def _orders_by_status(session: AsyncSession) -> dict[OrderStatus, int]:
    counts = select(OrderRow.status, func.count()).group_by(col(OrderRow.status))
    found = {OrderStatus(status): count for status, count in await session.exec(counts)}
    return dict.fromkeys(OrderStatus, 0) | found


async def _money_at_risk(session: AsyncSession) -> dict[str, int]:
    unsettled = (
        select(CaseRow.case_id)
        .where(CaseRow.gateway == PaymentRow.gateway)
        .where(CaseRow.payment_reference == PaymentRow.reference)
        .where(CaseRow.status != CaseStatus.SETTLED)
    )
    disputed = (
        select(DisputeRow.reference)
        .where(DisputeRow.gateway == PaymentRow.gateway)
        .where(DisputeRow.payment_reference == PaymentRow.reference)
        .where(DisputeRow.status == DisputeStatus.OPEN)
    )
    unconcluded = col(OrderRow.status).in_(OPEN)
    sums = (
        select(PaymentRow.currency, func.sum(PaymentRow.amount_minor))
        .outerjoin(OrderRow, col(OrderRow.order_id) == col(PaymentRow.order_id))
        .where(col(PaymentRow.status).in_(MONEY))
        .where(or_(unsettled.exists(), disputed.exists(), unconcluded))
        .group_by(col(PaymentRow.currency))
    )
    return {currency: int(total) for currency, total in await session.exec(sums)}


async def _inbox_waiting(session: AsyncSession) -> int:
    waiting = select(func.count()).where(InboxRow.state == InboxState.NEW)
    return (await session.exec(waiting)).one()


async def _seconds_to_paid(session: AsyncSession, bounds: Sequence[float]) -> Histogram:
    took: Any = col(OrderRow.paid_after_ms)
    within = [func.sum(case((took <= round(bound * 1000), 1), else_=0)) for bound in bounds]
    query: Any = select(func.count(took), func.sum(took), *within).where(took.is_not(None))
    count, total, *counts = (await session.exec(query)).one()
    at_most = {bound: int(number or 0) for bound, number in zip(bounds, counts, strict=True)}
    return Histogram(at_most, count, int(total or 0) / 1000)
