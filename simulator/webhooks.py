"""Delivers events until the merchant says 2xx: at least once, each link's in order."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from simulator.alarm import Clock
from simulator.dialect import Dialect
from simulator.outbox import Delivery, Outbox
from simulator.records import Event

GIVE_UP_AFTER = 24 * 3600.0
TIMEOUT = 5.0
MOST_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds to wait after the nth failed try: base, twice that, ..., never above the limit."""

    base: float
    limit: float

    def after(self, attempt: int) -> float:
        return float(min(self.base * 2 ** min(attempt - 1, 40), self.limit))


class WebhookSender:
    def __init__(
        self,
        outbox: Outbox,
        dialects: Mapping[str, Dialect],
        backoff: Backoff,
        clock: Clock,
    ) -> None:
        self._outbox, self._dialects = outbox, dialects
        self._backoff, self._clock = backoff, clock
        self._client = httpx.AsyncClient(
            trust_env=False,
            timeout=None,
            limits=httpx.Limits(max_keepalive_connections=MOST_AT_ONCE),
        )
        self._busy: set[str] = set()

    async def run(self) -> None:
        """Send whatever is due, for ever; what a kill interrupts is sent again by the next run."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._outbox.alarm.sleep_until(self._start_due(tasks))

    def _start_due(self, tasks: asyncio.TaskGroup) -> float | None:
        """Start a task for each link with something due; return when the next one will be."""
        for link_id, due_at in self._outbox.queues():
            if len(self._busy) >= MOST_AT_ONCE:
                return None
            if due_at > self._clock():
                return due_at
            if link_id not in self._busy:
                self._busy.add(link_id)
                tasks.create_task(self._empty(link_id))
        return None

    async def _empty(self, link_id: str) -> None:
        try:
            while delivery := self._outbox.next_delivery(link_id, self._clock()):
                await self._deliver(delivery)
        finally:
            self._busy.discard(link_id)
            self._outbox.alarm.ring()

    async def _deliver(self, delivery: Delivery) -> None:
        event = delivery.event
        status = await self.post(event)
        now = self._clock()
        done = status is not None and 200 <= status < 300
        too_old = now - event.created_at > GIVE_UP_AFTER
        retry_at = None if done or too_old else now + self._backoff.after(delivery.attempts + 1)
        self._outbox.record(delivery, status, now, retry_at)

    async def post(self, event: Event) -> int | None:
        """Return the merchant's status, or None if there was no answer in time.

        It is signed now: some gateways sign the time of each try.
        """
        dialect = self._dialects[event.dialect]
        url = dialect.webhook_url
        if url is None:
            return None
        headers = dialect.webhook_headers(event.id, event.body, forged=not event.genuine)
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._client.post(url, content=event.body, headers=headers)
                return answer.status_code
        except (httpx.HTTPError, TimeoutError):
            return None

    async def close(self) -> None:
        await self._client.aclose()
