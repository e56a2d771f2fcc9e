"""When to ask, and for how long: the settings of a checkout as values."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True)
class Timetable:
    """When a checkout asks its gateway.

    `window` is the business deadline for paying. With no word at all, the gateway is asked after
    each of `quiet_delays`; after a hint, after each of `hint_delays`; but at most
    `queries_in_window` times before the deadline. After it, the pauses grow up to `slowest`.
    """

    window: timedelta = timedelta(minutes=15)
    hint_delays: tuple[timedelta, ...] = tuple(timedelta(seconds=s) for s in (0, 2, 5, 10, 20))
    quiet_delays: tuple[timedelta, ...] = tuple(timedelta(minutes=m) for m in (2, 5, 10))
    queries_in_window: int = 6
    slowest: timedelta = timedelta(hours=6)

    def quiet_asks(self, opened_at: datetime) -> list[datetime]:
        return [opened_at + delay for delay in self.quiet_delays]

    def hinted_asks(self, hinted_at: datetime) -> list[datetime]:
        return [hinted_at + delay for delay in self.hint_delays]

    def pause(self, in_doubt: timedelta) -> timedelta:
        """How long to wait when the end has been in doubt for so long: as long again."""
        first = min(FIRST_PAUSE, self.window / 4)
        return min(max(in_doubt, first), self.slowest)
