"""How often somebody may call: counted by key or by address, in the memory of this process."""

from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from time import monotonic

MINUTE = 60.0


class SlidingMinute:
    """How many calls each caller made within the last minute.

    It is this minute's calls, and of those of the minute before the share that is not yet past,
    as if they had come evenly: two numbers for each caller, and none after two minutes.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._began = clock, clock()
        self._before: Counter[str] = Counter()
        self._now: Counter[str] = Counter()

    def take(self, caller: str, most: int) -> int:
        """Count a call, and answer 0; or, if it is one too many, in how many seconds it is not.

        `most` is for a minute; with 0 nobody is ever told to wait.
        """
        past = self._turned()
        before, now = self._before[caller], self._now[caller]
        if not most or now + 1 + before * (1 - past / MINUTE) <= most:
            self._now[caller] += 1
            return 0
        room = most - 1 - now
        if room >= 0:
            return ceil(MINUTE * (1 - room / before) - past) or 1
        return ceil(MINUTE - past + MINUTE * (1 - (most - 1) / now)) or 1

    def _turned(self) -> float:
        """Seconds of this minute that are past, after turning to the one that it is now."""
        past = self._clock() - self._began
        if past >= MINUTE:
            self._before = self._now if past < 2 * MINUTE else Counter()
            self._now = Counter()
            self._began += past // MINUTE * MINUTE
        return past % MINUTE


def place_of(address: str) -> str:
    """Who is behind an address: with IPv6 everybody has a whole network of them."""
    try:
        given = ip_address(address)
    except ValueError:
        return address
    if not isinstance(given, IPv6Address):
        return address
    if given.ipv4_mapped:
        return str(given.ipv4_mapped)
    return str(ip_network((given.packed, 64), strict=False))
