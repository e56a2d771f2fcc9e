"""Invoices and credit notes: numbers without gaps, and nothing in them ever changes."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from db.cases import CaseStore
from db.engine import Database
from db.invoices import credit, issue
from db.letters import LetterStore
from db.orders import OrderStore
from db.papers import PaperStore
from db.refunds import RefundStore
from db.statements import update_where
from db.tables import OrderRow
from db.transitions import lock_order
from db.views import CreditNoteView
from domain.cases import CaseVerdict
from domain.errors import PaperNotFound, PaymentTaken
from domain.invoices import CreditReason, Invoicing, Numbering, Seller
from domain.money import Money
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from domain.refunds import RefundStatus
from domain.repairs import Retraction
from tests.support.orders import ANSWER, NOON, PRICE, a_case, a_payment, an_end, place_awaiting
from tests.support.refunds import (
    LATER,
    a_refund_wish,
    pay_twice,
    place_ended,
    refund_news,
    refunded,
    reserved,
    view_of,
)

SHOP = Invoicing(
    Seller("The Corner Shop", ("12 Market Street", "Bengaluru"), "GSTIN 29ABCDE1234F1Z5"),
    Numbering("B", "C"),
    ("CGST", "SGST"),
)


def numbers(first: int, last: int, series: str = "INV-25-26") -> list[str]:
    return [f"{series}-{count:06}" for count in range(first, last + 1)]


async def number_of(database: Database, order_id: str) -> str | None:
    invoice = (await view_of(database, order_id)).invoice
    return invoice.number if invoice else None


async def credits_of(database: Database, order_id: str) -> Sequence[CreditNoteView]:
    return (await view_of(database, order_id)).credit_notes


async def test_ten_payments_at_once_get_ten_numbers_in_a_row(database: Database) -> None:
    order_ids = [await place_awaiting(database) for _ in range(10)]
    store = OrderStore(database)
    await asyncio.gather(*(store.conclude(an_end(order_id)) for order_id in order_ids))
    given = [await number_of(database, order_id) for order_id in order_ids]
    assert sorted(map(str, given)) == numbers(1, 10)


async def test_an_end_that_fails_leaves_no_gap(database: Database) -> None:
    """As when the process dies before the commit: the number is given to the next."""
    store = OrderStore(database)
    first, second, thief = [await place_awaiting(database) for _ in range(3)]
    await store.conclude(an_end(first))
    stolen = replace(an_end(thief), others=(a_payment(first),))
    with pytest.raises(PaymentTaken):
        await store.conclude(stolen)
    assert await number_of(database, thief) is None
    await store.conclude(an_end(second))
    assert await number_of(database, second) == numbers(2, 2)[0]


async def test_an_end_that_is_rolled_back_late_leaves_no_gap(database: Database) -> None:
    order_id = await place_awaiting(database)

    class Crash(Exception): ...

    async def crash() -> None:
        async with database.write() as session:
            order = await lock_order(session, order_id)
            await issue(session, order, a_payment(order_id), SHOP, NOON)
            await session.flush()
            raise Crash

    for _ in range(3):
        with pytest.raises(Crash):
            await crash()
    await OrderStore(database, SHOP).conclude(an_end(order_id))
    assert await number_of(database, order_id) == "B-25-26-000001"


async def test_repeats_get_no_other_number(database: Database) -> None:
    order_id = await place_ended(database)
    store = OrderStore(database)
    await asyncio.gather(*(store.conclude(an_end(order_id)) for _ in range(5)))
    assert await number_of(database, await place_ended(database)) == numbers(2, 2)[0]


@pytest.mark.parametrize("status", [OrderStatus.EXPIRED, OrderStatus.CANCELED, OrderStatus.FAILED])
async def test_an_order_that_is_not_paid_has_none(database: Database, status: OrderStatus) -> None:
    order_id = await place_ended(database, status)
    assert await number_of(database, order_id) is None
    with pytest.raises(PaperNotFound):
        await PaperStore(database).invoice(order_id)


async def test_each_financial_year_begins_at_one(database: Database) -> None:
    given = []
    for at in (
        datetime(2026, 3, 31, 18, 29, tzinfo=UTC),
        datetime(2026, 3, 31, 18, 30, tzinfo=UTC),
        datetime(2026, 3, 31, 18, 29, tzinfo=UTC),
    ):
        order_id = await place_awaiting(database)
        await OrderStore(database).conclude(replace(an_end(order_id), concluded_at=at))
        given.append(await number_of(database, order_id))
    assert given == ["INV-25-26-000001", "INV-26-27-000001", "INV-25-26-000002"]


async def test_it_says_what_was_sold_and_who_paid(database: Database) -> None:
    order_id = await place_awaiting(database)
    await OrderStore(database, SHOP).conclude(an_end(order_id))
    invoice = await PaperStore(database).invoice(order_id)
    assert invoice.number == "B-25-26-000001"
    assert invoice.issued_on == date(2026, 3, 1)
    assert invoice.seller == SHOP.seller
    assert (invoice.buyer.user_id, invoice.buyer.email) == ("user-1", "buyer@example.com")
    (line,) = invoice.lines
    assert (line.sku, line.quantity, line.amount, line.tax_rate) == ("coffee-beans", 1, PRICE, 500)
    (share,) = invoice.taxes
    assert share.taxes == (Money(1188, "INR"), Money(1188, "INR"))
    assert (share.net, share.gross, invoice.total) == (Money(47524, "INR"), PRICE, PRICE)
    assert invoice.payment == a_payment(order_id)


async def test_nothing_in_it_follows_what_changes_later(database: Database) -> None:
    order_id = await place_awaiting(database)
    await OrderStore(database, SHOP).conclude(an_end(order_id))
    before = await PaperStore(database).invoice(order_id)
    async with database.write() as session:
        this = OrderRow.order_id == order_id
        await update_where(session, OrderRow, this, email="new@example.com", amount_minor=1)
    await OrderStore(database).conclude(an_end(await place_awaiting(database)))
    assert await PaperStore(database).invoice(order_id) == before


async def test_late_money_that_is_honoured_gets_one_too(database: Database) -> None:
    order_ids = [await place_ended(database, OrderStatus.EXPIRED) for _ in range(3)]
    cases = CaseStore(database)
    for order_id in order_ids:
        late = a_case(a_payment(order_id), order_id, CaseVerdict.LATE_CAPTURE)
        await cases.open_case(late, NOON)
    opened = [(await view_of(database, order_id)).cases[0].case_id for order_id in order_ids]
    await asyncio.gather(*(cases.honour(case_id, LATER) for case_id in opened * 2))
    given = [await number_of(database, order_id) for order_id in order_ids]
    assert sorted(map(str, given)) == numbers(1, 3)


async def test_a_refund_is_credited(database: Database) -> None:
    order_id = await place_ended(database)
    refund = await refunded(database, a_refund_wish(order_id, 20000))
    (view,) = await credits_of(database, order_id)
    assert (view.number, view.refund_id) == ("CRN-25-26-000001", refund.refund_id)
    assert (view.amount, view.issued_at, view.voided_at) == (Money(20000, "INR"), LATER, None)
    note, _ = await PaperStore(database).credit_note(order_id, view.number)
    assert (note.invoice_number, note.total) == ("INV-25-26-000001", Money(20000, "INR"))
    assert note.reason is CreditReason.REFUND
    assert [share.gross.minor for share in note.taxes] == [20000]


async def test_ten_refunds_at_once_get_ten_numbers_in_a_row(database: Database) -> None:
    order_ids = [await place_ended(database) for _ in range(10)]
    await asyncio.gather(*(refunded(database, a_refund_wish(each)) for each in order_ids))
    given = [(await credits_of(database, order_id))[0].number for order_id in order_ids]
    assert sorted(given) == numbers(1, 10, "CRN-25-26")


async def test_a_refund_that_is_taken_back_leaves_its_note_void(database: Database) -> None:
    order_id = await place_ended(database)
    refund = await refunded(database, a_refund_wish(order_id))
    store, failed = RefundStore(database), refund_news(refund, RefundStatus.FAILED)
    await store.record_refund(failed, LATER)
    (void,) = await credits_of(database, order_id)
    assert (void.number, void.voided_at) == ("CRN-25-26-000001", LATER)
    await refunded(database, a_refund_wish(order_id))
    _, again = await credits_of(database, order_id)
    assert (again.number, again.amount, again.voided_at) == ("CRN-25-26-000002", PRICE, None)


@pytest.mark.parametrize("news", [RefundStatus.PENDING, RefundStatus.FAILED])
async def test_a_refund_without_success_is_not_credited(
    database: Database, news: RefundStatus
) -> None:
    order_id = await place_ended(database)
    refund = await reserved(database, a_refund_wish(order_id))
    await RefundStore(database).record_refund(refund_news(refund, news), LATER)
    assert await credits_of(database, order_id) == ()


async def test_news_of_a_success_twice_is_credited_once(database: Database) -> None:
    order_id = await place_ended(database)
    refund = await reserved(database, a_refund_wish(order_id))
    news = refund_news(refund, RefundStatus.SUCCEEDED)
    await asyncio.gather(*(RefundStore(database).record_refund(news, LATER) for _ in range(5)))
    assert len(await credits_of(database, order_id)) == 1


async def test_money_that_was_never_invoiced_is_not_credited(database: Database) -> None:
    order_id, second = await pay_twice(database)
    await refunded(database, a_refund_wish(order_id, payment_reference=second.reference))
    assert await credits_of(database, order_id) == ()


async def retract(database: Database, order_id: str, minor: int | None = None) -> None:
    """Write off so much of the invoice, or what is left: its payment proved to be none."""
    amount = None if minor is None else Money(minor, "INR")
    async with database.write() as session:
        order = await lock_order(session, order_id)
        await credit(session, order, amount, CreditReason.RETRACTION, LATER)


async def test_a_retraction_credits_what_is_left(database: Database) -> None:
    order_id = await place_ended(database)
    await refunded(database, a_refund_wish(order_id, 20000))
    await retract(database, order_id)
    await retract(database, order_id)
    first, rest = await credits_of(database, order_id)
    assert [first.amount.minor, rest.amount.minor] == [20000, 29900]
    assert (rest.reason, rest.refund_id) == (CreditReason.RETRACTION, None)


async def test_never_more_is_credited_than_was_invoiced(database: Database) -> None:
    order_id = await place_ended(database)
    await retract(database, order_id, 40000)
    await refunded(database, a_refund_wish(order_id))
    assert [note.amount.minor for note in await credits_of(database, order_id)] == [40000, 9900]


async def test_an_order_without_an_invoice_is_not_credited(database: Database) -> None:
    order_id = await place_ended(database, OrderStatus.EXPIRED)
    await retract(database, order_id)
    assert await credits_of(database, order_id) == ()


async def test_an_order_that_is_paid_again_has_its_invoice_back(database: Database) -> None:
    order_id = await place_ended(database)
    gone = Retraction(order_id, "acme", a_payment(order_id).reference, PaymentStatus.FAILED, ANSWER)
    for _ in range(2):
        status = await OrderStore(database).retract(gone, LATER)
        assert status is OrderStatus.CANCELED
    (note,) = await credits_of(database, order_id)
    assert (note.amount, note.reason) == (PRICE, CreditReason.RETRACTION)
    late = a_case(a_payment(order_id, number=2), order_id, CaseVerdict.LATE_CAPTURE)
    await CaseStore(database).open_case(late, NOON)
    case = (await view_of(database, order_id)).cases[-1]
    assert await CaseStore(database).honour(case.case_id, LATER) is None
    assert await number_of(database, order_id) == numbers(1, 1)[0]
    (void,) = await credits_of(database, order_id)
    assert (void.number, void.voided_at) == (note.number, LATER)


async def test_papers_are_of_their_order_alone(database: Database) -> None:
    mine, others = await place_ended(database), await place_ended(database)
    await refunded(database, a_refund_wish(others))
    (note,) = await credits_of(database, others)
    with pytest.raises(PaperNotFound):
        await PaperStore(database).credit_note(mine, note.number)
    assert await PaperStore(database).credit_notes(mine) == ()


async def test_letters_carry_the_papers(database: Database) -> None:
    order_id = await place_ended(database)
    letters, papers = LetterStore(database), PaperStore(database)
    confirmation = await letters.confirmation(order_id, "<1@shop>", NOON)
    assert confirmation
    assert confirmation.invoice == await papers.invoice(order_id)
    refund = await refunded(database, a_refund_wish(order_id))
    notice = await letters.refund_notice(refund.refund_id, "<2@shop>", NOON)
    assert notice
    (view,) = await credits_of(database, order_id)
    note, _ = await papers.credit_note(order_id, view.number)
    assert notice.credit_note == note
