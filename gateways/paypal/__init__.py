"""PayPal, with Orders v2. Amounts travel as decimal text; what a customer approves, we take.

Wire facts: https://developer.paypal.com/docs/api; each module names its pages.
"""

from datetime import timedelta

from domain.settlements import Report
from gateways.base import CannotLookUp, Capabilities
from gateways.paypal.account import NAME
from gateways.paypal.amounts import CURRENCIES
from gateways.paypal.files import Files
from gateways.paypal.links import LIFE, Links
from gateways.paypal.messages import Messages
from gateways.paypal.payments import Payments
from gateways.paypal.refunds import Refunds
from gateways.paypal.reports import Reports

__all__ = ["LIFE", "PayPal"]


class PayPal(Links, Payments, Refunds, Reports, Files, Messages, CannotLookUp):
    """One REST app of a PayPal account, live or in the sandbox: the address decides."""

    name = NAME
    capabilities = Capabilities(
        currencies=CURRENCIES,
        lookup_by_order_id=False,
        can_cancel_link=False,
        needs_capture=True,
        shortest_link_life=timedelta(),
        longest_link_life=LIFE,
        reports=frozenset({Report.TRANSACTIONS}),
    )
