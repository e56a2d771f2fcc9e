"""Amounts as PayPal writes them: decimal text, with as many decimals as it gives the currency.

Source: https://developer.paypal.com/api/rest/reference/currency-codes.
"""

from domain.errors import RequestRefused
from domain.money import Money, decimals
from gateways.bodies import Json, text

TAKEN = (
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD "
    "USD"
)
CURRENCIES = frozenset(TAKEN.split())
# Other than in ISO 4217, these two have no decimals there.
IN_WHOLE = {"HUF", "TWD"}


def amount_of(money: Money, purpose: str) -> Json:
    """Raises `RequestRefused` for an amount that would be refused there."""
    if money.minor < 1:
        raise RequestRefused(f"too little for {purpose}")
    if money.currency not in CURRENCIES:
        raise RequestRefused(f"no payments in {money.currency}")
    if money.currency not in IN_WHOLE:
        return {"currency_code": money.currency, "value": money.major_text()}
    whole, rest = divmod(money.minor, 10 ** decimals(money.currency))
    if rest:
        raise RequestRefused(f"amounts in {money.currency} have no decimals")
    return {"currency_code": money.currency, "value": str(whole)}


def money_from(amount: Json) -> Money:
    return Money.of_major(text(amount, "value"), text(amount, "currency_code"))
