"""Refunds: whatever order news comes in, the same is known in the end; the echo is checked."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.news import Evidence, EvidenceKind
from domain.refunds import Refund, RefundNews, RefundStatus

ASKED = Refund("rfd_1", "ord_1", "acme", "pay_1", Money(10000, "INR"))


def told(
    status: RefundStatus, amount: Money = ASKED.amount, payment: str = "pay_1", said: str = "no"
) -> RefundNews:
    evidence = Evidence(EvidenceKind.WEBHOOK, "evt_1")
    return RefundNews("acme", "rfd_1", status, evidence, payment, amount, "re_1", said)


ANY = st.builds(
    told,
    st.sampled_from(RefundStatus),
    st.sampled_from([ASKED.amount, Money(9999, "INR"), Money(10000, "USD")]),
    st.sampled_from(["pay_1", "pay_2"]),
)


@given(st.lists(ANY, min_size=1, max_size=4))
def test_the_order_of_arrival_does_not_matter(news: list[RefundNews]) -> None:
    ends = set()
    for arrival in permutations([*news, *news[:1]]):
        refund = ASKED
        for each in arrival:
            refund = refund.joined(each)
        ends.add((refund.status, refund.reference, refund.amount, refund.payment_reference))
    assert len(ends) == 1


def test_a_success_may_be_taken_back() -> None:
    done = ASKED.joined(told(RefundStatus.SUCCEEDED))
    assert done.joined(told(RefundStatus.PENDING)) == done
    taken_back = done.joined(told(RefundStatus.FAILED, said="reversed"))
    assert (taken_back.status, taken_back.failure) == (RefundStatus.FAILED, "reversed")
    assert taken_back.joined(told(RefundStatus.SUCCEEDED)) == taken_back


@pytest.mark.parametrize("status", RefundStatus)
@pytest.mark.parametrize(
    "news",
    [{"amount": Money(9999, "INR")}, {"amount": Money(10000, "USD")}, {"payment": "pay_2"}],
)
def test_news_of_other_money_is_for_a_person_to_look_at(
    status: RefundStatus, news: dict[str, Money | str]
) -> None:
    refund = ASKED.joined(told(status, **news))  # type: ignore[arg-type]
    assert (refund.status, refund.amount) == (RefundStatus.NEEDS_REVIEW, ASKED.amount)
    assert "the gateway speaks of" in (refund.failure or "")
    assert refund.joined(told(RefundStatus.SUCCEEDED)).status is RefundStatus.SUCCEEDED
