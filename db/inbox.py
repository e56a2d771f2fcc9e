"""Verified webhooks: stored before they are acknowledged, and kept until they are forwarded."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.disputes import record_dispute
from db.engine import Database
from db.owners import Owner, owner_of
from db.refunds import find_refund
from db.statements import change, find, insert_new
from db.tables import InboxRow, InboxState, OrderRow
from db.unbroken import unbroken_calls
from domain.cases import Case, CaseVerdict
from domain.disputes import Dispute
from domain.events import GatewayEvent
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from domain.ports import News

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
MOST_DOUBLINGS = 7
EVENTS = TypeAdapter(GatewayEvent)
AUTHORIZED = PaymentStatus.AUTHORIZED
MONEY = [status for status in PaymentStatus if status.moves_money]


class Receipt(StrEnum):
    """What became of a webhook: only a `new` one is to be forwarded at once, `waiting` by the
    sweep if nothing better comes meanwhile."""

    NEW = "new"
    WAITING = "waiting"
    DUPLICATE = "duplicate"
    ABSORBED = "absorbed"
    IGNORED = "ignored"
    UNKNOWN_ORDER = "unknown_order"


@dataclass(frozen=True)
class Accepted:
    """The row that now holds the event, and what became of it."""

    row: int
    state: Receipt


@unbroken_calls
class InboxStore:
    """`domain.ports.Inbox`, and the door through which webhooks enter it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, event: GatewayEvent, body: bytes, at: datetime) -> Accepted:
        """Store the event once; it is durable when this returns."""
        async with self._database.write() as session:
            owner = await owner_of(session, event)
            waits = await _may_wait(session, event, owner)
            row = _row(event, owner, body, at)
            if added := await insert_new(session, row):
                if owner:
                    await _absorb_authorization(session, event)
                return Accepted(added, Receipt.WAITING if waits else _receipt(event, owner))
            if known := await _same_event(session, event):
                return Accepted(known, Receipt.DUPLICATE)
            # Another event has said the same: this one is kept, and does not speak again.
            row.outcome, row.state = None, InboxState.ABSORBED
            if added := await insert_new(session, row):
                return Accepted(added, Receipt.ABSORBED)
            return Accepted(await _same_event(session, event) or 0, Receipt.DUPLICATE)

    async def due(self, older_than: timedelta, at: datetime, limit: int) -> list[int]:
        """Those due longest first."""
        waiting = (
            select(InboxRow.id)
            .where(InboxRow.state == InboxState.NEW)
            .where(InboxRow.received_at <= at - older_than, InboxRow.next_try_at <= at)
            .order_by(col(InboxRow.next_try_at))
            .limit(limit)
        )
        async with self._database.read() as session:
            return list(await session.exec(waiting))

    async def news(self, row: int) -> News | None:
        """None while its order is not known, and once there is nothing left to forward.

        What the gateway says of a refund names it by our id, if it is one of ours.
        """
        async with self._database.read() as session:
            stored = await session.get_one(InboxRow, row)
            event = EVENTS.validate_python(stored.event)
            if stored.state is not InboxState.NEW:
                return None
            if stored.outcome is not None:
                return await _said(session, event, stored.order_id)
        return await self._resolve(row, event)

    async def record_dispute(self, dispute: Dispute, at: datetime) -> None:
        """Keep the dispute beside the order of its payment; once it has ended it stays so.

        Raises `OrderNotFound` while its payment is not known.
        """
        async with self._database.write() as session:
            await record_dispute(session, dispute, at)

    async def unresolved(self, older_than: timedelta, at: datetime, limit: int) -> list[int]:
        """Rows with money in them whose order was not found for so long, the oldest first."""
        status = col(InboxRow.event)["payment"]["status"].as_string()
        lost = (
            select(InboxRow.id)
            .where(InboxRow.state == InboxState.NEW, col(InboxRow.outcome).is_(None))
            .where(InboxRow.received_at <= at - older_than, status.in_(MONEY))
            .order_by(col(InboxRow.received_at))
            .limit(limit)
        )
        async with self._database.browse() as session:
            return list(await session.exec(lost))

    async def unclaimed(self, row: int) -> Case:
        """Such a row as a case without an order."""
        async with self._database.read() as session:
            stored = await session.get_one(InboxRow, row)
        event = EVENTS.validate_python(stored.event)
        if event.payment is None:
            raise ValueError(f"event {event.event_id} has no money in it")
        return Case(None, CaseVerdict.UNKNOWN_ORDER, event.payment, event.evidence)

    async def forwarded(self, row: int, at: datetime) -> None:
        async with self._database.write() as session:
            await _update_new(session, row, state=InboxState.FORWARDED, forwarded_at=at)

    async def postponed(self, row: int, at: datetime) -> None:
        """Half a minute at first, doubling up to an hour."""
        async with self._database.write() as session:
            query = select(InboxRow.tries).where(InboxRow.id == row).with_for_update()
            tries = (await session.exec(query)).one()
            pause = min(FIRST_PAUSE * (1 << min(tries, MOST_DOUBLINGS)), LONGEST_PAUSE)
            await _update_new(session, row, tries=tries + 1, next_try_at=at + pause)

    async def _resolve(self, row: int, event: GatewayEvent) -> News | None:
        """Look for the order again; a sibling that found it earlier absorbs this row."""
        async with self._database.write() as session:
            owner = await owner_of(session, event)
            if owner is None:
                return None
            found = {"order_id": owner.order_id}
            try:
                async with session.begin_nested():
                    await _update_new(session, row, outcome=event.outcome, **found)
            except IntegrityError:
                await _update_new(session, row, state=InboxState.ABSORBED, **found)
                return None
            return await _said(session, event, owner.order_id)


