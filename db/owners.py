"""Whose an event is: found by any name that we or the gateway gave to what it speaks of."""

from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from db.refunds import find_refund
from db.statements import find
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
    may_count = event.order_id and event.reference is None
    if may_count and await find(session, OrderRow, order_id=event.order_id):
        return event.order_id
    names = {"wire_key": event.reference, "gateway_reference": event.link_reference}
    for name in [{name: value} for name, value in names.items() if value is not None]:
        if link := await find(session, PaymentLinkRow, gateway=event.gateway, **name):
            return link.order_id
    return None
