"""Whose an event is: found by any name that we or the gateway gave to what it speaks of."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.refunds import find_refund
from db.tables import OrderRow, PaymentLinkRow, PaymentRow
from domain.events import GatewayEvent


@dataclass(frozen=True)
class Owner:
    """The order; None for refunds and disputes of a payment that we know, but not whose it is."""

    order_id: str | None


async def owner_of(session: AsyncSession, event: GatewayEvent) -> Owner | None:
    """None as long as nothing is known that the event could be of."""
    if event.refund and (refund := await find_refund(session, event.refund)):
        return Owner(refund.order_id)
    if about := event.refund or event.dispute:
        payment = await session.get(PaymentRow, (about.gateway, about.payment_reference))
        return Owner(payment.order_id) if payment else None
    order_id = await _order_of(session, event)
    return Owner(order_id) if order_id else None


async def _order_of(session: AsyncSession, event: GatewayEvent) -> str | None:
    """Whose event it is: an order id counts only where the event does not name our link."""
    if event.order_id and event.reference is None:
        orders = select(OrderRow.order_id).where(OrderRow.order_id == event.order_id)
        if known := (await session.exec(orders)).one_or_none():
            return known
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
