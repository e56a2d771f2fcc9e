"""What becomes of refunds: joined by rank, whatever comes first, and orders follow the sums."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from db.engine import Database
from db.refunds import RefundStore
from db.tables import TimelineEvent
from domain.errors import IllegalTransition, RefundNotFound
from domain.keys import derived_id
from domain.money import Money
from domain.orders import OrderStatus
from domain.ports import RefundAttempt, RefundDraft
from domain.refunds import Refund, RefundNews, RefundStatus
from tests.support.orders import NOON, PRICE, a_payment
from tests.support.refunds import (
    LATER,
    TOLD,
    a_refund_wish,
    pay_for_nobody,
    pay_twice,
    place_ended,
    refund_news,
    refunded,
    reserved,
    status_of,
    view_of,
)

PENDING, SUCCEEDED, FAILED, NEEDS_REVIEW = (
    RefundStatus.PENDING,
    RefundStatus.SUCCEEDED,
    RefundStatus.FAILED,
    RefundStatus.NEEDS_REVIEW,
)


@pytest.fixture
def store(database: Database) -> RefundStore:
    return RefundStore(database)


def a_draft(refund: Refund, body: str = "{}") -> RefundDraft:
    return RefundDraft(refund.refund_id, refund.payment_reference, "wire", body)


async def test_the_first_draft_is_the_one_that_is_sent(
    database: Database, store: RefundStore
) -> None:
    order_id = await place_ended(database)
    refund = await reserved(database, a_refund_wish(order_id))
    assert await store.begin_refund(a_draft(refund), LATER) == RefundAttempt(
        a_draft(refund), repeated=False
    )
    later = await store.begin_refund(a_draft(refund, "another"), LATER + timedelta(hours=1))
    assert later == RefundAttempt(a_draft(refund), repeated=True)
    assert (await view_of(database, order_id)).refunds[0].sent_at == LATER


async def test_of_twenty_drafts_at_once_one_is_first(
    database: Database, store: RefundStore
) -> None:
    refund = await reserved(database, a_refund_wish(await place_ended(database)))
    drafts = [a_draft(refund, str(number)) for number in range(20)]
    attempts = await asyncio.gather(*(store.begin_refund(draft, NOON) for draft in drafts))
    assert sum(not attempt.repeated for attempt in attempts) == 1
    assert len({attempt.draft for attempt in attempts}) == 1


@pytest.mark.parametrize("status", [PENDING, SUCCEEDED, FAILED])
async def test_a_refund_that_went_on_without_us_is_not_sent(
    database: Database, store: RefundStore, status: RefundStatus
) -> None:
    refund = await reserved(database, a_refund_wish(await place_ended(database)))
    await store.record_refund(refund_news(refund, status), LATER)
    with pytest.raises(IllegalTransition):
        await store.begin_refund(a_draft(refund), LATER)


async def test_nothing_is_known_of_other_refunds(database: Database, store: RefundStore) -> None:
    refund = await reserved(database, a_refund_wish(await place_ended(database)))
    other = replace(refund, refund_id="rfd_x")
    for question in (
        store.refund("rfd_x"),
        store.begin_refund(a_draft(other), NOON),
        store.record_refund(refund_news(other, PENDING, reference=None), NOON),
        store.record_refund(refund_news(other, PENDING, payment_reference="pay_x"), NOON),
    ):
        with pytest.raises(RefundNotFound):
            await question


async def test_a_success_cites_its_proof(database: Database, store: RefundStore) -> None:
    order_id = await place_ended(database)
    refund = await refunded(database, a_refund_wish(order_id))
    assert (refund.status, refund.reference) == (SUCCEEDED, f"rfnd_{refund.refund_id}")
    view = await view_of(database, order_id)
    assert view.order.status is OrderStatus.REFUNDED
    assert (view.refunds[0].evidence, view.refunds[0].concluded_at) == (TOLD, LATER)
    line = view.timeline[-1]
    assert (line.event, line.evidence) == (TimelineEvent.REFUND_SUCCEEDED, TOLD)
    assert (line.from_status, line.status) == (OrderStatus.PAID, OrderStatus.REFUNDED)


@pytest.mark.parametrize("arrival", list(permutations([PENDING, SUCCEEDED, FAILED])))
async def test_any_order_of_arrival_gives_one_result(
    database: Database, store: RefundStore, arrival: tuple[RefundStatus, ...]
) -> None:
    order_id = await place_ended(database)
    refund = await reserved(database, a_refund_wish(order_id))
    for status in (*arrival, *arrival):
        await store.record_refund(refund_news(refund, status), LATER)
    assert (await store.refund(refund.refund_id)).status is FAILED
    assert await status_of(database, order_id) is OrderStatus.PAID


async def test_repeats_write_nothing(database: Database, store: RefundStore) -> None:
    order_id = await place_ended(database)
    refund = await refunded(database, a_refund_wish(order_id))
    before = await view_of(database, order_id)
    news = [refund_news(refund, status) for status in (SUCCEEDED, PENDING)]
    await asyncio.gather(
        *(store.record_refund(one, LATER + timedelta(hours=1)) for one in news * 9)
    )
    assert await view_of(database, order_id) == before


async def test_the_order_goes_with_the_sums_and_back(
    database: Database, store: RefundStore
) -> None:
    order_id = await place_ended(database)
    part, rest = [await reserved(database, a_refund_wish(order_id, m)) for m in (20000, 29900)]
    path = [await status_of(database, order_id)]
    for refund, status in (
        (part, PENDING),
        (part, SUCCEEDED),
        (rest, SUCCEEDED),
        (part, FAILED),
        (rest, FAILED),
    ):
        await store.record_refund(refund_news(refund, status), LATER)
        path.append(await status_of(database, order_id))
    paid, partially, back = (
        OrderStatus.PAID,
        OrderStatus.PARTIALLY_REFUNDED,
        OrderStatus.REFUNDED,
    )
    assert path == [paid, paid, partially, back, partially, paid]
    moves = [
        (line.from_status, line.status)
        for line in (await view_of(database, order_id)).timeline[3:]
        if line.from_status
    ]
    assert moves == [(paid, partially), (partially, back), (back, partially), (partially, paid)]


async def test_a_whole_refund_that_fails_leaves_the_order_paid(
    database: Database, store: RefundStore
) -> None:
    order_id = await place_ended(database)
    refund = await refunded(database, a_refund_wish(order_id))
    failed = refund_news(refund, FAILED, failure="account closed")
    assert (await store.record_refund(failed, LATER)).failure == "account closed"
    view = await view_of(database, order_id)
    assert view.order.status is OrderStatus.PAID
    assert view.timeline[-1].event is TimelineEvent.REFUND_FAILED
    assert (await reserved(database, a_refund_wish(order_id))).amount == PRICE


async def test_surplus_that_goes_back_does_not_move_the_order(
    database: Database, store: RefundStore
) -> None:
    order_id, second = await pay_twice(database)
    await refunded(database, a_refund_wish(order_id, payment_reference=second.reference))
    view = await view_of(database, order_id)
    assert view.order.status is OrderStatus.PAID
    assert [shown.refund.status for shown in view.refunds] == [SUCCEEDED]
    assert view.timeline[-1].event is TimelineEvent.REFUND_SUCCEEDED
    await refunded(database, a_refund_wish(order_id, 1))
    assert await status_of(database, order_id) is OrderStatus.PARTIALLY_REFUNDED


async def test_money_of_nobody_is_recorded_too(database: Database, store: RefundStore) -> None:
    await pay_for_nobody(database)
    refund = await refunded(database, a_refund_wish("nobody", order_id=None))
    assert (refund.order_id, refund.status) == (None, SUCCEEDED)


def gateways_own(order_id: str, status: RefundStatus, minor: int = 10000) -> RefundNews:
    reference, amount = "rfnd_own", Money(minor, "INR")
    payment = a_payment(order_id).reference
    return RefundNews("acme", None, status, TOLD, payment, amount, reference)


async def test_a_refund_made_at_the_gateway_is_recorded(
    database: Database, store: RefundStore
) -> None:
    order_id = await place_ended(database)
    for status in (PENDING, SUCCEEDED, SUCCEEDED):
        refund = await store.record_refund(gateways_own(order_id, status), LATER)
    assert refund.refund_id == derived_id("rfd", "acme", "rfnd_own")
    view = await view_of(database, order_id)
    assert [(shown.refund, shown.actor) for shown in view.refunds] == [(refund, "gateway")]
    assert view.order.status is OrderStatus.PARTIALLY_REFUNDED
    assert (await reserved(database, a_refund_wish(order_id))).amount.minor == 39900


async def test_the_gateways_own_counts_although_it_is_too_much(
    database: Database, store: RefundStore
) -> None:
    order_id = await place_ended(database)
    await refunded(database, a_refund_wish(order_id))
    await store.record_refund(gateways_own(order_id, SUCCEEDED), LATER)
    assert await status_of(database, order_id) is OrderStatus.REFUNDED
    assert len((await view_of(database, order_id)).refunds) == 2


async def test_twenty_tellers_of_one_refund_at_once(database: Database, store: RefundStore) -> None:
    order_id = await place_ended(database)
    news = [gateways_own(order_id, status) for status in (PENDING, SUCCEEDED)] * 10
    refunds = await asyncio.gather(*(store.record_refund(one, LATER) for one in news))
    assert len({refund.refund_id for refund in refunds}) == 1
    view = await view_of(database, order_id)
    assert [shown.refund.status for shown in view.refunds] == [SUCCEEDED]
    assert view.order.status is OrderStatus.PARTIALLY_REFUNDED


async def test_news_by_the_gateways_name_alone_is_of_our_refund(
    database: Database, store: RefundStore
) -> None:
    refund = await reserved(database, a_refund_wish(await place_ended(database)))
    await store.record_refund(refund_news(refund, PENDING), LATER)
    done = await store.record_refund(refund_news(refund, SUCCEEDED, refund_id=None), LATER)
    assert (done.refund_id, done.status) == (refund.refund_id, SUCCEEDED)


async def test_a_second_refund_under_our_id_is_another_refund(
    database: Database, store: RefundStore
) -> None:
    """Money that went back twice is seen, and counted twice."""
    order_id = await place_ended(database)
    refund = await refunded(database, a_refund_wish(order_id, 10000))
    twice = await store.record_refund(refund_news(refund, SUCCEEDED, reference="rfnd_2"), LATER)
    assert twice.refund_id != refund.refund_id
    assert (await reserved(database, a_refund_wish(order_id))).amount.minor == 29900


async def test_a_name_that_another_refund_has_is_looked_at(
    database: Database, store: RefundStore
) -> None:
    order_id = await place_ended(database)
    own = await store.record_refund(gateways_own(order_id, PENDING), LATER)
    refund = await reserved(database, a_refund_wish(order_id, 10000))
    news = refund_news(refund, SUCCEEDED, reference="rfnd_own")
    doubtful = await store.record_refund(news, LATER)
    assert (doubtful.status, doubtful.reference) == (NEEDS_REVIEW, None)
    assert own.refund_id in (doubtful.failure or "")


@pytest.mark.parametrize("what", ["amount", "payment"])
async def test_an_echo_that_is_wrong_is_looked_at(
    database: Database, store: RefundStore, what: str
) -> None:
    order_id, second = await pay_twice(database)
    refund = await reserved(database, a_refund_wish(order_id, 10000))
    wrong = {"amount": Money(1, "INR"), "payment_reference": second.reference}
    key = "amount" if what == "amount" else "payment_reference"
    await store.record_refund(refund_news(refund, SUCCEEDED, **{key: wrong[key]}), LATER)
    view = await view_of(database, order_id)
    assert [shown.refund.status for shown in view.refunds] == [NEEDS_REVIEW]
    assert view.order.status is OrderStatus.PAID
    assert view.timeline[-1].event is TimelineEvent.REFUND_NEEDS_REVIEW


async def test_two_refunds_that_end_at_once_are_both_summed(
    database: Database, database_url: str
) -> None:
    order_id = await place_ended(database)
    refunds = [await reserved(database, a_refund_wish(order_id, 4990)) for _ in range(10)]
    async with Database(database_url) as other:
        stores = [RefundStore(database), RefundStore(other)]
        await asyncio.gather(
            *(
                stores[number % 2].record_refund(refund_news(refund, SUCCEEDED), LATER)
                for number, refund in enumerate(refunds)
            )
        )
    assert await status_of(database, order_id) is OrderStatus.REFUNDED


async def test_what_is_under_way_is_looked_at_in_turn(
    database: Database, store: RefundStore
) -> None:
    order_id = await place_ended(database)
    refunds = [await reserved(database, a_refund_wish(order_id, 1)) for _ in range(7)]
    for refund, status in zip(refunds, RefundStatus, strict=False):
        await store.record_refund(refund_news(refund, status), NOON)
    going_on = {refunds[0].refund_id, refunds[1].refund_id, *(r.refund_id for r in refunds[5:])}
    minute = timedelta(minutes=1)
    assert await store.unattended_refunds(minute, NOON + minute / 2, 9) == []
    seen = [
        refund.refund_id
        for _ in range(2)
        for refund in await store.unattended_refunds(minute, NOON + minute, 2)
    ]
    assert len(seen) == 4
    assert set(seen) == going_on
    assert await store.unattended_refunds(minute, NOON + minute, 9) == []
    assert len(await store.unattended_refunds(minute, NOON + 2 * minute, 9)) == 4
