"""Money: whole minor units in, the same text out, and nothing else accepted."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, MoneyError, decimals

CURRENCIES = st.sampled_from(["JPY", "INR", "KWD"])
MINOR = st.integers(-(10**15) + 1, 10**15 - 1)


@given(MINOR, CURRENCIES)
def test_an_amount_survives_being_written_and_read(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.of_major(money.major_text(), currency) == money


@given(MINOR, CURRENCIES)
def test_the_text_has_exactly_the_decimals_of_its_currency(minor: int, currency: str) -> None:
    text = Money(minor, currency).major_text()
    assert len(text.partition(".")[2]) == decimals(currency)
    assert Decimal(text) * 10 ** decimals(currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1800, "JPY", "1800"), (49900, "INR", "499.00"), (1250, "KWD", "1.250"), (5, "INR", "0.05")],
)
def test_zero_two_and_three_decimals(minor: int, currency: str, text: str) -> None:
    assert Money(minor, currency).major_text() == text
    assert Money.of_major(text, currency) == Money(minor, currency)


@pytest.mark.parametrize("minor", [1.0, True, "1", None, Decimal(1)])
def test_minor_units_are_whole_numbers_only(minor: Any) -> None:
    with pytest.raises(MoneyError, match="whole numbers"):
        Money(minor, "INR")


@pytest.mark.parametrize("currency", ["", "inr", "IN", "INRX", "IN1", "ÄÖÜ"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(MoneyError, match="three capital letters"):
        Money(1, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1.5", "JPY"), ("1.001", "INR"), ("1.2345", "KWD"), ("", "INR"), ("ten", "INR")]
    + [
        (text, "INR")
        for text in ("NaN", "Infinity", "1e9", "1_000", " 1", "1.", "\u0661", "9" * 99)
    ],
)
def test_text_that_is_no_amount_of_the_currency_is_refused(text: str, currency: str) -> None:
    with pytest.raises(MoneyError):
        Money.of_major(text, currency)


def test_currencies_do_not_mix() -> None:
    rupees, yen = Money(1, "INR"), Money(1, "JPY")
    for mix in (lambda: rupees + yen, lambda: rupees - yen, lambda: rupees < yen):
        with pytest.raises(MoneyError, match="INR and JPY"):
            mix()


def test_sums_and_multiples_stay_in_minor_units() -> None:
    assert Money(250, "INR") + Money(50, "INR") - Money(1, "INR") == Money(299, "INR")
    assert Money(250, "INR") * 3 == Money(750, "INR")
    with pytest.raises(MoneyError):
        Money(250, "INR") * 1.5  # type: ignore[operator]


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(49900, "INR"), "₹499.00"),
        (Money(-5, "USD"), "-$0.05"),
        (Money(1800, "JPY"), "¥1800"),
        (Money(1250, "KWD"), "KWD 1.250"),
    ],
)
def test_people_read_it_with_its_symbol(money: Money, text: str) -> None:
    assert str(money) == text


@given(st.integers(0, 10**12), st.integers(0, 5000))
def test_the_tax_within_a_gross_amount_is_exact_to_half_a_unit(gross: int, rate: int) -> None:
    tax = Money(gross, "INR").included_tax(rate).minor
    assert 0 <= tax <= gross
    assert abs(tax * (10_000 + rate) - gross * rate) * 2 <= 10_000 + rate
