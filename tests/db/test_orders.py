"""How orders end: once, with proof, and never by a step that is not allowed."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from db.cases import CaseStore
from db.engine import Database
from db.orders import OrderStore
from db.reads import OrderReads
from db.refunds import RefundStore
from db.statements import update_where
from db.tables import OrderRow, TimelineEvent
from db.transitions import Step, lock_order, move
from db.views import OrderView, TimelineEntry
from domain.cases import CaseVerdict
from domain.checkouts import Standing
from domain.errors import IllegalTransition, OrderNotFound, PaymentTaken
from domain.money import Money
from domain.news import Evidence, EvidenceKind
from domain.orders import TRANSITIONS, OrderStatus
from domain.payments import PaymentStatus
from domain.refunds import RefundStatus
from tests.support.orders import (
    ANSWER,
    NOON,
    PROOF,
    a_case,
    a_payment,
    an_end,
    place,
    place_awaiting,
)
from tests.support.refunds import a_refund_wish, place_ended, refund_news

ENDS = [OrderStatus.PAID, OrderStatus.FAILED, OrderStatus.EXPIRED, OrderStatus.CANCELED]
LATER = NOON + timedelta(minutes=20)


@pytest.fixture
def store(database: Database) -> OrderStore:
    return OrderStore(database)


async def view_of(database: Database, order_id: str) -> OrderView:
    return await OrderReads(database).order_view(order_id)


def path_of(view: OrderView) -> list[tuple[OrderStatus | None, OrderStatus]]:
    return [(line.from_status, line.status) for line in view.timeline]


async def put(database: Database, order_id: str, status: OrderStatus) -> None:
    """Place the order in a status from outside."""
    async with database.write() as session:
        await update_where(session, OrderRow, OrderRow.order_id == order_id, status=status)


async def test_no_step_off_the_map_is_taken(database: Database, store: OrderStore) -> None:
    order_id = await place(database)
    accepted = set()
    for before, after in product(OrderStatus, OrderStatus):
        await put(database, order_id, before)
        try:
            async with database.write() as session:
                order = await lock_order(session, order_id)
                await move(session, order, after, Step(TimelineEvent.CONCLUDED, NOON))
            accepted.add((before, after))
        except IllegalTransition:
            assert (await store.order(order_id)).status is before
    assert accepted == {(before, after) for before in TRANSITIONS for after in TRANSITIONS[before]}
    assert len((await view_of(database, order_id)).timeline) == 1 + len(accepted)


async def test_a_step_from_a_status_that_has_passed_is_not_taken(
    database: Database, store: OrderStore
) -> None:
    order_id = await place(database)
    async with database.read() as session:
        stale = await session.get_one(OrderRow, order_id)
    await store.conclude(an_end(order_id, OrderStatus.EXPIRED))
    with pytest.raises(IllegalTransition):
        async with database.write() as session:
            await move(session, stale, OrderStatus.FAILED, Step(TimelineEvent.CONCLUDED, NOON))
    assert (await store.order(order_id)).status is OrderStatus.EXPIRED


async def test_a_paid_order_cites_its_proof(database: Database, store: OrderStore) -> None:
    order_id = await place_awaiting(database)
    assert await store.conclude(an_end(order_id)) is OrderStatus.PAID
    view = await view_of(database, order_id)
    assert view.order.status is OrderStatus.PAID
    assert view.concluded_at == an_end(order_id).concluded_at
    assert [(shown.payment, shown.evidence) for shown in view.payments] == [
        (a_payment(order_id), PROOF)
    ]
    assert view.timeline[-1] == TimelineEntry(
        at=an_end(order_id).concluded_at,
        event=TimelineEvent.CONCLUDED,
        from_status=OrderStatus.AWAITING_PAYMENT,
        status=OrderStatus.PAID,
        actor="system",
        evidence=PROOF,
    )


@pytest.mark.parametrize("status", [*ENDS, OrderStatus.NEEDS_REVIEW])
async def test_an_end_is_recorded_once(
    database: Database, store: OrderStore, status: OrderStatus
) -> None:
    order_id = await place_awaiting(database)
    for _ in range(3):
        assert await store.conclude(an_end(order_id, status)) is status
    view = await view_of(database, order_id)
    assert path_of(view) == [
        (None, OrderStatus.CREATED),
        (OrderStatus.CREATED, OrderStatus.AWAITING_PAYMENT),
        (OrderStatus.AWAITING_PAYMENT, status),
    ]


async def test_a_repeat_is_answered_as_the_first_was(database: Database, store: OrderStore) -> None:
    """As when the worker died before it could tell: whoever hears it has yet to tell the customer.

    Meanwhile an operator has sent the money back.
    """
    order_id = await place_ended(database)
    refunds, wish = RefundStore(database), a_refund_wish(order_id)
    refund = await refunds.reserve(wish, None, LATER)
    assert refund
    await refunds.record_refund(refund_news(refund, RefundStatus.SUCCEEDED), LATER)
    assert (await store.order(order_id)).status is OrderStatus.REFUNDED
    assert await store.conclude(an_end(order_id)) is OrderStatus.PAID
    assert await store.conclude(an_end(order_id, OrderStatus.EXPIRED)) is OrderStatus.REFUNDED
    other = replace(an_end(order_id), payment=a_payment(order_id, number=2))
    assert await store.conclude(other) is OrderStatus.REFUNDED
    assert (await store.order(order_id)).status is OrderStatus.REFUNDED


async def test_an_order_that_has_ended_keeps_its_status(
    database: Database, store: OrderStore
) -> None:
    order_id = await place_awaiting(database)
    await store.conclude(an_end(order_id, OrderStatus.EXPIRED))
    before = await view_of(database, order_id)
    assert await store.conclude(an_end(order_id)) is OrderStatus.EXPIRED
    assert await view_of(database, order_id) == before


async def test_of_many_ends_at_once_one_wins(database: Database, store: OrderStore) -> None:
    order_id = await place_awaiting(database)
    answers = await asyncio.gather(*(store.conclude(an_end(order_id, end)) for end in ENDS * 10))
    assert len(set(answers)) == 1
    view = await view_of(database, order_id)
    assert view.order.status is answers[0]
    assert len(view.timeline) == 3
    assert len(view.payments) == (1 if answers[0] is OrderStatus.PAID else 0)


@pytest.mark.parametrize("status", [OrderStatus.PAID, OrderStatus.NEEDS_REVIEW])
async def test_an_order_without_a_link_cannot_be_paid(
    database: Database, store: OrderStore, status: OrderStatus
) -> None:
    order_id = await place(database)
    with pytest.raises(IllegalTransition):
        await store.conclude(an_end(order_id, status))
    view = await view_of(database, order_id)
    assert path_of(view) == [(None, OrderStatus.CREATED)]
    assert view.payments == ()


async def test_what_else_was_learned_stands_beside_it(
    database: Database, store: OrderStore
) -> None:
    order_id = await place_awaiting(database)
    failed = a_payment(order_id, PaymentStatus.FAILED, number=2, failure="declined")
    twice = a_payment(order_id, number=3)
    case = replace(a_case(twice, order_id, CaseVerdict.DUPLICATE_PAYMENT), evidence=ANSWER)
    end = replace(an_end(order_id), others=(failed, twice), cases=(case,))
    await store.conclude(end)
    view = await view_of(database, order_id)
    proofs = {shown.payment: shown.evidence for shown in view.payments}
    assert proofs == {a_payment(order_id): PROOF, failed: None, twice: ANSWER}
    assert [(c.verdict, c.payment_reference, c.evidence) for c in view.cases] == [
        (CaseVerdict.DUPLICATE_PAYMENT, twice.reference, ANSWER)
    ]


async def test_a_query_speaks_of_every_payment(database: Database, store: OrderStore) -> None:
    order_id = await place_awaiting(database)
    failed = a_payment(order_id, PaymentStatus.FAILED)
    await store.conclude(replace(an_end(order_id, OrderStatus.FAILED), others=(failed,)))
    (shown,) = (await view_of(database, order_id)).payments
    assert (shown.payment, shown.evidence) == (failed, ANSWER)


async def test_evidence_cited_twice_is_kept_once(database: Database, store: OrderStore) -> None:
    order_id = await place_awaiting(database)
    await store.conclude(an_end(order_id))
    case = a_case(a_payment(order_id, number=2), order_id, CaseVerdict.DUPLICATE_PAYMENT)
    await CaseStore(database).open_case(case, LATER)
    view = await view_of(database, order_id)
    assert view.timeline[-1].evidence == view.cases[0].evidence == PROOF


async def test_standing_tells_what_is_recorded(database: Database, store: OrderStore) -> None:
    order_id = await place_awaiting(database)
    assert await store.standing(order_id) == Standing(OrderStatus.AWAITING_PAYMENT)
    await store.conclude(an_end(order_id))
    assert await store.standing(order_id) == Standing(OrderStatus.PAID, (a_payment(order_id),))


async def test_an_unknown_order_is_unknown_everywhere(store: OrderStore) -> None:
    for question in (
        store.order("ord_x"),
        store.standing("ord_x"),
        store.conclude(an_end("ord_x")),
        store.request_cancel("ord_x", "ops", NOON),
    ):
        with pytest.raises(OrderNotFound):
            await question


async def test_a_case_opens_once(database: Database, store: OrderStore) -> None:
    order_id = await place_awaiting(database)
    await store.conclude(an_end(order_id, OrderStatus.EXPIRED))
    case = a_case(a_payment(order_id), order_id, CaseVerdict.LATE_CAPTURE)
    opened = await asyncio.gather(*(CaseStore(database).open_case(case, LATER) for _ in range(20)))
    assert opened.count(True) == 1
    view = await view_of(database, order_id)
    assert view.order.status is OrderStatus.EXPIRED
    assert [shown.payment for shown in view.payments] == [a_payment(order_id)]
    assert len(view.cases) == 1


async def test_each_verdict_is_a_case_of_its_own(database: Database, store: OrderStore) -> None:
    order_id = await place_awaiting(database)
    for verdict in (CaseVerdict.LATE_AUTHORIZATION, CaseVerdict.LATE_CAPTURE):
        assert await CaseStore(database).open_case(
            a_case(a_payment(order_id), order_id, verdict), LATER
        )
    assert len((await view_of(database, order_id)).cases) == 2


async def test_a_payment_never_becomes_less_certain(database: Database, store: OrderStore) -> None:
    order_id = await place_awaiting(database)
    for status in (*PaymentStatus, *reversed(PaymentStatus)):
        payment = a_payment(order_id, status)
        await CaseStore(database).open_case(
            a_case(payment, order_id, CaseVerdict.LATE_CAPTURE), LATER
        )
    assert (await store.standing(order_id)).payments == (a_payment(order_id),)


async def test_twenty_reports_of_one_payment_at_once_leave_the_highest(
    database: Database, store: OrderStore
) -> None:
    order_id = await place_awaiting(database)
    statuses = [*PaymentStatus] * 3
    cases = [
        a_case(a_payment(order_id, status), order_id, CaseVerdict.LATE_CAPTURE)
        for status in statuses
    ]
    await asyncio.gather(*(CaseStore(database).open_case(case, LATER) for case in cases))
    assert (await store.standing(order_id)).payments == (a_payment(order_id),)


async def test_no_payment_pays_for_two_orders(database: Database, store: OrderStore) -> None:
    first, second = [await place_awaiting(database) for _ in range(2)]
    await store.conclude(an_end(first))
    with pytest.raises(PaymentTaken):
        await store.conclude(replace(an_end(second), payment=a_payment(first)))
    assert (await store.order(second)).status is OrderStatus.AWAITING_PAYMENT
    assert (await view_of(database, second)).payments == ()


async def test_an_untouched_order_is_canceled_at_once(
    database: Database, store: OrderStore
) -> None:
    order_id = await place(database)
    for _ in range(2):
        assert await store.request_cancel(order_id, "ops", NOON) is OrderStatus.CANCELED
    view = await view_of(database, order_id)
    assert view.order.cancel_requested
    assert view.concluded_at == NOON
    assert path_of(view)[1:] == [(OrderStatus.CREATED, OrderStatus.CANCELED)]
    assert view.timeline[-1].actor == "ops"
    assert view.timeline[-1].evidence == Evidence(EvidenceKind.NO_LINK, order_id)


async def test_a_checkout_is_only_marked(database: Database, store: OrderStore) -> None:
    order_id = await place_awaiting(database)
    for _ in range(2):
        status = await store.request_cancel(order_id, "shop", NOON)
        assert status is OrderStatus.AWAITING_PAYMENT
    assert (await store.standing(order_id)).cancel_requested
    view = await view_of(database, order_id)
    assert [line.event for line in view.timeline[2:]] == [TimelineEvent.CANCEL_REQUESTED]
    assert path_of(view)[-1] == (None, OrderStatus.AWAITING_PAYMENT)


async def test_a_paid_order_is_not_canceled(database: Database, store: OrderStore) -> None:
    order_id = await place_awaiting(database)
    await store.conclude(an_end(order_id))
    assert await store.request_cancel(order_id, "ops", LATER) is OrderStatus.PAID
    assert not (await store.order(order_id)).cancel_requested


async def test_only_old_untouched_orders_expire(database: Database, store: OrderStore) -> None:
    window = timedelta(minutes=15)
    old = await place(database, at=LATER - window)
    young = await place(database, at=LATER - window + timedelta(seconds=1))
    started = await place_awaiting(database)
    assert await store.expire_untouched(window, LATER) == 1
    assert await store.expire_untouched(window, LATER) == 0
    assert (await store.order(young)).status is OrderStatus.CREATED
    assert (await store.order(started)).status is OrderStatus.AWAITING_PAYMENT
    line = (await view_of(database, old)).timeline[-1]
    assert line.status is OrderStatus.EXPIRED
    assert line.evidence == Evidence(EvidenceKind.NO_LINK, old)


async def test_expiry_and_a_click_on_pay_exclude_each_other(
    database: Database, store: OrderStore
) -> None:
    order_ids = [await place(database) for _ in range(10)]
    await asyncio.gather(
        store.expire_untouched(timedelta(0), NOON),
        *(store.request_cancel(order_id, "shop", NOON) for order_id in order_ids),
        store.expire_untouched(timedelta(0), NOON),
    )
    for order_id in order_ids:
        assert len((await view_of(database, order_id)).timeline) == 2


async def test_all_who_wait_are_looked_at_in_turn(database: Database, store: OrderStore) -> None:
    order_ids = {await place_awaiting(database) for _ in range(4)}
    settled = await place_awaiting(database)
    await store.conclude(an_end(settled))
    await place(database)
    assert await store.awaiting(timedelta(minutes=30), LATER, 9) == []
    seen = [
        order.order_id
        for n in range(2)
        for order in await store.awaiting(timedelta(0), LATER + timedelta(seconds=n), 2)
    ]
    assert len(seen) == 4
    assert set(seen) == order_ids
    assert len(await store.awaiting(timedelta(0), LATER + timedelta(seconds=2), 9)) == 4


async def test_money_in_another_currency_is_kept_as_it_is(
    database: Database, store: OrderStore
) -> None:
    order_id = await place_awaiting(database)
    odd = a_payment(order_id, amount=Money(1, "USD"))
    await CaseStore(database).open_case(a_case(odd, order_id, CaseVerdict.CURRENCY_MISMATCH), LATER)
    assert (await store.standing(order_id)).payments == (odd,)
