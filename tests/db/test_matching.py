"""Every class that a row can land in, with what is planned about it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from db.books import BookStore
from db.cases import CaseStore
from db.engine import Database
from db.orders import OrderStore
from db.reconciliation_reads import ReconciliationReads
from db.refunds import RefundStore
from domain.cases import CaseVerdict
from domain.findings import Finding, Match, Plan
from domain.money import Money
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from domain.reconciliations import ReconciliationPlan
from domain.refunds import RefundStatus
from domain.settlements import Entry, EntryKind
from tests.support.orders import NOON, a_case, a_payment, place, place_awaiting
from tests.support.refunds import (
    a_refund_wish,
    pay_for_nobody,
    pay_twice,
    place_ended,
    refund_news,
    refunded,
    reserved,
)
from tests.support.transactions import LATER, a_chunk, a_plan, a_row

FAILED = PaymentStatus.FAILED.value
EARLY = NOON + timedelta(hours=30)
EARLY_PLAN = a_plan(as_of=EARLY)
Scene = Callable[[Database], Awaitable[list[Entry]]]
Expected = list[tuple[Match, Plan | None]]


async def paid(database: Database) -> list[Entry]:
    return [a_row(1, await place_ended(database))]


async def failed_at_both(database: Database) -> list[Entry]:
    order_id = await place_ended(database, OrderStatus.EXPIRED)
    return [a_row(1, order_id, status=FAILED)]


async def failed_attempt_of_a_paid_order(database: Database) -> list[Entry]:
    order_id = await place_ended(database)
    return [a_row(1, order_id), a_row(2, order_id, reference="pay_0", status=FAILED)]


async def failed_for_nobody(database: Database) -> list[Entry]:
    return [a_row(1, None, reference="pay_x", status=FAILED)]


async def still_authorized(database: Database) -> list[Entry]:
    order_id = await place_ended(database, OrderStatus.EXPIRED)
    return [a_row(1, order_id, status=PaymentStatus.AUTHORIZED.value)]


async def paid_while_open(database: Database) -> list[Entry]:
    return [a_row(1, await place_awaiting(database))]


async def paid_after_the_end(database: Database) -> list[Entry]:
    return [a_row(1, await place_ended(database, OrderStatus.EXPIRED))]


async def honoured_after_the_end(database: Database) -> list[Entry]:
    order_id = await place(database, ("electricity-bill", 1))
    await OrderStore(database).request_cancel(order_id, "shop", NOON)
    return [a_row(1, None, reference="pay_1", our_id=order_id, amount_minor=125000)]


async def paid_twice_after_the_end(database: Database) -> list[Entry]:
    order_id = await place_ended(database, OrderStatus.EXPIRED)
    return [a_row(1, order_id), a_row(2, order_id, reference="pay_2")]


async def late_with_a_case(database: Database) -> list[Entry]:
    order_id = await place_ended(database, OrderStatus.EXPIRED)
    case = a_case(a_payment(order_id), order_id, CaseVerdict.LATE_CAPTURE)
    await CaseStore(database).open_case(case, NOON)
    return [a_row(1, order_id)]


async def paid_twice(database: Database) -> list[Entry]:
    order_id = await place_ended(database)
    return [a_row(1, order_id), a_row(2, order_id, reference="pay_2")]


async def paid_twice_with_a_case(database: Database) -> list[Entry]:
    order_id, second = await pay_twice(database)
    return [a_row(1, order_id), a_row(2, order_id, reference=second.reference)]


async def another_amount_than_recorded(database: Database) -> list[Entry]:
    return [a_row(1, await place_ended(database), amount_minor=1)]


async def another_amount_than_the_price(database: Database) -> list[Entry]:
    return [a_row(1, await place_awaiting(database), amount_minor=1)]


async def another_amount_with_a_case(database: Database) -> list[Entry]:
    order_id = await place_ended(database, OrderStatus.EXPIRED)
    payment = a_payment(order_id, amount=Money(1, "INR"))
    case = a_case(payment, order_id, CaseVerdict.AMOUNT_MISMATCH)
    await CaseStore(database).open_case(case, NOON)
    return [a_row(1, order_id, amount_minor=1)]


async def another_currency(database: Database) -> list[Entry]:
    return [a_row(1, await place_awaiting(database), currency="USD")]


async def taken_back(database: Database) -> list[Entry]:
    return [a_row(1, await place_ended(database), status=FAILED)]


async def for_nobody(database: Database) -> list[Entry]:
    return [a_row(1, None, reference="pay_x", order_reference="unheard")]


async def for_nobody_with_a_case(database: Database) -> list[Entry]:
    payment = await pay_for_nobody(database)
    return [a_row(1, None, reference=payment.reference)]


async def found_by_our_id_alone(database: Database) -> list[Entry]:
    order_id = await place_awaiting(database)
    return [a_row(1, None, reference="pay_x", our_id=order_id)]


async def absent(database: Database) -> list[Entry]:
    await place_ended(database)
    return []


async def surplus_absent(database: Database) -> list[Entry]:
    order_id, _ = await pay_twice(database)
    return [a_row(1, order_id)]


async def said_twice(database: Database) -> list[Entry]:
    order_id = await place_ended(database)
    return [a_row(1, order_id, status=FAILED), a_row(2, order_id), a_row(3, order_id)]


async def a_transfer(database: Database) -> list[Entry]:
    return [a_row(1, None, kind=EntryKind.OTHER, reference="trf_1", status="unknown")]


def a_refund_row(position: int, of: str, **changes: Any) -> Entry:
    usual: dict[str, Any] = {
        "kind": EntryKind.REFUND,
        "reference": f"rfnd_{of}",
        "payment_reference": a_payment(of).reference,
        "order_reference": None,
        "status": RefundStatus.SUCCEEDED.value,
    }
    return a_row(position, of, **usual | changes)


async def refunded_at_both(database: Database) -> list[Entry]:
    order_id = await place_ended(database)
    refund = await refunded(database, a_refund_wish(order_id))
    return [a_row(1, order_id), a_refund_row(2, order_id, reference=refund.reference)]


async def refund_under_way(database: Database) -> list[Entry]:
    order_id = await place_ended(database)
    refund = await reserved(database, a_refund_wish(order_id))
    return [a_row(1, order_id), a_refund_row(2, order_id, our_id=refund.refund_id)]


async def refund_that_failed_here(database: Database) -> list[Entry]:
    order_id = await place_ended(database)
    refund = await reserved(database, a_refund_wish(order_id))
    news = refund_news(refund, RefundStatus.FAILED)
    await RefundStore(database).record_refund(news, NOON)
    return [a_row(1, order_id), a_refund_row(2, order_id, our_id=refund.refund_id)]


async def refund_of_another_amount(database: Database) -> list[Entry]:
    order_id = await place_ended(database)
    refund = await refunded(database, a_refund_wish(order_id))
    row = a_refund_row(2, order_id, reference=refund.reference, amount_minor=1)
    return [a_row(1, order_id), row]


async def refund_we_never_asked_for(database: Database) -> list[Entry]:
    order_id = await place_ended(database)
    return [a_row(1, order_id), a_refund_row(2, order_id)]


async def refund_known_by_its_link(database: Database) -> list[Entry]:
    row = a_row(1, await place_ended(database))
    names = {"payment_reference": None, "order_reference": row.order_reference}
    return [row, a_refund_row(2, "x", **names)]


async def refund_of_nothing_known(database: Database) -> list[Entry]:
    return [a_refund_row(1, "nobody")]


async def refund_absent(database: Database) -> list[Entry]:
    order_id = await place_ended(database)
    await refunded(database, a_refund_wish(order_id))
    return [a_row(1, order_id)]


SCENES: list[tuple[Scene, Expected]] = [
    (paid, [(Match.OK_PAID, None)]),
    (failed_at_both, [(Match.FAIL_FAIL, None)]),
    (failed_attempt_of_a_paid_order, [(Match.OK_PAID, None), (Match.FAIL_FAIL, None)]),
    (failed_for_nobody, [(Match.FAIL_FAIL, None)]),
    (still_authorized, [(Match.EXPECTED, None)]),
    (paid_while_open, [(Match.FAIL_PAID, Plan.TELL)]),
    (paid_after_the_end, [(Match.FAIL_PAID, Plan.REFUND)]),
    (honoured_after_the_end, [(Match.FAIL_PAID, Plan.HONOUR)]),
    (
        paid_twice_after_the_end,
        [(Match.FAIL_PAID, Plan.REFUND), (Match.DUPLICATE_PAYMENT, Plan.REFUND)],
    ),
    (late_with_a_case, [(Match.FAIL_PAID, Plan.NONE)]),
    (paid_twice, [(Match.OK_PAID, None), (Match.DUPLICATE_PAYMENT, Plan.REFUND)]),
    (paid_twice_with_a_case, [(Match.OK_PAID, None), (Match.DUPLICATE_PAYMENT, Plan.NONE)]),
    (another_amount_than_recorded, [(Match.AMOUNT_MISMATCH, Plan.ASK)]),
    (another_amount_than_the_price, [(Match.AMOUNT_MISMATCH, Plan.CASE)]),
    (another_amount_with_a_case, [(Match.AMOUNT_MISMATCH, Plan.NONE)]),
    (another_currency, [(Match.CURRENCY_MISMATCH, Plan.CASE)]),
    (taken_back, [(Match.OK_UNPAID, Plan.ASK)]),
    (for_nobody, [(Match.MISSING_IN_ORDERS, Plan.CASE)]),
    (for_nobody_with_a_case, [(Match.MISSING_IN_ORDERS, Plan.NONE)]),
    (found_by_our_id_alone, [(Match.FAIL_PAID, Plan.TELL)]),
    (absent, [(Match.MISSING_AT_GATEWAY, Plan.ASK)]),
    (surplus_absent, [(Match.OK_PAID, None), (Match.MISSING_AT_GATEWAY, Plan.NONE)]),
    (said_twice, [(Match.OK_PAID, None), (Match.REPEATED, None), (Match.REPEATED, None)]),
    (a_transfer, [(Match.OTHER, None)]),
    (refunded_at_both, [(Match.OK_PAID, None), (Match.REFUND_OK, None)]),
    (refund_under_way, [(Match.OK_PAID, None), (Match.REFUND_MISMATCH, Plan.TELL)]),
    (refund_that_failed_here, [(Match.OK_PAID, None), (Match.REFUND_MISMATCH, Plan.TELL)]),
    (refund_of_another_amount, [(Match.OK_PAID, None), (Match.REFUND_MISMATCH, Plan.TELL)]),
    (refund_we_never_asked_for, [(Match.OK_PAID, None), (Match.REFUND_MISMATCH, Plan.TELL)]),
    (refund_known_by_its_link, [(Match.OK_PAID, None), (Match.REFUND_MISMATCH, Plan.TELL)]),
    (refund_of_nothing_known, [(Match.MISSING_IN_ORDERS, Plan.CASE)]),
    (refund_absent, [(Match.OK_PAID, None), (Match.REFUND_MISMATCH, Plan.ASK)]),
]


def name_of(value: Any) -> str | None:
    return value.__name__ if callable(value) else ""


@pytest.mark.parametrize(("scene", "expected"), SCENES, ids=name_of)
async def test_every_row_lands_in_one_class(
    database: Database, scene: Scene, expected: Expected
) -> None:
    rows = await scene(database)
    counts, found = await outcome(database, a_plan(), rows)
    classes = [match for match, _ in expected]
    assert counts == {match: classes.count(match) for match in classes}
    plans = sorted((finding.match, finding.plan) for finding in found)
    assert plans == sorted((match, plan) for match, plan in expected if plan)


YOUNG: list[tuple[Scene, Expected]] = [
    (for_nobody, [(Match.EXPECTED, None)]),
    (absent, [(Match.EXPECTED, None)]),
    (refund_under_way, [(Match.OK_PAID, None), (Match.EXPECTED, None)]),
    (refund_of_nothing_known, [(Match.EXPECTED, None)]),
    (refund_absent, [(Match.OK_PAID, None), (Match.EXPECTED, None)]),
    (paid_while_open, [(Match.FAIL_PAID, Plan.TELL)]),
    (refund_we_never_asked_for, [(Match.OK_PAID, None), (Match.REFUND_MISMATCH, Plan.TELL)]),
]


@pytest.mark.parametrize(("scene", "expected"), YOUNG, ids=name_of)
async def test_what_is_young_is_expected(
    database: Database, scene: Scene, expected: Expected
) -> None:
    counts, found = await outcome(database, EARLY_PLAN, await scene(database))
    classes = [match for match, _ in expected]
    assert counts == {match: classes.count(match) for match in classes}
    assert [finding.match for finding in found] == [match for match, plan in expected if plan]


async def outcome(
    database: Database, plan: ReconciliationPlan, rows: list[Entry]
) -> tuple[dict[Match, int], list[Finding]]:
    books = BookStore(database)
    await books.begin(plan, LATER)
    await books.stage(plan, a_chunk(*rows))
    tallies = await books.match(plan, LATER)
    views = await ReconciliationReads(database).findings(plan.run_id)
    return {tally.match: tally.rows for tally in tallies}, [view.finding for view in views]
