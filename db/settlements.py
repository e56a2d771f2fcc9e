"""Settlements: what their rows come to, and what the gateway says it paid out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from db.reconciliation_tables import SettlementRow
from db.staged_tables import settlement_totals
from domain.errors import FileRefused
from domain.money import Money
from domain.reconciliations import ReconciliationPlan

AT_A_TIME = 500

# A payment brings money, a refund takes it; any other row says which by its own sign.
SUMS = """
SELECT settlement_id, currency, sum(rows) AS rows,
    sum(CASE kind WHEN 'refund' THEN -amount_minor ELSE amount_minor END) AS gross,
    sum(fee_minor) AS fee, sum(tax_minor) AS tax, max(settled_at) AS settled_at
FROM (
    SELECT settlement_id, currency, kind, status, rows, amount_minor, fee_minor, tax_minor,
        settled_at
    FROM load_sums WHERE load = :load
    UNION ALL
    SELECT settlement_id, currency, kind, status, -1, -amount_minor,
        -coalesce(fee_minor, 0), -coalesce(tax_minor, 0), NULL
    FROM repeats
) AS those
WHERE settlement_id <> '' AND (kind = 'other' OR status IN ('captured', 'succeeded'))
GROUP BY settlement_id, currency
ORDER BY settlement_id, currency
"""


@dataclass(frozen=True)
class SettlementSum:
    """`total` is what the gateway named as the net, if it named one."""

    settlement_id: str
    rows: int
    gross: Money
    fee: Money
    tax: Money
    total: Money | None
    settled_at: datetime | None
    bank_reference: str | None

    @property
    def net(self) -> Money:
        return self.gross - self.fee - self.tax


async def sums_of(connection: AsyncConnection, load: int) -> list[SettlementSum]:
    """Of a load whose repeated rows are known."""
    totals = await connection.execute(
        sa.select(settlement_totals).where(settlement_totals.c.load == load)
    )
    named = {(row.settlement_id, row.currency): row for row in totals}
    sums = {
        (row.settlement_id, row.currency): row
        for row in await connection.execute(sa.text(SUMS), {"load": load})
    }
    keys = sorted({*named, *sums})
    return [_sum(key, sums.get(key), named.get(key)) for key in keys]


def check_totals(sums: Iterable[SettlementSum]) -> None:
    """Raises `FileRefused` for a settlement whose rows come to something else than its total.

    A total without rows is no contradiction: they may lie on the other side of midnight.
    """
    for one in sums:
        if one.rows and one.total is not None and one.total != one.net:
            raise FileRefused(
                f"settlement {one.settlement_id}: its rows come to {one.net}, "
                f"and the gateway says {one.total}"
            )


async def keep_settlements(
    session: AsyncSession, plan: ReconciliationPlan, sums: list[SettlementSum]
) -> None:
    """A load that has only some of a settlement's rows does not replace one that has more."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert: Any = dialect.insert(SettlementRow)
    keys = ("gateway", "settlement_id", "currency")
    columns = [column.name for column in sa.inspect(SettlementRow).columns]
    upsert = insert.on_conflict_do_update(
        index_elements=keys,
        set_={name: insert.excluded[name] for name in columns if name not in keys},
        where=SettlementRow.rows <= insert.excluded.rows,
    )
    for start in range(0, len(sums), AT_A_TIME):
        rows = [_columns(plan, one) for one in sums[start : start + AT_A_TIME]]
        await session.exec(upsert, params=rows)


def _columns(plan: ReconciliationPlan, one: SettlementSum) -> dict[str, Any]:
    return {
        "gateway": plan.gateway,
        "settlement_id": one.settlement_id,
        "currency": one.net.currency,
        "load_id": plan.load_id,
        "rows": one.rows,
        "gross_minor": one.gross.minor,
        "fee_minor": one.fee.minor,
        "tax_minor": one.tax.minor,
        "net_minor": one.net.minor,
        "total_minor": one.total and one.total.minor,
        "settled_at": one.settled_at,
        "bank_reference": one.bank_reference,
    }


def _sum(key: tuple[str, str], rows: Any, named: Any) -> SettlementSum:
    settlement_id, currency = key
    gross, fee, tax = (rows.gross, rows.fee, rows.tax) if rows else (0, 0, 0)
    settled_at = named.settled_at if named else rows.settled_at
    return SettlementSum(
        settlement_id=settlement_id,
        rows=int(rows.rows) if rows else 0,
        gross=Money(int(gross), currency),
        fee=Money(int(fee), currency),
        tax=Money(int(tax), currency),
        total=Money(named.net_minor, currency) if named else None,
        settled_at=datetime.fromtimestamp(settled_at, UTC) if settled_at else None,
        bank_reference=named.bank_reference if named else None,
    )
