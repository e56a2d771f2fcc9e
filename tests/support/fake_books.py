"""The books of reconciliation in memory, and files that were never on a disk."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import BinaryIO

from domain.errors import AlreadyLoaded
from domain.findings import Answer, Finding, Match, Page, Plan, RepairState, Tally
from domain.money import Money
from domain.news import Evidence, EvidenceKind
from domain.policies import Budget
from domain.reconciliations import Approval, Period, ReconciliationPlan, RunState
from domain.settlements import Chunk, Entry, EntryKind, TransactionFile

PERIOD = Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 4, tzinfo=UTC))


def an_entry(position: int = 1, reference: str = "pay_1", status: str = "captured") -> Entry:
    return Entry(
        position=position,
        kind=EntryKind.PAYMENT,
        reference=reference,
        payment_reference=None,
        order_reference=None,
        our_id=None,
        status=status,
        amount_minor=49900,
        currency="INR",
        fee_minor=None,
        tax_minor=None,
        method="upi",
        settlement_id=None,
        occurred_at=int(PERIOD.start.timestamp()) + position,
        settled_at=None,
    )


def a_chunk(*entries: Entry, cursor: str = "1", is_last: bool = True) -> Chunk:
    return Chunk(list(entries), cursor, is_last=is_last)


def a_plan(
    budget: int = 10,
    *,
    dry_run: bool = False,
    file: TransactionFile | None = None,
    period: Period = PERIOD,
) -> ReconciliationPlan:
    ageing = timedelta(hours=1)
    limit = Budget(budget, {"INR": 10_000_000})
    return ReconciliationPlan("acme", period.end, ageing, limit, period, file, dry_run=dry_run)


def a_finding(number: int, match: Match, plan: Plan, **more: object) -> Finding:
    known: dict[str, object] = {
        "finding_id": f"fnd_{number}",
        "run_id": "run",
        "match": match,
        "plan": plan,
        "gateway": "acme",
        "reference": f"pay_{number}",
        "evidence": Evidence(EvidenceKind.SETTLEMENT_FILE, f"file, line {number}"),
        "occurred_at": PERIOD.start,
        "order_id": f"ord_{number}",
        "file_status": "captured",
        "file_amount": Money(49900, "INR"),
    }
    return Finding(**known | more)  # type: ignore[arg-type]


@dataclass
class FakeBooks:
    """Whatever is to be found is set by the test; pages are of two findings."""

    findings: list[Finding] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    staged: list[Entry] = field(default_factory=list)
    reached: str = ""
    is_loaded: bool = False
    states: list[RunState] = field(default_factory=list)
    repairs: dict[str, tuple[RepairState, str]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    approvals: list[Approval] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    async def begin(self, plan: ReconciliationPlan, at: datetime) -> None:
        self.states.append(RunState.STAGING)

    async def cursor(self, plan: ReconciliationPlan) -> tuple[str, int]:
        if self.is_loaded:
            raise AlreadyLoaded(len(self.staged))
        return self.reached, len(self.staged)

    async def stage(self, plan: ReconciliationPlan, chunk: Chunk) -> int:
        if self.failures:
            raise self.failures.pop(0)
        self.staged += chunk.entries
        self.reached, self.is_loaded = chunk.cursor, chunk.is_last
        return len(self.staged)

    async def refuse(self, plan: ReconciliationPlan, why: str, at: datetime) -> None:
        self.staged.clear()
        self.refusals.append(why)

    async def match(self, plan: ReconciliationPlan, at: datetime) -> list[Tally]:
        found = [finding.match for finding in self.findings]
        return [Tally(match, found.count(match)) for match in dict.fromkeys(found)]

    async def next_page(self, run_id: str, budget: Budget | None) -> Page:
        last, count, refunds, money = None, 0, 0, 0
        for finding in self._planned()[:2]:
            if finding.plan is Plan.REFUND:
                if budget and refunds + 1 > budget.count:
                    return Page(last, count, refunds, {"INR": money}, is_held=True)
                refunds, money = refunds + 1, money + 49900
            last, count = finding.finding_id, count + 1
        return Page(last, count, refunds, {"INR": money})

    async def page(self, run_id: str, last: str) -> list[Finding]:
        planned = self._planned()
        ids = [finding.finding_id for finding in planned]
        return planned[: ids.index(last) + 1] if last in ids else []

    async def handed_over(
        self, finding_id: str, state: RepairState, note: str, at: datetime
    ) -> None:
        self.repairs[finding_id] = (state, note)

    async def answered(self, finding_id: str, answer: Answer, at: datetime) -> None:
        self.answers[finding_id] = answer

    async def proceed(self, run_id: str, state: RunState, at: datetime) -> None:
        self.states.append(state)

    async def approve(self, run_id: str, approval: Approval, at: datetime) -> None:
        self.approvals.append(approval)

    def _planned(self) -> list[Finding]:
        left = [f for f in self.findings if f.finding_id not in self.repairs]
        return sorted(left, key=lambda finding: finding.plan is Plan.REFUND)


@dataclass
class FakeFiles:
    """Files in memory."""

    kept: dict[str, bytes] = field(default_factory=dict)
    waiting: list[TransactionFile] = field(default_factory=list)

    async def keep(self, gateway: str, name: str, content: AsyncIterator[bytes]) -> TransactionFile:
        return self.put(gateway, name, b"".join([part async for part in content]))

    def put(self, gateway: str, name: str, content: bytes) -> TransactionFile:
        digest = sha256(content).hexdigest()
        self.kept[digest] = content
        return TransactionFile(gateway, digest, name, len(content))

    async def arrived(self, gateway: str) -> list[TransactionFile]:
        return self.waiting

    @contextmanager
    def open(self, file: TransactionFile) -> Iterator[BinaryIO]:
        yield BytesIO(self.kept[file.sha256])