def _row(event: GatewayEvent, owner: Owner | None, body: bytes, at: datetime) -> InboxRow:
    return InboxRow(
        gateway=event.gateway,
        event_id=event.event_id,
        kind=event.kind,
        # A row without an owner forwards nothing, so it may not speak for its siblings.
        outcome=event.outcome if owner else None,
        order_id=owner.order_id if owner else None,
        reference=event.reference,
        link_reference=event.link_reference,
        event=EVENTS.dump_python(event, mode="json"),
        body=body,
        state=InboxState.NEW if event.outcome else InboxState.IGNORED,
        received_at=at,
        next_try_at=at if owner else at + FIRST_PAUSE,
    )


def _receipt(event: GatewayEvent, owner: Owner | None) -> Receipt:
    if event.outcome is None:
        return Receipt.IGNORED
    return Receipt.NEW if owner else Receipt.UNKNOWN_ORDER


async def _may_wait(session: AsyncSession, event: GatewayEvent, owner: Owner | None) -> bool:
    """A payment that was only authorized concludes nothing, and most often its capture follows.

    Unless the order has ended: then it is late money, which is news.
    """
    payment = None if event.awaits_capture else event.payment
    if owner is None or payment is None or payment.status is not AUTHORIZED:
        return False
    order = await find(session, OrderRow, order_id=owner.order_id)
    return order is not None and order.status is OrderStatus.AWAITING_PAYMENT


async def _absorb_authorization(session: AsyncSession, event: GatewayEvent) -> None:
    """Once a payment is captured, that it was authorized is no news any more."""
    if event.payment and event.payment.status is PaymentStatus.CAPTURED:
        before = replace(event, payment=replace(event.payment, status=AUTHORIZED)).outcome
        waiting = {"gateway": event.gateway, "outcome": before, "state": InboxState.NEW}
        await change(session, InboxRow, waiting, state=InboxState.ABSORBED)


async def _said(session: AsyncSession, event: GatewayEvent, order_id: str | None) -> News | None:
    if event.refund:
        known = await find_refund(session, event.refund)
        return replace(event.refund, refund_id=known.refund_id if known else None)
    if event.dispute:
        return event.dispute
    return event.news(order_id) if order_id else None


async def _same_event(session: AsyncSession, event: GatewayEvent) -> int | None:
    same = await find(session, InboxRow, gateway=event.gateway, event_id=event.event_id)
    return same.id if same else None


async def _update_new(session: AsyncSession, row: int, **values: Any) -> None:
    await change(session, InboxRow, {"id": row, "state": InboxState.NEW}, **values)
