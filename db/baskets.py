"""Orders are placed: priced from our catalogue, once for each Idempotency-Key."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.engine import Database
from db.rows import order_from, product_from
from db.statements import insert, insert_new
from db.tables import IdempotencyKeyRow, OrderItemRow, OrderRow, ProductRow, TimelineEvent
from db.transitions import Step, note
from db.unbroken import unbroken_calls
from db.views import OrderView, TimelineEntry
from domain.errors import BasketRefused, KeyReused, ProductNotFound
from domain.keys import new_id, new_token
from domain.money import Money
from domain.orders import Basket, LatePolicy, OrderItem, OrderStatus
from domain.policies import gateways_for

MOST_ITEMS = 100
MOST_OF_ONE = 10_000
MOST_MINOR_UNITS = 10**12


@dataclass(frozen=True)
class Placed:
    """`view` is all there is of an order that was made just now; None if it was made before."""

    order_id: str
    view: OrderView | None = None


@unbroken_calls
class BasketStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def place_order(
        self, basket: Basket, *, client: str, key: str, fingerprint: str, at: datetime
    ) -> Placed:
        """The order that was made for this client and key, now or before.

        Raises `KeyReused` if the key was used with another fingerprint, `ProductNotFound`, and
        `BasketRefused` for a basket that cannot be priced.
        """
        claim = IdempotencyKeyRow(
            client=client, key=key, fingerprint=fingerprint, order_id=new_id("ord")
        )
        async with self._database.write() as session:
            if await insert_new(session, claim) is None:
                return Placed(await _placed_before(session, claim))
            items = await _price(session, basket)
            total = _total(items)
            gateway = _gateway(basket, total)
            basket = replace(basket, gateway=gateway)
            view = await _add_order(session, claim, basket, items, total, at)
            return Placed(claim.order_id, view)


async def _placed_before(session: AsyncSession, claim: IdempotencyKeyRow) -> str:
    before = await session.get_one(IdempotencyKeyRow, (claim.client, claim.key))
    if before.fingerprint != claim.fingerprint:
        raise KeyReused("this Idempotency-Key was used for another request")
    return before.order_id


async def _price(session: AsyncSession, basket: Basket) -> list[OrderItem]:
    _check_quantities(basket)
    wanted = [sku for sku, _ in basket.quantities]
    rows = await session.exec(select(ProductRow).where(col(ProductRow.sku).in_(wanted)))
    products = {row.sku: product_from(row) for row in rows}
    for sku in wanted:
        if sku not in products:
            raise ProductNotFound(f"there is no product {sku}")
        if basket.currency not in (None, products[sku].unit_price.currency):
            raise ProductNotFound(f"{sku} is not sold in {basket.currency}")
    return [OrderItem(products[sku], quantity) for sku, quantity in basket.quantities]


def _check_quantities(basket: Basket) -> None:
    if not 1 <= len(basket.quantities) <= MOST_ITEMS:
        raise BasketRefused(f"an order has 1 to {MOST_ITEMS} items")
    if len(dict(basket.quantities)) < len(basket.quantities):
        raise BasketRefused("each sku may stand in an order once")
    if any(not 1 <= quantity <= MOST_OF_ONE for _, quantity in basket.quantities):
        raise BasketRefused(f"a quantity is 1 to {MOST_OF_ONE}")


def _total(items: Sequence[OrderItem]) -> Money:
    currencies = {item.amount.currency for item in items}
    if len(currencies) > 1:
        raise BasketRefused(f"one order has one currency, not {' and '.join(sorted(currencies))}")
    total = Money(sum(item.amount.minor for item in items), currencies.pop())
    if total.minor > MOST_MINOR_UNITS:
        raise BasketRefused(f"an order may cost {Money(MOST_MINOR_UNITS, total.currency)} at most")
    return total


def _gateway(basket: Basket, total: Money) -> str:
    """What a rule names for such an amount, else the basket's own."""
    if chosen := gateways_for(total, basket.rules, basket.takes):
        return chosen[0]
    if basket.payable_in is not None and total.currency not in basket.payable_in:
        raise BasketRefused(f"{basket.gateway} does not take {total.currency}")
    return basket.gateway


async def _add_order(
    session: AsyncSession,
    claim: IdempotencyKeyRow,
    basket: Basket,
    items: Sequence[OrderItem],
    total: Money,
    at: datetime,
) -> OrderView:
    row = OrderRow(
        order_id=claim.order_id,
        client=claim.client,
        user_id=basket.user_id,
        email=basket.email,
        amount_minor=total.minor,
        currency=total.currency,
        gateway=basket.gateway,
        status=OrderStatus.CREATED,
        late_policy=_late_policy(items),
        result_token=new_token(),
        created_at=at,
        client_timestamp=basket.timestamp,
    )
    await insert(session, row)
    # In one statement, however many they are.
    session.add_all(_item_row(claim.order_id, *line) for line in enumerate(items, start=1))
    placed = Step(TimelineEvent.PLACED, at, claim.client)
    await note(session, claim.order_id, None, row.status, placed)
    line = TimelineEntry(at, placed.event, None, row.status, placed.actor, None)
    return OrderView(order_from(row), row.user_id, row.client_timestamp, tuple(items), (line,))


def _late_policy(items: Sequence[OrderItem]) -> LatePolicy:
    """Late money is honoured only where all that it paid for still is."""
    honoured = all(item.product.late_policy is LatePolicy.HONOUR for item in items)
    return LatePolicy.HONOUR if honoured else LatePolicy.REFUND


def _item_row(order_id: str, position: int, item: OrderItem) -> OrderItemRow:
    product = item.product
    return OrderItemRow(
        order_id=order_id,
        position=position,
        sku=product.sku,
        name=product.name,
        quantity=item.quantity,
        unit_amount_minor=product.unit_price.minor,
        currency=product.unit_price.currency,
        tax_rate=product.tax_rate,
        late_policy=product.late_policy,
    )
