"""What readers are shown."""

from datetime import timedelta

import pytest

from db.engine import Database
from db.orders import OrderStore
from db.reads import OrderReads
from db.views import CallbackLink, LinkView
from domain.errors import OrderNotFound
from domain.keys import link_key, wire_key
from domain.money import Money
from domain.orders import OrderStatus
from domain.payments import LinkStatus
from tests.support.orders import NOON, a_draft, a_wish, an_end, place, place_awaiting


@pytest.fixture
def reads(database: Database) -> OrderReads:
    return OrderReads(database)


async def test_an_order_is_shown_whole(database: Database, reads: OrderReads) -> None:
    order_id = await place(database, ("mug", 2), ("coffee-beans", 1))
    view = await reads.order_view(order_id)
    assert view.order == await OrderStore(database).order(order_id)
    assert (view.user_id, view.client_timestamp) == ("user-1", NOON)
    assert [(item.product.sku, item.quantity, item.amount) for item in view.items] == [
        ("mug", 2, Money(59800, "INR")),
        ("coffee-beans", 1, Money(49900, "INR")),
    ]
    assert view.link is None
    assert (view.payments, view.cases, view.letters, view.concluded_at) == ((), (), (), None)


async def test_only_its_own_rows_are_shown(database: Database, reads: OrderReads) -> None:
    first, second = [await place_awaiting(database) for _ in range(2)]
    await OrderStore(database).conclude(an_end(first))
    view = await reads.order_view(second)
    assert view.payments == ()
    assert len(view.timeline) == 2


async def test_the_status_alone(database: Database, reads: OrderReads) -> None:
    order_id = await place_awaiting(database)
    assert await reads.status_of(order_id) is OrderStatus.AWAITING_PAYMENT


async def test_a_link_is_shown_once_it_is_known(database: Database, reads: OrderReads) -> None:
    order_id, closes_at = await place(database), NOON + timedelta(minutes=15)
    assert (await reads.checkout_view(order_id)).link is None
    await OrderStore(database).begin_link(a_wish(order_id), a_draft(order_id), "token")
    assert (await reads.checkout_view(order_id)).link == LinkView(None, None, closes_at)
    known = await place_awaiting(database, reference="plink_1")
    view = await reads.checkout_view(known)
    assert view.link == LinkView("https://pay.example/plink_1", LinkStatus.OPEN, closes_at)
    assert view.order.status is OrderStatus.AWAITING_PAYMENT


async def test_a_result_token_finds_its_order(database: Database, reads: OrderReads) -> None:
    order_id, _ = [await place(database) for _ in range(2)]
    order = await OrderStore(database).order(order_id)
    assert await reads.order_by_result_token(order.result_token) == order


async def test_a_callback_token_finds_its_link(database: Database, reads: OrderReads) -> None:
    order_id, key = await place(database), ""
    await OrderStore(database).begin_link(a_wish(order_id), a_draft(order_id), "token")
    key = link_key(order_id, 1)
    order = await OrderStore(database).order(order_id)
    found = await reads.link_by_callback_token("acme", "token")
    assert found == CallbackLink(order, key, wire_key(key), None)
    with pytest.raises(OrderNotFound):
        await reads.link_by_callback_token("other", "token")


async def test_nothing_is_found_by_chance(database: Database, reads: OrderReads) -> None:
    await place_awaiting(database)
    for question in (
        reads.status_of("ord_x"),
        reads.order_view("ord_x"),
        reads.checkout_view("ord_x"),
        reads.order_by_result_token(""),
        reads.link_by_callback_token("acme", ""),
    ):
        with pytest.raises(OrderNotFound):
            await question
