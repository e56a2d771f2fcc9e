"""Server-sent events of an order's status, until it is final."""

from collections.abc import AsyncIterator
from hmac import compare_digest

from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.auth import Bearer, Token, authenticated
from api.models import StatusOut
from api.orders import seen
from api.problems import documented
from api.services import Services
from domain.errors import DatabaseUnavailable, OrderNotFound
from domain.orders import OrderStatus

router = APIRouter(tags=["orders"])


async def _allowed(order_id: str, services: Services, bearer: Bearer, token: Token) -> None:
    if bearer is None and token is not None:
        order = await services.orders.order(order_id)
        if not compare_digest(order.result_token.encode(), token.encode()):
            raise OrderNotFound(order_id)
        return
    await seen(order_id, services, await authenticated(bearer, services))


@router.get(
    "/orders/{order_id}/events",
    response_class=EventSourceResponse,
    responses=documented(401, 404, 503),
    dependencies=[Depends(_allowed)],
)
async def stream_status(order_id: str, services: Services) -> AsyncIterator[ServerSentEvent]:
    """One `status` event now, and one for each change until the order is final."""
    shown: OrderStatus | None = None
    look = services.reads.status_of
    while not services.stopping.is_set():
        try:
            status = await look(order_id)
        except DatabaseUnavailable:
            return  # whoever listens comes back
        if status is not shown:
            shown = status
            data = StatusOut(order_id=order_id, status=status)
            yield ServerSentEvent(data=data, event="status")
        if not status.is_open:
            return
        look = services.looks.status_of
