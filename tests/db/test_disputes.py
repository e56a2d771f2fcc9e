"""Disputes are kept beside their order; they end once, and never move it."""

import asyncio
from datetime import timedelta

import pytest

from db.engine import Database
from db.inbox import InboxStore
from db.tables import TimelineEvent
from db.views import DisputeView
from domain.disputes import DisputeStatus
from domain.errors import OrderNotFound
from domain.orders import OrderStatus
from tests.support.orders import a_payment
from tests.support.refunds import LATER, a_dispute, pay_for_nobody, place_ended, view_of

OPEN, WON, LOST = DisputeStatus


async def record(database: Database, order_id: str, *statuses: DisputeStatus) -> None:
    for number, status in enumerate(statuses):
        dispute = a_dispute(a_payment(order_id), status)
        await InboxStore(database).record_dispute(dispute, LATER + number * timedelta(hours=1))


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ([OPEN], OPEN),
        ([OPEN, OPEN], OPEN),
        ([OPEN, WON], WON),
        ([OPEN, LOST, OPEN], LOST),
        ([WON, OPEN], WON),
        ([OPEN, WON, LOST], WON),
        ([LOST, WON, OPEN], LOST),
    ],
)
async def test_a_dispute_ends_once(
    database: Database, told: list[DisputeStatus], kept: DisputeStatus
) -> None:
    order_id = await place_ended(database)
    await record(database, order_id, *told)
    view = await view_of(database, order_id)
    (shown,) = view.disputes
    assert shown.dispute == a_dispute(a_payment(order_id), kept)
    assert shown.opened_at == LATER
    assert view.order.status is OrderStatus.PAID


async def test_its_story_is_told_in_the_timeline(database: Database) -> None:
    order_id = await place_ended(database)
    await record(database, order_id, OPEN, OPEN, LOST, LOST, OPEN)
    view = await view_of(database, order_id)
    told = [
        (line.event, line.evidence, line.from_status, line.status) for line in view.timeline[3:]
    ]
    payment = a_payment(order_id)
    assert told == [
        (TimelineEvent.DISPUTE_OPENED, a_dispute(payment).evidence, None, OrderStatus.PAID),
        (TimelineEvent.DISPUTE_LOST, a_dispute(payment, LOST).evidence, None, OrderStatus.PAID),
    ]
    assert view.disputes == (
        DisputeView(a_dispute(payment, LOST), LATER, LATER + timedelta(hours=2)),
    )


async def test_told_twenty_times_at_once_it_is_one(database: Database) -> None:
    order_id = await place_ended(database)
    inbox, payment = InboxStore(database), a_payment(order_id)
    tellers = [inbox.record_dispute(a_dispute(payment, end), LATER) for end in (OPEN, LOST) * 10]
    await asyncio.gather(*tellers)
    view = await view_of(database, order_id)
    assert [shown.dispute.status for shown in view.disputes] == [LOST]
    assert view.timeline[-1].event is TimelineEvent.DISPUTE_LOST


async def test_money_of_nobody_can_be_disputed(database: Database) -> None:
    payment = await pay_for_nobody(database)
    await InboxStore(database).record_dispute(a_dispute(payment), LATER)


async def test_a_dispute_of_nothing_we_know_waits(database: Database) -> None:
    with pytest.raises(OrderNotFound):
        await InboxStore(database).record_dispute(a_dispute(a_payment("ord_x")), LATER)
