"""Payments and cases as they are recorded: a payment only ever becomes more certain."""

from datetime import datetime
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.rows import payment_from
from db.statements import insert_new, update_where
from db.tables import CaseRow, PaymentRow
from db.transitions import cite
from domain.cases import Case
from domain.errors import PaymentTaken
from domain.keys import new_id
from domain.news import Evidence
from domain.payments import Payment


async def record_payment(
    session: AsyncSession,
    order_id: str,
    payment: Payment,
    evidence: Evidence | None,
    at: datetime,
) -> None:
    """Join the payment with what is recorded of it.

    Raises `PaymentTaken` if it is another order's: no payment pays for two.
    """
    proof = await cite(session, order_id, evidence, at) if evidence else None
    dates: dict[str, Any] = {"updated_at": at, "evidence_id": proof}
    row = PaymentRow(order_id=order_id, first_seen_at=at, **dates, **_columns(payment))
    if await insert_new(session, row) is None:
        await _join(session, order_id, payment, dates)


async def record_case(session: AsyncSession, case: Case, at: datetime) -> bool:
    """Record the payment and open the case; False if that case was open already."""
    await record_payment(session, case.order_id, case.payment, case.evidence, at)
    row = CaseRow(
        case_id=new_id("case"),
        order_id=case.order_id,
        gateway=case.payment.gateway,
        payment_reference=case.payment.reference,
        verdict=case.verdict,
        evidence_id=await cite(session, case.order_id, case.evidence, at),
        opened_at=at,
    )
    return await insert_new(session, row) is not None


async def _join(
    session: AsyncSession, order_id: str, payment: Payment, dates: dict[str, Any]
) -> None:
    same = (PaymentRow.gateway == payment.gateway, PaymentRow.reference == payment.reference)
    row = (await session.exec(select(PaymentRow).where(*same).with_for_update())).one()
    if row.order_id != order_id:
        raise PaymentTaken(f"{payment.identity} is recorded for {row.order_id}")
    before = payment_from(row)
    after = before.joined(payment)
    if after != before:
        await update_where(session, PaymentRow, *same, **_columns(after), **dates)


def _columns(payment: Payment) -> dict[str, Any]:
    return {
        "gateway": payment.gateway,
        "reference": payment.reference,
        "status": payment.status,
        "amount_minor": payment.amount.minor,
        "currency": payment.amount.currency,
        "method": payment.method,
        "failure": payment.failure,
    }
