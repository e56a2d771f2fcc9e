"""Money: whole minor units of a currency, never a float."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

WITHOUT_DECIMALS = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"} | {
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
}
WITH_THREE_DECIMALS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
SYMBOLS = {"INR": "₹", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
# Python would also read 1e9, 1_000 and the digits of other scripts.
PLAIN = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,4})?")


class MoneyError(ValueError):
    """These amounts cannot be added, compared or written down; nothing was charged."""


def decimals(currency: str) -> int:
    """How many decimals the currency has (ISO 4217): 0, 2 or 3."""
    if currency in WITHOUT_DECIMALS:
        return 0
    return 3 if currency in WITH_THREE_DECIMALS else 2


@dataclass(frozen=True)
class Money:
    """An amount in minor units: `Money(49900, "INR")` is ₹499.00, `Money(1800, "JPY")` is ¥1800.

    Raises `MoneyError` for anything but a whole number and a three-letter currency.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise MoneyError(f"minor units are whole numbers, not {type(self.minor).__name__}")
        code = self.currency
        if not (len(code) == 3 and code.isascii() and code.isupper() and code.isalpha()):
            raise MoneyError("a currency is three capital letters, as in ISO 4217")

    @classmethod
    def of_major(cls, text: str, currency: str) -> Self:
        """Read "499.00" or "1800"; raises `MoneyError` for decimals the currency has not."""
        if not PLAIN.fullmatch(text):
            raise MoneyError("not an amount")
        minor = Decimal(text).scaleb(decimals(currency))
        if minor != minor.to_integral_value():
            raise MoneyError(f"{currency} has {decimals(currency)} decimals")
        return cls(int(minor), currency)

    def major_text(self) -> str:
        """The amount in major units, as gateways and people write it: "499.00", "1800", "1.250"."""
        return str(Decimal(self.minor).scaleb(-decimals(self.currency)))

    def __str__(self) -> str:
        symbol = SYMBOLS.get(self.currency, f"{self.currency} ")
        sign = "-" if self.minor < 0 else ""
        return f"{sign}{symbol}{Money(abs(self.minor), self.currency).major_text()}"

    def __add__(self, other: Self) -> Self:
        self._check_same_currency(other)
        return type(self)(self.minor + other.minor, self.currency)

    def __sub__(self, other: Self) -> Self:
        self._check_same_currency(other)
        return type(self)(self.minor - other.minor, self.currency)

    def __mul__(self, quantity: int) -> Self:
        return type(self)(self.minor * quantity, self.currency)

    def __lt__(self, other: Self) -> bool:
        self._check_same_currency(other)
        return self.minor < other.minor

    def included_tax(self, basis_points: int, parts: int = 1) -> Self:
        """The tax contained in this gross amount, or one of its equal `parts`.

        The rate of the whole tax is in hundredths of a percent.
        """
        tax = Decimal(self.minor * basis_points) / ((10_000 + basis_points) * parts)
        return type(self)(int(tax.quantize(Decimal(1), ROUND_HALF_UP)), self.currency)

    def _check_same_currency(self, other: Self) -> None:
        if self.currency != other.currency:
            raise MoneyError(f"{self.currency} and {other.currency} do not add up")
