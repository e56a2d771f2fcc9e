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
    REFUND_REFUSED = "refund_refused"
    NO_ANSWER = "no_answer"


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
    `approved_by` is the operator who let money move for it past the budget of a reconciliation.
    A link that `awaits_capture` has its customer's approval, and the money is ours to take.
    """

    gateway: str
    order_id: str
    evidence: Evidence
    payments: tuple[Payment, ...] = ()
    link: LinkStatus | None = None
    mentions: str | None = None
    approved_by: str | None = None
    awaits_capture: bool = False

    @property
    def is_hint(self) -> bool:
        return self.evidence.kind is EvidenceKind.CALLBACK or not (self.payments or self.link)

    @property
    def is_final_answer(self) -> bool:
        """Whether a query found the link ended, and no payment that may still be captured."""
        ended = self.link is not None and not self.link.is_live
        in_doubt = any(payment.status.may_still_capture for payment in self.payments)
        return self.evidence.kind is EvidenceKind.STATUS_QUERY and ended and not in_doubt


def fold(known: Iterable[Payment], news: Iterable[Payment]) -> dict[str, Payment]:
    """Join payments by identity; the order in which they arrive does not matter."""
    result = {payment.identity: payment for payment in known}
    for payment in news:
        before = result.get(payment.identity, payment)
        result[payment.identity] = before.joined(payment)
    return result
