"""A shop's month, and the file in which its gateway tells of it: the same for the same number.

Every order was paid, but for each fiftieth, which expired: in its place in the file stands the
refund of the order before. Among them differences are planted, of every class that such a file
can show. Ids of payments grow with time, as Razorpay's do; those of orders are scattered.
"""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import make_engine
from db.schema import upgrade
from domain.findings import Match

BEGINNING = datetime(2026, 9, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
INDIA = timedelta(hours=5, minutes=30)
PLANTED = 2000
FILL_CACHE_KIB = 8 * 2**20
CLASSES = (
    Match.FAIL_PAID,
    Match.MISSING_IN_ORDERS,
    Match.MISSING_AT_GATEWAY,
    Match.AMOUNT_MISMATCH,
    Match.CURRENCY_MISMATCH,
    Match.DUPLICATE_PAYMENT,
    Match.REFUND_MISMATCH,
)
COLUMNS = (
    *("transaction_entity", "entity_id", "amount", "currency", "fee (exclusive tax)", "tax"),
    *("debit", "credit", "payment_method", "card_type", "issuer_name", "entity_created_at"),
    *("payment_captured_at", "payment_notes", "refund_notes", "arn", "entity_description"),
    *("order_id", "order_receipt", "order_notes", "dispute_id", "dispute_created_at"),
    *("dispute_reason", "settlement_id", "settled_at", "settlement_utr", "settled_by"),
)
METHODS = ("upi", "card", "netbanking", "wallet")


@dataclass(frozen=True)
class Month:
    """So many orders, numbered from 1, with the differences by the number of their order."""

    orders: int

    @property
    def planted(self) -> dict[int, Match]:
        usual = [i for i in range(100, self.orders - 100) if i % 50 not in (0, 49)]
        # Not for secrets: the same differences every time.
        chosen = random.Random(7).sample(usual, min(PLANTED, len(usual) // 10))
        return dict(zip(sorted(chosen), cycle(CLASSES), strict=False))

    def second(self, i: int) -> int:
        return int(BEGINNING.timestamp()) + i * int(MONTH.total_seconds()) // self.orders

    def expected(self) -> set[tuple[str, str]]:
        """The class and the payment or refund of each difference."""
        names = {
            Match.MISSING_IN_ORDERS: "pay_unheard{i:07}",
            Match.DUPLICATE_PAYMENT: "pay_again{i:09}",
            Match.REFUND_MISMATCH: "rfnd_unasked{i:07}",
        }
        return {
            (match.value, names[match].format(i=i) if match in names else payment_id(i))
            for i, match in self.planted.items()
        }


def order_id(i: int) -> str:
    return f"ord_aaaaaaaaaaaaaa{i * 982451653 % 1000000000039:012}"


def wire_key(i: int) -> str:
    return f"bbbbbbbbbbb{i * 715225739 % 1000000000039:012}"


def payment_id(i: int) -> str:
    return f"pay_{i:08}{i * 7919 % 999983:06}"


def amount(i: int) -> int:
    return 10000 + i * 37 % 90000


def padded(number: str, width: int) -> str:
    """The SQL of a number in so many digits, on either engine."""
    return f"substr(CAST({10**width} + {number} AS text), 2)"


ORDER_ID = f"'ord_aaaaaaaaaaaaaa' || {padded('i * 982451653 % 1000000000039', 12)}"
WIRE_KEY = f"'bbbbbbbbbbb' || {padded('i * 715225739 % 1000000000039', 12)}"
PAYMENT_ID = f"'pay_' || {padded('i', 8)} || {padded('i * 7919 % 999983', 6)}"
AMOUNT = "10000 + i * 37 % 90000"
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT {type}1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"

ORDERS = f"""
INSERT INTO orders (order_id, client, user_id, email, amount_minor, currency, gateway, status,
    late_policy, result_token, created_at, checkout_started_at, minded_at, concluded_at,
    paid_after_ms, fulfilling_gateway, fulfilling_reference, late_capture)
{{numbers}} SELECT {ORDER_ID}, 'shop', 'user-' || i % 100000, 'buyer@example.com', {AMOUNT}, 'INR',
    'razorpay', CASE i % 50 WHEN 0 THEN 'expired' WHEN 49 THEN 'refunded' ELSE 'paid' END,
    CASE i % 2 WHEN 0 THEN 'refund' ELSE 'honour' END, 'result' || {padded("i", 12)},
    {{at}}, {{at}}, NULL, {{after}}, 30000, CASE i % 50 WHEN 0 THEN NULL ELSE 'razorpay' END,
    CASE i % 50 WHEN 0 THEN NULL ELSE {PAYMENT_ID} END, {{no}} FROM n
"""
LINKS = f"""
INSERT INTO payment_links (key, wire_key, order_id, gateway, draft, callback_token,
    gateway_reference, url, status, asked_at, closes_at, expires_at, opened_at, ended_at)
{{numbers}} SELECT {ORDER_ID} || ':link:1', {WIRE_KEY}, {ORDER_ID}, 'razorpay', '{{{{}}}}',
    'callback' || {padded("i", 12)}, 'plink_' || {padded("i", 14)}, 'https://pay.example',
    'paid', {{at}}, {{after}}, {{after}}, {{at}}, {{after}} FROM n
"""
PAYMENTS = f"""
INSERT INTO payments (gateway, reference, order_id, status, amount_minor, currency, method,
    first_seen_at, updated_at)
{{numbers}} SELECT 'razorpay', {PAYMENT_ID}, {ORDER_ID}, 'captured', {AMOUNT}, 'INR', 'upi',
    {{after}}, {{after}} FROM n WHERE i % 50 <> 0
"""
REFUNDS = f"""
INSERT INTO refunds (refund_id, order_id, gateway, payment_reference, amount_minor, currency,
    status, reason, actor, automatic, fingerprint, gateway_reference, requested_at, sent_at,
    concluded_at, minded_at)
{{numbers}} SELECT 'rfd_' || {padded("i", 14)}, {ORDER_ID}, 'razorpay', {PAYMENT_ID}, {AMOUNT},
    'INR', 'succeeded', 'sent back', 'ops', {{no}}, '', 'rfnd_' || {padded("i", 14)},
    {{after}}, {{after}}, {{after}}, {{after}} FROM n WHERE i % 50 = 49
"""


async def fill(url: str, month: Month) -> None:
    """Make the schema and the orders, with their links, payments and refunds."""
    await upgrade(url)
    engine = make_engine(url)
    is_sqlite = engine.dialect.name == "sqlite"
    if is_sqlite:
        sa.event.listen(engine.sync_engine, "connect", hurry)
    async with engine.begin() as connection:
        indices = await drop_indices(connection) if is_sqlite else []
        for statement in (ORDERS, LINKS, PAYMENTS, REFUNDS):
            await connection.exec_driver_sql(spelled(statement, connection.dialect.name, month))
        for index in indices:
            await connection.exec_driver_sql(index)
        await leave_unpaid(connection, month)
    if not is_sqlite:
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await connection.exec_driver_sql("VACUUM ANALYZE")
    await engine.dispose()


def hurry(connection: Any, _: object) -> None:
    """A fill that dies is begun again: it needs no journal, and no page written twice."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{FILL_CACHE_KIB}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def drop_indices(connection: AsyncConnection) -> list[str]:
    """What makes them again: to sort once is quicker than to keep them in order for each row."""
    made_by = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    indices = (await connection.exec_driver_sql(made_by)).all()
    for index in indices:
        await connection.exec_driver_sql(f"DROP INDEX {index.name}")
    return [index.sql for index in indices]


def spelled(statement: str, dialect: str, month: Month) -> str:
    second = f"{int(BEGINNING.timestamp())} + i * {int(MONTH.total_seconds())} / {month.orders}"
    if dialect == "postgresql":
        moment, kind, no = "to_timestamp({})", "CAST(1 AS bigint) * ", "false"
    else:
        moment, kind, no = "datetime({}, 'unixepoch') || '.000000'", "", "0"
    return statement.format(
        numbers=NUMBERS.format(type=kind, rows=month.orders),
        at=moment.format(second),
        after=moment.format(f"{second} + 30"),
        no=no,
    )


async def leave_unpaid(connection: AsyncConnection, month: Month) -> None:
    """Orders that expired, though the file says that they were paid."""
    those = [i for i, match in month.planted.items() if match is Match.FAIL_PAID]
    forget = "UPDATE orders SET status = 'expired', fulfilling_gateway = NULL, "
    forget += "fulfilling_reference = NULL WHERE order_id = :order_id"
    delete = "DELETE FROM payments WHERE gateway = 'razorpay' AND reference = :reference"
    await connection.execute(sa.text(forget), [{"order_id": order_id(i)} for i in those])
    await connection.execute(sa.text(delete), [{"reference": payment_id(i)} for i in those])


def write_file(path: Path, month: Month) -> int:
    """The gateway's file; how many rows it has."""
    rows = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows_of(month):
            writer.writerow(row)
            rows += 1
    return rows


def rows_of(month: Month) -> Iterator[list[str]]:
    planted = month.planted
    for i in range(1, month.orders + 1):
        match = planted.get(i)
        if i % 50 == 0:
            yield refund_row(month, i, f"rfnd_{i - 1:014}", amount(i - 1))
        elif match is None or match is Match.FAIL_PAID:
            yield payment_row(month, i, payment_id(i), amount(i))
        else:
            yield from odd_rows(month, i, match)


def odd_rows(month: Month, i: int, match: Match) -> Iterator[list[str]]:
    """What the file has in the place of an order with such a difference."""
    usual = payment_row(month, i, payment_id(i), amount(i))
    if match is Match.AMOUNT_MISMATCH:
        yield payment_row(month, i, payment_id(i), amount(i) + 100)
    elif match is Match.CURRENCY_MISMATCH:
        yield [*usual[:3], "USD", *usual[4:]]
    elif match is not Match.MISSING_AT_GATEWAY:
        yield usual
    if match is Match.MISSING_IN_ORDERS:
        unheard = payment_row(month, i, f"pay_unheard{i:07}", amount(i))
        yield [*unheard[:18], f"unheard{i:09}", *unheard[19:]]
    elif match is Match.DUPLICATE_PAYMENT:
        yield payment_row(month, i, f"pay_again{i:09}", amount(i))
    elif match is Match.REFUND_MISMATCH:
        yield refund_row(month, i, f"rfnd_unasked{i:07}", 100)


def payment_row(month: Month, i: int, name: str, minor: int) -> list[str]:
    fee = minor * 2 // 100
    tax = fee * 18 // 100
    made = local(month.second(i))
    money = [major(minor), "INR", major(fee), major(tax), "0.00", major(minor - fee - tax)]
    return [
        *("payment", name, *money, METHODS[i % 4], "", "", made, made),
        *('{"order":"bench"}', "", "", f"Order {i}", f"order_{i:014}", wire_key(i), "[]"),
        *("", "", "", *settlement(month, i), "razorpay"),
    ]


def refund_row(month: Month, i: int, name: str, minor: int) -> list[str]:
    made = local(month.second(i))
    money = [major(minor), "INR", "0.00", "0.00", major(minor), "0.00"]
    return [
        *("refund", name, *money, METHODS[i % 4], "", "", made, ""),
        *("", "{}", f"arn{i:015}", "", f"order_{i:014}", wire_key(i), "[]"),
        *("", "", "", *settlement(month, i), "razorpay"),
    ]


def settlement(month: Month, i: int) -> tuple[str, str, str]:
    """Paid out at the end of the second day after."""
    day = (month.second(i) - int(BEGINNING.timestamp())) // 86400
    settled = int(BEGINNING.timestamp()) + (day + 3) * 86400
    return f"setl_{day:014}", local(settled), f"utr{day:012}"


def major(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def local(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC) + INDIA:%d/%m/%Y %H:%M:%S}"
