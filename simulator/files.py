"""Files for the merchant, as no gateway's dialect knows them: what may go wrong on their way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice

from fastapi import HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt

from simulator.statement import Period

LINES_AT_ONCE = 500
FOREVER = 2.0**40


class FileRequest(BaseModel):
    """`from` and `to` are Unix seconds, both within the period. The rest is to go wrong:

    `cut` breaks the file off in the middle of its last line, `strangers` adds that many lines about
    payments that nobody made, and until `not_before` (Unix seconds) there is no file at all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: NonNegativeFloat = Field(0, alias="from")
    to: NonNegativeFloat = FOREVER
    cut: bool = False
    strangers: NonNegativeInt = 0
    not_before: NonNegativeFloat = 0

    @property
    def period(self) -> Period:
        return Period(self.since, self.to + 1)


def file_response(
    name: str, lines: Iterator[str], wish: FileRequest, now: float
) -> StreamingResponse:
    """Send the lines a few at a time. Raise a 404 while the file is late."""
    if now < wish.not_before:
        raise HTTPException(404, f"{name} is not there yet")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    sent = cut_off(lines) if wish.cut else lines
    return StreamingResponse(
        in_parcels(sent), media_type="text/csv; charset=utf-8", headers=headers
    )


def cut_off(lines: Iterator[str]) -> Iterator[str]:
    """All but the second half of the last line."""
    held = next(lines, "")
    for line in lines:
        yield held
        held = line
    yield held[: len(held) // 2]


async def in_parcels(lines: Iterator[str]) -> AsyncIterator[str]:
    """Let others have their turn between parcels: the ledger is read on the one thread there is."""
    while parcel := "".join(islice(lines, LINES_AT_ONCE)):
        yield parcel
        await asyncio.sleep(0)
