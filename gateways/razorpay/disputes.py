"""Razorpay's disputes: what a customer's bank wants back.

Source: https://razorpay.com/docs/api/disputes/entity and …/docs/payments/disputes.
"""

from domain.disputes import Dispute, DisputeStatus
from domain.money import Money
from domain.news import Evidence
from gateways.bodies import Json, code, text
from gateways.razorpay.account import NAME

STATUSES = {
    "open": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


def dispute_from(entity: Json, evidence: Evidence) -> Dispute:
    return Dispute(
        gateway=NAME,
        reference=text(entity, "id"),
        payment_reference=text(entity, "payment_id"),
        status=status_of(entity),
        amount=Money(entity["amount"], text(entity, "currency")),
        reason=code(entity, "reason_code"),
        evidence=evidence,
    )


def status_of(entity: Json) -> DisputeStatus:
    """A suspicion of fraud ends `closed`, neither won nor lost: what was deducted decides.

    Nothing is deducted unless a dispute is lost; money that we gave back by ourselves to settle
    it is a refund, and told as one.
    """
    said = text(entity, "status")
    if said == "closed":
        return DisputeStatus.LOST if entity.get("amount_deducted") else DisputeStatus.WON
    return STATUSES.get(said, DisputeStatus.OPEN)
