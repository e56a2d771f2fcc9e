"""What must not stand beside money is found, and masked."""

import pytest

from domain.privacy import holds_address, holds_card, masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("settlements 4111 1111 1111 1111.csv", "settlements ….csv"),
        ("buyer@example.com.csv", "…"),
        ("of buyer+1@example.co.in, march", "of … march"),
        ("a card 5555555555554444 of <b@c.d>", "a card … of <…>"),
    ],
)
def test_what_is_personal_is_masked(text: str, shown: str) -> None:
    assert holds_address(text) or holds_card(text)
    assert masked(text) == shown
    assert not holds_address(masked(text))
    assert not holds_card(masked(text))


@pytest.mark.parametrize(
    "name", ["march.csv", "settlement-recon_2026-11-03_09-05-07.csv", "1234567890123.csv", "@", ""]
)
def test_an_ordinary_name_is_left_as_it_is(name: str) -> None:
    assert masked(name) == name


def test_a_moment_in_a_name_is_no_card() -> None:
    """Some pass the check digit of a card by chance."""
    moments = [f"202611030905{second:02}.csv" for second in range(60)]
    assert any(map(holds_card, moments))
    assert list(map(masked, moments)) == moments
