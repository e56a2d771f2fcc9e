"""A letter is written down once, and from then on only sent or refused."""

import asyncio
from datetime import timedelta

import pytest

from db.engine import Database
from db.letters import LetterStore
from db.orders import OrderStore
from db.reads import OrderReads
from db.tables import LetterKind
from db.views import LetterView
from domain.errors import IllegalTransition, MailRefused, OrderNotFound
from domain.news import Evidence, EvidenceKind
from domain.payments import PaymentStatus
from domain.repairs import Retraction
from tests.support.orders import NOON, a_payment, an_end, place_awaiting

LATER = NOON + timedelta(hours=1)


@pytest.fixture
async def order_id(database: Database) -> str:
    order_id = await place_awaiting(database)
    await OrderStore(database).conclude(an_end(order_id))
    return order_id


async def test_it_says_what_was_paid(database: Database, order_id: str) -> None:
    letter = await LetterStore(database).confirmation(order_id, "<1@shop>", NOON)
    assert letter is not None
    assert (letter.message_id, letter.written_at) == ("<1@shop>", NOON)
    assert letter.to == "buyer@example.com"
    assert letter.payment == a_payment(order_id)
    assert [(item.product.sku, item.quantity) for item in letter.items] == [("coffee-beans", 1)]
    assert letter.amount == letter.items[0].amount


async def test_a_repeat_is_the_first_letter(database: Database, order_id: str) -> None:
    store = LetterStore(database)
    first = await store.confirmation(order_id, "<1@shop>", NOON)
    repeats = [store.confirmation(order_id, f"<{n}@shop>", LATER) for n in range(10)]
    assert await asyncio.gather(*repeats) == [first] * 10


async def test_a_sent_letter_is_not_sent_again(database: Database, order_id: str) -> None:
    store = LetterStore(database)
    await store.confirmation(order_id, "<1@shop>", NOON)
    await store.sent(order_id, NOON)
    await store.sent(order_id, LATER)
    await store.refused(order_id, "too late")
    assert await store.confirmation(order_id, "<1@shop>", LATER) is None
    view = await OrderReads(database).order_view(order_id)
    assert view.letters == (LetterView(order_id, LetterKind.CONFIRMATION, NOON, NOON, None),)


async def test_a_refused_letter_stays_refused(database: Database, order_id: str) -> None:
    store = LetterStore(database)
    await store.confirmation(order_id, "<1@shop>", NOON)
    await store.refused(order_id, "550")
    with pytest.raises(MailRefused, match="550"):
        await store.confirmation(order_id, "<1@shop>", LATER)


async def test_what_was_taken_back_is_not_confirmed(database: Database, order_id: str) -> None:
    payment = a_payment(order_id)
    proof = Evidence(EvidenceKind.STATUS_QUERY, "the payment failed")
    taken_back = Retraction(order_id, "acme", payment.reference, PaymentStatus.FAILED, proof)
    await OrderStore(database).retract(taken_back, LATER)
    assert await LetterStore(database).confirmation(order_id, "<1@shop>", LATER) is None


async def test_there_is_nothing_to_confirm(database: Database) -> None:
    store = LetterStore(database)
    order_id = await place_awaiting(database)
    with pytest.raises(IllegalTransition):
        await store.confirmation(order_id, "<1@shop>", NOON)
    with pytest.raises(OrderNotFound):
        await store.confirmation("ord_unknown", "<1@shop>", NOON)
    assert (await OrderReads(database).order_view(order_id)).letters == ()
