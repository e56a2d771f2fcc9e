"""Cases: opened once, decided once for each time they wait, honoured only where that is right."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from db.cases import CaseStore
from db.catalogue import CatalogueStore
from db.engine import Database
from db.orders import OrderStore
from db.reads import OrderReads
from db.refunds import RefundStore
from db.tables import EvidenceRow, TimelineEvent
from domain.cases import (
    Case,
    CaseOutcome,
    CaseRecord,
    CaseStatus,
    CaseVerdict,
    Decision,
    OrderPolicy,
    Remedy,
)
from domain.errors import CaseNotFound, OrderNotFound
from domain.money import Money
from domain.news import Evidence, EvidenceKind
from domain.orders import LatePolicy, OrderStatus, Product
from domain.payments import Payment, PaymentStatus
from domain.refunds import RefundStatus
from tests.support.orders import (
    NOON,
    PROOF,
    a_case,
    a_payment,
    an_end,
    place,
    place_awaiting,
)
from tests.support.refunds import (
    LATER,
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

HOUR = timedelta(hours=1)


@pytest.fixture
def store(database: Database) -> CaseStore:
    return CaseStore(database)


async def place_late(
    database: Database,
    end: OrderStatus = OrderStatus.EXPIRED,
    paid: PaymentStatus = PaymentStatus.CAPTURED,
) -> tuple[str, str]:
    """An order that ended unpaid and was paid after that: its id, and that of its case."""
    order_id = await place_ended(database, end)
    case = a_case(a_payment(order_id, paid), order_id, CaseVerdict.LATE_CAPTURE)
    await CaseStore(database).open_case(case, NOON)
    return order_id, await case_of(database, order_id)


async def case_of(database: Database, subject: str) -> str:
    return (await CaseStore(database).open_cases(subject))[-1].case_id


def a_word(case_id: str, remedy: Remedy = Remedy.HONOUR, actor: str = "ops") -> Decision:
    return Decision(case_id, remedy, actor, "the customer asked for it")


async def test_a_case_is_read_with_its_payment_and_proof(
    database: Database, store: CaseStore
) -> None:
    order_id, case_id = await place_late(database)
    case = a_case(a_payment(order_id), order_id, CaseVerdict.LATE_CAPTURE)
    assert await store.case(case_id) == CaseRecord(case_id, case, CaseStatus.OPEN)
    assert await store.open_cases(order_id) == (await store.case(case_id),)


async def test_nothing_is_known_of_other_cases(store: CaseStore) -> None:
    for question in (
        store.case("case_x"),
        store.await_word("case_x", "why", NOON),
        store.decide(a_word("case_x"), NOON),
        store.honour("case_x", NOON),
        store.settle("case_x", CaseOutcome.DISMISSED, None, NOON),
    ):
        with pytest.raises(CaseNotFound):
            await question
    assert await store.open_cases("ord_x") == ()


async def test_money_for_nobody_is_a_case_of_its_own(database: Database, store: CaseStore) -> None:
    payment = a_payment("nobody")
    case = Case(None, CaseVerdict.UNKNOWN_ORDER, payment, PROOF)
    opened = await asyncio.gather(*(store.open_case(case, NOON) for _ in range(20)))
    assert opened.count(True) == 1
    (record,) = await store.open_cases(payment.identity)
    assert record.case == case


async def test_money_for_nobody_may_find_its_order(database: Database, store: CaseStore) -> None:
    order_id = await place_ended(database, OrderStatus.EXPIRED)
    payment = a_payment(order_id)
    await store.open_case(Case(None, CaseVerdict.UNKNOWN_ORDER, payment, PROOF), NOON)
    assert (await view_of(database, order_id)).payments == ()
    assert await store.open_case(a_case(payment, order_id, CaseVerdict.LATE_CAPTURE), LATER)
    assert [one.payment for one in (await view_of(database, order_id)).payments] == [payment]
    again = Case(None, CaseVerdict.UNKNOWN_ORDER, payment, PROOF)
    assert not await store.open_case(again, LATER)
    assert len((await view_of(database, order_id)).payments) == 1


async def test_a_case_of_an_order_that_is_not_known(store: CaseStore) -> None:
    with pytest.raises(OrderNotFound):
        await store.open_case(a_case(a_payment("x"), "ord_x", CaseVerdict.LATE_CAPTURE), NOON)
    with pytest.raises(OrderNotFound):
        await store.order_policy("ord_x")


async def test_a_word_is_kept_with_who_and_why(database: Database, store: CaseStore) -> None:
    order_id, case_id = await place_late(database)
    await store.await_word(case_id, "who shall have it?", NOON)
    assert (await OrderReads(database).case_view(case_id)).why == "who shall have it?"
    assert await store.decide(a_word(case_id), LATER)
    record = await store.case(case_id)
    assert (record.status, record.decision) == (CaseStatus.OPEN, Remedy.HONOUR)
    assert (record.decided_by, record.words) == ("ops", 1)
    view = await OrderReads(database).case_view(case_id)
    assert (view.decision, view.decided_at) == (a_word(case_id), LATER)
    line = (await view_of(database, order_id)).timeline[-1]
    assert (line.event, line.actor) == (TimelineEvent.CASE_DECIDED, "ops")
    said = f"{case_id} honour: the customer asked for it"
    assert line.evidence == Evidence(EvidenceKind.OPERATOR, said)


async def test_a_word_on_nobodys_money_is_kept_too(database: Database, store: CaseStore) -> None:
    case_id = await case_of(database, (await pay_for_nobody(database)).identity)
    await store.await_word(case_id, "whose is it?", NOON)
    assert await store.decide(a_word(case_id, Remedy.DISMISS), LATER)
    async with database.read() as session:
        words = select(EvidenceRow).where(EvidenceRow.kind == EvidenceKind.OPERATOR)
        assert len((await session.exec(words)).all()) == 1


async def test_only_a_case_that_waits_takes_a_word(database: Database, store: CaseStore) -> None:
    order_id, case_id = await place_late(database)
    assert not await store.decide(a_word(case_id), NOON)
    await store.settle(case_id, CaseOutcome.DISMISSED, None, NOON)
    await store.await_word(case_id, "too late", LATER)
    assert not await store.decide(a_word(case_id), LATER)
    assert (await store.case(case_id)).status is CaseStatus.SETTLED
    events = [line.event for line in (await view_of(database, order_id)).timeline]
    assert TimelineEvent.CASE_DECIDED not in events


async def test_of_many_words_at_once_one_is_kept(database: Database, store: CaseStore) -> None:
    order_id, case_id = await place_late(database)
    await store.await_word(case_id, "why", NOON)
    words = [a_word(case_id, remedy, f"ops-{number}") for number in range(10) for remedy in Remedy]
    answers = await asyncio.gather(*(store.decide(word, LATER) for word in words))
    assert answers.count(True) == 1
    kept = words[answers.index(True)]
    assert (await OrderReads(database).case_view(case_id)).decision == kept
    events = [line.event for line in (await view_of(database, order_id)).timeline]
    assert events.count(TimelineEvent.CASE_DECIDED) == 1
    assert (await store.case(case_id)).words == 1


async def test_a_repeated_word_is_that_word(database: Database, store: CaseStore) -> None:
    _, case_id = await place_late(database)
    await store.await_word(case_id, "why", NOON)
    assert [await store.decide(a_word(case_id), LATER + n * HOUR) for n in range(3)] == [True] * 3
    assert not await store.decide(a_word(case_id, actor="somebody"), LATER)
    assert not await store.decide(a_word(case_id, Remedy.REFUND), LATER)
    assert (await store.case(case_id)).words == 1


async def test_what_cannot_be_done_waits_for_another_word(
    database: Database, store: CaseStore
) -> None:
    order_id, case_id = await place_late(database)
    await store.await_word(case_id, "first", NOON)
    await store.await_word(case_id, "second", NOON)
    assert (await OrderReads(database).case_view(case_id)).why == "first"
    await store.decide(a_word(case_id), LATER)
    await store.await_word(case_id, "a repeat from before", NOON)
    assert (await store.case(case_id)).decision is Remedy.HONOUR
    await store.await_word(case_id, "that cannot be", LATER + HOUR)
    waiting = await store.case(case_id)
    assert (waiting.status, waiting.decision) == (CaseStatus.WAITING, None)
    assert await store.decide(a_word(case_id, Remedy.REFUND), LATER + HOUR)
    assert (await store.case(case_id)).words == 2
    lines = (await view_of(database, order_id)).timeline
    assert [line.event for line in lines].count(TimelineEvent.CASE_DECIDED) == 2


UNPAID_ENDS = [OrderStatus.FAILED, OrderStatus.EXPIRED, OrderStatus.CANCELED]


@pytest.mark.parametrize("status", UNPAID_ENDS)
async def test_late_money_is_honoured(
    database: Database, store: CaseStore, status: OrderStatus
) -> None:
    order_id, case_id = await place_late(database, status)
    answers = await asyncio.gather(*(store.honour(case_id, LATER) for _ in range(10)))
    assert answers == [None] * 10
    view = await view_of(database, order_id)
    assert (view.order.status, view.late_capture) == (OrderStatus.PAID, True)
    assert await OrderReads(database).fulfilling_payment(order_id) == a_payment(order_id)
    line = view.timeline[-1]
    assert (line.from_status, line.event) == (status, TimelineEvent.HONOURED)
    assert (line.actor, line.evidence) == ("system", PROOF)
    assert len(view.timeline) == 4
    assert view.concluded_at == an_end(order_id).concluded_at


async def test_an_operators_word_makes_wrong_money_right(
    database: Database, store: CaseStore
) -> None:
    order_id = await place_ended(database, OrderStatus.NEEDS_REVIEW)
    odd = a_payment(order_id, amount=Money(100, "INR"))
    await store.open_case(a_case(odd, order_id, CaseVerdict.AMOUNT_MISMATCH), NOON)
    case_id = await case_of(database, order_id)
    await store.await_word(case_id, "why", NOON)
    await store.decide(a_word(case_id), LATER)
    assert await store.honour(case_id, LATER) is None
    view = await view_of(database, order_id)
    assert (view.order.status, view.late_capture) == (OrderStatus.PAID, False)
    assert (view.timeline[-1].actor, view.timeline[-1].evidence) == ("ops", PROOF)
    await refunded(database, a_refund_wish(order_id))
    assert await status_of(database, order_id) is OrderStatus.REFUNDED
    assert await store.honour(case_id, LATER) is None


async def test_an_order_is_fulfilled_by_one_of_two_late_payments(
    database: Database, store: CaseStore
) -> None:
    order_id, _ = await place_late(database)
    second = a_case(a_payment(order_id, number=2), order_id, CaseVerdict.LATE_CAPTURE)
    await store.open_case(second, NOON)
    cases = [case.case_id for case in await store.open_cases(order_id)]
    answers = await asyncio.gather(*(store.honour(case_id, LATER) for case_id in cases * 5))
    assert sorted(map(str, answers)) == ["None"] * 5 + ["another payment fulfils the order"] * 5
    assert len((await view_of(database, order_id)).timeline) == 4


async def test_surplus_is_not_honoured(database: Database, store: CaseStore) -> None:
    order_id, _ = await pay_twice(database)
    before = await view_of(database, order_id)
    assert await store.honour(await case_of(database, order_id), LATER)
    assert await view_of(database, order_id) == before


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s is not PaymentStatus.CAPTURED])
async def test_only_captured_money_is_honoured(
    database: Database, store: CaseStore, status: PaymentStatus
) -> None:
    order_id, case_id = await place_late(database, paid=status)
    assert await store.honour(case_id, LATER) == f"the payment is {status}"
    assert await status_of(database, order_id) is OrderStatus.EXPIRED


@pytest.mark.parametrize("status", RefundStatus)
async def test_money_that_goes_back_is_not_honoured(
    database: Database, store: CaseStore, status: RefundStatus
) -> None:
    order_id, case_id = await place_late(database)
    refund = await reserved(database, a_refund_wish(order_id, 1))
    await RefundStore(database).record_refund(refund_news(refund, status), LATER)
    obstacle = await store.honour(case_id, LATER)
    failed = status is RefundStatus.FAILED
    assert obstacle == (None if failed else "some of the money is on its way back")
    paid = await status_of(database, order_id) is OrderStatus.PAID
    assert paid is failed


async def test_money_is_honoured_or_refunded_never_both(
    database: Database, store: CaseStore
) -> None:
    for _ in range(5):
        order_id, case_id = await place_late(database)
        wish = a_refund_wish(order_id)
        obstacle, refund = await asyncio.gather(
            store.honour(case_id, LATER), RefundStore(database).reserve(wish, None, LATER)
        )
        assert refund
        events = [line.event for line in (await view_of(database, order_id)).timeline]
        if obstacle is None:  # it was refunded afterwards, as any paid order can be
            assert events.index(TimelineEvent.HONOURED) < events.index(
                TimelineEvent.REFUND_REQUESTED
            )
        else:
            assert TimelineEvent.HONOURED not in events


async def test_what_has_no_order_or_is_settled_is_not_honoured(
    database: Database, store: CaseStore
) -> None:
    nobodys = await case_of(database, (await pay_for_nobody(database)).identity)
    assert await store.honour(nobodys, LATER) == "its order is not known"
    order_id, case_id = await place_late(database)
    await store.settle(case_id, CaseOutcome.DISMISSED, None, LATER)
    assert await store.honour(case_id, LATER) == "the case is settled: dismissed"
    assert await status_of(database, order_id) is OrderStatus.EXPIRED


async def test_an_order_that_is_still_open_is_not_honoured(
    database: Database, store: CaseStore
) -> None:
    order_id = await place_awaiting(database)
    await store.open_case(a_case(a_payment(order_id), order_id, CaseVerdict.LATE_CAPTURE), NOON)
    obstacle = await store.honour(await case_of(database, order_id), LATER)
    assert obstacle == "the order is awaiting_payment"


async def test_a_case_is_settled_once(database: Database, store: CaseStore) -> None:
    order_id, case_id = await place_late(database)
    refund = await refunded(database, a_refund_wish(order_id))
    await store.settle(case_id, CaseOutcome.REFUNDED, refund.refund_id, LATER)
    await store.settle(case_id, CaseOutcome.DISMISSED, None, LATER + HOUR)
    view = await OrderReads(database).case_view(case_id)
    assert (view.status, view.outcome) == (CaseStatus.SETTLED, CaseOutcome.REFUNDED)
    assert (view.refund_id, view.settled_at) == (refund.refund_id, LATER)
    assert await store.open_cases(order_id) == ()
    assert not await store.open_case(
        a_case(a_payment(order_id), order_id, CaseVerdict.LATE_CAPTURE), LATER
    )


@pytest.mark.parametrize(
    ("outcome", "end"),
    [
        (CaseOutcome.REFUNDED, OrderStatus.CANCELED),
        (CaseOutcome.DISMISSED, OrderStatus.FAILED),
    ],
)
async def test_a_review_ends_with_its_last_case(
    database: Database, store: CaseStore, outcome: CaseOutcome, end: OrderStatus
) -> None:
    order_id = await place_ended(database, OrderStatus.NEEDS_REVIEW)
    for number in (1, 2):
        odd = a_payment(order_id, number=number, amount=Money(100, "INR"))
        await store.open_case(a_case(odd, order_id, CaseVerdict.AMOUNT_MISMATCH), NOON)
    first, second = await store.open_cases(order_id)
    await store.settle(first.case_id, outcome, None, LATER)
    assert await status_of(database, order_id) is OrderStatus.NEEDS_REVIEW
    await store.settle(second.case_id, outcome, None, LATER)
    view = await view_of(database, order_id)
    assert (view.order.status, view.concluded_at) == (end, LATER)


async def test_words_and_outcomes_at_once_do_not_block_each_other(
    database: Database, store: CaseStore
) -> None:
    cases = [(await place_late(database))[1] for _ in range(5)]
    for case_id in cases:
        await store.await_word(case_id, "why", NOON)
    await asyncio.gather(
        *(store.decide(a_word(case_id), LATER) for case_id in cases * 3),
        *(store.settle(case_id, CaseOutcome.DISMISSED, None, LATER) for case_id in cases * 3),
    )
    statuses = {(await store.case(case_id)).status for case_id in cases}
    assert statuses == {CaseStatus.SETTLED}


async def reprice(database: Database, minor: int, currency: str = "INR") -> None:
    mug = Product("mug", "Mug", Money(minor, currency), 1800, LatePolicy.HONOUR)
    await CatalogueStore(database).seed([mug])


async def test_what_decides_about_late_money(database: Database, store: CaseStore) -> None:
    order_id = await place_ended(database, OrderStatus.EXPIRED)
    ended_at = an_end(order_id).concluded_at
    assert await store.order_policy(order_id) == OrderPolicy(False, ended_at, same_price=True)
    bill = await place(database, ("electricity-bill", 1))
    assert await store.order_policy(bill) == OrderPolicy(True, None, same_price=True)
    paid = await place_ended(database)
    assert (await store.order_policy(paid)).is_paid


@pytest.mark.parametrize(
    ("minor", "currency", "same"),
    [(29900, "INR", True), (29901, "INR", False), (29900, "USD", False), (1, "INR", False)],
)
async def test_the_price_is_compared_with_todays_catalogue(
    database: Database, store: CaseStore, minor: int, currency: str, same: bool
) -> None:
    order_id = await place(database, ("coffee-beans", 1), ("mug", 2))
    await reprice(database, minor, currency)
    assert (await store.order_policy(order_id)).same_price is same


async def test_what_is_not_settled_is_looked_at_in_turn(
    database: Database, store: CaseStore
) -> None:
    orders = [await place_late(database) for _ in range(3)]
    settled, waiting = orders[0][1], orders[1][1]
    await store.settle(settled, CaseOutcome.DISMISSED, None, NOON)
    await store.await_word(waiting, "why", NOON)
    twice: Payment = replace(a_payment(orders[2][0]), reference="pay_again")
    await store.open_case(a_case(twice, orders[2][0], CaseVerdict.DUPLICATE_PAYMENT), NOON)
    nobody = await pay_for_nobody(database)
    minute = timedelta(minutes=1)
    assert await store.subjects_unattended(minute, NOON + minute / 2, 9) == []
    seen = [
        subject
        for _ in range(2)
        for subject in await store.subjects_unattended(minute, NOON + minute, 2)
    ]
    assert sorted(seen) == sorted([orders[1][0], orders[2][0], nobody.identity])
    assert await store.subjects_unattended(minute, NOON + minute, 9) == []
    assert len(await store.subjects_unattended(minute, NOON + 2 * minute, 9)) == 3


async def test_a_late_payment_does_not_disturb_the_orders_own_end(
    database: Database, store: CaseStore
) -> None:
    order_id, _ = await place_late(database)
    standing = await OrderStore(database).standing(order_id)
    assert (standing.status, standing.payments) == (OrderStatus.EXPIRED, (a_payment(order_id),))
