"""Which amounts Stripe takes, and how it counts them.

Source: https://docs.stripe.com/currencies, there "Zero-decimal", "Special cases" and
"Three-decimal currencies".
"""

from domain.errors import RequestRefused
from domain.money import Money, decimals

TAKEN = """
AED AUD BHD BRL CAD CHF CLP CZK DKK EUR GBP HKD HUF IDR ILS INR ISK JOD JPY KRW KWD MXN MYR NOK NZD
OMR PHP PLN QAR RON SAR SEK SGD THB TND TRY TWD UGX USD VND ZAR
"""
CURRENCIES = frozenset(TAKEN.split())
# They have no decimals, yet Stripe counts them in hundredths.
IN_HUNDREDTHS = {"ISK", "UGX"}


def units(amount: Money, purpose: str) -> int:
    """What Stripe calls the amount. Raises `RequestRefused` for one that it does not take."""
    if amount.currency not in CURRENCIES:
        raise RequestRefused(f"no {purpose} in {amount.currency}")
    if amount.minor < 1:
        raise RequestRefused(f"too little for {purpose}")
    if decimals(amount.currency) == 3 and amount.minor % 10:
        raise RequestRefused(f"amounts in {amount.currency} must end in 0")
    return amount.minor * 100 if amount.currency in IN_HUNDREDTHS else amount.minor


def money(amount: int, currency: str) -> Money:
    """Stripe's amount as money; raises `ValueError` for part of what cannot be divided."""
    name = currency.upper()
    if name not in IN_HUNDREDTHS:
        return Money(amount, name)
    whole, rest = divmod(amount, 100)
    if rest:
        raise ValueError(f"{name} has no decimals")
    return Money(whole, name)
