"""Webhooks that were verified and translated, before anyone acts on them."""

from dataclasses import dataclass

from domain.disputes import Dispute
from domain.news import Evidence, PaymentNews
from domain.payments import LinkStatus, Payment
from domain.refunds import RefundNews


@dataclass(frozen=True)
class GatewayEvent:
    """One verified webhook, translated.

    `order_id` is ours if the body carried it; `reference` is the wire key of our link, and
    `link_reference` the gateway's own name for it. An event that speaks of nothing we follow
    has neither payment nor link, refund nor dispute; one of a refund or dispute has only that.
    Where it `awaits_capture`, the customer approved a payment which is now ours to take.
    """

    gateway: str
    event_id: str
    kind: str
    evidence: Evidence
    order_id: str | None = None
    reference: str | None = None
    link_reference: str | None = None
    payment: Payment | None = None
    link: LinkStatus | None = None
    refund: RefundNews | None = None
    dispute: Dispute | None = None
    awaits_capture: bool = False

    @property
    def outcome(self) -> str | None:
        """What the event says, so that siblings can be told from news; None if it says nothing.

        Razorpay sends four events with four ids for one payment.
        """
        if self.refund:
            return f"{self.refund.reference}:{self.refund.status}"
        if self.dispute:
            return f"{self.dispute.reference}:{self.dispute.status}"
        if self.payment:
            said = self.payment
            return f"{said.reference}:{said.status}:{said.amount.minor}{said.amount.currency}"
        if self.awaits_capture:
            # It comes again after a payment that was declined, and then it is news.
            return f"{self.link_reference}:approved:{self.event_id}"
        return f"{self.link_reference}:{self.link}" if self.link else None

    def news(self, order_id: str) -> PaymentNews:
        payments = (self.payment,) if self.payment else ()
        return PaymentNews(
            self.gateway,
            order_id,
            self.evidence,
            payments,
            self.link,
            awaits_capture=self.awaits_capture,
        )
