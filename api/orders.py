"""Placing an order, looking at it, and calling it off."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Header, Response
from temporalio.service import RPCError, RPCStatusCode

from api.auth import Anyone, Client, Principal
from api.models import OrderIn, OrderOut, ProductOut, StatusOut
from api.problems import ApiError, documented
from api.services import Opened, Services
from api.temporal import reached
from api.views import order_out, product_out
from domain.errors import OrderNotFound
from domain.orders import Basket, Order, OrderStatus
from workflows.checkout import CheckoutWorkflow

router = APIRouter(tags=["orders"])
IdempotencyKey = Annotated[str, Header(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]


@router.get("/products", responses=documented(401, 503))
async def list_products(services: Services, principal: Anyone) -> list[ProductOut]:
    """The catalogue."""
    return [product_out(product) for product in await services.catalogue.products()]


@router.post(
    "/orders",
    status_code=201,
    responses={200: {"model": OrderOut}, **documented(400, 401, 403, 413, 422, 503)},
)
async def place_order(
    body: OrderIn,
    services: Services,
    principal: Client,
    idempotency_key: IdempotencyKey,
    response: Response,
) -> OrderOut:
    """Price the items from the catalogue; the same key and body give the same order, with 200."""
    placed = await services.baskets.place_order(
        _basket(body, services),
        client=principal.name,
        key=idempotency_key,
        fingerprint=sha256(body.model_dump_json().encode()).hexdigest(),
        at=datetime.now(UTC),
    )
    if placed.view is None:
        response.status_code = 200
    view = placed.view or await services.reads.order_view(placed.order_id)
    return order_out(view, services.settings.public_url)


@router.get("/orders/{order_id}", responses=documented(401, 404, 503))
async def get_order(order_id: str, services: Services, principal: Anyone) -> OrderOut:
    """The order with its payments, cases and timeline."""
    await seen(order_id, services, principal)
    view = await services.reads.order_view(order_id)
    return order_out(view, services.settings.public_url)


@router.post("/orders/{order_id}/cancel", status_code=202, responses=documented(401, 404, 503))
async def cancel_order(order_id: str, services: Services, principal: Anyone) -> StatusOut:
    """Ask for the end of an order; a payment that wins the race still counts."""
    await seen(order_id, services, principal)
    status = await services.orders.request_cancel(order_id, principal.name, datetime.now(UTC))
    if status is OrderStatus.AWAITING_PAYMENT:
        await _tell_checkout(order_id, services)
    return StatusOut(order_id=order_id, status=status)


async def _tell_checkout(order_id: str, services: Opened) -> None:
    handle = services.temporal.get_workflow_handle(order_id)
    with reached():
        try:
            await handle.signal(CheckoutWorkflow.cancel)
        except RPCError as error:
            # The wish is recorded with the order: whoever concludes it will honour it.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


async def seen(order_id: str, services: Opened, principal: Principal) -> Order:
    """The order, if this caller may see it; to others it does not exist."""
    order = await services.orders.order(order_id)
    allowed(order, principal)
    return order


def allowed(order: Order, principal: Principal) -> None:
    """Raises `OrderNotFound` unless this caller may see the order."""
    if not principal.may_see(order.client):
        raise OrderNotFound(order.order_id)


def _basket(body: OrderIn, services: Opened) -> Basket:
    name = body.gateway or services.settings.default_gateway
    gateway = services.gateways.get(name)
    if gateway is None:
        known = ", ".join(services.gateways) or "none"
        raise ApiError(422, "unknown-gateway", f"There is no gateway {name}; there is: {known}.")
    return Basket(
        user_id=body.user_id,
        email=body.email,
        quantities=tuple((item.sku, item.quantity) for item in body.items),
        gateway=name,
        payable_in=gateway.capabilities.currencies,
        rules=() if body.gateway else services.policies.gateway_rules,
        takes=services.takes,
        currency=body.currency,
        timestamp=body.timestamp,
    )
