"""Razorpay, with Payment Links v1. Amounts travel as integers in minor units, also yen and dinars.

Wire facts: https://razorpay.com/docs/api and …/docs/webhooks; each module names its pages.
"""

from datetime import timedelta

from domain.settlements import Report
from gateways.base import Capabilities, TakesMoneyItself
from gateways.razorpay.account import NAME
from gateways.razorpay.amounts import CURRENCIES
from gateways.razorpay.links import SHORTEST_LIFE, Links
from gateways.razorpay.messages import Messages
from gateways.razorpay.payments import Payments
from gateways.razorpay.refunds import Refunds
from gateways.razorpay.reports import Reports

__all__ = ["SHORTEST_LIFE", "Razorpay"]


class Razorpay(Links, Payments, Refunds, Reports, Messages, TakesMoneyItself):
    """One Razorpay account, test or live: the key decides."""

    name = NAME
    capabilities = Capabilities(
        currencies=CURRENCIES,
        lookup_by_order_id=True,
        can_cancel_link=True,
        shortest_link_life=SHORTEST_LIFE,
        longest_link_life=timedelta(days=180),
        reports=frozenset(Report),
        settles_at="Asia/Kolkata",
    )
