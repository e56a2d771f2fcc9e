"""Stripe, with Checkout Sessions. Bodies travel as forms, amounts in Stripe's own smallest units.

Wire facts: https://docs.stripe.com/api and …/webhooks; each module names its pages.
"""

from domain.settlements import Report
from gateways.base import Capabilities, TakesMoneyItself
from gateways.stripe.account import NAME
from gateways.stripe.amounts import CURRENCIES
from gateways.stripe.links import LONGEST_LIFE, SHORTEST_LIFE, Links
from gateways.stripe.messages import Messages
from gateways.stripe.payments import Payments
from gateways.stripe.refunds import Refunds
from gateways.stripe.reports import Reports

__all__ = ["SHORTEST_LIFE", "Stripe"]


class Stripe(Links, Payments, Refunds, Reports, Messages, TakesMoneyItself):
    """One Stripe account, test or live: the key decides."""

    name = NAME
    capabilities = Capabilities(
        currencies=CURRENCIES,
        lookup_by_order_id=False,
        can_cancel_link=True,
        shortest_link_life=SHORTEST_LIFE,
        longest_link_life=LONGEST_LIFE,
        reports=frozenset(Report),
    )
