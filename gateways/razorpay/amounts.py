"""Which amounts Razorpay takes and gives back.

Source: https://razorpay.com/docs/payments/international-payments.
"""

from domain.errors import RequestRefused
from domain.money import Money, decimals

TAKEN = (
    "INR AED AUD BHD CAD CHF DKK EUR GBP HKD JPY KWD MYR NOK NZD OMR QAR SAR SEK SGD THB USD ZAR"
)
CURRENCIES = frozenset(TAKEN.split())
LEAST = {"INR": 100}


def check_amount(amount: Money, purpose: str) -> None:
    """Raises `RequestRefused` for an amount that would be refused there."""
    if amount.minor < LEAST.get(amount.currency, 1):
        raise RequestRefused(f"too little for {purpose} in {amount.currency}")
    if decimals(amount.currency) == 3 and amount.minor % 10:
        raise RequestRefused(f"amounts in {amount.currency} must end in 0")
