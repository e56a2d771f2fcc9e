"""Amounts as people read them."""

SYMBOLS = {"INR": "₹", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
DECIMALS = {"JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3}


def decimals(currency: str) -> int:
    return DECIMALS.get(currency, 2)


def written(minor: int, currency: str) -> str:
    """Write 125000 INR as ₹1,250.00 and 12345 KWD as KWD 12.345."""
    places = decimals(currency)
    major, rest = divmod(minor, 10**places)
    fraction = f".{rest:0{places}}" if places else ""
    whole = indian(major) if currency == "INR" else f"{major:,}"
    return f"{SYMBOLS.get(currency, currency + ' ')}{whole}{fraction}"


def plain(minor: int, currency: str) -> str:
    """Write 125000 INR as 1250.00."""
    places = decimals(currency)
    major, rest = divmod(abs(minor), 10**places)
    sign = "-" if minor < 0 else ""
    return f"{sign}{major}.{rest:0{places}}" if places else f"{sign}{major}"


def indian(number: int) -> str:
    """Group as in India: three digits, then pairs."""
    head, tail = divmod(number, 1000)
    if not head:
        return str(tail)
    digits = str(head)
    start = len(digits) % 2
    pairs = [digits[at : at + 2] for at in range(start, len(digits), 2)]
    return ",".join([*filter(None, [digits[:start]]), *pairs, f"{tail:03}"])
