"""Lists a page at a time, the newest first."""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from simulator.razorpay.errors import RazorpayError
from simulator.statement import Period

EARLIEST, LATEST = 946684800, 4765046400


class Dated(Protocol):
    @property
    def created_at(self) -> float: ...


T = TypeVar("T", bound=Dated)


def page(items: Iterable[T], query: Mapping[str, str]) -> list[T]:
    """Take `count` (10, at most 100) after `skip` of those made `from` .. `to`, in Unix seconds.

    `items` come oldest first.
    """
    count, skip = counted(query, most=100)
    asked = period(query)
    chosen = [item for item in items if asked.since <= item.created_at < asked.until]
    return chosen[::-1][skip : skip + count]


def period(query: Mapping[str, str]) -> Period:
    """From `from` to `to`, the whole second of both included."""
    since, until = number(query, "from", EARLIEST), number(query, "to", LATEST)
    for name, at in (("from", since), ("to", until)):
        if not EARLIEST <= at <= LATEST:
            raise RazorpayError(f"{name} must be between {EARLIEST} and {LATEST}.", field=name)
    return Period(since, until + 1)


def counted(query: Mapping[str, str], most: int) -> tuple[int, int]:
    """How many to show, and how many to skip before."""
    count, skip = number(query, "count", 10), number(query, "skip", 0)
    if count < 1:
        raise RazorpayError("The count must be at least 1.", field="count")
    if count > most:
        raise RazorpayError(f"The count may not be greater than {most}.", field="count")
    return count, skip


def number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not text.isdecimal():
        raise RazorpayError(f"The {name} must be an integer.", field=name)
    return int(text)
