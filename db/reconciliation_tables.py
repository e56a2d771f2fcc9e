"""The tables of reconciliation: its runs, what they counted, and what they found."""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

import db.tables  # noqa: F401 - findings speak of its orders
from db.columns import Json, UtcDateTime, one_of
from domain.findings import Answer, Match, Plan, RepairState
from domain.reconciliations import RunState
from domain.settlements import Report


class RunRow(SQLModel, table=True):
    """A plan, and how far it is. A run over a file has no `report`.

    The period is empty as long as it must yet be read from the file's rows, and the rows are
    those that were read so far.
    """

    __tablename__: ClassVar[Any] = "reconciliations"
    __table_args__: ClassVar[Any] = (
        sa.Index(None, "began_at", "run_id"),
        sa.Index(None, "gateway", "began_at"),
    )

    run_id: str = Field(primary_key=True, max_length=128)
    load_id: str = Field(max_length=128)
    gateway: str = Field(max_length=32)
    report: Report | None = Field(default=None, sa_type=one_of(Report, "report"), nullable=True)
    file_sha256: str | None = Field(default=None, max_length=64)
    file_name: str | None = Field(default=None, max_length=255)
    file_size: int | None = Field(default=None, sa_type=sa.BigInteger)
    period_start: datetime | None = Field(default=None, sa_type=UtcDateTime)
    period_end: datetime | None = Field(default=None, sa_type=UtcDateTime)
    as_of: datetime = Field(sa_type=UtcDateTime)
    ageing_seconds: int = Field(sa_type=sa.BigInteger)
    dry_run: bool
    state: RunState = Field(sa_type=one_of(RunState, "state"))
    why: str | None = Field(default=None, sa_type=sa.Text)
    rows: int = Field(default=0, sa_type=sa.BigInteger)
    began_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    matched_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def of_run() -> Any:
    return Field(primary_key=True, foreign_key="reconciliations.run_id", max_length=128)


class ApprovalRow(SQLModel, table=True):
    """An operator's word that a run may move more money than its budget."""

    __tablename__: ClassVar[Any] = "approvals"

    run_id: str = of_run()
    at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    actor: str = Field(max_length=64)
    reason: str = Field(sa_type=sa.Text)


class TallyRow(SQLModel, table=True):
    __tablename__: ClassVar[Any] = "tallies"

    run_id: str = of_run()
    match: Match = Field(primary_key=True, sa_type=one_of(Match, "match"))
    rows: int = Field(sa_type=sa.BigInteger)
    minor_by_currency: dict[str, int] = Field(sa_type=Json)


class FindingRow(SQLModel, table=True):
    """`position` is that of the row in the file; there is none where only we have something.

    Those that `move_money` by themselves are handed over last.
    """

    __tablename__: ClassVar[Any] = "findings"
    __table_args__: ClassVar[Any] = (
        sa.Index(None, "run_id", "moves_money", "finding_id"),
        sa.Index(None, "gateway", "payment_reference"),
    )

    finding_id: str = Field(primary_key=True, max_length=64)
    run_id: str = Field(foreign_key="reconciliations.run_id", max_length=128)
    match: Match = Field(sa_type=one_of(Match, "match"))
    plan: Plan = Field(sa_type=one_of(Plan, "plan"))
    moves_money: bool
    gateway: str = Field(max_length=32)
    reference: str
    payment_reference: str | None = None
    refund_id: str | None = Field(default=None, max_length=64)
    is_refund: bool
    order_id: str | None = Field(default=None, foreign_key="orders.order_id", max_length=64)
    position: int | None = Field(default=None, sa_type=sa.BigInteger)
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    file_status: str | None = Field(default=None, max_length=32)
    file_minor: int | None = Field(default=None, sa_type=sa.BigInteger)
    file_currency: str | None = Field(default=None, max_length=3)
    our_minor: int | None = Field(default=None, sa_type=sa.BigInteger)
    our_currency: str | None = Field(default=None, max_length=3)
    method: str | None = None
    state: RepairState = Field(
        default=RepairState.PLANNED, sa_type=one_of(RepairState, "state"), nullable=False
    )
    note: str | None = Field(default=None, sa_type=sa.Text)
    handed_over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answer: Answer | None = Field(default=None, sa_type=one_of(Answer, "answer"), nullable=True)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SettlementRow(SQLModel, table=True):
    """What the rows of a settlement come to, from the load that has most of them.

    `total_minor` is the net that the gateway named itself, where it did.
    """

    __tablename__: ClassVar[Any] = "settlements"
    __table_args__: ClassVar[Any] = (sa.Index(None, "load_id"),)

    gateway: str = Field(primary_key=True, max_length=32)
    settlement_id: str = Field(primary_key=True)
    currency: str = Field(primary_key=True, max_length=3)
    load_id: str = Field(max_length=128)
    rows: int = Field(sa_type=sa.BigInteger)
    gross_minor: int = Field(sa_type=sa.BigInteger)
    fee_minor: int = Field(sa_type=sa.BigInteger)
    tax_minor: int = Field(sa_type=sa.BigInteger)
    net_minor: int = Field(sa_type=sa.BigInteger)
    total_minor: int | None = Field(default=None, sa_type=sa.BigInteger)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    bank_reference: str | None = None
