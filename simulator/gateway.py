"""What can happen to a payment link. Each verb is one transaction: ledger, events, deliveries."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace

from simulator.alarm import Alarm, Clock
from simulator.database import transaction
from simulator.dialect import Dialect, Notice
from simulator.faults import FaultBook, Faults
from simulator.ledger import Ledger
from simulator.outbox import Outbox
from simulator.records import (
    Event,
    Happening,
    Link,
    LinkStatus,
    Method,
    Outcome,
    Payment,
    PaymentStatus,
)


class LinkClosed(Exception):
    """The link is paid, canceled or expired."""


class Gateway:
    def __init__(
        self,
        db: sqlite3.Connection,
        ledger: Ledger,
        outbox: Outbox,
        faults: FaultBook,
        dialects: Mapping[str, Dialect],
        alarm: Alarm,
        clock: Clock,
    ) -> None:
        self._db, self._ledger, self._outbox, self._faults = db, ledger, outbox, faults
        self._dialects, self._alarm, self._clock = dialects, alarm, clock

    def open_link(self, link: Link) -> None:
        """Raise `sqlite3.IntegrityError` if the reference was used before."""
        self._ledger.add_link(link)
        self._alarm.ring()

    def attempt(self, link: Link, outcome: Outcome, method: Method, delay: float = 0) -> Payment:
        """Let the customer try to pay; settled at once, after `delay` seconds, or left pending.

        Raise `LinkClosed` unless the link is open.
        """
        if not link.is_open:
            raise LinkClosed(link.id)
        with transaction(self._db):
            payment = self._begin(link, outcome, method, delay)
            if outcome is not Outcome.PENDING and not delay:
                payment = self._conclude(payment, outcome)
        self._alarm.ring()
        return payment

    def settle(self, payment: Payment, outcome: Outcome) -> Payment:
        """Let the bank decide a pending payment, whatever became of its link meanwhile.

        A failed payment may still succeed: a late authorisation. Nothing else changes any more.
        """
        with transaction(self._db):
            return self._conclude(payment, outcome)

    def cancel(self, link: Link) -> Link:
        """Raise `LinkClosed` unless the link is open."""
        if not link.is_open:
            raise LinkClosed(link.id)
        with transaction(self._db):
            return self._close(link, LinkStatus.CANCELED, Happening.CANCELED)

    async def keep_time(self) -> None:
        """Settle and expire whatever is due, for ever."""
        while True:
            self.catch_up()
            await self._alarm.sleep_until(self._ledger.next_timer())

    def catch_up(self) -> None:
        now = self._clock()
        for payment in self._ledger.payments_to_settle(now):
            self.settle(payment, payment.outcome)
        for link in self._ledger.links_to_expire(now):
            with transaction(self._db):
                self._close(link, LinkStatus.EXPIRED, Happening.EXPIRED)

    def return_url(self, link: Link, payment: Payment) -> str | None:
        """Where the browser goes after this payment; None if it stays here."""
        faults = self._faults.of(link.names)
        if faults.no_callback or not payment.captured:
            return None
        dialect = self._dialects[link.dialect]
        return dialect.return_url(link, payment, forged=faults.wrong_callback_signature)

    def webhook_url(self, link: Link) -> str | None:
        return self._dialects[link.dialect].webhook_url

    def forge(self, link: Link, name: str | None) -> Event:
        """Make up a webhook about a capture that never was, signed with a wrong secret.

        `name` is one of the dialect's events, by default the one that says the link is paid.
        Raise `LookupError` if a capture fires no such event.
        """
        now, dialect = self._clock(), self._dialects[link.dialect]
        order_id = link.gateway_order_id or dialect.new_id("order")
        link = replace(link, status=LinkStatus.PAID, gateway_order_id=order_id, updated_at=now)
        payment = self._new_payment(link, Outcome.SUCCESS, Method.CARD, None)
        payment = replace(payment, status=PaymentStatus.CAPTURED)
        notices = dialect.notices(Happening.CAPTURED, link, [payment], payment)
        chosen = [notice for notice in notices if name in (None, notice.name)]
        if not chosen:
            raise LookupError(name)
        forged = Faults(wrong_webhook_signature=True)
        return self._event(dialect, link, payment, chosen[-1], forged)

    def _begin(self, link: Link, outcome: Outcome, method: Method, delay: float) -> Payment:
        now = self._clock()
        if link.gateway_order_id is None:
            order_id = self._dialects[link.dialect].new_id("order")
            link = self._ledger.change_link(link, now, gateway_order_id=order_id)
        settle_at = None if outcome is Outcome.PENDING else now + delay
        payment = self._new_payment(link, outcome, method, settle_at)
        self._ledger.add_payment(payment)
        return payment

    def _new_payment(
        self, link: Link, outcome: Outcome, method: Method, settle_at: float | None
    ) -> Payment:
        now = self._clock()
        return Payment(
            id=self._dialects[link.dialect].new_id("payment"),
            link_id=link.id,
            amount=link.amount,
            currency=link.currency,
            method=method,
            outcome=outcome,
            settle_at=settle_at,
            created_at=now,
            updated_at=now,
        )

    def _conclude(self, payment: Payment, outcome: Outcome) -> Payment:
        (link,) = self._ledger.links(id=payment.link_id)
        if payment.captured or outcome is Outcome.PENDING:
            return payment
        return (
            self._capture(link, payment)
            if outcome is Outcome.SUCCESS
            else self._fail(link, payment)
        )

    def _capture(self, link: Link, payment: Payment) -> Payment:
        now, wrong_amount = self._clock(), self._faults.of(link.names).wrong_amount
        amount = payment.amount if wrong_amount is None else wrong_amount
        payment = self._ledger.change_payment(
            payment, now, status=PaymentStatus.CAPTURED, amount=amount
        )
        if link.is_open:
            link = self._ledger.change_link(link, now, status=LinkStatus.PAID, closed_at=now)
        self._announce(Happening.CAPTURED, link, payment)
        return payment

    def _fail(self, link: Link, payment: Payment) -> Payment:
        if payment.status is PaymentStatus.FAILED:
            return payment
        payment = self._ledger.change_payment(payment, self._clock(), status=PaymentStatus.FAILED)
        self._announce(Happening.FAILED, link, payment)
        return payment

    def _close(self, link: Link, status: LinkStatus, happening: Happening) -> Link:
        now = self._clock()
        link = self._ledger.change_link(link, now, status=status, closed_at=now)
        self._announce(happening, link, None)
        return link

    def _announce(self, happening: Happening, link: Link, payment: Payment | None) -> None:
        dialect, faults = self._dialects[link.dialect], self._faults.of(link.names)
        payments = self._ledger.payments(link_id=link.id)
        events = [
            self._event(dialect, link, payment, notice, faults)
            for notice in dialect.notices(happening, link, payments, payment)
        ]
        for event in events:
            self._outbox.add(event)
        if dialect.webhook_url and not faults.no_webhook:
            self._post(events, faults)

    def _event(
        self, dialect: Dialect, link: Link, payment: Payment | None, notice: Notice, faults: Faults
    ) -> Event:
        event_id, forged = dialect.new_id("event"), faults.wrong_webhook_signature
        return Event(
            id=event_id,
            dialect=dialect.name,
            name=notice.name,
            link_id=link.id,
            payment_id=payment.id if payment else None,
            body=notice.body,
            headers=dialect.webhook_headers(event_id, notice.body, forged=forged),
            genuine=not forged,
            created_at=self._clock(),
        )

    def _post(self, events: list[Event], faults: Faults) -> None:
        due_at = self._clock() + faults.late_webhook
        order = list(reversed(events)) if faults.shuffled_webhooks else events
        for event in order * (1 + faults.duplicate_webhooks):
            self._outbox.send(event, due_at)
