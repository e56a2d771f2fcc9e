"""Money as people read it."""

DECIMALS = {"JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3}
SIGNS = {"INR": "₹", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def money_text(minor: int, currency: str) -> str:
    """`49900, "INR"` (minor units, ISO 4217) as `₹499.00`; an unknown sign as `KWD 1.250`."""
    decimals = DECIMALS.get(currency, 2)
    units, rest = divmod(abs(minor), 10**decimals)
    fraction = f".{rest:0{decimals}d}" if decimals else ""
    sign = "-" if minor < 0 else ""
    return f"{sign}{SIGNS.get(currency, currency + ' ')}{units:,}{fraction}"
