"""The settlement report that PayPal puts on its SFTP server: kinds of rows, whole minor units.

What a loss or a correction is called there is a guess: none of the samples has one.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import StreamingResponse

from simulator.books import Books
from simulator.control import control_router
from simulator.files import FileRequest, file_response
from simulator.paypal.entities import names_of
from simulator.planting import PlantedReports, stranger
from simulator.records import EntryKind
from simulator.statement import Line

COLUMNS = (
    *("Transaction ID", "Invoice ID", "PayPal Reference ID", "PayPal Reference ID Type"),
    *("Transaction Event Code", "Transaction Initiation Date", "Transaction Completion Date"),
    *("Transaction Debit or Credit", "Gross Transaction Amount", "Gross Transaction Currency"),
    *("Fee Debit or Credit", "Fee Amount", "Fee Currency", "Custom Field", "Consumer ID"),
)
CODES = {EntryKind.PAYMENT: "T0006", EntryKind.REFUND: "T1107", EntryKind.ADJUSTMENT: "T1106"}
PACIFIC = timezone(timedelta(hours=-8))


class PayPalFiles:
    def __init__(self, books: Books) -> None:
        self._reports, self._clock = PlantedReports(books), books.clock

    def router(self) -> APIRouter:
        routes = control_router()
        routes.get("/files/paypal/{name}")(self.settlement_report)
        return routes

    async def settlement_report(
        self, name: str, wish: Annotated[FileRequest, Query()]
    ) -> StreamingResponse:
        """What was settled within the period; `STL-2.csv` is the same once more."""
        if not (name.startswith("STL") and name.endswith(".csv")):
            raise HTTPException(404, f"there is no file {name}")
        return file_response(name, self._rows(wish), wish, self._clock())

    def _rows(self, wish: FileRequest) -> Iterator[str]:
        yield "\ufeff" + csv_line(["RH", local_time(self._clock()), "A", "SIMULATED", "011"])
        yield csv_line(["FH", "01"])
        since, until = (min(at, self._clock()) for at in (wish.since, wish.to))
        yield csv_line(["SH", local_time(since), local_time(until), "SIMULATED", ""])
        yield csv_line(["CH", *COLUMNS])
        count = 0
        for line in self._lines(wish):
            count += 1
            yield csv_line(["SB", *row_of(line)])
        for kind in ("SC", "RC"):
            yield csv_line([kind, f"{count}"])
        yield csv_line(["FF", "1"])

    def _lines(self, wish: FileRequest) -> Iterator[Line]:
        yield from self._reports.lines("paypal", wish.period)
        for number in range(1, wish.strangers + 1):
            yield stranger(number, f"{number:017}", f"S{number:016}", "paypal", wish.since)


def row_of(line: Line) -> list[str]:
    entry, refund = line.entry, line.refund
    names = refund.details if refund else names_of(line.link)
    is_refund = entry.kind is EntryKind.REFUND
    cells = {
        "Transaction ID": entry.id,
        "Invoice ID": names.get("invoice_id"),
        "PayPal Reference ID": entry.payment_id if is_refund else line.link.id,
        "PayPal Reference ID Type": "TXN" if is_refund else "ODR",
        "Transaction Event Code": CODES[entry.kind],
        "Transaction Initiation Date": local_time(entry.created_at),
        "Transaction Completion Date": local_time(line.settlement.created_at),
        "Transaction Debit or Credit": "DR" if entry.debit else "CR",
        "Gross Transaction Amount": f"{entry.amount}",
        "Gross Transaction Currency": entry.currency,
        "Fee Debit or Credit": "DR",
        "Fee Amount": f"{entry.fee + entry.tax}",
        "Fee Currency": entry.currency,
        "Custom Field": names.get("custom_id"),
    }
    return [cells.get(name) or "" for name in COLUMNS]


def local_time(at: float) -> str:
    return datetime.fromtimestamp(at, PACIFIC).strftime("%Y/%m/%d %H:%M:%S %z")


def csv_line(values: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(values)
    return line.getvalue()
