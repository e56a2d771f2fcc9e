"""Reads for those who look at orders; each from one snapshot, and none waits for a writer."""

from collections.abc import Sequence
from typing import TypeVar

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine import Database
from db.papers import credit_note_views, invoice_view
from db.repair_reads import case_views, dispute_views, older_than, refund_views
from db.repair_tables import CaseRow, DisputeRow, RefundRow
from db.rows import evidence_from, item_from, order_from, payment_from
from db.statements import find, find_all
from db.tables import (
    EvidenceRow,
    LetterRow,
    OrderItemRow,
    OrderRow,
    PaymentLinkRow,
    PaymentRow,
    TimelineRow,
)
from db.unbroken import unbroken_calls
from db.views import (
    CallbackLink,
    CaseView,
    CheckoutView,
    LetterView,
    LinkView,
    OrderView,
    PaymentView,
    RefundView,
    TimelineEntry,
)
from domain.cases import CaseStatus
from domain.errors import CaseNotFound, OrderNotFound, RefundNotFound
from domain.news import Evidence, EvidenceKind
from domain.orders import Order, OrderItem, OrderStatus
from domain.payments import Payment

Found = TypeVar("Found")
Proofs = dict[int | None, Evidence]


@unbroken_calls
class OrderReads:
    """Whoever is asked for by an id or a token raises `OrderNotFound`, or its like."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def status_of(self, order_id: str) -> OrderStatus:
        async with self._database.read() as session:
            return _found(await find(session, OrderRow, order_id=order_id)).status

    async def statuses_of(self, order_ids: Sequence[str]) -> dict[str, OrderStatus]:
        """Of those that there are."""
        async with self._database.read() as session:
            query = select(OrderRow.order_id, OrderRow.status)
            rows = await session.exec(query.where(col(OrderRow.order_id).in_(order_ids)))
            return {order_id: OrderStatus(status) for order_id, status in rows}

    async def order_by_result_token(self, token: str) -> Order:
        async with self._database.read() as session:
            query = select(OrderRow).where(OrderRow.result_token == token)
            return order_from(_found((await session.exec(query)).one_or_none()))

    async def checkout_view(self, order_id: str) -> CheckoutView:
        async with self._database.read() as session:
            order = _found(await find(session, OrderRow, order_id=order_id))
            return CheckoutView(order_from(order), await _link(session, order_id))

    async def link_by_callback_token(self, gateway: str, token: str) -> CallbackLink:
        async with self._database.read() as session:
            links = select(PaymentLinkRow).where(
                PaymentLinkRow.gateway == gateway, PaymentLinkRow.callback_token == token
            )
            link = _found((await session.exec(links)).one_or_none())
            order = await session.get_one(OrderRow, link.order_id)
            return CallbackLink(order_from(order), link.key, link.wire_key, link.gateway_reference)

    async def order_view(self, order_id: str) -> OrderView:
        async with self._database.read() as session:
            row = _found(await session.get(OrderRow, order_id))
            proofs = await _proofs(session, order_id)
            return OrderView(
                order=order_from(row),
                user_id=row.user_id,
                client_timestamp=row.client_timestamp,
                concluded_at=row.concluded_at,
                items=await _items(session, order_id),
                link=await _link(session, order_id),
                late_capture=row.late_capture,
                came_back=any(proof.kind is EvidenceKind.CALLBACK for proof in proofs.values()),
                payments=await _payments(session, order_id, proofs),
                refunds=await refund_views(session, RefundRow.order_id == order_id),
                disputes=await dispute_views(session, DisputeRow.order_id == order_id),
                cases=(await case_views(session, CaseRow.order_id == order_id))[::-1],
                timeline=await _timeline(session, order_id, proofs),
                letters=await _letters(session, order_id),
                invoice=await invoice_view(session, order_id),
                credit_notes=await credit_note_views(session, order_id),
            )

    async def fulfilling_payment(self, order_id: str) -> Payment | None:
        """The payment that pays for the order; None as long as none does."""
        async with self._database.read() as session:
            order = _found(await session.get(OrderRow, order_id))
            if order.fulfilling_reference is None:
                return None
            this = (order.fulfilling_gateway, order.fulfilling_reference)
            return payment_from(await session.get_one(PaymentRow, this))

    async def refund_view(self, refund_id: str) -> RefundView:
        """Raises `RefundNotFound`."""
        async with self._database.read() as session:
            found = await refund_views(session, RefundRow.refund_id == refund_id)
        if not found:
            raise RefundNotFound("there is no such refund")
        return found[0]

    async def case_view(self, case_id: str) -> CaseView:
        """Raises `CaseNotFound`."""
        async with self._database.read() as session:
            found = await case_views(session, CaseRow.case_id == case_id)
        if not found:
            raise CaseNotFound("there is no such case")
        return found[0]

    async def case_list(
        self, status: CaseStatus | None = None, limit: int = 100, after: str | None = None
    ) -> tuple[CaseView, ...]:
        """The newest first; `after` is the case that ended the page before.

        Raises `CaseNotFound` if there is no such case to go on from.
        """
        async with self._database.read() as session:
            which = [CaseRow.status == status] if status else []
            if after:
                which.append(await older_than(session, after))
            return await case_views(session, *which, limit=limit)


def _found(row: Found | None) -> Found:
    if row is None:
        raise OrderNotFound("there is no such order")
    return row


async def _proofs(session: AsyncSession, order_id: str) -> Proofs:
    rows = await session.exec(select(EvidenceRow).where(EvidenceRow.order_id == order_id))
    return {row.id: evidence_from(row) for row in rows}


async def _items(session: AsyncSession, order_id: str) -> tuple[OrderItem, ...]:
    rows = await find_all(session, OrderItemRow, "position", order_id=order_id)
    return tuple(item_from(row) for row in rows)


async def _link(session: AsyncSession, order_id: str) -> LinkView | None:
    links = await find_all(session, PaymentLinkRow, "asked_at", order_id=order_id)
    return LinkView(links[-1].url, links[-1].status, links[-1].closes_at) if links else None


async def _payments(
    session: AsyncSession, order_id: str, proofs: Proofs
) -> tuple[PaymentView, ...]:
    payments = select(PaymentRow).where(PaymentRow.order_id == order_id)
    in_order = payments.order_by(col(PaymentRow.first_seen_at), col(PaymentRow.reference))
    return tuple(
        PaymentView(
            payment=payment_from(row),
            evidence=proofs.get(row.evidence_id),
            first_seen_at=row.first_seen_at,
            updated_at=row.updated_at,
        )
        for row in await session.exec(in_order)
    )


async def _timeline(
    session: AsyncSession, order_id: str, proofs: Proofs
) -> tuple[TimelineEntry, ...]:
    lines = select(TimelineRow).where(TimelineRow.order_id == order_id)
    return tuple(
        TimelineEntry(
            at=row.at,
            event=row.event,
            from_status=row.from_status,
            status=row.to_status,
            actor=row.actor,
            evidence=proofs.get(row.evidence_id),
        )
        for row in await session.exec(lines.order_by(col(TimelineRow.id)))
    )


async def _letters(session: AsyncSession, order_id: str) -> tuple[LetterView, ...]:
    rows = await session.exec(
        select(LetterRow).where(LetterRow.order_id == order_id).order_by(col(LetterRow.written_at))
    )
    return tuple(
        LetterView(row.letter_id, row.kind, row.written_at, row.sent_at, row.refused)
        for row in rows
    )
