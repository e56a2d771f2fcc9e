"""What is to be done about a case: the rules, without the doing."""

from dataclasses import dataclass
from datetime import datetime

from domain.cases import CaseVerdict, OrderPolicy, Remedy
from domain.checkouts import CheckoutPlan
from domain.names import written
from domain.news import Evidence
from domain.payments import PaymentStatus
from domain.policies import Budget, RepairPolicy


@dataclass(frozen=True)
class RepairPlan:
    """All that a repair takes from settings and orders, fixed when it starts.

    The subject is an order's id, or `gateway:payment` where the order is not known and there is
    no checkout to speak of.
    """

    subject: str
    checkout: CheckoutPlan | None
    policy: RepairPolicy
    budget: Budget

    @property
    def summary(self) -> str:
        """One line for whoever looks at the repair in a list."""
        if self.checkout is None:
            return f"Repair: {self.subject}"
        price, gateway = self.checkout.price, written(self.checkout.gateway)
        return f"Repair: {price} by {gateway}, {self.subject}"


@dataclass(frozen=True)
class PaymentQuery:
    """What a gateway is asked about one payment, by its own name for it."""

    order_id: str
    gateway: str
    reference: str


@dataclass(frozen=True)
class Retraction:
    """The gateway's own word that a payment we counted as captured was not; `status` is what it is.

    Only that can take a paid order back.
    """

    order_id: str
    gateway: str
    reference: str
    status: PaymentStatus
    evidence: Evidence


def remedy(verdict: CaseVerdict, honoured: bool) -> Remedy | None:
    """What is done without asking anybody; None if an operator has to say."""
    if verdict is CaseVerdict.DUPLICATE_PAYMENT:
        return Remedy.REFUND
    if verdict in (CaseVerdict.LATE_CAPTURE, CaseVerdict.LATE_AUTHORIZATION):
        return Remedy.HONOUR if honoured else Remedy.REFUND
    return None


def is_honoured(order: OrderPolicy, policy: RepairPolicy, now: datetime) -> bool:
    """Whether an order that has ended still takes a payment now: never a second one."""
    if order.is_paid:
        return False
    if policy.same_price_only and not order.same_price:
        return False
    in_grace = order.ended_at is not None and now - order.ended_at <= policy.grace
    return order.honours_late or in_grace


def may_remedy(verdict: CaseVerdict, wanted: Remedy) -> bool:
    """Whether an operator may choose this for such a case."""
    cannot = (
        CaseVerdict.DUPLICATE_PAYMENT,
        CaseVerdict.UNKNOWN_ORDER,
        CaseVerdict.LATE_AUTHORIZATION,
    )
    if verdict is CaseVerdict.OK_UNPAID:
        return wanted is Remedy.DISMISS
    return wanted is not Remedy.HONOUR or verdict not in cannot
