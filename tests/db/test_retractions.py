"""A capture that the gateway takes back cancels its order; and nothing else does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from db.engine import Database
from db.orders import OrderStore
from db.refunds import RefundStore
from db.tables import TimelineEvent
from domain.news import Evidence, EvidenceKind
from domain.orders import OrderStatus
from domain.payments import Payment, PaymentStatus
from domain.refunds import RefundStatus
from domain.repairs import Retraction
from tests.support.orders import NOON, a_payment
from tests.support.refunds import (
    a_refund_wish,
    pay_twice,
    place_ended,
    refund_news,
    refunded,
    reserved,
    status_of,
    view_of,
)

LATER = NOON + timedelta(days=2)
WORD = Evidence(EvidenceKind.STATUS_QUERY, "/payments/pay_1", "12" * 32)


def retraction_of(order_id: str, payment: Payment | None = None) -> Retraction:
    payment = payment or a_payment(order_id)
    failed = PaymentStatus.FAILED
    return Retraction(order_id, payment.gateway, payment.reference, failed, WORD)


async def test_it_cancels_the_order_and_says_why(database: Database) -> None:
    order_id, store = await place_ended(database), OrderStore(database)
    for _ in range(2):
        assert await store.retract(retraction_of(order_id), LATER) is OrderStatus.CANCELED
    view = await view_of(database, order_id)
    assert view.order.status is OrderStatus.CANCELED
    (payment,) = view.payments
    assert (payment.payment.status, payment.evidence) == (PaymentStatus.FAILED, WORD)
    last = view.timeline[-1]
    assert (last.event, last.evidence, last.at) == (TimelineEvent.RETRACTED, WORD, LATER)
    assert [line.event for line in view.timeline].count(TimelineEvent.RETRACTED) == 1


async def test_a_payment_that_fulfils_nothing_is_not_retracted(database: Database) -> None:
    order_id, second = await pay_twice(database)
    store = OrderStore(database)
    assert await store.retract(retraction_of(order_id, second), LATER) is OrderStatus.PAID
    statuses = {it.payment.status for it in (await view_of(database, order_id)).payments}
    assert statuses == {PaymentStatus.CAPTURED}


@pytest.mark.parametrize("status", [OrderStatus.EXPIRED, OrderStatus.CANCELED])
async def test_an_unpaid_order_stays_as_it_is(database: Database, status: OrderStatus) -> None:
    order_id = await place_ended(database, status)
    assert await OrderStore(database).retract(retraction_of(order_id), LATER) is status


async def test_money_on_its_way_back_forbids_it(database: Database) -> None:
    order_id = await place_ended(database)
    await reserved(database, a_refund_wish(order_id, 100))
    assert await OrderStore(database).retract(retraction_of(order_id), LATER) is OrderStatus.PAID


async def test_a_refunded_order_stays_refunded(database: Database) -> None:
    order_id = await place_ended(database)
    await refunded(database, a_refund_wish(order_id))
    store = OrderStore(database)
    assert await store.retract(retraction_of(order_id), LATER) is OrderStatus.REFUNDED


async def test_a_refund_that_failed_does_not_forbid_it(database: Database) -> None:
    order_id = await place_ended(database)
    refund = await reserved(database, a_refund_wish(order_id))
    await RefundStore(database).record_refund(refund_news(refund, RefundStatus.FAILED), NOON)
    await OrderStore(database).retract(retraction_of(order_id), LATER)
    assert await status_of(database, order_id) is OrderStatus.CANCELED


@pytest.mark.parametrize("status", [PaymentStatus.CAPTURED, PaymentStatus.PENDING])
async def test_only_a_sure_word_counts(database: Database, status: PaymentStatus) -> None:
    order_id = await place_ended(database)
    unsure = replace(retraction_of(order_id), status=status)
    assert await OrderStore(database).retract(unsure, LATER) is OrderStatus.PAID
