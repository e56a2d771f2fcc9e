"""Tells the merchant what happened: events into the outbox, as the link's faults would have it."""

from collections.abc import Mapping
from dataclasses import replace

from simulator.books import Books
from simulator.dialect import Dialect, Notice
from simulator.faults import Faults
from simulator.records import (
    Event,
    Happening,
    Link,
    LinkStatus,
    Method,
    News,
    Payment,
    PaymentStatus,
)


class Announcer:
    def __init__(self, books: Books, dialects: Mapping[str, Dialect]) -> None:
        self._books, self._dialects = books, dialects

    def announce(self, *batch: News) -> None:
        """Tell all of one link's news at once. Call within the transaction that made it happen."""
        link = batch[-1].link
        dialect, faults = self._dialects[link.dialect], self._books.faults.of(link.names)
        payments = self._books.ledger.payments(link_id=link.id)
        forged = faults.wrong_webhook_signature
        events = [
            self._event(news, notice, forged=forged)
            for news in batch
            for notice in dialect.notices(news, payments)
        ]
        for event in events:
            self._books.outbox.add(event)
        if dialect.webhook_url and not faults.no_webhook:
            self._send(events, faults)

    def forge(self, link: Link, name: str | None) -> Event:
        """Make up a webhook about a capture that never was, signed with a wrong secret.

        `name` is one of the dialect's events, by default the one that says the link is paid.
        Raise `LookupError` if a capture fires no such event.
        """
        now, dialect = self._books.clock(), self._dialects[link.dialect]
        order_id = link.gateway_order_id or dialect.new_id("order")
        link = replace(link, status=LinkStatus.PAID, gateway_order_id=order_id, updated_at=now)
        payment = Payment(
            id=dialect.new_id("payment"),
            link_id=link.id,
            amount=link.amount,
            currency=link.currency,
            method=Method.CARD,
            status=PaymentStatus.CAPTURED,
            captured_at=now,
            created_at=now,
            updated_at=now,
        )
        batch = captured_at_once(link, payment)
        notices = [notice for news in batch for notice in dialect.notices(news, [payment])]
        chosen = [notice for notice in notices if name in (None, notice.name)]
        if not chosen:
            raise LookupError(name)
        return self._event(batch[-1], chosen[-1], forged=True)

    def _event(self, news: News, notice: Notice, *, forged: bool) -> Event:
        dialect = self._dialects[news.link.dialect]
        return Event(
            id=notice.event_id or dialect.new_id("event"),
            dialect=dialect.name,
            name=notice.name,
            link_id=news.link.id,
            payment_id=news.payment.id if news.payment else None,
            body=notice.body,
            genuine=not forged,
            created_at=self._books.clock(),
        )

    def _send(self, events: list[Event], faults: Faults) -> None:
        due_at = self._books.clock() + faults.late_webhook
        order = list(reversed(events)) if faults.shuffled_webhooks else events
        for event in order * (1 + faults.duplicate_webhooks):
            self._books.outbox.send(event, due_at)


def captured_at_once(link: Link, payment: Payment) -> tuple[News, News]:
    """What a merchant without capture of its own is told of a success: two things in one."""
    before = replace(payment, status=PaymentStatus.AUTHORIZED, captured_at=None)
    return News(Happening.AUTHORIZED, link, before), News(Happening.CAPTURED, link, payment)
