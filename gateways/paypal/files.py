"""PayPal's settlement report, as it lies on its SFTP server: CSV with a kind of row in front.

Amounts are whole minor units without a sign; DR or CR stands in a column of its own. Source:
https://developer.paypal.com/docs/reports/sftp-reports/settlement-report.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from domain.errors import FileRefused
from domain.settlements import START, Chunk, Entry, EntryKind
from gateways.bodies import malformed_is
from gateways.paypal.account import NAME, Account
from gateways.paypal.entries import TRANSACTION, kind_of, status_of

COLUMNS = (
    "Transaction ID",
    "Invoice ID",
    "PayPal Reference ID",
    "PayPal Reference ID Type",
    "Transaction Event Code",
    "Transaction Initiation Date",
    "Transaction Completion Date",
    "Transaction Debit or Credit",
    "Gross Transaction Amount",
    "Gross Transaction Currency",
    "Fee Debit or Credit",
    "Fee Amount",
    "Fee Currency",
    "Custom Field",
)
CREDIT, DEBIT = "CR", "DR"
HEAD, COLUMN_HEAD, BODY, COUNT, FOOT = "RH", "CH", "SB", "RC", "FF"
OTHERS = {"FH", "SH", "SF", "SC", "RF"}
LONGEST_LINE = 65_536
ROWS_AT_ONCE = 2_000


@dataclass
class Place:
    """The next byte and line, and how many rows there were before it."""

    offset: int = 0
    line: int = 0
    rows: int = 0

    @classmethod
    def of(cls, cursor: str) -> "Place":
        return cls() if cursor == START else cls(*map(int, cursor.split("/")))

    def __str__(self) -> str:
        return f"{self.offset}/{self.line}/{self.rows}"


class Files(Account):
    """What PayPal puts down once a day."""

    def read_file(self, file: BinaryIO, cursor: str) -> Iterator[Chunk]:
        place, entries = Place.of(cursor), list[Entry]()
        file.seek(place.offset)
        while raw := file.readline(LONGEST_LINE):
            place.line, place.offset = place.line + 1, place.offset + len(raw)
            kind, *cells = cells_of(raw, place.line)
            if kind == BODY:
                place.rows += 1
                entries.append(entry_of(cells, place))
            elif kind == FOOT and cells and cells[0].isdecimal():
                yield Chunk(entries, str(place), is_last=True)
                return
            else:
                check_row(kind, cells, place)
            if len(entries) == ROWS_AT_ONCE:
                yield Chunk(entries, str(place))
                entries = []
        raise FileRefused("the file ends before its footer", place.line)


def cells_of(raw: bytes, line: int) -> list[str]:
    if len(raw) == LONGEST_LINE:
        raise FileRefused("a line without an end", line)
    with malformed_is(FileRefused("not CSV in UTF-8", line)):
        kind, *cells = next(csv.reader([raw.decode("utf-8-sig" if line == 1 else "utf-8")]))
    return [kind, *(cell.strip() for cell in cells)]


def check_row(kind: str, cells: list[str], place: Place) -> None:
    """Heads and feet: the file begins as a report, has the columns we know, and loses no row."""
    if place.line == 1 and kind != HEAD:
        raise FileRefused("not a report of PayPal's", place.line)
    if kind == COLUMN_HEAD and tuple(cells[: len(COLUMNS)]) != COLUMNS:
        raise FileRefused("other columns than those of a settlement report", place.line)
    if kind == COUNT and cells[:1] != [str(place.rows)]:
        raise FileRefused(f"{place.rows} rows came, and its footer counts others", place.line)
    if kind not in {HEAD, COLUMN_HEAD, COUNT} | OTHERS:
        raise FileRefused("a kind of row that is not known", place.line)


def entry_of(cells: list[str], place: Place) -> Entry:
    """What is settled is final: nothing pending and nothing failed is in these files."""
    with malformed_is(FileRefused("a row that does not read", place.line)):
        return _entry(dict(zip(COLUMNS, cells, strict=False)), place.rows)


def _entry(row: dict[str, str], position: int) -> Entry:
    sign = row["Transaction Debit or Credit"]
    if sign not in (CREDIT, DEBIT):
        raise ValueError("neither debit nor credit")
    kind = kind_of(row["Transaction Event Code"], is_credit=sign == CREDIT)
    is_of = kind is EntryKind.REFUND and row["PayPal Reference ID Type"] == TRANSACTION
    return Entry(
        position=position,
        kind=kind,
        reference=_needed(row["Transaction ID"]),
        payment_reference=(row["PayPal Reference ID"] or None) if is_of else None,
        order_reference=(row["Invoice ID"] or None) if kind is EntryKind.PAYMENT else None,
        our_id=row["Custom Field"] or None,
        status=status_of(kind, "S"),
        amount_minor=_whole(row["Gross Transaction Amount"]),
        currency=_needed(row["Gross Transaction Currency"]),
        fee_minor=_whole(row["Fee Amount"] or "0"),
        tax_minor=None,
        method=NAME if kind is EntryKind.PAYMENT else None,
        settlement_id=None,
        occurred_at=_moment(row["Transaction Initiation Date"]),
        settled_at=_moment(row["Transaction Completion Date"]),
    )


def _whole(text: str) -> int:
    """Without sign and decimals: whatever has either is of another kind of report."""
    if not (text.isascii() and text.isdecimal()):
        raise ValueError("not minor units")
    return int(text)


def _moment(text: str) -> int:
    return int(datetime.strptime(text, "%Y/%m/%d %H:%M:%S %z").timestamp())


def _needed(text: str) -> str:
    if not text:
        raise ValueError("an empty cell")
    return text
