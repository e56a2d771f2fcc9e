"""Whatever is wished and told, in any order: no more goes back than came, and sums decide."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.engine import Database
from db.refunds import RefundStore
from domain.errors import RefundRefused
from domain.orders import OrderStatus
from domain.refunds import Refund, RefundStatus
from tests.support.orders import NOON, PRICE
from tests.support.refunds import LATER, a_refund_wish, place_ended, refund_news, view_of

pytestmark = pytest.mark.slow

AMOUNTS = st.one_of(st.none(), st.integers(1, PRICE.minor + 1), st.just(PRICE.minor // 2))
WISH = st.tuples(st.just("reserve"), AMOUNTS)
NEWS = st.tuples(st.just("tell"), st.integers(0, 5), st.sampled_from(RefundStatus))
Step = tuple[str, int | None] | tuple[str, int, RefundStatus]
STEPS = st.lists(st.one_of(WISH, NEWS), max_size=25)


@dataclass
class World:
    """What must be recorded after all that was wished and told."""

    refunds: list[Refund] = field(default_factory=list)
    ranks: dict[str, RefundStatus] = field(default_factory=dict)

    def told(self, refund: Refund, status: RefundStatus) -> None:
        self.ranks[refund.refund_id] = max(
            self.ranks[refund.refund_id], status, key=lambda one: one.rank
        )

    def sum_of(self, *statuses: RefundStatus) -> int:
        return sum(
            refund.amount.minor
            for refund in self.refunds
            if self.ranks[refund.refund_id] in statuses
        )

    @property
    def held(self) -> int:
        return self.sum_of(*(status for status in RefundStatus if status.holds_money))

    @property
    def order_status(self) -> OrderStatus:
        back = self.sum_of(RefundStatus.SUCCEEDED)
        if back == 0:
            return OrderStatus.PAID
        return OrderStatus.REFUNDED if back >= PRICE.minor else OrderStatus.PARTIALLY_REFUNDED


async def reserve(store: RefundStore, order_id: str, world: World, minor: int | None) -> None:
    left = PRICE.minor - world.held
    fits = left > 0 and (minor is None or minor <= left)
    try:
        refund = await store.reserve(a_refund_wish(order_id, minor), None, NOON)
    except RefundRefused:
        assert not fits
        return
    assert refund
    assert fits
    world.refunds.append(refund)
    world.ranks[refund.refund_id] = refund.status


async def live(database: Database, steps: list[Step]) -> None:
    order_id, store, world = await place_ended(database), RefundStore(database), World()
    for step in steps:
        match step:
            case ("reserve", int() | None as minor):
                await reserve(store, order_id, world, minor)
            case ("tell", int() as number, RefundStatus() as status) if world.refunds:
                refund = world.refunds[number % len(world.refunds)]
                world.told(refund, status)
                await store.record_refund(refund_news(refund, status), LATER)
        view = await view_of(database, order_id)
        shown = {one.refund.refund_id: one.refund.status for one in view.refunds}
        assert shown == world.ranks
        assert world.held <= PRICE.minor
        assert view.order.status is world.order_status


@settings(
    max_examples=40,
    deadline=None,
    # Each example has an order of its own in the database that they share.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(STEPS)
async def test_no_more_goes_back_than_came_and_the_sums_decide(
    database: Database, steps: list[Step]
) -> None:
    await live(database, steps)
