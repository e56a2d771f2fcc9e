"""Rows of Razorpay's settlement file, filled with values of our own."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from io import BytesIO
from typing import Any

from domain.settlements import START, Chunk, Entry
from gateways.razorpay import files
from gateways.razorpay.texts import INDIA

COLUMNS = [
    *("transaction_entity", "entity_id", "amount", "currency", "fee (exclusive tax)", "tax"),
    *("debit", "credit", "payment_method", "card_type", "issuer_name", "entity_created_at"),
    *("payment_captured_at", "payment_notes", "refund_notes", "arn", "entity_description"),
    *("order_id", "order_receipt", "order_notes", "dispute_id", "dispute_created_at"),
    *("dispute_reason", "settlement_id", "settled_at", "settlement_utr", "settled_by"),
]
Row = dict[str, str]

MADE_AT = int(datetime(2026, 11, 3, 9, 5, 7, tzinfo=INDIA).timestamp())
SETTLED_AT = int(datetime(2026, 11, 5, 18, 0, 0, tzinfo=INDIA).timestamp())

PAYMENT: Row = {
    "transaction_entity": "payment",
    "entity_id": "pay_1",
    "amount": "499.00",
    "currency": "INR",
    "fee (exclusive tax)": "9.98",
    "tax": "1.79",
    "debit": "0.00",
    "credit": "487.23",
    "payment_method": "upi",
    "entity_created_at": "03/11/2026 09:05:07",
    "order_receipt": "receipt1",
    "settlement_id": "setl_1",
    "settled_at": "05/11/2026 18:00:00",
    "settlement_utr": "UTR1",
    "settled_by": "Razorpay",
}
REFUND = PAYMENT | {
    "transaction_entity": "refund",
    "entity_id": "rfnd_1",
    "fee (exclusive tax)": "0.00",
    "tax": "0.00",
    "debit": "499.00",
    "credit": "0.00",
}


def payment(number: int = 1, /, **changes: Any) -> Row:
    return PAYMENT | {"entity_id": f"pay_{number}"} | changes


def refund(number: int = 1, /, **changes: Any) -> Row:
    return REFUND | {"entity_id": f"rfnd_{number}"} | changes


def csv_of(rows: Iterable[Row], columns: Iterable[str] = COLUMNS, end: str = "\n") -> bytes:
    text = io.StringIO()
    names = list(columns)
    writer = csv.DictWriter(text, names, lineterminator=end, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def chunks_of(content: bytes, cursor: str = START) -> list[Chunk]:
    return list(files.chunks(BytesIO(content), cursor))


def entries_of(content: bytes) -> list[Entry]:
    return [entry for chunk in chunks_of(content) for entry in chunk.entries]


def entry(**changes: Any) -> Entry:
    """What the sample payment says."""
    facts: dict[str, Any] = {
        "position": 2,
        "kind": "payment",
        "reference": "pay_1",
        "payment_reference": None,
        "order_reference": "receipt1",
        "our_id": None,
        "status": "captured",
        "amount_minor": 49900,
        "currency": "INR",
        "fee_minor": 998,
        "tax_minor": 179,
        "method": "upi",
        "settlement_id": "setl_1",
        "occurred_at": MADE_AT,
        "settled_at": SETTLED_AT,
    }
    return Entry(**facts | changes)
