"""The rows of Razorpay's CSV: rupees with decimals, fees without their tax, times of India.

A file has millions of them, so they are taken column by column, without a loop of our own over
the rows; only when something is wrong are they gone through, to find the line.
"""

import csv
import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, islice, repeat
from operator import add, itemgetter, mul, sub
from typing import Protocol

from domain.errors import FileRefused
from domain.payments import PaymentStatus
from domain.refunds import RefundStatus
from domain.settlements import Entry, EntryKind
from gateways.bodies import Json, parsed
from gateways.razorpay.account import noted
from gateways.razorpay.refunds import our_id
from gateways.razorpay.texts import Currencies, Moments

# Columns in which each row has an amount of its own, and those where amounts come again.
MANY = ("amount", "credit")
FEW = ("fee (exclusive tax)", "tax", "debit")
NOTES = ("order_notes", "payment_notes", "refund_notes")
COLUMNS = (
    *("transaction_entity", "entity_id", "currency", *MANY, *FEW),
    *("payment_method", "order_receipt"),
    *("settlement_id", "entity_created_at", "settled_at"),
)
PAYMENT, REFUND, OTHER = EntryKind.PAYMENT, EntryKind.REFUND, EntryKind.OTHER
KINDS = {"payment": PAYMENT, "refund": REFUND}
STATUSES = {
    PAYMENT: PaymentStatus.CAPTURED.value,
    REFUND: RefundStatus.SUCCEEDED.value,
    OTHER: PaymentStatus.UNKNOWN.value,
}
SIGNS = {PAYMENT: 1, REFUND: -1, OTHER: 1}
LONGEST_NAME = 64
# Few enough to stay in the processor's cache, which halves the time of all that follows.
AT_ONCE = 500

Columns = dict[str, list[str]]


class Reader(Protocol):
    """`csv.reader`; it knows how many lines it has read."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


class Rows:
    """Makes entries of the rows of a file that has these columns, in this order.

    Raises `FileRefused` if one is missing, or there twice; others are read past.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._width = len(columns)
        self._at = {name: column_of(name, columns) for name in COLUMNS}
        self._notes = itemgetter(*(column_of(name, columns) for name in NOTES))
        self._currencies, self._moments = Currencies(), Moments()

    def entries(self, reader: Reader, first: int) -> list[Entry]:
        """All that the reader has, the first row on the line `first`; a position is a line.

        Raises `FileRefused` with the line on which the row begins that is not as it must be.
        """
        entries: list[Entry] = []
        self._currencies.forget()
        self._moments.forget()
        with uncollected():
            while some := self._some(reader, first):
                entries += some
        return entries

    def _some(self, reader: Reader, start: int) -> list[Entry]:
        """The next few of a reader that began on the line `start`."""
        first = start + reader.line_num
        rows: list[list[str]] = []
        try:
            rows.extend(islice(reader, AT_ONCE))
        except csv.Error as error:
            raise FileRefused(str(error), lines_of(rows, first)[-1]) from error
        lines: Sequence[int] = range(first, start + reader.line_num)
        if len(lines) != len(rows):
            lines = lines_of(rows, first)[:-1]
        try:
            return self._entries(rows, lines) if rows else []
        except ValueError as error:
            for row, line in zip(rows, lines, strict=True):
                self._alone(row, line)
            raise FileRefused(str(error), first) from error

    def _alone(self, row: list[str], line: int) -> None:
        try:
            self._entries([row], [line])
        except ValueError as error:
            raise FileRefused(str(error), line) from error

    def _entries(self, rows: list[list[str]], lines: Sequence[int]) -> list[Entry]:
        if set(map(len, rows)) != {self._width}:
            raise ValueError(f"{len(rows[0])} columns instead of {self._width}")
        column = {name: list(map(itemgetter(at), rows)) for name, at in self._at.items()}
        kinds = list(map(KINDS.get, map(str.lower, column["transaction_entity"]), repeat(OTHER)))
        amounts, fees, taxes = self._sums(column, kinds)
        made = self._moments.seconds(column["entity_created_at"])
        settled = self._moments.repeated(column["settled_at"])
        columns = zip(
            lines,
            kinds,
            named(column["entity_id"]),
            repeat(None),
            or_none(column["order_receipt"]),
            self._our_ids(kinds, column["order_receipt"], rows),
            map(STATUSES.__getitem__, kinds),
            amounts,
            column["currency"],
            fees,
            taxes,
            or_none(column["payment_method"]),
            or_none(column["settlement_id"]),
            present(made),
            settled,
        )
        # What a named tuple does when it is called, without the detour through its own function.
        return list(map(tuple.__new__, repeat(Entry), columns))

    def _our_ids(
        self, kinds: list[EntryKind], receipts: list[str], rows: list[list[str]]
    ) -> list[str | None]:
        """Out of the notes; those of payments only where nothing else leads to the order."""
        ids: list[str | None] = [None] * len(rows)
        for index, kind in enumerate(kinds):
            if kind is not PAYMENT or not receipts[index]:
                ids[index] = our_id_in(kind, *self._notes(rows[index]))
        return ids

    def _sums(
        self, column: Columns, kinds: list[EntryKind]
    ) -> tuple[list[int], list[int], list[int]]:
        """Amounts, fees and taxes. What is no payment and no refund has the amount that it adds.

        Raises `ValueError` unless each row adds its amount to the balance, less fee and tax.
        """
        currencies = column["currency"]
        amounts, credits = (self._currencies.minor(column[name], currencies) for name in MANY)
        fees, taxes, debits = (self._currencies.known(column[name], currencies) for name in FEW)
        added = list(map(add, map(sub, credits, debits), map(add, fees, taxes)))
        if OTHER in kinds:
            told = zip(kinds, amounts, added, strict=True)
            amounts = [gain if kind is OTHER else amount for kind, amount, gain in told]
        if added != list(map(mul, amounts, map(SIGNS.__getitem__, kinds))):
            raise ValueError("debit and credit do not follow from amount, fee and tax")
        if min(amounts) <= 0:
            check_positive(kinds, amounts)
        return amounts, fees, taxes


