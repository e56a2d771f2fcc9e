"""What can happen to a payment link. Each verb is one transaction: ledger, events, deliveries."""

from collections.abc import Mapping

from simulator.alarm import Alarm
from simulator.announcer import Announcer, captured_at_once
from simulator.books import Books
from simulator.database import transaction
from simulator.dialect import Dialect
from simulator.records import (
    Happening,
    Link,
    LinkStatus,
    Method,
    News,
    Outcome,
    Payment,
    PaymentStatus,
)
from simulator.tariff import Tariff


class LinkClosed(Exception):
    """The link is paid, canceled or expired."""


class NotAuthorized(Exception):
    """The payment is not waiting for its capture."""


class NotRevocable(Exception):
    """The payment was never captured, or is no longer whole."""


class Gateway:
    def __init__(
        self,
        books: Books,
        announcer: Announcer,
        dialects: Mapping[str, Dialect],
        tariff: Tariff,
    ) -> None:
        self._books, self._announcer, self._dialects = books, announcer, dialects
        self._tariff = tariff
        self._ledger, self._clock, self._alarm = books.ledger, books.clock, Alarm(books.clock)

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
        with transaction(self._books.db):
            payment = self._begin(link, outcome, method, delay)
            if self._dialects[link.dialect].merchant_captures:
                payment = self._approve(payment)
            elif not delay:
                payment = self._conclude(payment, outcome)
            if payment.is_undecided and self._dialects[link.dialect].one_attempt:
                self._use_up(payment)
        self._alarm.ring()
        return payment

    def pay_late(self, link: Link, outcome: Outcome, method: Method, amount: int | None) -> Payment:
        """Let a payment come through, whatever became of its link."""
        with transaction(self._books.db):
            return self._conclude(self._begin(link, outcome, method, amount=amount), outcome)

    def pay_elsewhere(self, link: Link, method: Method) -> Payment:
        """Let a customer pay in full, but through nothing that the merchant's links know of."""
        with transaction(self._books.db):
            self._ledger.add_link(link)
            return self._conclude(self._begin(link, Outcome.SUCCESS, method), Outcome.SUCCESS)

    def settle(self, payment: Payment, outcome: Outcome) -> Payment:
        """Let the bank decide a pending payment, whatever became of its link meanwhile.

        A failed payment may still succeed: a late authorisation. Nothing else changes any more.
        """
        with transaction(self._books.db):
            return self._conclude(payment, outcome)

    def take(self, payment: Payment) -> Payment:
        """Give the merchant what its customer approved, if the bank agrees, or once it does.

        Raise `NotAuthorized` if it is not approved (any more).
        """
        if payment.status is not PaymentStatus.AUTHORIZED:
            raise NotAuthorized(payment.id)
        with transaction(self._books.db):
            now = self._clock()
            if payment.outcome is Outcome.FAILURE:
                return self._fail(payment)
            if payment.settle_at is None or payment.settle_at > now:
                created = PaymentStatus.CREATED
                payment = self._ledger.change_payment(payment, now, status=created)
                self._use_up(payment)
                return payment
            link, payment = self._capture(payment)
            self._announcer.announce(News(Happening.CAPTURED, link, payment))
            return payment

    def capture(self, payment: Payment) -> Payment:
        """Give the merchant what was only authorized. Raise `NotAuthorized` if it is not."""
        if payment.status is not PaymentStatus.AUTHORIZED:
            raise NotAuthorized(payment.id)
        with transaction(self._books.db):
            link, payment = self._capture(payment)
            self._announcer.announce(News(Happening.CAPTURED, link, payment))
            return payment

    def release(self, payment: Payment) -> Payment:
        """Give back to the customer what was never captured; the merchant is not told.

        Raise `NotAuthorized` if the money was captured, or never there.
        """
        if payment.status is not PaymentStatus.AUTHORIZED:
            raise NotAuthorized(payment.id)
        refunded, now = PaymentStatus.REFUNDED, self._clock()
        return self._ledger.change_payment(
            payment, now, status=refunded, amount_refunded=payment.amount
        )

    def revoke(self, payment: Payment) -> Payment:
        """Let the bank take back a payment that was captured; the merchant is not told.

        A link that nothing else has paid is canceled with it. Raise `NotRevocable` unless all of
        the money is still there.
        """
        if payment.status is not PaymentStatus.CAPTURED or payment.amount_refunded:
            raise NotRevocable(payment.id)
        now, failed = self._clock(), PaymentStatus.FAILED
        with transaction(self._books.db):
            payment = self._ledger.change_payment(payment, now, status=failed, captured_at=None)
            link = self._ledger.link_of(payment)
            others = self._ledger.payments(link_id=link.id)
            if link.status is LinkStatus.PAID and not any(other.captured for other in others):
                self._ledger.change_link(link, now, status=LinkStatus.CANCELED)
        return payment

    def cancel(self, link: Link) -> Link:
        """Raise `LinkClosed` unless the link is open."""
        if not link.is_open:
            raise LinkClosed(link.id)
        with transaction(self._books.db):
            return self._close(link, LinkStatus.CANCELED, Happening.CANCELED)

    def return_url(self, link: Link, payment: Payment) -> str | None:
        """Where the browser goes after this payment; None if it stays here."""
        faults, dialect = self._books.faults.of(link.names), self._dialects[link.dialect]
        approved = dialect.merchant_captures and payment.is_undecided
        if faults.no_callback or not (payment.captured or approved):
            return None
        return dialect.return_url(link, payment, forged=faults.wrong_callback_signature)

    async def keep_time(self) -> None:
        """Settle and expire whatever is due, for ever."""
        while True:
            self._catch_up()
            await self._alarm.sleep_until(self._ledger.next_timer())

    def _catch_up(self) -> None:
        now = self._clock()
        for payment in self._ledger.payments_to_settle(now):
            self.settle(payment, payment.outcome)
        for link in self._ledger.links_to_expire(now):
            with transaction(self._books.db):
                self._close(link, LinkStatus.EXPIRED, Happening.EXPIRED)

    def _begin(
        self,
        link: Link,
        outcome: Outcome,
        method: Method,
        delay: float = 0,
        amount: int | None = None,
    ) -> Payment:
        now, dialect = self._clock(), self._dialects[link.dialect]
        if link.gateway_order_id is None and not link.elsewhere:
            self._ledger.change_link(link, now, gateway_order_id=dialect.new_id("order"))
        payment = Payment(
            id=dialect.new_id("payment"),
            link_id=link.id,
            amount=link.amount if amount is None else amount,
            currency=link.currency,
            method=method,
            outcome=outcome,
            settle_at=None if outcome is Outcome.PENDING else now + delay,
            created_at=now,
            updated_at=now,
        )
        self._ledger.add_payment(payment)
        return payment

    def _conclude(self, payment: Payment, outcome: Outcome) -> Payment:
        match outcome, payment.status:
            case Outcome.SUCCESS, PaymentStatus.CREATED | PaymentStatus.FAILED:
                link, payment = self._capture(self._authorize(payment))
                self._announcer.announce(*captured_at_once(link, payment))
            case Outcome.AUTHORIZED, PaymentStatus.CREATED | PaymentStatus.FAILED:
                payment = self._authorize(payment)
                link = self._ledger.link_of(payment)
                self._announcer.announce(News(Happening.AUTHORIZED, link, payment))
            case Outcome.FAILURE, PaymentStatus.CREATED:
                payment = self._fail(payment)
        return payment

    def _approve(self, payment: Payment) -> Payment:
        """The last approval counts, whichever came before."""
        for other in self._ledger.payments(link_id=payment.link_id):
            if other.status is PaymentStatus.AUTHORIZED:
                failed = PaymentStatus.FAILED
                self._ledger.change_payment(other, self._clock(), status=failed)
        payment = self._authorize(payment)
        link = self._ledger.link_of(payment)
        self._announcer.announce(News(Happening.APPROVED, link, payment))
        return payment

    def _authorize(self, payment: Payment) -> Payment:
        amount = self._books.faults.of(self._ledger.link_of(payment).names).wrong_amount
        amount = payment.amount if amount is None else amount
        authorized = PaymentStatus.AUTHORIZED
        return self._ledger.change_payment(payment, self._clock(), status=authorized, amount=amount)

    def _capture(self, payment: Payment) -> tuple[Link, Payment]:
        now, link = self._clock(), self._ledger.link_of(payment)
        payment = self._ledger.change_payment(
            payment,
            now,
            status=PaymentStatus.CAPTURED,
            captured_at=now,
            fee=self._tariff.fee(payment.amount),
            tax=self._tariff.tax(payment.amount),
        )
        if link.is_open or link.status is LinkStatus.COMPLETED:
            link = self._ledger.change_link(link, now, status=LinkStatus.PAID, closed_at=now)
        return link, payment

    def _use_up(self, payment: Payment) -> None:
        """From now on the link only waits for what becomes of this payment."""
        now, link = self._clock(), self._ledger.link_of(payment)
        link = self._ledger.change_link(link, now, status=LinkStatus.COMPLETED, closed_at=now)
        self._announcer.announce(News(Happening.COMPLETED, link, payment))

    def _fail(self, payment: Payment) -> Payment:
        payment = self._ledger.change_payment(payment, self._clock(), status=PaymentStatus.FAILED)
        self._announcer.announce(News(Happening.FAILED, self._ledger.link_of(payment), payment))
        return payment

    def _close(self, link: Link, status: LinkStatus, happening: Happening) -> Link:
        now = self._clock()
        link = self._ledger.change_link(link, now, status=status, closed_at=now)
        self._announcer.announce(News(happening, link))
        return link
