"""What a customer is told of an order: the truth, and never more than is certain."""

from dataclasses import dataclass
from enum import StrEnum

from db.views import CaseView, OrderView, RefundView
from domain.cases import CaseOutcome, CaseStatus, CaseVerdict
from domain.money import Money
from domain.orders import OrderStatus
from domain.refunds import RefundStatus

# Settled so, the payment is the order's like any other, or was nobody's after all.
NO_SURPLUS = frozenset({CaseOutcome.HONOURED, CaseOutcome.DISMISSED, CaseOutcome.GIVEN_BACK})
SUBJECTS = {
    CaseVerdict.DUPLICATE_PAYMENT: "twice",
    CaseVerdict.LATE_CAPTURE: "late",
    CaseVerdict.AMOUNT_MISMATCH: "wrong",
    CaseVerdict.CURRENCY_MISMATCH: "wrong",
}


class State(StrEnum):
    """How the order stands in the customer's eyes; each has its own words in `api.texts`."""

    WAITING = "waiting"
    CONFIRMING = "confirming"
    CANCELING = "canceling"
    REVIEW = "review"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELED = "canceled"

    @property
    def is_unpaid(self) -> bool:
        """Whether it is certain that nobody pays any more, so that a new order is no second one."""
        return self in (State.FAILED, State.EXPIRED, State.CANCELED)

    @property
    def is_open(self) -> bool:
        return self in (State.WAITING, State.CONFIRMING, State.CANCELING)


@dataclass(frozen=True)
class Note:
    """One more sentence, about money beside the order's price; `text` is a key of the texts."""

    text: str
    amount: Money


@dataclass(frozen=True)
class Outcome:
    """`payment_url` is where the order's one live link leads, while it may be paid."""

    state: State
    notes: tuple[Note, ...]
    payment_url: str | None


def outcome_of(view: OrderView) -> Outcome:
    """What is told of the order as it is recorded now."""
    url = _live_url(view)
    state = _state(view, url)
    return Outcome(state, _notes(view), url if state is not State.CANCELING else None)


def _state(view: OrderView, url: str | None) -> State:
    status = view.order.status
    if status.is_open:
        return _open_state(view, url)
    if status is OrderStatus.NEEDS_REVIEW or (status.is_unpaid_end and _may_yet_be_paid(view)):
        return State.REVIEW
    return State(status)


def _open_state(view: OrderView, url: str | None) -> State:
    if view.order.cancel_requested:
        return State.CANCELING
    asked_in_vain = view.link is not None and view.link.status is not None and url is None
    return State.CONFIRMING if view.came_back or asked_in_vain else State.WAITING


def _may_yet_be_paid(view: OrderView) -> bool:
    """Whether money came after the end of which nobody knows yet if it will be kept."""
    returning = {refund.refund.payment_reference for refund in view.refunds if _is_going(refund)}
    return any(
        case.status is not CaseStatus.SETTLED and case.payment_reference not in returning
        for case in view.cases
    )


def _is_going(refund: RefundView) -> bool:
    return refund.refund.status.holds_money


def _live_url(view: OrderView) -> str | None:
    link = view.link
    payable = view.order.status.is_open and link and link.status and link.status.is_live
    return link.url if link and payable else None


def _notes(view: OrderView) -> tuple[Note, ...]:
    """Of surplus money first, then of refunds of the order's own payment."""
    surplus = [each for each in view.cases if each.verdict in SUBJECTS and _is_surplus(each)]
    references = {case.payment_reference for case in surplus}
    refunds = [each for each in view.refunds if _is_going(each)]
    own = [each for each in refunds if each.refund.payment_reference not in references]
    return (
        *(Note(f"{SUBJECTS[case.verdict]}.{_way(case, refunds)}", case.amount) for case in surplus),
        *(Note(f"refund.{_progress(each)}", each.refund.amount) for each in own),
    )


def _is_surplus(case: CaseView) -> bool:
    return case.outcome not in NO_SURPLUS


def _way(case: CaseView, refunds: list[RefundView]) -> str:
    """`open` until its refund exists, then `sent`, then `back`."""
    for each in refunds:
        if each.refund.payment_reference == case.payment_reference:
            return _progress(each)
    return "open"


def _progress(refund: RefundView) -> str:
    return "back" if refund.refund.status is RefundStatus.SUCCEEDED else "sent"