@contextmanager
def uncollected() -> Iterator[None]:
    """What is made of rows has no circles, and looking for some takes a quarter of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            # Old at once: or the next look for circles would go through all that was made here.
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def column_of(name: str, columns: Sequence[str]) -> int:
    if columns.count(name) != 1:
        raise FileRefused(f"{'two columns' if name in columns else 'no column'} {name!r}", 1)
    return columns.index(name)


def lines_of(rows: list[list[str]], first: int) -> list[int]:
    """On which line each row begins, and the one that would follow."""
    return list(accumulate((1 + "".join(row).count("\n") for row in rows), initial=first))


def named(ids: list[str]) -> list[str]:
    lengths = set(map(len, ids))
    if min(lengths) < 1 or max(lengths) > LONGEST_NAME:
        raise ValueError("an entity without an id")
    return ids


def check_positive(kinds: list[EntryKind], amounts: list[int]) -> None:
    rows = zip(kinds, amounts, strict=True)
    if any(amount <= 0 and kind is not OTHER for kind, amount in rows):
        raise ValueError("a payment or refund of nothing")


def present(moments: list[int | None]) -> list[int | None]:
    if None in moments:
        raise ValueError("an entity without a time")
    return moments


def or_none(words: list[str]) -> list[str | None]:
    return [word or None for word in words] if "" in words else [*words]


def our_id_in(kind: EntryKind, order: str, payment: str, refund: str) -> str | None:
    if kind is REFUND:
        return our_id({"notes": notes_in(refund)})
    names = (noted({"notes": notes_in(each)}, "order_id") for each in (order, payment))
    return next(filter(None, names), None) if kind is PAYMENT else None


def notes_in(text: str) -> Json:
    """The notes, if they are readable."""
    try:
        return parsed(text.encode())
    except ValueError:
        return {}
