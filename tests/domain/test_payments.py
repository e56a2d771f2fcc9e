"""Payments: whatever order news comes in, the same is known in the end."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.news import fold
from domain.payments import LinkStatus, Payment, PaymentStatus

TEXT = st.none() | st.sampled_from(["", "upi", "card", "declined"])


def payments(*references: str) -> st.SearchStrategy[Payment]:
    return st.builds(
        Payment,
        gateway=st.just("acme"),
        reference=st.sampled_from(references),
        status=st.sampled_from(PaymentStatus),
        amount=st.builds(
            Money, st.sampled_from([1, 49900, 50000]), st.sampled_from(["INR", "USD"])
        ),
        method=TEXT,
        failure=TEXT,
    )


ONE = payments("pay_1")


@given(ONE, ONE)
def test_joining_is_commutative(a: Payment, b: Payment) -> None:
    assert a.joined(b) == b.joined(a)


@given(ONE, ONE, ONE)
def test_joining_is_associative(a: Payment, b: Payment, c: Payment) -> None:
    assert a.joined(b).joined(c) == a.joined(b.joined(c))


@given(ONE)
def test_joining_is_idempotent(a: Payment) -> None:
    assert a.joined(a) == a


@given(ONE, ONE)
def test_joining_never_lowers_the_rank(a: Payment, b: Payment) -> None:
    assert a.joined(b).status.rank == max(a.status.rank, b.status.rank)


@given(ONE)
def test_captured_never_goes_back(news: Payment) -> None:
    captured = Payment("acme", "pay_1", PaymentStatus.CAPTURED, Money(49900, "INR"))
    assert captured.joined(news).status is PaymentStatus.CAPTURED


@given(ONE, ONE)
def test_what_adds_nothing_changes_neither_rank_nor_amount(a: Payment, b: Payment) -> None:
    told = (a.joined(b).status.rank, a.joined(b).amount)
    if a.covers(b):
        assert told[0] == a.status.rank
        assert told[1] == a.amount
    else:
        assert b.status.rank > a.status.rank or b.amount != a.amount


@given(st.lists(payments("pay_1", "pay_2"), max_size=4))
def test_folding_forgets_the_order_and_the_duplicates(news: list[Payment]) -> None:
    expected = fold([], news)
    for arrival in permutations(news):
        assert fold([], [*arrival, *arrival]) == expected
        assert fold(fold([], arrival[:2]).values(), arrival[2:]) == expected


@pytest.mark.parametrize(
    ("status", "rank", "may_still_capture", "moves_money"),
    [
        ("unknown", 0, True, False),
        ("pending", 1, True, False),
        ("failed", 2, False, False),
        ("authorized", 3, True, True),
        ("canceled", 4, False, False),
        ("captured", 5, False, True),
    ],
)
def test_what_each_status_means(
    status: str, rank: int, may_still_capture: bool, moves_money: bool
) -> None:
    said = PaymentStatus(status)
    meaning = (said.rank, said.may_still_capture, said.moves_money)
    assert meaning == (rank, may_still_capture, moves_money)


def test_only_an_open_link_is_live() -> None:
    assert [status for status in LinkStatus if status.is_live] == [LinkStatus.OPEN]
