"""News of payments, and the evidence that conclusions cite."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.payments import LinkStatus, Payment


class EvidenceKind(StrEnum):
    """Where knowledge came from. A callback is only ever a hint."""

    WEBHOOK = "webhook"
    CALLBACK = "callback"
    STATUS_QUERY = "status_query"
    SETTLEMENT_FILE = "settlement_file"
    OPERATOR = "operator"
    NO_LINK = "no_link"
    LINK_REFUSED = "link_refused"


@dataclass(frozen=True)
class Evidence:
    """What a conclusion cites.

    `reference` names the message or the call (an event id, a path, an operator); `digest` is
    the sha256 of the bytes that were received, empty where nothing was.
    """

    kind: EvidenceKind
    reference: str
    digest: str = ""


@dataclass(frozen=True)
class PaymentNews:
    """Whatever any source says about one order's payments: the one way in.

    A hint proves nothing: it may name a payment (`mentions`), and makes somebody ask.
    """

    gateway: str
    order_id: str
    evidence: Evidence
    payments: tuple[Payment, ...] = ()
    link: LinkStatus | None = None
    mentions: str | None = None

    @property
    def is_hint(self) -> bool:
        return self.evidence.kind is EvidenceKind.CALLBACK or not (self.payments or self.link)

    @property
    def is_final_answer(self) -> bool:
        """Whether a query found the link ended, and no payment that may still be captured."""
        ended = self.link is not None and not self.link.is_live
        in_doubt = any(payment.status.may_still_capture for payment in self.payments)
        return self.evidence.kind is EvidenceKind.STATUS_QUERY and ended and not in_doubt


@dataclass(frozen=True)
class GatewayEvent:
    """One verified webhook, translated.

    `order_id` is ours if the body carried it; `reference` is the wire key of our link, and
    `link_reference` the gateway's own name for it. An event that speaks of nothing we follow
    has neither payment nor link.
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

    @property
    def outcome(self) -> str | None:
        """What the event says, so that siblings can be told from news; None if it says nothing.

        Razorpay sends four events with four ids for one payment.
        """
        if self.payment:
            said = self.payment
            return f"{said.reference}:{said.status}:{said.amount.minor}{said.amount.currency}"
        return f"{self.link_reference}:{self.link}" if self.link else None

    def news(self, order_id: str) -> PaymentNews:
        payments = (self.payment,) if self.payment else ()
        return PaymentNews(self.gateway, order_id, self.evidence, payments, self.link)


def fold(known: Iterable[Payment], news: Iterable[Payment]) -> dict[str, Payment]:
    """Join payments by identity; the order in which they arrive does not matter."""
    result = {payment.identity: payment for payment in known}
    for payment in news:
        before = result.get(payment.identity, payment)
        result[payment.identity] = before.joined(payment)
    return result
