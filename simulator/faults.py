"""Misbehaviour on demand, per link. A fault is set under any name of a link, also before it exists.

The first call that carries two names, as a create does (our order, our reference), teaches the
fault the other one; so later calls that know only a reference or a link id are recognised.
"""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from simulator.alarm import Clock
from simulator.records import Json

AnswerCounter = Literal["lost_create_answer", "lost_capture_answer", "lost_refund_answer"]


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The next `times` calls are answered 429, with Retry-After in seconds."""

    times: int
    retry_after: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFaults:
    """What files and reports get wrong about one kind of row; amounts are in minor units."""

    left_out: bool = False
    twice: bool = False
    amount: int | None = None
    currency: str | None = None

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    @property
    def copies(self) -> int:
        return 0 if self.left_out else 1 + self.twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """All off by default. Durations are seconds, counters go down as they are used up."""

    no_callback: bool = False
    no_webhook: bool = False
    duplicate_webhooks: int = 0
    late_webhook: float = 0
    shuffled_webhooks: bool = False
    wrong_amount: int | None = None
    wrong_webhook_signature: bool = False
    wrong_callback_signature: bool = False
    lost_create_answer: int = 0
    lost_capture_answer: int = 0
    lost_refund_answer: int = 0
    refund_pending: bool = False
    refund_fails: bool = False
    refund_refused: Literal["balance"] | None = None
    server_errors: int = 0
    rate_limited: RateLimit | None = None
    slow: float = 0
    unavailable_for: float = 0
    payment_rows: RowFaults | None = None
    refund_rows: RowFaults | None = None

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        limit = self.rate_limited or RateLimit(0)
        limits = (limit.times, limit.retry_after)
        numbers = (self.duplicate_webhooks, self.late_webhook, self.slow, self.server_errors)
        lost = (self.lost_create_answer, self.lost_capture_answer, self.lost_refund_answer)
        more = (*lost, self.unavailable_for)
        if any(number < 0 for number in (*numbers, *more, *limits)):
            raise ValueError("counts and durations are not negative")


PARTS = {"rate_limited": RateLimit, "payment_rows": RowFaults, "refund_rows": RowFaults}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP status to answer with instead of doing what was asked."""

    status: int
    retry_after: int | None = None


class FaultBook:
    def __init__(self, db: sqlite3.Connection, clock: Clock) -> None:
        self._db, self._clock = db, clock

    def put(self, names: Sequence[str], faults: Faults) -> None:
        """Replace whatever was set under any of `names`; clocks start anew."""
        name = self.name_of(names) or names[0]
        self._db.execute(
            "INSERT INTO faults VALUES (?, ?, NULL) ON CONFLICT (name)"
            " DO UPDATE SET settings = excluded.settings, first_call_at = NULL",
            (name, dumped(faults)),
        )
        self._learn([name, *names], name)

    def clear(self, names: Sequence[str]) -> None:
        self._db.execute("DELETE FROM faults WHERE name = ?", (self.name_of(names),))

    def of(self, names: Sequence[str]) -> Faults:
        row = self._row(names)
        return loaded(row["settings"]) if row else Faults()

    def name_of(self, names: Sequence[str]) -> str | None:
        """The name the fault was set under, given any other."""
        row = self._row(names)
        return row["name"] if row else None

    async def on_call(self, names: Sequence[str]) -> Refusal | None:
        """Be slow, and say whether this API call is to be refused."""
        row = self._row(names)
        if row is None:
            return None
        self._learn(names, row["name"])
        await asyncio.sleep(loaded(row["settings"]).slow)
        return self._refusal(names)

    def loses_answer(self, names: Sequence[str], counter: AnswerCounter) -> bool:
        """Whether the answer to this call is to be lost; uses up one."""
        faults = self.of(names)
        left: Json = {counter: getattr(faults, counter) - 1}
        if left[counter] < 0:
            return False
        self._save(names, replace(faults, **left))
        return True

    def _refusal(self, names: Sequence[str]) -> Refusal | None:
        faults = self.of(names)
        if faults.unavailable_for and self._is_down(names, faults.unavailable_for):
            return Refusal(503)
        limit = faults.rate_limited
        if limit and limit.times:
            self._save(names, replace(faults, rate_limited=replace(limit, times=limit.times - 1)))
            return Refusal(429, limit.retry_after)
        if faults.server_errors:
            self._save(names, replace(faults, server_errors=faults.server_errors - 1))
            return Refusal(500)
        return None

    def _is_down(self, names: Sequence[str], seconds: float) -> bool:
        row, now = self._row(names), self._clock()
        if row is None:
            return False
        if row["first_call_at"] is None:
            self._db.execute(
                "UPDATE faults SET first_call_at = ? WHERE name = ?", (now, row["name"])
            )
        return now < (row["first_call_at"] or now) + seconds

    def _row(self, names: Sequence[str]) -> sqlite3.Row | None:
        marks = ", ".join("?" for _ in names)
        query = f"SELECT * FROM faults NATURAL JOIN fault_names WHERE alias IN ({marks})"
        row: sqlite3.Row | None = self._db.execute(query, tuple(names)).fetchone()
        return row

    def _learn(self, names: Sequence[str], name: str) -> None:
        rows = [(alias, name) for alias in names]
        self._db.executemany("INSERT OR IGNORE INTO fault_names VALUES (?, ?)", rows)

    def _save(self, names: Sequence[str], faults: Faults) -> None:
        values = (dumped(faults), self.name_of(names))
        self._db.execute("UPDATE faults SET settings = ? WHERE name = ?", values)


def dumped(faults: Faults) -> str:
    return json.dumps(asdict(faults))


def loaded(settings: str) -> Faults:
    values = json.loads(settings)
    for name, kind in PARTS.items():
        values[name] = kind(**values[name]) if values[name] else None
    return Faults(**values)
