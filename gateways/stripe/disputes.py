"""Stripe's disputes: what a customer's bank wants back.

Source: https://docs.stripe.com/api/disputes, …/disputes/how-disputes-work.
"""

from domain.disputes import Dispute, DisputeStatus
from domain.news import Evidence
from gateways.bodies import Json, code, text
from gateways.stripe.account import NAME, id_of
from gateways.stripe.amounts import money

# An inquiry that is closed, and a dispute that was prevented, take no money.
STATUSES = {
    "won": DisputeStatus.WON,
    "warning_closed": DisputeStatus.WON,
    "prevented": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


def dispute_from(entity: Json, evidence: Evidence) -> Dispute:
    return Dispute(
        gateway=NAME,
        reference=text(entity, "id"),
        payment_reference=id_of(entity, "payment_intent") or text(entity, "charge"),
        status=STATUSES.get(text(entity, "status"), DisputeStatus.OPEN),
        amount=money(entity["amount"], text(entity, "currency")),
        reason=code(entity, "reason"),
        evidence=evidence,
    )
