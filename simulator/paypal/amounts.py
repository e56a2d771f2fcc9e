"""Amounts in PayPal's words: decimal text, in currencies that it takes."""

import re
from decimal import Decimal

from simulator.money import decimals
from simulator.paypal.errors import PayPalError
from simulator.records import Json

CURRENCIES = """
AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD
"""
WITHOUT_DECIMALS = ("HUF", "JPY", "TWD")
VALUE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,3})?")


def minor_of(amount: object, field: str) -> tuple[int, str]:
    """Raise `PayPalError` for the first thing wrong with a `{currency_code, value}`."""
    if not isinstance(amount, dict):
        raise PayPalError(400, "MISSING_REQUIRED_PARAMETER", field)
    currency, value = amount.get("currency_code"), amount.get("value")
    if not isinstance(currency, str) or not isinstance(value, str):
        raise PayPalError(400, "INVALID_PARAMETER_SYNTAX", field)
    if currency not in CURRENCIES.split():
        raise PayPalError(422, "CURRENCY_NOT_SUPPORTED", f"{field}/currency_code")
    if not VALUE.fullmatch(value):
        raise PayPalError(400, "INVALID_PARAMETER_SYNTAX", f"{field}/value")
    places = len(value.partition(".")[2])
    if currency in WITHOUT_DECIMALS and places:
        raise PayPalError(422, "DECIMALS_NOT_SUPPORTED", f"{field}/value")
    if places > decimals(currency):
        raise PayPalError(422, "DECIMAL_PRECISION", f"{field}/value")
    minor = int(Decimal(value).scaleb(decimals(currency)))
    if minor < 1:
        raise PayPalError(422, "CANNOT_BE_ZERO_OR_NEGATIVE", f"{field}/value")
    return minor, currency


def amount_of(minor: int, currency: str) -> Json:
    """With a minus where the money went the other way."""
    value = Decimal(minor).scaleb(-decimals(currency))
    if currency in WITHOUT_DECIMALS:
        value = value.quantize(Decimal(1))
    return {"currency_code": currency, "value": str(value)}
