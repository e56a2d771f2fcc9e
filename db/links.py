"""Payment links as they are stored: the request before it is sent, then the gateway's answer."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.rows import draft_from, link_from
from db.statements import change, find_all, insert, update_where
from db.tables import OrderRow, PaymentLinkRow, TimelineEvent
from db.transitions import Step, lock_order, move
from domain.checkouts import LinkOrder, LinkQuery
from domain.errors import IllegalTransition
from domain.orders import OrderStatus
from domain.payments import LinkStatus, PaymentLink
from domain.ports import LinkAttempt, LinkDraft

# Longer than any attempt to make one may take.
LOOKED_FOR_AGAIN_AFTER = timedelta(minutes=1)


async def begin_link(
    session: AsyncSession, wish: LinkOrder, draft: LinkDraft, token: str
) -> LinkAttempt:
    """Store the first draft under its key; later ones are answered with that one."""
    order = await lock_order(session, wish.order_id)
    asked = await find_all(session, PaymentLinkRow, order_id=wish.order_id)
    links = {link.key: link for link in asked}
    known = links.get(wish.key)
    if known or not order.status.is_open:
        return _attempt(order, known)
    if live := [link.key for link in links.values() if link.ended_at is None]:
        raise IllegalTransition(f"{live[0]} must end before another link is made")
    if order.status is OrderStatus.CREATED:
        step = Step(TimelineEvent.CHECKOUT_STARTED, wish.asked_at)
        times = {"checkout_started_at": wish.asked_at, "minded_at": wish.asked_at}
        await move(session, order, OrderStatus.AWAITING_PAYMENT, step, **times)
    gateway = wish.gateway or order.gateway
    if gateway != order.gateway:
        await change(session, OrderRow, {"order_id": order.order_id}, gateway=gateway)
    await insert(session, _row(gateway, wish, draft, token))
    return LinkAttempt(OrderStatus.AWAITING_PAYMENT, draft)


async def latest_link(session: AsyncSession, order_id: str) -> str | None:
    links = select(PaymentLinkRow.key).where(PaymentLinkRow.order_id == order_id)
    return (await session.exec(links.order_by(col(PaymentLinkRow.asked_at).desc()))).first()


async def stored_link(session: AsyncSession, key: str) -> LinkAttempt | None:
    row = await session.get(PaymentLinkRow, key)
    if row is None:
        return None
    return _attempt(await session.get_one(OrderRow, row.order_id), row)


async def keep_link(session: AsyncSession, link: PaymentLink) -> bool:
    """Keep the gateway's answer; the first one counts, and another link is never put over it."""
    answer = (
        sa.update(PaymentLinkRow)
        .where(col(PaymentLinkRow.key) == link.key, col(PaymentLinkRow.gateway_reference).is_(None))
        .values(
            gateway_reference=link.reference,
            url=link.url,
            # One that was given up meanwhile stays as it ended.
            status=sa.func.coalesce(col(PaymentLinkRow.status), link.status),
            expires_at=link.expires_at,
            opened_at=datetime.now(UTC),
        )
        .returning(col(PaymentLinkRow.ended_at))
    )
    kept = (await session.exec(answer, execution_options={"synchronize_session": False})).first()
    if kept:
        return kept.ended_at is None
    row = await session.get(PaymentLinkRow, link.key, populate_existing=True)
    if row is None or row.gateway_reference != link.reference:
        known = row and row.gateway_reference
        raise IllegalTransition(f"{link.key} is kept as {known}, not as {link.reference}")
    return row.ended_at is None


async def end_link(session: AsyncSession, key: str, status: LinkStatus, at: datetime) -> bool:
    live = [PaymentLinkRow.key == key, col(PaymentLinkRow.ended_at).is_(None)]
    again = {}
    if status is LinkStatus.MISSING:
        live.append(col(PaymentLinkRow.gateway_reference).is_(None))
        again = {"look_again_at": at + LOOKED_FOR_AGAIN_AFTER}
    await update_where(session, PaymentLinkRow, *live, status=status, ended_at=at, **again)
    row = await session.get(PaymentLinkRow, key, populate_existing=True)
    return row is None or row.ended_at is not None


async def late_links(session: AsyncSession, at: datetime, limit: int) -> list[LinkQuery]:
    due = (
        select(PaymentLinkRow)
        .where(col(PaymentLinkRow.look_again_at) <= at)
        .order_by(col(PaymentLinkRow.look_again_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    queries = [
        LinkQuery(link.order_id, link.gateway, link.key, link.gateway_reference)
        for link in await session.exec(due)
    ]
    them = col(PaymentLinkRow.key).in_([query.key for query in queries])
    later = at + LOOKED_FOR_AGAIN_AFTER
    await update_where(session, PaymentLinkRow, them, look_again_at=later)
    return queries


async def looked_for(session: AsyncSession, key: str) -> None:
    await change(session, PaymentLinkRow, {"key": key}, look_again_at=None)


def _attempt(order: OrderRow, known: PaymentLinkRow | None) -> LinkAttempt:
    if known is None:
        return LinkAttempt(order.status)
    # Once the order has ended, nobody may send the draft again: it could make a live link.
    draft = draft_from(known) if order.status.is_open else None
    return LinkAttempt(order.status, draft, link_from(known), repeated=True)


def _row(gateway: str, wish: LinkOrder, draft: LinkDraft, token: str) -> PaymentLinkRow:
    return PaymentLinkRow(
        key=wish.key,
        wire_key=draft.wire_key,
        order_id=wish.order_id,
        gateway=gateway,
        draft=draft.body,
        callback_token=token,
        asked_at=wish.asked_at,
        closes_at=wish.closes_at,
    )
