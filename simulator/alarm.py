"""Sleep until a moment that may move closer."""

import asyncio
import time
from collections.abc import Callable

Clock = Callable[[], float]

# The wall clock can jump, as on a laptop that slept; a longer nap would not notice.
LONGEST_NAP = 30.0


class Alarm:
    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def sleep_until(self, due: float | None) -> None:
        """Return at `due` (Unix seconds), when rung, or after a while anyway."""
        nap = LONGEST_NAP if due is None else min(max(due - self._clock(), 0), LONGEST_NAP)
        try:
            async with asyncio.timeout(nap):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()
