"""The customer's bank against the merchant. Each verb is one transaction, as everywhere."""

from collections.abc import Mapping

from simulator.announcer import Announcer
from simulator.books import Books
from simulator.database import transaction
from simulator.dialect import Dialect
from simulator.records import Dispute, DisputeStatus, Happening, News, Payment

TIME_TO_RESPOND = 7 * 24 * 3600.0


class DisputeEnded(Exception):
    """Nothing changes any more."""


class Disputes:
    def __init__(self, books: Books, announcer: Announcer, dialects: Mapping[str, Dialect]) -> None:
        self._books, self._announcer, self._dialects = books, announcer, dialects
        self._ledger, self._clock = books.ledger, books.clock

    def begin(self, payment: Payment, amount: int, reason: str) -> Dispute:
        now, dialect = self._clock(), self._dialects[self._ledger.link_of(payment).dialect]
        dispute = Dispute(
            id=dialect.new_id("dispute"),
            payment_id=payment.id,
            amount=amount,
            currency=payment.currency,
            reason=reason,
            respond_by=now + TIME_TO_RESPOND,
            created_at=now,
            updated_at=now,
        )
        with transaction(self._books.db):
            self._ledger.add_dispute(dispute)
            self._announce(Happening.DISPUTE_OPENED, dispute)
        return dispute

    def settle(self, dispute: Dispute, status: DisputeStatus) -> Dispute:
        """Raise `DisputeEnded` if it has."""
        if dispute.has_ended:
            raise DisputeEnded(dispute.id)
        with transaction(self._books.db):
            dispute = self._ledger.change_dispute(dispute, self._clock(), status=status)
            self._announce(Happening.DISPUTE_SETTLED, dispute)
        return dispute

    def _announce(self, happening: Happening, dispute: Dispute) -> None:
        (payment,) = self._ledger.payments(id=dispute.payment_id)
        link = self._ledger.link_of(payment)
        self._announcer.announce(News(happening, link, payment, dispute=dispute))
