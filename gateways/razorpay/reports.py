"""Razorpay's transaction files and report API: the same facts, told twice.

The file counts in rupees and its fees are without tax; the API counts in paise, tax included.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import BinaryIO

from domain.errors import FileRefused
from domain.reconciliations import Period
from domain.settlements import START, Chunk, Entry, Report, SettlementTotal
from gateways.bodies import malformed_is, text
from gateways.razorpay import files
from gateways.razorpay.account import Account, items_of
from gateways.razorpay.listings import Listing, Told, listings

MOST_TRIES = 5
THE_END = "end"


@dataclass(frozen=True)
class Place:
    """How far a report is read: `rows` in all, and of the list at hand `seen`, up to `last`."""

    listing: str
    seen: int = 0
    last: str = ""
    tries: int = 1
    rows: int = 0

    @classmethod
    def of(cls, cursor: str) -> "Place":
        listing, seen, tries, rows, last = cursor.split("/", 4)
        return cls(listing, int(seen), last, int(tries), int(rows))

    def __str__(self) -> str:
        return f"{self.listing}/{self.seen}/{self.tries}/{self.rows}/{self.last}"


class Reports(Account):
    """What Razorpay lists of its own accord."""

    def read_file(self, file: BinaryIO, cursor: str) -> Iterator[Chunk]:
        return files.chunks(file, cursor)

    async def read_report(
        self, report: Report, period: Period, cursor: str
    ) -> AsyncIterator[Chunk]:
        """One list after the other, each until a page brings nothing new.

        Every page is asked for so that it begins with the last item of the page before. If it
        does not, the list has moved meanwhile, and is read again from its beginning: rows that
        come twice do no harm, and a list that was read without a move is whole.
        """
        lists = listings(report, period)
        by_name = {each.name: each for each in lists}
        following = dict(pairwise([*by_name, THE_END]))
        place = Place(lists[0].name) if cursor == START else Place.of(cursor)
        while place.listing != THE_END:
            told, onward = await self._page(by_name[place.listing], place)
            place = onward or Place(following[place.listing], rows=place.rows)
            yield chunk_of(told, place)

    async def _page(self, listing: Listing, place: Place) -> tuple[list[Told], Place | None]:
        """What is new on the page, and where to go on in this list; None if it is read."""
        skip = max(place.seen - 1, 0)
        page = {"count": str(listing.count), "skip": str(skip)}
        answer = await self._http.get(listing.path, query=listing.query | page)
        with malformed_is(answer.failure):
            items = items_of(answer.body)
            names = [text(item, listing.named) for item in items]
            if place.last and names[:1] != [place.last]:
                return [], begun_again(place)
            fresh = items[1:] if place.last else items
            if not fresh:
                return [], None
            told = [listing.told(item, place.rows + at) for at, item in enumerate(fresh, 1)]
        seen, rows = skip + len(items), place.rows + len(fresh)
        return [each for each in told if each], replace(place, seen=seen, last=names[-1], rows=rows)


def begun_again(place: Place) -> Place:
    if place.tries == MOST_TRIES:
        raise FileRefused(f"the list of {place.listing} moved whenever it was read")
    return Place(place.listing, tries=place.tries + 1, rows=place.rows)


def chunk_of(told: list[Told], place: Place) -> Chunk:
    return Chunk(
        [each for each in told if isinstance(each, Entry)],
        str(place),
        tuple(each for each in told if isinstance(each, SettlementTotal)),
        is_last=place.listing == THE_END,
    )
