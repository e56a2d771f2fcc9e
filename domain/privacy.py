"""What must not stand beside money: card numbers nowhere, mail addresses not in Temporal."""

import re
from itertools import combinations

DIGITS = re.compile(r"\d(?:[ -]?\d){12,}")
CARD = re.compile(r"[2-6]\d{12,18}")
ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
# No card's number begins so, but many a moment does that stands in a file's name.
CENTURY = "20"
MASK = "…"


def holds_card(text: str) -> bool:
    """Whether some of its groups of digits together could be a card's number."""
    return any(map(_holds_card, DIGITS.findall(text)))


def holds_address(text: str) -> bool:
    """Whether something in it could be a mail address."""
    return ADDRESS.search(text) is not None


def masked(text: str) -> str:
    """The text with an ellipsis for every mail address and whatever could be a card's number."""
    return DIGITS.sub(_mask, ADDRESS.sub(MASK, text))


def _mask(digits: re.Match[str]) -> str:
    text = digits[0]
    return MASK if _holds_card(text) and not text.startswith(CENTURY) else text


def _holds_card(text: str) -> bool:
    groups = re.split("[ -]", text)
    spans = combinations(range(len(groups) + 1), 2)
    numbers = ("".join(groups[start:end]) for start, end in spans)
    return any(CARD.fullmatch(number) and _passes_luhn(number) for number in numbers)


def _passes_luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
