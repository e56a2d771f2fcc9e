"""Figures for those who watch."""

from dataclasses import replace
from datetime import timedelta

from db.cases import CaseStore
from db.engine import Database
from db.inbox import InboxStore
from db.orders import OrderStore
from db.reports import Histogram, Reports
from domain.cases import CaseVerdict
from domain.events import GatewayEvent
from domain.money import Money
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from tests.support.orders import (
    NOON,
    PROOF,
    a_case,
    a_payment,
    an_end,
    place,
    place_awaiting,
)


async def test_nothing_yet(database: Database) -> None:
    report = await Reports(database).report([1, 60])
    assert report.orders_by_status == dict.fromkeys(OrderStatus, 0)
    assert (report.money_at_risk, report.inbox_waiting) == ({}, 0)
    assert report.seconds_to_paid == Histogram({1: 0, 60: 0}, 0, 0.0)


async def test_orders_are_counted_by_status(database: Database) -> None:
    for _ in range(3):
        await place(database)
    await OrderStore(database).conclude(an_end(await place_awaiting(database)))
    counts = (await Reports(database).report([])).orders_by_status
    assert {status: count for status, count in counts.items() if count} == {
        OrderStatus.CREATED: 3,
        OrderStatus.PAID: 1,
    }


async def test_seconds_to_paid(database: Database) -> None:
    store = OrderStore(database)
    for seconds in (0.5, 42, 42, 90):
        end = an_end(await place_awaiting(database))
        await store.conclude(replace(end, concluded_at=NOON + timedelta(seconds=seconds)))
    await store.conclude(an_end(await place_awaiting(database), OrderStatus.EXPIRED))
    report = await Reports(database).report([0.5, 42, 60])
    assert report.seconds_to_paid == Histogram({0.5: 1, 42: 3, 60: 3}, 4, 174.5)


async def test_money_in_dispute_is_at_risk_once(database: Database) -> None:
    store = OrderStore(database)
    order_id = await place_awaiting(database)
    twice, foreign = a_payment(order_id, number=2), a_payment(order_id, number=3)
    foreign = replace(foreign, amount=Money(700, "USD"))
    failed = a_payment(order_id, PaymentStatus.FAILED, number=4)
    await store.conclude(replace(an_end(order_id), others=(failed,)))
    for verdict in (CaseVerdict.DUPLICATE_PAYMENT, CaseVerdict.AMOUNT_MISMATCH):
        await CaseStore(database).open_case(a_case(twice, order_id, verdict), NOON)
    await CaseStore(database).open_case(
        a_case(foreign, order_id, CaseVerdict.CURRENCY_MISMATCH), NOON
    )
    report = await Reports(database).report([])
    assert report.money_at_risk == {"INR": 49900, "USD": 700}


async def test_webhooks_that_wait_are_counted(database: Database) -> None:
    event = GatewayEvent("acme", "evt", "payment.captured", PROOF, payment=a_payment("ord_x"))
    await InboxStore(database).accept(event, b"{}", NOON)
    assert (await Reports(database).report([])).inbox_waiting == 1
