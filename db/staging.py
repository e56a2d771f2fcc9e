"""Rows of transaction files and reports on their way in: a chunk and its cursor at a time."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from db.staged_tables import LoadState, load_sums, loads, settlement_totals, transactions
from db.staging_rooms import Room
from domain.errors import AlreadyLoaded
from domain.reconciliations import ReconciliationPlan
from domain.settlements import START, Chunk, Entry, Report, SettlementTotal

ADD_UP = """
INSERT INTO load_sums (load, settlement_id, kind, status, currency, rows,
    amount_minor, fee_minor, tax_minor, first_at, last_at, settled_at)
SELECT load, coalesce(settlement_id, ''), kind, status, currency, count(*),
    sum(amount_minor), sum(coalesce(fee_minor, 0)), sum(coalesce(tax_minor, 0)),
    min(occurred_at), max(occurred_at), max(settled_at)
FROM transactions
WHERE load = :load AND position > :after
GROUP BY load, coalesce(settlement_id, ''), kind, status, currency
ON CONFLICT (load, settlement_id, kind, status, currency) DO UPDATE SET
    rows = load_sums.rows + excluded.rows,
    amount_minor = load_sums.amount_minor + excluded.amount_minor,
    fee_minor = load_sums.fee_minor + excluded.fee_minor,
    tax_minor = load_sums.tax_minor + excluded.tax_minor,
    first_at = CASE WHEN excluded.first_at < load_sums.first_at
        THEN excluded.first_at ELSE load_sums.first_at END,
    last_at = CASE WHEN excluded.last_at > load_sums.last_at
        THEN excluded.last_at ELSE load_sums.last_at END,
    settled_at = coalesce(excluded.settled_at, load_sums.settled_at)
"""
NOWHERE = -1


def kind_of(plan: ReconciliationPlan) -> Report:
    """Which loads of a gateway list the same things: a file is like a report of settlements."""
    return Report.SETTLEMENTS if plan.file else plan.report


class Staging:
    """Loads, each filled in order by whoever runs over it; many runs may share one."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def cursor(self, plan: ReconciliationPlan) -> tuple[str, int]:
        """Raises `AlreadyLoaded`, with the number of rows."""
        async with self._room.write() as connection:
            load = await held(connection, plan)
            if load.state == LoadState.COMPLETE:
                raise AlreadyLoaded(load.rows)
            return load.cursor, load.rows

    async def stage(self, plan: ReconciliationPlan, chunk: Chunk) -> int:
        async with self._room.write() as connection:
            load = await held(connection, plan)
            fresh = beyond(load.last_position, chunk.entries)
            if load.state == LoadState.COMPLETE or (chunk.entries and not fresh):
                return int(load.rows)
            if fresh:
                await self._room.add(connection, load.load, fresh)
                range_of = {"load": load.load, "after": load.last_position}
                await connection.execute(words(ADD_UP, "load", "after"), range_of)
            for total in chunk.totals:
                await keep_total(connection, load.load, total)
            rows = int(load.rows) + len(fresh)
            last = fresh[-1].position if fresh else load.last_position
            await moved(connection, load.load, chunk, rows, last)
            return rows

    async def refuse(self, plan: ReconciliationPlan) -> None:
        async with self._room.write() as connection:
            load = (await held(connection, plan)).load
            for table in (transactions, load_sums, settlement_totals):
                await connection.execute(sa.delete(table).where(table.c.load == load))
            nothing = {"cursor": START, "rows": 0, "last_position": NOWHERE}
            await connection.execute(
                sa.update(loads)
                .where(loads.c.load == load)
                .values(state=LoadState.REFUSED, first_at=None, last_at=None, **nothing)
            )


async def held(connection: AsyncConnection, plan: ReconciliationPlan) -> sa.Row[tuple[object, ...]]:
    """The plan's load, made if there is none, and held until the transaction ends."""
    this = sa.select(loads).where(loads.c.load_id == plan.load_id).with_for_update()
    found = (await connection.execute(this)).one_or_none()
    if found is None:
        fresh = {"cursor": START, "rows": 0, "last_position": NOWHERE}
        values = {"load_id": plan.load_id, "gateway": plan.gateway, "kind": kind_of(plan)}
        insert = insert_into(connection, loads).on_conflict_do_nothing()
        await connection.execute(insert, [{**values, **fresh, "state": LoadState.STAGING}])
        found = (await connection.execute(this)).one()
    return found


def beyond(position: int, entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries that were not staged before: positions only ever grow."""
    if entries and entries[0].position > position:
        return entries
    return [entry for entry in entries if entry.position > position]


async def moved(
    connection: AsyncConnection, load: int, chunk: Chunk, rows: int, last_position: int
) -> None:
    """Keep where the next chunk begins, or that there is none."""
    values = {"cursor": chunk.cursor, "rows": rows, "last_position": last_position}
    values |= {"state": LoadState.STAGING}
    if chunk.is_last:
        times = sa.select(sa.func.min(load_sums.c.first_at), sa.func.max(load_sums.c.last_at))
        first, last = (await connection.execute(times.where(load_sums.c.load == load))).one()
        values |= {"state": LoadState.COMPLETE, "first_at": first, "last_at": last}
    await connection.execute(sa.update(loads).where(loads.c.load == load).values(**values))


async def keep_total(connection: AsyncConnection, load: int, total: SettlementTotal) -> None:
    """What is named twice counts as it was named first."""
    settled = int(total.settled_at.timestamp())
    row = {
        "load": load,
        "settlement_id": total.settlement_id,
        "currency": total.net.currency,
        "net_minor": total.net.minor,
        "fee_minor": total.fee.minor,
        "tax_minor": total.tax.minor,
        "settled_at": settled,
        "bank_reference": total.bank_reference,
    }
    insert = insert_into(connection, settlement_totals)
    await connection.execute(insert.on_conflict_do_nothing(), [row])


def insert_into(connection: AsyncConnection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def words(sql: str, *numbers: str) -> sa.TextClause:
    """A statement in words that both engines know; its parameters are whole numbers."""
    return sa.text(sql).bindparams(*(sa.bindparam(it, type_=sa.BigInteger) for it in numbers))
