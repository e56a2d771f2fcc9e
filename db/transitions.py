"""How an order's status moves: one guarded update, with its evidence and a line in its timeline."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from db.statements import change, find_all, find_locked, insert
from db.tables import EvidenceRow, OrderRow, TimelineEvent, TimelineRow
from domain.errors import IllegalTransition, OrderNotFound
from domain.news import Evidence
from domain.orders import OrderStatus, check_transition

SYSTEM = "system"


@dataclass(frozen=True)
class Step:
    """Who does what, when; and the proof, where the step concludes something."""

    event: TimelineEvent
    at: datetime
    actor: str = SYSTEM
    evidence: Evidence | None = None


async def lock_order(session: AsyncSession, order_id: str) -> OrderRow:
    """The order, held until the transaction ends: what is written of one order is in sequence.

    Raises `OrderNotFound`.
    """
    row = await find_locked(session, OrderRow, order_id=order_id)
    if row is None:
        raise OrderNotFound(f"there is no order {order_id}")
    return row


async def move(
    session: AsyncSession, order: OrderRow, after: OrderStatus, step: Step, **changes: Any
) -> int | None:
    """Take the order to another status, or raise `IllegalTransition`; the id of the proof."""
    check_transition(order.status, after)
    unmoved = {"order_id": order.order_id, "status": order.status}
    if not await change(session, OrderRow, unmoved, status=after, **changes):
        raise IllegalTransition(f"the order is no longer {order.status}")
    return await note(session, order.order_id, order.status, after, step)


async def note(
    session: AsyncSession,
    order_id: str,
    before: OrderStatus | None,
    after: OrderStatus,
    step: Step,
) -> int | None:
    """Add a line to the order's timeline; `before` is None where the status did not move.

    Answers with the id of the step's proof.
    """
    proof = await cite(session, order_id, step.evidence, step.at) if step.evidence else None
    line = TimelineRow(
        order_id=order_id,
        at=step.at,
        event=step.event,
        from_status=before,
        to_status=after,
        actor=step.actor,
        evidence_id=proof,
    )
    await insert(session, line)
    return proof


async def cite(
    session: AsyncSession, order_id: str | None, evidence: Evidence, at: datetime
) -> int:
    """The id of this evidence, kept once however often it is cited. The order must be locked."""
    known = await cited(session, order_id, evidence)
    if known is not None:
        return known
    kind, reference, digest = evidence.kind, evidence.reference, evidence.digest
    row = EvidenceRow(order_id=order_id, kind=kind, reference=reference, digest=digest, at=at)
    proof: int = await insert(session, row)
    return proof


async def cited(session: AsyncSession, order_id: str | None, evidence: Evidence) -> int | None:
    """The id of this evidence if it was cited before."""
    known = await find_all(
        session,
        EvidenceRow,
        order_id=order_id,
        kind=evidence.kind,
        reference=evidence.reference,
        digest=evidence.digest,
    )
    return known[0].id if known else None
