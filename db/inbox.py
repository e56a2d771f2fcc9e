"""Verified webhooks: stored before they are acknowledged, and kept until they are forwarded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine import Database
from db.statements import insert_new, update_where
from db.tables import InboxRow, InboxState, OrderRow, PaymentLinkRow
from db.unbroken import unbroken_calls
from domain.news import GatewayEvent, PaymentNews

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
MOST_DOUBLINGS = 7
EVENTS = TypeAdapter(GatewayEvent)


class Receipt(StrEnum):
    """What became of a webhook: only a `new` one is to be forwarded at once."""

    NEW = "new"
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
            order_id = await _order_of(session, event)
            row = _row(event, order_id, body, at)
            if added := await insert_new(session, row):
                return Accepted(added, _receipt(event, order_id))
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

    async def news(self, row: int) -> PaymentNews | None:
        """None while its order is not known, and once there is nothing left to forward."""
        async with self._database.read() as session:
            stored = await session.get_one(InboxRow, row)
        event = EVENTS.validate_python(stored.event)
        if stored.state is not InboxState.NEW:
            return None
        order_id = stored.order_id or await self._resolve(row, event)
        return event.news(order_id) if order_id else None

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

    async def _resolve(self, row: int, event: GatewayEvent) -> str | None:
        """Look for the order again; a sibling that found it earlier absorbs this row."""
        async with self._database.write() as session:
            order_id = await _order_of(session, event)
            if order_id is None:
                return None
            try:
                async with session.begin_nested():
                    await _update_new(session, row, order_id=order_id, outcome=event.outcome)
            except IntegrityError:
                await _update_new(session, row, order_id=order_id, state=InboxState.ABSORBED)
                return None
            return order_id


def _row(event: GatewayEvent, order_id: str | None, body: bytes, at: datetime) -> InboxRow:
    return InboxRow(
        gateway=event.gateway,
        event_id=event.event_id,
        kind=event.kind,
        # A row without an order forwards nothing, so it may not speak for its siblings.
        outcome=event.outcome if order_id else None,
        order_id=order_id,
        reference=event.reference,
        link_reference=event.link_reference,
        event=EVENTS.dump_python(event, mode="json"),
        body=body,
        state=InboxState.NEW if event.outcome else InboxState.IGNORED,
        received_at=at,
        next_try_at=at if order_id else at + FIRST_PAUSE,
    )


def _receipt(event: GatewayEvent, order_id: str | None) -> Receipt:
    if event.outcome is None:
        return Receipt.IGNORED
    return Receipt.NEW if order_id else Receipt.UNKNOWN_ORDER


async def _same_event(session: AsyncSession, event: GatewayEvent) -> int | None:
    same = (InboxRow.gateway == event.gateway, InboxRow.event_id == event.event_id)
    return (await session.exec(select(InboxRow.id).where(*same))).one_or_none()


async def _update_new(session: AsyncSession, row: int, **values: Any) -> None:
    await update_where(
        session, InboxRow, InboxRow.id == row, InboxRow.state == InboxState.NEW, **values
    )


async def _order_of(session: AsyncSession, event: GatewayEvent) -> str | None:
    """Whose event it is: an order id counts only where the event does not name our link."""
    if event.order_id and event.reference is None:
        order = await session.get(OrderRow, event.order_id)
        if order is not None:
            return order.order_id
    return await _order_by(
        session, event.gateway, col(PaymentLinkRow.wire_key), event.reference
    ) or await _order_by(
        session, event.gateway, col(PaymentLinkRow.gateway_reference), event.link_reference
    )


async def _order_by(
    session: AsyncSession, gateway: str, name: Mapped[Any], value: str | None
) -> str | None:
    if value is None:
        return None
    links = select(PaymentLinkRow.order_id).where(PaymentLinkRow.gateway == gateway, name == value)
    return (await session.exec(links)).one_or_none()
