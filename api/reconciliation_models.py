"""Bodies of reconciliation: what starts a run, and what is answered of it."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from api.models import Moment, MoneyOut, Request, Word
from domain.cases import CaseOutcome, CaseStatus
from domain.findings import Answer, Match, Plan, RepairState
from domain.orders import OrderStatus
from domain.reconciliations import RunState
from domain.refunds import RefundStatus
from domain.settlements import Report


class ReconciliationIn(Request):
    """A period of the gateway's reports, `to` without its own moment; both in the past."""

    gateway: Annotated[str, Field(pattern="^[a-z]{1,32}$")]
    start: Moment = Field(alias="from")
    end: Moment = Field(alias="to")
    report: Annotated[Report, Field(strict=False)] = Report.TRANSACTIONS
    dry_run: bool = False


class ApprovalIn(Request):
    """Why this run may move more money than its budget; kept with the operator's name."""

    reason: Word


class RunStartedOut(BaseModel):
    run_id: str


class FileOut(BaseModel):
    name: str
    sha256: str
    size: int


class PeriodOut(BaseModel):
    """Without the moment at its end."""

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")


class TallyOut(BaseModel):
    """How many rows one class has, and their money in each currency."""

    match: Match
    rows: int
    amounts: list[MoneyOut]


class ApprovalOut(BaseModel):
    actor: str
    reason: str
    at: datetime


class RunOut(BaseModel):
    """A run and its progress; `at_risk` is the money of the findings that are not settled yet."""

    run_id: str
    gateway: str
    report: Report | None
    file: FileOut | None
    period: PeriodOut | None
    dry_run: bool
    state: RunState
    why: str | None
    rows: int
    tallies: list[TallyOut]
    findings: int
    handed_over: int
    settled: int
    at_risk: list[MoneyOut]
    approvals: list[ApprovalOut]
    as_of: datetime
    began_at: datetime
    matched_at: datetime | None
    ended_at: datetime | None


class FindingOut(BaseModel):
    """A disagreement, what is planned about it, and what became of it by now."""

    finding_id: str
    match: Match
    plan: Plan
    reference: str
    payment_reference: str | None
    order_id: str | None
    order_status: OrderStatus | None
    refund_id: str | None
    refund_status: RefundStatus | None
    file_status: str | None
    file_amount: MoneyOut | None
    our_amount: MoneyOut | None
    method: str | None
    occurred_at: datetime
    state: RepairState
    note: str | None
    answer: Answer | None
    case_id: str | None
    case_status: CaseStatus | None
    case_outcome: CaseOutcome | None
    settled: bool


class SettlementOut(BaseModel):
    """What the rows of a settlement come to; `total` is the net that the gateway itself named."""

    settlement_id: str
    rows: int
    currency: str
    gross: int
    fee: int
    tax: int
    net: int
    total: int | None
    settled_at: datetime | None
    bank_reference: str | None


class ReconciliationOut(RunOut):
    """`disagreements` are a page of the findings; `next` names the one that ended it."""

    settlements: list[SettlementOut]
    disagreements: list[FindingOut]
    next: str | None
