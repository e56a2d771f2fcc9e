"""Money as people read it."""

import pytest

from demo.money import money_text


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (49900, "INR", "₹499.00"),
        (5, "INR", "₹0.05"),
        (1250, "USD", "$12.50"),
        (1800, "JPY", "¥1,800"),
        (1250, "KWD", "KWD 1.250"),
        (-105, "EUR", "-€1.05"),
        (0, "GBP", "£0.00"),
        (10**12, "INR", "₹10,000,000,000.00"),
    ],
)
def test_money_has_the_decimals_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert money_text(minor, currency) == text
