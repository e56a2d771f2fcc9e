"""Money that goes back. Each verb is one transaction: ledger, events, deliveries."""

from simulator.announcer import Announcer
from simulator.books import Books
from simulator.database import transaction
from simulator.records import Happening, News, PaymentStatus, Refund, RefundStatus


class RefundEnded(Exception):
    """The refund has failed, or is what it is to become already."""


class Refunds:
    def __init__(self, books: Books, announcer: Announcer) -> None:
        self._books, self._announcer = books, announcer
        self._ledger, self._clock = books.ledger, books.clock

    def begin(self, refund: Refund) -> Refund:
        """Take the money from the payment; processed at once unless faults say otherwise.

        Raise `sqlite3.IntegrityError` if its key, or for this payment its receipt, was used before.
        """
        faults = self._books.faults.of(self._ledger.link_of(refund).names)
        with transaction(self._books.db):
            self._ledger.add_refund(refund)
            self._move(refund, refund.amount)
            happenings = [Happening.REFUND_CREATED]
            if not faults.refund_pending:
                status = RefundStatus.FAILED if faults.refund_fails else RefundStatus.PROCESSED
                refund = self._change(refund, status)
                happenings.append(Happening.REFUND_SETTLED)
            self._announcer.announce(*(self._news(each, refund) for each in happenings))
        return refund

    def settle(self, refund: Refund, status: RefundStatus) -> Refund:
        """End a pending refund, or take a processed one back: the money is the merchant's again.

        Raise `RefundEnded` if nothing would change, or can.
        """
        if status is refund.status or refund.status is RefundStatus.FAILED:
            raise RefundEnded(refund.id)
        with transaction(self._books.db):
            refund = self._change(refund, status)
            self._announcer.announce(self._news(Happening.REFUND_SETTLED, refund))
        return refund

    def _change(self, refund: Refund, status: RefundStatus) -> Refund:
        if status is RefundStatus.FAILED:
            self._move(refund, -refund.amount)
        return self._ledger.change_refund(refund, self._clock(), status=status)

    def _move(self, refund: Refund, amount: int) -> None:
        """Count `amount` as refunded; below zero, as not refunded after all."""
        (payment,) = self._ledger.payments(id=refund.payment_id)
        refunded = payment.amount_refunded + amount
        in_full = refunded == payment.amount
        status = PaymentStatus.REFUNDED if in_full else PaymentStatus.CAPTURED
        self._ledger.change_payment(payment, self._clock(), status=status, amount_refunded=refunded)

    def _news(self, happening: Happening, refund: Refund) -> News:
        (payment,) = self._ledger.payments(id=refund.payment_id)
        return News(happening, self._ledger.link_of(payment), payment, refund=refund)
