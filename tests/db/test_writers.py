"""Many who write of one order at the same time: nobody's word is lost, and no step is too many."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from itertools import product

import pytest

from db.cases import CaseStore
from db.engine import Database
from db.orders import OrderStore
from db.reads import OrderReads
from db.refunds import RefundStore
from db.statements import update_where
from db.tables import OrderRow
from domain.cases import CaseVerdict
from domain.errors import IllegalTransition
from domain.news import Evidence, EvidenceKind
from domain.orders import TRANSITIONS, OrderStatus
from domain.payments import PaymentStatus
from domain.refunds import RefundStatus
from domain.repairs import Retraction
from tests.support.orders import ANSWER, a_case, a_payment, an_end, place_awaiting
from tests.support.refunds import (
    LATER,
    a_refund_wish,
    place_ended,
    refund_news,
    reserved,
    view_of,
)

OF_EACH = 10
SHARE = 1000


async def heard(database: Database, order_id: str, number: int) -> None:
    evidence = Evidence(EvidenceKind.CALLBACK, f"callback_{number}", f"{number:064}")
    assert await OrderStore(database).first_heard(order_id, evidence, LATER)


async def paid_again(database: Database, order_id: str, number: int) -> None:
    payment = a_payment(order_id, number=100 + number)
    case = a_case(payment, order_id, CaseVerdict.DUPLICATE_PAYMENT)
    assert await CaseStore(database).open_case(case, LATER)


async def wished_back(database: Database, order_id: str, number: int) -> None:
    await reserved(database, a_refund_wish(order_id, SHARE))


async def given_back(database: Database, order_id: str, number: int) -> None:
    refund = await reserved(database, a_refund_wish(order_id, SHARE))
    await RefundStore(database).record_refund(refund_news(refund, RefundStatus.SUCCEEDED), LATER)


async def given_back_in_vain(database: Database, order_id: str, number: int) -> None:
    refund = await reserved(database, a_refund_wish(order_id, SHARE))
    await RefundStore(database).record_refund(refund_news(refund, RefundStatus.FAILED), LATER)


WRITERS = (heard, paid_again, wished_back, given_back, given_back_in_vain)


async def test_fifty_of_every_kind_lose_nothing(database: Database, database_url: str) -> None:
    order_id = await place_ended(database)
    before = len((await view_of(database, order_id)).timeline)
    # Two pools, as two processes would have.
    async with Database(database_url) as other:
        await asyncio.gather(
            *(
                write((database, other)[number % 2], order_id, number)
                for number, write in product(range(OF_EACH), WRITERS)
            )
        )
    view = await view_of(database, order_id)
    assert view.order.status is OrderStatus.PARTIALLY_REFUNDED
    assert len(view.payments) == 1 + OF_EACH
    assert len(view.cases) == OF_EACH
    assert sorted(shown.refund.status for shown in view.refunds) == sorted(
        [RefundStatus.REQUESTED, RefundStatus.SUCCEEDED, RefundStatus.FAILED] * OF_EACH
    )
    events = [entry.event for entry in view.timeline]
    assert len(events) > before + 5 * OF_EACH - OF_EACH
    # What is left is what was captured, less all that has gone or is on its way.
    left = await reserved(database, a_refund_wish(order_id))
    assert left.amount.minor == 49900 - 2 * OF_EACH * SHARE


Writer = Callable[[OrderStore, str], Awaitable[object]]


def concluding(end: OrderStatus) -> Writer:
    return lambda store, order_id: store.conclude(an_end(order_id, end))


async def canceling(store: OrderStore, order_id: str) -> object:
    return await store.request_cancel(order_id, "ops", LATER)


async def expiring(store: OrderStore, order_id: str) -> object:
    return await store.expire_untouched(timedelta(0), LATER)


async def retracting(store: OrderStore, order_id: str) -> object:
    payment = a_payment(order_id)
    failed = Retraction(order_id, payment.gateway, payment.reference, PaymentStatus.FAILED, ANSWER)
    return await store.retract(failed, LATER)


MOVERS = (*map(concluding, OrderStatus), canceling, expiring, retracting)


@pytest.mark.parametrize("before", OrderStatus)
async def test_no_store_takes_a_step_off_the_map(database: Database, before: OrderStatus) -> None:
    """From every status, by every method that ends an order, to every end that there is."""
    store = OrderStore(database)
    for move in MOVERS:
        order_id = await place_awaiting(database)
        async with database.write() as session:
            this = OrderRow.order_id == order_id
            await update_where(session, OrderRow, this, status=before)
        with suppress(IllegalTransition):
            await move(store, order_id)
        after = await OrderReads(database).status_of(order_id)
        assert after is before or after in TRANSITIONS[before]
        assert before.is_open or after is before
