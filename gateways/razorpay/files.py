"""Razorpay's settlement report as its dashboard gives it out: CSV, one line per payment or refund.

No public page of Razorpay's shows the file; the names of the columns are those of files that
merchants have published. Columns are found by name, so their order does not matter.
"""

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from domain.errors import FileRefused
from domain.settlements import Chunk
from gateways.razorpay.rows import Rows

BLOCK = 4 * 1024 * 1024
LONGEST_LINE = 1024 * 1024


@dataclass(frozen=True)
class Block:
    """Whole rows of the file, as bytes, and where they stand; `line` counts from 1."""

    data: bytes
    offset: int
    line: int

    @property
    def end(self) -> int:
        return self.offset + len(self.data)

    @property
    def next_line(self) -> int:
        return self.line + self.data.count(b"\n")

    @property
    def lines(self) -> Iterator[str]:
        """The text, line by line; a carriage return stays what it is."""
        try:
            self.data.decode()
        except UnicodeDecodeError as error:
            raise FileRefused("not UTF-8", self.line_at(error.start)) from None
        if b"\0" in self.data:
            raise FileRefused("a NUL", self.line_at(self.data.index(b"\0")))
        # Decoded one by one: a text in memory would take four bytes for each letter.
        return map(bytes.decode, io.BytesIO(self.data))

    def line_at(self, index: int) -> int:
        return self.line + self.data.count(b"\n", 0, index)


def chunks(file: BinaryIO, cursor: str) -> Iterator[Chunk]:
    """Rows from the cursor on. It is the byte and the line that come next: `<byte>:<line>`."""
    size = file.seek(0, os.SEEK_END)
    first = header(file, size)
    rows = Rows(columns_of(first))
    offset, line = place_of(cursor or f"{first.end}:{first.next_line}")
    while True:
        block = block_at(file, offset, line, size, BLOCK)
        entries = rows.entries(csv.reader(block.lines, strict=True), line)
        offset, line = block.end, block.next_line
        yield Chunk(entries, f"{offset}:{line}", is_last=offset == size)
        if offset == size:
            return


def place_of(cursor: str) -> tuple[int, int]:
    offset, _, line = cursor.partition(":")
    return int(offset), int(line)


def header(file: BinaryIO, size: int) -> Block:
    if not size:
        raise FileRefused("an empty file", 1)
    return block_at(file, 0, 1, size, 1)


def columns_of(first: Block) -> list[str]:
    try:
        (names,) = csv.reader(first.lines, strict=True)
    except (csv.Error, ValueError):
        raise FileRefused("not a line of columns", 1) from None
    return [name.removeprefix("\ufeff").strip().lower() for name in names]


def block_at(file: BinaryIO, offset: int, line: int, size: int, least: int) -> Block:
    """At least so many bytes, up to the end of a row: a quoted field may go over several lines."""
    file.seek(offset)
    data = file.read(min(least, size - offset))
    data += line_of(file, data)
    while data.count(b'"') % 2:
        more = file.readline(LONGEST_LINE)
        if not more or len(data) > least + 2 * LONGEST_LINE:
            raise FileRefused("a quote that is not closed", unclosed(Block(data, offset, line)))
        data += more
    block = Block(data, offset, line)
    if data and not data.endswith(b"\n"):
        what = "cut off, without an end of line" if block.end == size else "a line without an end"
        raise FileRefused(what, block.next_line)
    return block


def line_of(file: BinaryIO, before: bytes) -> bytes:
    """What is left of the line that the bytes end in."""
    return b"" if before.endswith(b"\n") else file.readline(LONGEST_LINE)


def unclosed(block: Block) -> int:
    """The line at which the row begins whose quote is not closed."""
    reader = csv.reader(block.lines, strict=True)
    line = block.line
    try:
        for _ in reader:
            line = block.line + reader.line_num
    except csv.Error:
        pass
    return line
