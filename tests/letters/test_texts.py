"""Amounts, rates and days as people read them."""

from datetime import date

import pytest

from domain.invoices import CreditReason
from domain.money import Money
from letters import texts


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (49900, "INR", "₹499.00"),
        (12500000, "INR", "₹1,25,000.00"),
        (100000000000, "INR", "₹1,00,00,00,000.00"),
        (99999, "INR", "₹999.99"),
        (5, "INR", "₹0.05"),
        (1800, "JPY", "¥1,800"),
        (180, "JPY", "¥180"),
        (1250, "KWD", "KWD 1.250"),
        (1234567890, "KWD", "KWD 1,234,567.890"),
        (123456789, "USD", "$1,234,567.89"),
        (-123456, "EUR", "-€1,234.56"),
    ],
)
def test_amounts(minor: int, currency: str, text: str) -> None:
    assert texts.amount(Money(minor, currency)) == text


@pytest.mark.parametrize(
    ("rate", "parts", "text"),
    [
        (1800, 1, "18 %"),
        (1800, 2, "9 %"),
        (500, 2, "2.5 %"),
        (25, 2, "0.125 %"),
        (0, 1, "0 %"),
        (9999, 1, "99.99 %"),
    ],
)
def test_rates(rate: int, parts: int, text: str) -> None:
    assert texts.percent(rate, parts) == text


def test_days() -> None:
    assert texts.day_text(date(2026, 3, 1)) == "1 March 2026"


def test_every_reason_has_words() -> None:
    assert texts.REASONS.keys() == set(CreditReason)
