"""Every activity, bound to the world that it acts on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import getmembers, ismethod
from typing import Any

from activities.checkouts import CheckoutActivities
from activities.deliveries import DeliveryActivities
from activities.findings import FindingActivities
from activities.letters import LetterActivities
from activities.reconciliations import ReconciliationActivities
from activities.refunds import RefundActivities
from activities.repairs import RepairActivities
from activities.sweeps import SweepActivities, SweepTimes
from domain.books import Books, Files
from domain.ports import Cases, Delivery, Inbox, Letters, Orders, Refunds
from gateways.base import Gateway


@dataclass(frozen=True)
class World:
    """What activities touch. `public_url` is where gateways send customers back to."""

    orders: Orders
    refunds: Refunds
    cases: Cases
    inbox: Inbox
    books: Books
    files: Files
    gateways: Mapping[str, Gateway]
    letters: Letters
    delivery: Delivery
    public_url: str
    times: SweepTimes

    def activities(self) -> list[Callable[..., Any]]:
        """Bound methods, as a worker takes them."""
        actors = (
            CheckoutActivities(self.orders, self.gateways, self.public_url),
            RefundActivities(self.refunds, self.gateways),
            RepairActivities(self.orders, self.cases),
            LetterActivities(self.letters),
            DeliveryActivities(self.delivery),
            ReconciliationActivities(self.books, self.files, self.gateways),
            FindingActivities(self.books, self.refunds, self.cases, self.delivery, self.gateways),
            SweepActivities(
                self.orders,
                self.refunds,
                self.cases,
                self.inbox,
                self.delivery,
                self.gateways,
                self.times,
            ),
        )
        return [activity for actor in actors for activity in _activities(actor)]


def _activities(actor: object) -> list[Callable[..., Any]]:
    methods = getmembers(actor, ismethod)
    return [method for _, method in methods if hasattr(method, "__temporal_activity_definition")]
