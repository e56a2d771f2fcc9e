"""The report a merchant downloads from Stripe: "Payout reconciliation", itemized.

Source: https://docs.stripe.com/reports/report-types/payout-reconciliation. Sums are in major units;
fees include their tax. Columns of metadata are there because the merchant asked for them.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import StreamingResponse

from simulator.books import Books
from simulator.control import control_router
from simulator.files import FileRequest, file_response
from simulator.money import plain
from simulator.planting import PlantedReports, stranger
from simulator.records import EntryKind, Json
from simulator.statement import Line
from simulator.stripe.entities import intent_id

COLUMNS = (
    *("automatic_payout_id", "automatic_payout_effective_at_utc", "balance_transaction_id"),
    *("created_utc", "currency", "gross", "fee", "net", "reporting_category", "source_id"),
    *("description", "customer_facing_amount", "customer_facing_currency", "charge_id"),
    *("payment_intent_id", "payment_method_type", "payment_metadata[order_id]"),
    *("payment_metadata[wire_key]", "refund_metadata[refund_id]", "trace_id"),
)
CATEGORIES = {
    EntryKind.PAYMENT: "charge",
    EntryKind.REFUND: "refund",
    EntryKind.ADJUSTMENT: "dispute",
}


class StripeFiles:
    def __init__(self, books: Books) -> None:
        self._reports, self._clock = PlantedReports(books), books.clock

    def router(self) -> APIRouter:
        routes = control_router()
        routes.get("/files/stripe/{name}")(self.payout_reconciliation)
        return routes

    async def payout_reconciliation(
        self, name: str, wish: Annotated[FileRequest, Query()]
    ) -> StreamingResponse:
        """What was paid out within the period. `payout-reconciliation-2.csv` is the same again."""
        if not (name.startswith("payout-reconciliation") and name.endswith(".csv")):
            raise HTTPException(404, f"there is no file {name}")
        return file_response(name, self._rows(wish), wish, self._clock())

    def _rows(self, wish: FileRequest) -> Iterator[str]:
        yield csv_line(COLUMNS)
        for line in self._reports.lines("stripe", wish.period):
            yield csv_line(row_of(line))
        for number in range(1, wish.strangers + 1):
            names = f"ch_{number:024}", f"po_{number:024}"
            yield csv_line(row_of(stranger(number, *names, "stripe", wish.since)))


def row_of(line: Line) -> list[str]:
    entry, payment = line.entry, line.payment
    gross = entry.amount if entry.kind is EntryKind.PAYMENT else entry.credit - entry.debit
    fee = entry.fee + entry.tax
    money = {"gross": gross, "fee": fee, "net": gross - fee}
    row: dict[str, str | None] = {
        **{name: plain(minor, entry.currency) for name, minor in money.items()},
        "automatic_payout_id": line.settlement.id,
        "automatic_payout_effective_at_utc": utc(line.settlement.created_at),
        "balance_transaction_id": f"txn_{entry.id.partition('_')[2]}",
        "created_utc": utc(entry.created_at),
        "currency": entry.currency.lower(),
        "reporting_category": CATEGORIES[entry.kind],
        "source_id": entry.source_id,
        "trace_id": line.settlement.utr,
    }
    if entry.kind is not EntryKind.ADJUSTMENT:
        notes = noted(line.link.details.get("payment_intent_data") or {})
        row |= {
            "charge_id": payment.id,
            "payment_intent_id": intent_id(line.link, payment),
            "payment_method_type": payment.method,
            "payment_metadata[order_id]": notes.get("order_id"),
            "payment_metadata[wire_key]": notes.get("wire_key"),
            "refund_metadata[refund_id]": noted(line.refund.details if line.refund else {}).get(
                "refund_id"
            ),
        }
    return [row.get(name) or "" for name in COLUMNS]


def noted(details: Json) -> Json:
    notes: Json = details.get("metadata") or {}
    return notes


def utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def csv_line(values: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()
