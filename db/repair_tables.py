"""The tables of what follows a payment: refunds, disputes, and the cases they come from."""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.columns import RowId, UtcDateTime, one_of
from domain.cases import CaseOutcome, CaseStatus, CaseVerdict, Remedy
from domain.disputes import DisputeStatus
from domain.refunds import RefundStatus


def of_payment() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["gateway", "payment_reference"], ["payments.gateway", "payments.reference"]
    )


class RefundRow(SQLModel, table=True):
    """`draft` is the request word for word, stored before it was sent at `sent_at`.

    The fingerprint is that of the wish, to tell a repeat from another wish under the same id.
    """

    __tablename__: ClassVar[Any] = "refunds"
    __table_args__: ClassVar[Any] = (
        sa.UniqueConstraint("gateway", "wire_key"),
        sa.UniqueConstraint("gateway", "gateway_reference"),
        sa.Index(None, "gateway", "payment_reference"),
        sa.Index(None, "gateway", "concluded_at"),
        sa.Index(None, "automatic", "requested_at"),
        sa.Index(None, "status", "minded_at"),
        of_payment(),
        sa.CheckConstraint("amount_minor > 0", "amount_is_positive"),
    )

    refund_id: str = Field(primary_key=True, max_length=64)
    order_id: str | None = Field(
        default=None, foreign_key="orders.order_id", max_length=64, index=True
    )
    gateway: str = Field(max_length=32)
    payment_reference: str
    amount_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    status: RefundStatus = Field(
        default=RefundStatus.REQUESTED, sa_type=one_of(RefundStatus), nullable=False
    )
    reason: str = Field(sa_type=sa.Text)
    actor: str = Field(max_length=64)
    automatic: bool
    fingerprint: str = Field(max_length=64)
    wire_key: str | None = Field(default=None, max_length=64)
    draft: str | None = Field(default=None, sa_type=sa.Text)
    gateway_reference: str | None = None
    failure: str | None = Field(default=None, sa_type=sa.Text)
    evidence_id: int | None = Field(
        default=None, foreign_key="evidence.id", sa_type=RowId, nullable=True
    )
    requested_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    concluded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    minded_at: datetime = Field(sa_type=UtcDateTime)


class BrakeRow(SQLModel, table=True):
    """Nothing but a row to lock: whoever takes from a budget does so one at a time."""

    __tablename__: ClassVar[Any] = "brakes"

    name: str = Field(primary_key=True, max_length=32)


class DisputeRow(SQLModel, table=True):
    __tablename__: ClassVar[Any] = "disputes"
    __table_args__: ClassVar[Any] = (sa.Index(None, "gateway", "payment_reference"), of_payment())

    gateway: str = Field(primary_key=True, max_length=32)
    reference: str = Field(primary_key=True)
    payment_reference: str
    order_id: str | None = Field(
        default=None, foreign_key="orders.order_id", max_length=64, index=True
    )
    status: DisputeStatus = Field(sa_type=one_of(DisputeStatus))
    amount_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    reason: str | None = Field(default=None, sa_type=sa.Text)
    evidence_id: int = Field(foreign_key="evidence.id", sa_type=RowId)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class CaseRow(SQLModel, table=True):
    """`subject` is the order's id, or `gateway:payment`; `why` is what it waits for a word for.

    The decision is an operator's last word, of so many `words`; evidence keeps them all.
    """

    __tablename__: ClassVar[Any] = "cases"
    __table_args__: ClassVar[Any] = (
        sa.UniqueConstraint("gateway", "payment_reference", "verdict"),
        of_payment(),
        sa.Index(None, "status", "minded_at"),
        sa.Index(None, "opened_at", "case_id"),
    )

    case_id: str = Field(primary_key=True, max_length=64)
    order_id: str | None = Field(
        default=None, foreign_key="orders.order_id", max_length=64, index=True
    )
    subject: str = Field(index=True)
    gateway: str = Field(max_length=32)
    payment_reference: str
    verdict: CaseVerdict = Field(sa_type=one_of(CaseVerdict, "verdict"))
    status: CaseStatus = Field(default=CaseStatus.OPEN, sa_type=one_of(CaseStatus), nullable=False)
    evidence_id: int = Field(foreign_key="evidence.id", sa_type=RowId)
    approved_by: str | None = Field(default=None, max_length=64)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    why: str | None = Field(default=None, sa_type=sa.Text)
    decision: Remedy | None = Field(default=None, sa_type=one_of(Remedy, "decision"), nullable=True)
    decided_by: str | None = Field(default=None, max_length=64)
    decision_reason: str | None = Field(default=None, sa_type=sa.Text)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    words: int = Field(default=0, sa_column_kwargs={"server_default": sa.text("0")})
    outcome: CaseOutcome | None = Field(
        default=None, sa_type=one_of(CaseOutcome, "outcome"), nullable=True
    )
    refund_id: str | None = Field(default=None, foreign_key="refunds.refund_id", max_length=64)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    minded_at: datetime = Field(sa_type=UtcDateTime)
