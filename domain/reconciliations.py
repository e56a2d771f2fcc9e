"""Reconciliation: what a gateway's transactions are compared with, when, and under which limits."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.names import written
from domain.policies import Budget, ReconciliationPolicy
from domain.settlements import Report, TransactionFile


class RunState(StrEnum):
    """`waiting` needs an operator's approval before more money moves."""

    STAGING = "staging"
    MATCHING = "matching"
    REPAIRING = "repairing"
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True)
class Period:
    """From `start` up to, and without, `end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None or self.start >= self.end:
            raise ValueError("a period has a start before its end, both in a time zone")

    @property
    def name(self) -> str:
        return f"{self.start:%Y%m%dT%H%M%SZ}-{self.end:%Y%m%dT%H%M%SZ}"


@dataclass(frozen=True)
class ReconciliationPlan:
    """All that a run needs, fixed when it starts: from a file, or else from a report.

    A file without a period speaks for the time between its first and its last row. Rows younger
    than `ageing` at `as_of` may have no other side yet. The budget is that of automatic refunds
    in this run.
    """

    gateway: str
    as_of: datetime
    ageing: timedelta
    budget: Budget
    period: Period | None = None
    file: TransactionFile | None = None
    report: Report = Report.TRANSACTIONS
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.file is None and self.period is None:
            raise ValueError("a run needs a file or a period")

    @property
    def load_id(self) -> str:
        """What is loaded: the same for every run over the same rows."""
        if self.file:
            return f"{self.gateway}-{self.file.sha256[:32]}"
        assert self.period
        return f"{self.gateway}-{self.report}-{self.period.name}"

    @property
    def run_id(self) -> str:
        """The workflow's id as well."""
        return f"reconciliation-{self.load_id}{'-dry' if self.dry_run else ''}"

    @property
    def summary(self) -> str:
        """One line for whoever looks at the run in a list."""
        what = self.file.name if self.file else f"{self.report}, {self.period and self.period.name}"
        return f"Reconciliation: {written(self.gateway)}, {what}{', dry' if self.dry_run else ''}"


@dataclass(frozen=True)
class Routine:
    """What is reconciled again and again for one gateway; `day_zone` names its settlement days."""

    gateway: str
    policy: ReconciliationPolicy
    sources: frozenset[Report] = frozenset()
    day_zone: str = "UTC"

    def reports(self, at: datetime) -> list[ReconciliationPlan]:
        """The runs over the gateway's reports that are due at this moment of the schedule."""
        plans = []
        if Report.TRANSACTIONS in self.sources:
            start = at - self.policy.every - self.policy.overlap
            plans.append(self.of_period(Report.TRANSACTIONS, Period(start, at), at))
        if Report.SETTLEMENTS in self.sources:
            days = self._days_ended(at)
            plans += [self.of_period(Report.SETTLEMENTS, day, at) for day in days]
        return plans

    def of_period(
        self, report: Report, period: Period, at: datetime, *, dry_run: bool = False
    ) -> ReconciliationPlan:
        is_paid_out = report is Report.SETTLEMENTS
        ageing = self.policy.settlement_ageing if is_paid_out else self.policy.ageing
        budget = self.policy.budget
        return ReconciliationPlan(
            self.gateway, at, ageing, budget, period, report=report, dry_run=dry_run
        )

    def of_file(
        self,
        file: TransactionFile,
        at: datetime,
        period: Period | None = None,
        *,
        dry_run: bool = False,
    ) -> ReconciliationPlan:
        ageing, budget = self.policy.settlement_ageing, self.policy.budget
        return ReconciliationPlan(
            self.gateway, at, ageing, budget, period, file, Report.SETTLEMENTS, dry_run
        )

    def _days_ended(self, at: datetime) -> list[Period]:
        """The gateway's days that have ended since the moment before this one."""
        zone = ZoneInfo(self.day_zone)
        end = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        days = []
        while end > (at - self.policy.every).astimezone(zone):
            start = end - timedelta(days=1)
            days.append(Period(start.astimezone(UTC), end.astimezone(UTC)))
            end = start
        return days[::-1]


@dataclass(frozen=True)
class Approval:
    """An operator's word that a run may move more money than its budget."""

    actor: str
    reason: str
