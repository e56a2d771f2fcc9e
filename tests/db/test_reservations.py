"""Money is set aside for refunds: once for each wish, never too much, never past the budget."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from db.cases import CaseStore
from db.engine import Database
from db.inbox import InboxStore
from db.refunds import RefundStore
from db.tables import TimelineEvent
from domain.cases import CaseVerdict
from domain.disputes import DisputeStatus
from domain.errors import KeyReused, OrderNotFound, RefundRefused
from domain.money import Money
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from domain.policies import Budget
from domain.refunds import Refund, RefundStatus, RefundWish
from tests.support.orders import NOON, PRICE, a_case, a_payment
from tests.support.refunds import (
    LATER,
    a_dispute,
    a_refund_wish,
    pay_for_nobody,
    pay_twice,
    place_ended,
    refund_news,
    reserved,
    view_of,
)


@pytest.fixture
def store(database: Database) -> RefundStore:
    return RefundStore(database)


async def assert_nothing_written(database: Database, order_id: str) -> None:
    view = await view_of(database, order_id)
    assert view.refunds == ()
    assert TimelineEvent.REFUND_REQUESTED not in [line.event for line in view.timeline]


async def test_a_reserved_refund_is_shown_with_who_and_why(
    database: Database, store: RefundStore
) -> None:
    order_id = await place_ended(database)
    wish = a_refund_wish(order_id, 10000)
    refund = await store.reserve(wish, None, LATER)
    assert refund == Refund(
        wish.refund_id, order_id, "acme", wish.payment_reference, Money(10000, "INR")
    )
    assert await store.refund(wish.refund_id) == refund
    view = await view_of(database, order_id)
    (shown,) = view.refunds
    assert (shown.refund, shown.reason, shown.actor) == (refund, "it broke", "ops")
    assert (shown.requested_at, shown.sent_at, shown.concluded_at) == (LATER, None, None)
    line = view.timeline[-1]
    assert (line.event, line.actor) == (TimelineEvent.REFUND_REQUESTED, "ops")
    assert view.order.status is OrderStatus.PAID


async def test_no_amount_is_all_that_is_left(database: Database, store: RefundStore) -> None:
    order_id = await place_ended(database)
    await reserved(database, a_refund_wish(order_id, 10000))
    rest = await reserved(database, a_refund_wish(order_id))
    assert rest.amount == PRICE - Money(10000, "INR")


async def test_two_refunds_of_one_amount_are_two(database: Database) -> None:
    order_id = await place_ended(database)
    for _ in range(2):
        await reserved(database, a_refund_wish(order_id, 10000))
    assert len((await view_of(database, order_id)).refunds) == 2


async def test_a_repeated_wish_is_one_refund_as_it_stands(
    database: Database, store: RefundStore
) -> None:
    order_id = await place_ended(database)
    wish = a_refund_wish(order_id)
    refund = await reserved(database, wish)
    done = await store.record_refund(refund_news(refund, RefundStatus.SUCCEEDED), LATER)
    assert await store.reserve(wish, None, LATER) == done
    assert done.status is RefundStatus.SUCCEEDED
    assert len((await view_of(database, order_id)).refunds) == 1


@pytest.mark.parametrize(
    "changes", [{"amount": Money(2, "INR")}, {"amount": None}, {"reason": "it is late"}]
)
async def test_another_wish_under_the_same_id_is_refused(
    database: Database, store: RefundStore, changes: dict[str, Any]
) -> None:
    order_id = await place_ended(database)
    wish = a_refund_wish(order_id, 1)
    await reserved(database, wish)
    with pytest.raises(KeyReused):
        await store.reserve(replace(wish, **changes), None, NOON)


async def test_an_id_serves_one_payment(database: Database, store: RefundStore) -> None:
    first, second = [await place_ended(database) for _ in range(2)]
    wishes = [a_refund_wish(order_id, 1, refund_id="rfd_same") for order_id in (first, second)]
    results = await asyncio.gather(
        *(store.reserve(wish, None, NOON) for wish in wishes * 5), return_exceptions=True
    )
    assert sum(isinstance(result, Refund) for result in results) == 5
    assert sum(isinstance(result, KeyReused) for result in results) == 5


@pytest.mark.parametrize(
    ("minor", "currency", "why"),
    [
        (0, "INR", "more than nothing"),
        (-1, "INR", "more than nothing"),
        (49901, "INR", "only ₹499.00 is left"),
        (100, "USD", "was in INR"),
    ],
)
async def test_an_impossible_amount_is_refused(
    database: Database, store: RefundStore, minor: int, currency: str, why: str
) -> None:
    order_id = await place_ended(database)
    wish = a_refund_wish(order_id, amount=Money(minor, currency))
    with pytest.raises(RefundRefused, match=why):
        await store.reserve(wish, None, NOON)
    await assert_nothing_written(database, order_id)


@pytest.mark.parametrize("amount", [None, Money(1, "INR")])
async def test_what_has_gone_does_not_go_again(
    database: Database, store: RefundStore, amount: Money | None
) -> None:
    order_id = await place_ended(database)
    await reserved(database, a_refund_wish(order_id))
    with pytest.raises(RefundRefused, match="nothing is left"):
        await store.reserve(a_refund_wish(order_id, amount=amount), None, NOON)


@pytest.mark.parametrize("status", RefundStatus)
async def test_only_a_failed_refund_gives_its_money_free(
    database: Database, store: RefundStore, status: RefundStatus
) -> None:
    order_id = await place_ended(database)
    refund = await reserved(database, a_refund_wish(order_id, 40000))
    await store.record_refund(refund_news(refund, status), LATER)
    left = (await reserved(database, a_refund_wish(order_id))).amount.minor
    assert left == (49900 if status is RefundStatus.FAILED else 9900)


@pytest.mark.parametrize(
    "status", [OrderStatus.FAILED, OrderStatus.EXPIRED, OrderStatus.NEEDS_REVIEW]
)
async def test_an_order_that_was_never_paid_has_nothing_to_refund(
    database: Database, store: RefundStore, status: OrderStatus
) -> None:
    order_id = await place_ended(database, status)
    with pytest.raises(RefundRefused, match="nothing was paid"):
        await store.reserve(a_refund_wish(order_id), None, NOON)
    await assert_nothing_written(database, order_id)


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s is not PaymentStatus.CAPTURED])
async def test_what_was_not_captured_is_not_refunded(
    database: Database, store: RefundStore, status: PaymentStatus
) -> None:
    order_id = await place_ended(database, OrderStatus.EXPIRED)
    held = a_case(a_payment(order_id, status), order_id, CaseVerdict.LATE_AUTHORIZATION)
    await CaseStore(database).open_case(held, NOON)
    with pytest.raises(RefundRefused, match="never captured"):
        await store.reserve(a_refund_wish(order_id), None, NOON)


async def test_a_payment_of_another_order_is_left_alone(
    database: Database, store: RefundStore
) -> None:
    first, second = [await place_ended(database) for _ in range(2)]
    wish = a_refund_wish(first, payment_reference=a_payment(second).reference)
    with pytest.raises(RefundRefused, match="no such payment"):
        await store.reserve(wish, None, NOON)


async def test_an_order_that_is_not_known(store: RefundStore) -> None:
    with pytest.raises(OrderNotFound):
        await store.reserve(a_refund_wish("ord_x"), None, NOON)


@pytest.mark.parametrize(
    ("ends", "left"), [([], None), ([DisputeStatus.WON], 49900), ([DisputeStatus.LOST], 39900)]
)
async def test_a_disputed_payment_waits_for_its_dispute(
    database: Database, store: RefundStore, ends: list[DisputeStatus], left: int | None
) -> None:
    """What a dispute has taken is not given back a second time."""
    order_id = await place_ended(database)
    for status in (DisputeStatus.OPEN, *ends):
        dispute = replace(a_dispute(a_payment(order_id), status), amount=Money(10000, "INR"))
        await InboxStore(database).record_dispute(dispute, NOON)
    if left is None:
        with pytest.raises(RefundRefused, match="disputed"):
            await store.reserve(a_refund_wish(order_id, 1), None, NOON)
        await assert_nothing_written(database, order_id)
    else:
        assert (await reserved(database, a_refund_wish(order_id))).amount.minor == left


async def test_surplus_goes_back_too(database: Database) -> None:
    order_id, second = await pay_twice(database)
    refund = await reserved(database, a_refund_wish(order_id, payment_reference=second.reference))
    assert refund.amount == second.amount


async def test_money_of_nobody_goes_back_too(database: Database) -> None:
    payment = await pay_for_nobody(database)
    wish = a_refund_wish("nobody", order_id=None)
    refund = await reserved(database, wish)
    assert (refund.order_id, refund.amount) == (None, payment.amount)


async def test_many_operators_at_once_cannot_pass_what_was_captured(
    database: Database, database_url: str
) -> None:
    order_id = await place_ended(database)
    # Two pools, as two processes would have.
    async with Database(database_url) as other:
        stores = [RefundStore(database), RefundStore(other)]
        results = await asyncio.gather(
            *(
                stores[number % 2].reserve(a_refund_wish(order_id, 20000), None, NOON)
                for number in range(20)
            ),
            return_exceptions=True,
        )
    assert sum(isinstance(result, Refund) for result in results) == 2
    assert sum(isinstance(result, RefundRefused) for result in results) == 18
    assert len((await view_of(database, order_id)).refunds) == 2


async def test_one_wish_twenty_times_at_once_is_one_refund(
    database: Database, store: RefundStore
) -> None:
    order_id = await place_ended(database)
    wish = a_refund_wish(order_id)
    results = await asyncio.gather(*(store.reserve(wish, None, NOON) for _ in range(20)))
    assert len(set(results)) == 1
    assert len((await view_of(database, order_id)).refunds) == 1


async def automatic(database: Database) -> RefundWish:
    """The wish to refund the surplus of an order of its own."""
    order_id, second = await pay_twice(database)
    wish = a_refund_wish(order_id, payment_reference=second.reference)
    return replace(wish, actor="repair", automatic=True)


async def test_the_budget_counts(database: Database, store: RefundStore) -> None:
    budget = Budget(count=2)
    wishes = [await automatic(database) for _ in range(3)]
    answers = [await store.reserve(wish, budget, NOON) for wish in wishes]
    assert [answer is None for answer in answers] == [False, False, True]
    assert wishes[2].order_id
    await assert_nothing_written(database, wishes[2].order_id)
    assert await store.reserve(wishes[0], budget, NOON) == answers[0]
    assert await store.reserve(replace(wishes[2], automatic=False), None, NOON)


async def test_the_budget_adds_up_each_currency(database: Database, store: RefundStore) -> None:
    budget = Budget(minor_by_currency={"INR": 2 * 49900})
    answers = [await store.reserve(await automatic(database), budget, NOON) for _ in range(3)]
    assert [answer is None for answer in answers] == [False, False, True]
    dollars = Budget(minor_by_currency={"USD": 1})
    assert await store.reserve(await automatic(database), dollars, NOON)


async def test_the_budget_is_there_again_after_a_while(
    database: Database, store: RefundStore
) -> None:
    budget = Budget(count=1, period=timedelta(hours=1))
    assert await store.reserve(await automatic(database), budget, NOON)
    almost = LATER - timedelta(seconds=1)
    assert await store.reserve(await automatic(database), budget, almost) is None
    assert await store.reserve(await automatic(database), budget, LATER)


async def test_what_operators_do_is_not_taken_from_the_budget(
    database: Database, store: RefundStore
) -> None:
    budget = Budget(count=1)
    await reserved(database, a_refund_wish(await place_ended(database)))
    assert await store.reserve(await automatic(database), budget, NOON)
    assert await store.reserve(a_refund_wish(await place_ended(database)), budget, NOON)


async def test_fifty_at_once_cannot_pass_the_budget(database: Database, database_url: str) -> None:
    wishes = [await automatic(database) for _ in range(50)]
    budget = Budget(count=20, minor_by_currency={"INR": 7 * 49900})
    async with Database(database_url) as other:
        stores = [RefundStore(database), RefundStore(other)]
        answers = await asyncio.gather(
            *(stores[n % 2].reserve(wish, budget, NOON) for n, wish in enumerate(wishes))
        )
    assert sum(answer is not None for answer in answers) == 7


async def test_a_refund_and_a_dispute_do_not_cross(database: Database, store: RefundStore) -> None:
    """Whichever comes first, no refund is reserved once the dispute is recorded."""
    order_id = await place_ended(database)
    dispute = a_dispute(a_payment(order_id))
    results = await asyncio.gather(
        *(store.reserve(a_refund_wish(order_id, 1), None, NOON) for _ in range(5)),
        InboxStore(database).record_dispute(dispute, NOON),
        *(store.reserve(a_refund_wish(order_id, 1), None, NOON) for _ in range(5)),
        return_exceptions=True,
    )
    events = [line.event for line in (await view_of(database, order_id)).timeline]
    assert (
        TimelineEvent.REFUND_REQUESTED not in events[events.index(TimelineEvent.DISPUTE_OPENED) :]
    )
    assert all(isinstance(r, Refund | RefundRefused | None) for r in results)
