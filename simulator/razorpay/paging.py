"""Lists a page at a time, the newest first."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from simulator.razorpay.errors import RazorpayError


class Dated(Protocol):
    @property
    def created_at(self) -> float: ...


T = TypeVar("T", bound=Dated)


def page(items: Sequence[T], query: Mapping[str, str]) -> list[T]:
    """Take `count` (10, at most 100) after `skip` of those made `from` .. `to`, in Unix seconds."""
    count, skip = number(query, "count", 10), number(query, "skip", 0)
    if count < 1:
        raise RazorpayError("The count must be at least 1.", field="count")
    if count > 100:
        raise RazorpayError("The count may not be greater than 100.", field="count")
    since, until = number(query, "from", 0), number(query, "to", 2**40)
    chosen = [item for item in reversed(items) if since <= int(item.created_at) <= until]
    return chosen[skip : skip + count]


def number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not text.isdecimal():
        raise RazorpayError(f"The {name} must be an integer.", field=name)
    return int(text)
