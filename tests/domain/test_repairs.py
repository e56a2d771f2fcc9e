"""Which late money is honoured: the rules alone."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.cases import OrderPolicy
from domain.policies import RepairPolicy
from domain.repairs import is_honoured

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER = NOON - timedelta(minutes=5)
GRACE = RepairPolicy(grace=timedelta(minutes=10))


@pytest.mark.parametrize(
    ("order", "policy", "honoured"),
    [
        (OrderPolicy(True, EARLIER, same_price=True), RepairPolicy(), True),
        (OrderPolicy(False, EARLIER, same_price=True), RepairPolicy(), False),
        (OrderPolicy(False, EARLIER, same_price=True), GRACE, True),
        (OrderPolicy(False, None, same_price=True), GRACE, False),
        (OrderPolicy(True, EARLIER, same_price=False), GRACE, False),
        (OrderPolicy(True, EARLIER, same_price=False), RepairPolicy(same_price_only=False), True),
        (OrderPolicy(True, EARLIER, same_price=True, is_paid=True), GRACE, False),
    ],
)
def test_an_order_takes_late_money_once(
    order: OrderPolicy, policy: RepairPolicy, honoured: bool
) -> None:
    assert is_honoured(order, policy, NOON) is honoured
