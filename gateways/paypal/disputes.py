"""PayPal's disputes: what a customer or a bank wants back.

Source: https://developer.paypal.com/docs/api/customer-disputes/v1.
"""

from domain.disputes import Dispute, DisputeStatus
from domain.news import Evidence
from gateways.bodies import Json, code, mapping, text
from gateways.paypal.account import NAME
from gateways.paypal.amounts import money_from

RESOLVED = "RESOLVED"
OUTCOMES = {
    "RESOLVED_BUYER_FAVOUR": DisputeStatus.LOST,
    "ACCEPTED": DisputeStatus.LOST,
    "RESOLVED_SELLER_FAVOUR": DisputeStatus.WON,
    "RESOLVED_WITH_PAYOUT": DisputeStatus.WON,
    "CANCELED_BY_BUYER": DisputeStatus.WON,
    "DENIED": DisputeStatus.WON,
}


def dispute_from(entity: Json, evidence: Evidence) -> Dispute:
    disputed: Json = entity["disputed_transactions"][0]
    return Dispute(
        gateway=NAME,
        reference=text(entity, "dispute_id"),
        payment_reference=text(disputed, "seller_transaction_id"),
        status=status_of(entity),
        amount=money_from(entity["dispute_amount"]),
        reason=code(entity, "reason"),
        evidence=evidence,
    )


def status_of(entity: Json) -> DisputeStatus:
    """Whoever pays: `RESOLVED_WITH_PAYOUT` is PayPal itself, so that we keep our money."""
    if text(entity, "status") != RESOLVED:
        return DisputeStatus.OPEN
    outcome = code(mapping(entity.get("dispute_outcome")), "outcome_code") or ""
    return OUTCOMES.get(outcome, DisputeStatus.OPEN)
