"""Rows and orders are compared, set after set; see db/matching_words.py for the sets."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.columns import UtcDateTime
from db.matching_words import steps
from db.staging import kind_of
from domain.findings import Match, Tally
from domain.payments import PaymentStatus
from domain.reconciliations import Period, ReconciliationPlan
from domain.settlements import EntryKind, Report

AT_A_TIME = 500
KINDS: Mapping[type, Any] = {str: sa.String, int: sa.BigInteger, datetime: UtcDateTime}
WITHOUT_MONEY = (PaymentStatus.FAILED, PaymentStatus.CANCELED)

PLAIN = """
SELECT kind, status, currency, sum(rows) AS rows, sum(amount_minor) AS minor
FROM load_sums WHERE load = :load GROUP BY kind, status, currency
"""
NOT_PLAIN = """
SELECT kind, status, currency, count(*) AS rows, sum(amount_minor) AS minor
FROM (
    SELECT kind, status, currency, amount_minor FROM odd
    UNION ALL SELECT kind, status, currency, amount_minor FROM repeats
) AS those
GROUP BY kind, status, currency
"""
JUDGED = """
SELECT match, currency, count(*) AS rows, sum(amount_minor) AS minor
FROM (
    SELECT match, currency, amount_minor FROM judged_payments
    UNION ALL SELECT match, currency, amount_minor FROM judged_refunds
    UNION ALL SELECT match, currency, amount_minor FROM judged_absent
    UNION ALL SELECT match, currency, amount_minor FROM judged_absent_refunds
    UNION ALL SELECT 'repeated', currency, amount_minor FROM repeats
) AS those
GROUP BY match, currency
"""
FOUND_IN_FILE = """
SELECT reference, match, plan, position, occurred_at, status, amount_minor, currency, method,
    our_minor, our_currency, order_id, reference AS about, NULL AS refund_id, kind
FROM judged_payments WHERE match IN :findings
UNION ALL
SELECT reference, match, plan, position, occurred_at, status, amount_minor, currency, method,
    our_minor, our_currency, order_id, coalesce(payment_reference, about), refund_id, kind
FROM judged_refunds WHERE match IN :findings
"""
FOUND_HERE = """
SELECT reference, match, plan, order_id, amount_minor, currency, method,
    first_seen_at AS happened_at, reference AS about, NULL AS refund_id, 'payment' AS kind
FROM judged_absent WHERE match IN :findings
UNION ALL
SELECT reference, match, plan, order_id, amount_minor, currency, NULL,
    concluded_at, payment_reference, refund_id, 'refund'
FROM judged_absent_refunds WHERE match IN :findings
"""


@dataclass(frozen=True)
class Comparison:
    """What is compared: a load with the orders of the same time."""

    plan: ReconciliationPlan
    load: int
    rows: int
    period: Period

    @property
    def parameters(self) -> Mapping[str, Any]:
        """A settlements report lists what was paid so long before."""
        young_at = self.plan.as_of - self.plan.ageing
        is_later = self.plan.file is None and self.plan.report is Report.SETTLEMENTS
        shift = self.plan.ageing if is_later else timedelta(0)
        return {
            "gateway": self.plan.gateway,
            "kind": kind_of(self.plan).value,
            "load": self.load,
            "young": int(young_at.timestamp()),
            "young_at": young_at,
            "start": self.period.start - shift,
            "until": self.period.end - shift,
            "around": int((self.period.start - shift - self.plan.ageing).timestamp()),
            "end": int(self.period.end.timestamp()),
        }


@dataclass
class Sums:
    """Rows and money by class and currency."""

    rows: dict[tuple[Match, str], int] = field(default_factory=lambda: defaultdict(int))
    minor: dict[tuple[Match, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, match: Match, currency: str, rows: int, minor: int) -> None:
        self.rows[match, currency] += int(rows)
        self.minor[match, currency] += int(minor)

    def tallies(self) -> list[Tally]:
        result = []
        for match in Match:
            these = [key for key in sorted(self.rows) if key[0] is match and self.rows[key]]
            money = {currency: self.minor[match, currency] for _, currency in these}
            if these:
                result.append(Tally(match, sum(self.rows[key] for key in these), money))
        return result


def plain(kind: str, status: str) -> Match:
    """The class of a row that is what it seems to be."""
    if kind == EntryKind.OTHER:
        return Match.OTHER
    if kind == EntryKind.REFUND:
        return Match.REFUND_OK
    if status == PaymentStatus.CAPTURED:
        return Match.OK_PAID
    return Match.FAIL_FAIL if status in WITHOUT_MONEY else Match.EXPECTED


async def compare(connection: AsyncConnection, comparison: Comparison) -> None:
    """Make the sets, as temporary tables of the connection."""
    for step in steps(connection.dialect.name):
        await connection.execute(*bound(step, comparison.parameters))


async def count(connection: AsyncConnection, comparison: Comparison) -> list[Tally]:
    """Every row on either side, in exactly one class."""
    sums = Sums()
    for sign, words in ((1, PLAIN), (-1, NOT_PLAIN)):
        for row in await connection.execute(*bound(words, comparison.parameters)):
            match = plain(row.kind, row.status)
            sums.add(match, row.currency, sign * row.rows, sign * row.minor)
    for row in await connection.execute(sa.text(JUDGED)):
        sums.add(Match(row.match), row.currency, row.rows, row.minor)
    return sums.tallies()


async def found(connection: AsyncConnection) -> AsyncGenerator[list[dict[str, Any]]]:
    """The rows that are findings, some at a time, as columns of `FindingRow`."""
    async with connection.stream(among_findings(FOUND_IN_FILE)) as rows:
        async for some in rows.partitions(AT_A_TIME):
            yield [in_file(row) for row in some]
    here = among_findings(FOUND_HERE).columns(happened_at=UtcDateTime)
    async with connection.stream(here) as rows:
        async for some in rows.partitions(AT_A_TIME):
            yield [only_here(row) for row in some]


def bound(words: str, parameters: Mapping[str, Any]) -> tuple[sa.TextClause, dict[str, Any]]:
    """The statement with those of the parameters that it speaks of, in types of the engine."""
    text = sa.text(words)
    mine = {name: value for name, value in parameters.items() if name in text._bindparams}
    for name, value in mine.items():
        text = text.bindparams(sa.bindparam(name, type_=KINDS[type(value)]))
    return text, mine


def among_findings(words: str) -> sa.TextClause:
    listed = [match.value for match in Match if match.is_finding]
    return sa.text(words).bindparams(sa.bindparam("findings", listed, expanding=True))


def in_file(row: Any) -> dict[str, Any]:
    return {
        **anywhere(row),
        "position": row.position,
        "occurred_at": datetime.fromtimestamp(row.occurred_at, UTC),
        "file_status": row.status,
        "file_minor": row.amount_minor,
        "file_currency": row.currency,
        "our_minor": row.our_minor,
        "our_currency": row.our_currency,
    }


def only_here(row: Any) -> dict[str, Any]:
    ours = {"our_minor": row.amount_minor, "our_currency": row.currency}
    return {**anywhere(row), "occurred_at": row.happened_at, **ours}


def anywhere(row: Any) -> dict[str, Any]:
    return {
        "reference": row.reference,
        "match": row.match,
        "plan": row.plan,
        "method": row.method,
        "order_id": row.order_id,
        "payment_reference": row.about,
        "refund_id": row.refund_id,
        "is_refund": row.kind == EntryKind.REFUND,
    }
