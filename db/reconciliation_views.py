"""What readers are shown of reconciliations, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.cases import CaseOutcome, CaseStatus
from domain.findings import Answer, Finding, RepairState, Tally
from domain.money import Money
from domain.orders import OrderStatus
from domain.reconciliations import Approval, Period, RunState
from domain.refunds import RefundStatus
from domain.settlements import Report, TransactionFile


@dataclass(frozen=True)
class ApprovalView:
    approval: Approval
    at: datetime


@dataclass(frozen=True)
class RunView:
    """A run over a file, or else over a report; `why` says why it was refused.

    `rows` is how many were read so far. `period` is None as long as it must yet be read from the
    file; `tallies` are there once it was `matched_at`. Of its `findings`, so many were
    `handed_over` (or known before), and so many are `settled`: repaired, or shown to be none.
    `at_risk` is the money of the others, in minor units by currency.
    """

    run_id: str
    load_id: str
    gateway: str
    report: Report | None
    file: TransactionFile | None
    period: Period | None
    as_of: datetime
    ageing: timedelta
    dry_run: bool
    state: RunState
    why: str | None
    rows: int
    tallies: tuple[Tally, ...]
    findings: int
    handed_over: int
    settled: int
    at_risk: Mapping[str, int]
    approvals: tuple[ApprovalView, ...]
    began_at: datetime
    changed_at: datetime
    matched_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class FindingView:
    """A finding, and what became of it: of its case, its refund, and its order by now.

    `refund_status` is that of the refund it speaks of, or else of the one that repairs it.
    """

    finding: Finding
    state: RepairState
    note: str | None
    handed_over_at: datetime | None
    answer: Answer | None
    answered_at: datetime | None
    case_id: str | None
    case_status: CaseStatus | None
    case_outcome: CaseOutcome | None
    refund_id: str | None
    refund_status: RefundStatus | None
    order_status: OrderStatus | None
    is_settled: bool


@dataclass(frozen=True)
class SettlementView:
    """What one settlement's rows come to; `total` is the net that the gateway named, if it did."""

    gateway: str
    settlement_id: str
    rows: int
    gross: Money
    fee: Money
    tax: Money
    net: Money
    total: Money | None
    settled_at: datetime | None
    bank_reference: str | None
