"""Stripe's payout reconciliation report: CSV, one line for each transaction that a payout holds.

Source: https://docs.stripe.com/reports/report-types/payout-reconciliation, the itemized report,
with the metadata columns that we ask for. Columns are found by name. Sums are in major units, in
the currency of the payout; what the customer paid stands beside them. The report does not tell a
fee from its tax.
"""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import BinaryIO

from domain.errors import FileRefused
from domain.money import Money
from domain.payments import PaymentStatus
from domain.refunds import RefundStatus
from domain.settlements import Chunk, Entry, EntryKind
from gateways.bodies import malformed_is

ROWS = 5_000
LONGEST_LINE = 1024 * 1024

NEEDED = (
    *("balance_transaction_id", "created_utc", "currency", "gross", "fee", "reporting_category"),
    *("source_id", "automatic_payout_id", "automatic_payout_effective_at_utc"),
    *("payment_intent_id", "payment_method_type"),
)
PAYMENT, REFUND, OTHER = EntryKind.PAYMENT, EntryKind.REFUND, EntryKind.OTHER
KINDS = {"charge": PAYMENT, "refund": REFUND, "refund_failure": REFUND}
STATUSES = {
    "charge": PaymentStatus.CAPTURED.value,
    "refund": RefundStatus.SUCCEEDED.value,
    "refund_failure": RefundStatus.FAILED.value,
}

Row = Mapping[str, str]


def chunks(file: BinaryIO, cursor: str) -> Iterator[Chunk]:
    """Rows from the cursor on. It is the byte and the line that come next: `<byte>:<line>`."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    columns = columns_of(next(records(file, 1), None))
    line = 2
    if cursor:
        offset, _, known = cursor.partition(":")
        line = int(known)
        file.seek(int(offset))
    while True:
        told = list(islice(records(file, line), ROWS))
        entries = [entry for at, text in told if (entry := entry_in(columns, text, at))]
        line += sum(text.count("\n") for _, text in told)
        offset_now = file.tell()
        yield Chunk(entries, f"{offset_now}:{line}", is_last=offset_now == size)
        if offset_now == size:
            return


def records(file: BinaryIO, line: int) -> Iterator[tuple[int, str]]:
    """Whole rows and the line each begins on; a quoted field may go over several lines."""
    while raw := file.readline(LONGEST_LINE):
        while raw.count(b'"') % 2 and (more := file.readline(LONGEST_LINE)):
            raw += more
            if len(raw) > LONGEST_LINE:
                raise FileRefused("a quote that is not closed", line)
        if raw.count(b'"') % 2 or not raw.endswith(b"\n"):
            raise FileRefused("cut off, or a line without an end", line)
        with malformed_is(FileRefused("not UTF-8", line)):
            text = raw.decode()
        yield line, text
        line += text.count("\n")


def columns_of(first: tuple[int, str] | None) -> Sequence[str]:
    if first is None:
        raise FileRefused("an empty file", 1)
    columns = fields(first[1].removeprefix("\ufeff"), 1)
    for name in NEEDED:
        if columns.count(name) != 1:
            raise FileRefused(f"{'two columns' if name in columns else 'no column'} {name!r}", 1)
    return columns


def fields(text: str, line: int) -> list[str]:
    if "\0" in text:
        raise FileRefused("a NUL", line)
    return next(csv.reader([text], strict=True))


def entry_in(columns: Sequence[str], text: str, line: int) -> Entry | None:
    values = fields(text, line)
    if len(values) != len(columns):
        raise FileRefused(f"{len(values)} columns instead of {len(columns)}", line)
    with malformed_is(FileRefused("an amount, a currency or a time that does not read", line)):
        return entry_of(dict(zip(columns, values, strict=True)), line)


def entry_of(row: Row, line: int) -> Entry | None:
    """The payout itself is one of its own transactions, and no entry."""
    category = row["reporting_category"]
    if category.startswith("payout"):
        return None
    kind = KINDS.get(category, OTHER)
    price, counted = price_of(row, kind), row["currency"].upper()
    intent = row["payment_intent_id"] or None
    fee = Money.of_major(row["fee"] or "0", counted)
    source = row["source_id"] or row["balance_transaction_id"]
    return Entry(
        position=line,
        kind=kind,
        reference=intent if kind is PAYMENT and intent else source,
        payment_reference=intent if kind is REFUND else None,
        order_reference=row.get("payment_metadata[wire_key]") or None if kind is PAYMENT else None,
        our_id=our_id(row, kind),
        status=STATUSES.get(category, PaymentStatus.UNKNOWN.value),
        amount_minor=price.minor,
        currency=price.currency,
        fee_minor=fee.minor if price.currency == counted else None,
        tax_minor=None,
        method=row["payment_method_type"] or None,
        settlement_id=row["automatic_payout_id"] or None,
        occurred_at=seconds(row["created_utc"]),
        settled_at=seconds(row["automatic_payout_effective_at_utc"]),
    )


def price_of(row: Row, kind: EntryKind) -> Money:
    """What the customer paid or got back, without its sign; of all else, what it adds."""
    currency = row.get("customer_facing_currency") or row["currency"]
    amount = row.get("customer_facing_amount") or row["gross"]
    if kind is OTHER:
        return Money.of_major(row["gross"], row["currency"].upper())
    return Money.of_major(amount.removeprefix("-"), currency.upper())


def our_id(row: Row, kind: EntryKind) -> str | None:
    name = "refund_metadata[refund_id]" if kind is REFUND else "payment_metadata[order_id]"
    return row.get(name) or None


def seconds(text: str) -> int:
    """`2026-11-25 12:00:00`, which is UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
