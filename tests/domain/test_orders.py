"""Orders: the full matrix of steps, legal ones named here and every other refused."""

from itertools import product

import pytest

from domain.errors import IllegalTransition
from domain.orders import OrderStatus, check_transition

LEGAL = {
    ("created", "awaiting_payment"),
    ("created", "failed"),
    ("created", "expired"),
    ("created", "canceled"),
    ("awaiting_payment", "paid"),
    ("awaiting_payment", "failed"),
    ("awaiting_payment", "expired"),
    ("awaiting_payment", "canceled"),
    ("awaiting_payment", "needs_review"),
    ("needs_review", "paid"),
    ("needs_review", "failed"),
    ("needs_review", "canceled"),
    ("failed", "paid"),
    ("expired", "paid"),
    ("canceled", "paid"),
    ("paid", "canceled"),
    ("paid", "partially_refunded"),
    ("paid", "refunded"),
    ("partially_refunded", "paid"),
    ("partially_refunded", "refunded"),
    ("refunded", "paid"),
    ("refunded", "partially_refunded"),
}
MATRIX = list(product(map(str, OrderStatus), repeat=2))


def test_the_matrix_is_whole() -> None:
    assert len(MATRIX) == 81
    assert set(MATRIX) >= LEGAL


@pytest.mark.parametrize(("before", "after"), MATRIX)
def test_a_step_is_taken_or_refused(before: str, after: str) -> None:
    if (before, after) in LEGAL:
        check_transition(OrderStatus(before), OrderStatus(after))
        return
    with pytest.raises(IllegalTransition, match=f"{before} cannot become {after}"):
        check_transition(OrderStatus(before), OrderStatus(after))


def test_open_and_unpaid_ends() -> None:
    assert [s for s in OrderStatus if s.is_open] == ["created", "awaiting_payment"]
    assert [s for s in OrderStatus if s.is_unpaid_end] == ["failed", "expired", "canceled"]
