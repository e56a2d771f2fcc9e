"""The file a merchant downloads from Razorpay's dashboard: "Settlement recon", 27 columns.

Not as in the API, amounts are rupees with decimals, and fees are without the tax. The columns are
those of a sample of Razorpay's; neither their order nor the format of the times is confirmed by
its documentation.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import StreamingResponse

from simulator.books import Books
from simulator.control import control_router
from simulator.files import FileRequest, file_response
from simulator.money import plain
from simulator.planting import PlantedReports, stranger
from simulator.razorpay.settlements import INDIA, card_fields, description
from simulator.records import EntryKind, Json
from simulator.statement import Line

COLUMNS = (
    *("transaction_entity", "entity_id", "amount", "currency", "fee (exclusive tax)", "tax"),
    *("debit", "credit", "payment_method", "card_type", "issuer_name", "entity_created_at"),
    *("payment_captured_at", "payment_notes", "refund_notes", "arn", "entity_description"),
    *("order_id", "order_receipt", "order_notes", "dispute_id", "dispute_created_at"),
    *("dispute_reason", "settlement_id", "settled_at", "settlement_utr", "settled_by"),
)


class RazorpayFiles:
    def __init__(self, books: Books) -> None:
        self._reports, self._clock = PlantedReports(books), books.clock

    def router(self) -> APIRouter:
        routes = control_router()
        routes.get("/files/razorpay/{name}")(self.settlement_recon)
        return routes

    async def settlement_recon(
        self, name: str, wish: Annotated[FileRequest, Query()]
    ) -> StreamingResponse:
        """What was settled within the period. `settlement-recon-2.csv` is the same once more."""
        if not (name.startswith("settlement-recon") and name.endswith(".csv")):
            raise HTTPException(404, f"there is no file {name}")
        return file_response(name, self._recon(wish), wish, self._clock())

    def _recon(self, wish: FileRequest) -> Iterator[str]:
        yield csv_line(COLUMNS)
        for line in self._reports.lines("razorpay", wish.period):
            yield csv_line(row_of(line))
        for number in range(1, wish.strangers + 1):
            yield csv_line(row_of(stranger_line(number, wish)))


def stranger_line(number: int, wish: FileRequest) -> Line:
    """The same line for the same number, so that the same request gives the same file."""
    names = f"pay_{number:014}", f"setl_{number:014}"
    return stranger(number, *names, "razorpay", wish.since)


def row_of(line: Line) -> list[str]:
    row = entry_columns(line) | settlement_columns(line)
    if line.entry.kind is not EntryKind.ADJUSTMENT:
        row |= order_columns(line)
    if line.dispute:
        row |= {
            "dispute_id": line.dispute.id,
            "dispute_created_at": local_time(line.dispute.created_at),
            "dispute_reason": line.dispute.reason,
        }
    return [row.get(name) or "" for name in COLUMNS]


def entry_columns(line: Line) -> dict[str, str | None]:
    entry = line.entry
    money = {
        "amount": entry.amount,
        "fee (exclusive tax)": entry.fee,
        "tax": entry.tax,
        "debit": entry.debit,
        "credit": entry.credit,
    }
    return {name: plain(minor, entry.currency) for name, minor in money.items()} | {
        "transaction_entity": entry.kind,
        "entity_id": entry.id,
        "currency": entry.currency,
        "entity_created_at": local_time(entry.created_at),
        "entity_description": description(line),
    }


def settlement_columns(line: Line) -> dict[str, str | None]:
    return {
        "settlement_id": line.settlement.id,
        "settled_at": local_time(line.settlement.created_at),
        "settlement_utr": line.settlement.utr,
        "settled_by": "Razorpay",
    }


def order_columns(line: Line) -> dict[str, str | None]:
    payment, link, card = line.payment, line.link, card_fields(line.payment.method)
    captured_at, notes = payment.captured_at, written_notes(link.details)
    return {
        "payment_method": payment.method,
        "card_type": card["card_type"],
        "issuer_name": card["card_issuer"],
        "payment_captured_at": local_time(captured_at) if captured_at else None,
        "payment_notes": notes,
        "refund_notes": written_notes(line.refund.details) if line.refund else None,
        "order_id": link.gateway_order_id,
        "order_receipt": link.reference_id,
        "order_notes": notes,
    }


def written_notes(details: Json) -> str:
    return json.dumps(details.get("notes") or {}, ensure_ascii=False)


def local_time(at: float) -> str:
    """India's time, a guess as the format is: no source confirms either."""
    return datetime.fromtimestamp(at, INDIA).strftime("%d/%m/%Y %H:%M:%S")


def csv_line(values: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()
