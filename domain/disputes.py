"""Disputes: the customer's bank wants its money back. A record of their own."""

from dataclasses import dataclass
from enum import StrEnum

from domain.money import Money
from domain.news import Evidence


class DisputeStatus(StrEnum):
    """A dispute that has ended stays so, whatever comes late."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True)
class Dispute:
    """One dispute of one payment, as the gateway tells it; it never moves its order."""

    gateway: str
    reference: str
    payment_reference: str
    status: DisputeStatus
    amount: Money
    reason: str | None
    evidence: Evidence
