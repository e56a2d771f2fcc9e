"""Orders are priced by the server, and placed once for each key."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import func, select

from db.baskets import MOST_MINOR_UNITS, BasketStore, Placed
from db.catalogue import CatalogueStore
from db.engine import Database
from db.orders import OrderStore
from db.reads import OrderReads
from db.tables import IdempotencyKeyRow, OrderItemRow, OrderRow, TimelineRow
from domain.errors import BasketRefused, KeyReused, ProductNotFound
from domain.money import Money
from domain.orders import Basket, LatePolicy, OrderStatus, Product
from domain.policies import GatewayRule
from tests.support.orders import NOON, a_basket, place


async def place_with(
    database: Database,
    basket: Basket,
    *,
    client: str = "shop",
    key: str = "key-1",
    fingerprint: str = "f",
) -> Placed:
    return await BasketStore(database).place_order(
        basket, client=client, key=key, fingerprint=fingerprint, at=NOON
    )


async def count(database: Database, table: Any) -> int:
    async with database.read() as session:
        return (await session.exec(select(func.count()).select_from(table))).one()


async def assert_nothing_written(database: Database) -> None:
    for table in (OrderRow, OrderItemRow, IdempotencyKeyRow, TimelineRow):
        assert await count(database, table) == 0


async def test_the_catalogue_sets_the_price(database: Database) -> None:
    placed = await place_with(database, a_basket(("coffee-beans", 2), ("mug", 1)))
    order = await OrderStore(database).order(placed.order_id)
    assert order.amount == Money(2 * 49900 + 29900, "INR")
    assert (order.status, order.client, order.gateway) == (OrderStatus.CREATED, "shop", "acme")
    assert order.created_at == NOON
    assert len(order.result_token) >= 32


async def test_a_new_order_is_shown_as_it_will_be_read(database: Database) -> None:
    placed = await place_with(database, a_basket(("coffee-beans", 2), ("mug", 1)))
    assert placed.view == await OrderReads(database).order_view(placed.order_id)


async def test_an_order_keeps_what_it_was_sold_at(database: Database) -> None:
    order_id = await place(database, ("mug", 3))
    dearer = Product("mug", "Big mug", Money(99900, "INR"), 1800, LatePolicy.HONOUR)
    await CatalogueStore(database).seed([dearer])
    view = await OrderReads(database).order_view(order_id)
    assert [(item.product.name, item.amount.minor) for item in view.items] == [("Mug", 3 * 29900)]


async def test_the_same_key_and_body_is_the_same_order(database: Database) -> None:
    first = await place_with(database, a_basket())
    assert await place_with(database, a_basket()) == Placed(first.order_id)
    assert await count(database, OrderRow) == 1


async def test_another_body_under_the_key_is_refused(database: Database) -> None:
    await place_with(database, a_basket())
    with pytest.raises(KeyReused):
        await place_with(database, a_basket(("mug", 1)), fingerprint="g")
    assert await count(database, OrderRow) == 1


async def test_clients_do_not_share_keys(database: Database) -> None:
    first = await place_with(database, a_basket())
    second = await place_with(database, a_basket(), client="other")
    assert second.view
    assert second.order_id != first.order_id


async def test_fifty_calls_at_once_make_one_order(database: Database, database_url: str) -> None:
    # Two pools, as two processes would have.
    async with Database(database_url) as other:
        calls = [place_with(who, a_basket()) for who in (database, other) * 25]
        placed = await asyncio.gather(*calls)
    assert len({each.order_id for each in placed}) == 1
    assert len([each for each in placed if each.view]) == 1
    for table in (OrderRow, OrderItemRow, IdempotencyKeyRow, TimelineRow):
        assert await count(database, table) == 1


@pytest.mark.parametrize(
    "basket",
    [
        a_basket(("unicorn", 1)),
        a_basket(("mug", 1), ("unicorn", 1)),
        a_basket(("mug", 1), currency="USD"),
    ],
)
async def test_what_is_not_sold_is_not_ordered(database: Database, basket: Basket) -> None:
    with pytest.raises(ProductNotFound):
        await place_with(database, basket)
    await assert_nothing_written(database)


@pytest.mark.parametrize(
    ("basket", "complaint"),
    [
        (replace(a_basket(), quantities=()), "items"),
        (a_basket(("mug", 0)), "quantity"),
        (a_basket(("mug", -1)), "quantity"),
        (a_basket(("mug", 10_001)), "quantity"),
        (a_basket(("mug", 10**12)), "quantity"),
        (a_basket(("mug", 1), ("mug", 1)), "once"),
        (a_basket(("mug", 1), ("tea-jpy", 1)), "INR and JPY"),
        (replace(a_basket(), payable_in=frozenset({"USD"})), "does not take INR"),
    ],
)
async def test_a_basket_without_a_price_is_refused(
    database: Database, basket: Basket, complaint: str
) -> None:
    with pytest.raises(BasketRefused, match=complaint):
        await place_with(database, basket)
    await assert_nothing_written(database)


async def test_a_total_beyond_all_reason_is_refused(database: Database) -> None:
    house = Product("house", "House", Money(MOST_MINOR_UNITS, "INR"), 0, LatePolicy.REFUND)
    await CatalogueStore(database).seed([house])
    with pytest.raises(BasketRefused, match="at most"):
        await place_with(database, a_basket(("house", 2)))
    await assert_nothing_written(database)
    await place_with(database, a_basket(("house", 1)))


async def test_a_refused_basket_does_not_use_up_its_key(database: Database) -> None:
    with pytest.raises(ProductNotFound):
        await place_with(database, a_basket(("unicorn", 1)))
    assert (await place_with(database, a_basket())).view


@pytest.mark.parametrize(
    ("skus", "policy"),
    [
        (["mug"], LatePolicy.REFUND),
        (["electricity-bill"], LatePolicy.HONOUR),
        (["electricity-bill", "mug"], LatePolicy.REFUND),
    ],
)
async def test_late_money_is_honoured_if_all_it_paid_for_is(
    database: Database, skus: list[str], policy: LatePolicy
) -> None:
    order_id = await place(database, *((sku, 1) for sku in skus))
    assert (await OrderStore(database).order(order_id)).late_policy is policy


async def test_a_rule_names_the_gateway_by_the_price(database: Database) -> None:
    """The price is known here alone, since it comes from the catalogue."""
    takes = {"zenith": frozenset({"INR"})}
    rules = (GatewayRule(("zenith",), currency="INR", at_least=50_000),)
    for quantity, gateway in ((1, "acme"), (2, "zenith")):
        basket = replace(a_basket(("coffee-beans", quantity)), rules=rules, takes=takes)
        placed = await place_with(database, basket, key=f"key-{quantity}")
        assert (await OrderStore(database).order(placed.order_id)).gateway == gateway
