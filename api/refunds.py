"""Money back: an operator asks for it, with a reason that is kept."""

from datetime import UTC, datetime

import structlog
from fastapi import APIRouter, BackgroundTasks

from api.auth import Anyone, Operator
from api.models import RefundIn, RefundOut
from api.orders import IdempotencyKey, seen
from api.problems import ApiError, documented
from api.services import Opened, Services
from api.views import refund_out
from domain.errors import RefundNotFound
from domain.keys import derived_id
from domain.money import Money
from domain.orders import Order
from domain.refunds import Refund, RefundWish

router = APIRouter(tags=["refunds"])
log = structlog.get_logger()


@router.post(
    "/orders/{order_id}/refunds",
    status_code=202,
    responses=documented(400, 401, 403, 404, 409, 413, 422, 503),
)
async def refund_order(
    order_id: str,
    body: RefundIn,
    services: Services,
    principal: Operator,
    idempotency_key: IdempotencyKey,
    later: BackgroundTasks,
) -> RefundOut:
    """Send money of the order's payment back; all that is left if no amount is given.

    The same key and body give the same refund. Two refunds of one amount need two keys.
    """
    order = await seen(order_id, services, principal)
    payment = await services.reads.fulfilling_payment(order_id)
    if payment is None:
        raise ApiError(409, "refund-refused", "The order was not paid: there is nothing to refund.")
    wish = RefundWish(
        refund_id=derived_id("rfd", principal.name, idempotency_key),
        order_id=order_id,
        gateway=payment.gateway,
        payment_reference=payment.reference,
        amount=_amount(body, order),
        reason=body.reason,
        actor=principal.name,
    )
    refund = await services.refunds.reserve(wish, None, datetime.now(UTC))
    assert refund, "only an automatic refund has a budget"
    later.add_task(_start, refund, services)
    return refund_out(await services.reads.refund_view(refund.refund_id))


@router.get("/refunds/{refund_id}", responses=documented(401, 404, 503))
async def get_refund(refund_id: str, services: Services, principal: Anyone) -> RefundOut:
    """The refund as it stands."""
    view = await services.reads.refund_view(refund_id)
    if not principal.may_see(view.client or ""):
        raise RefundNotFound(refund_id)
    return refund_out(view)


def _amount(body: RefundIn, order: Order) -> Money | None:
    if body.amount is None:
        return None
    return Money(body.amount, body.currency or order.amount.currency)


async def _start(refund: Refund, services: Opened) -> None:
    try:
        await services.delivery.mind_refund(refund)
    except Exception as error:  # the refund is reserved: the sweep will start it
        log.warning("refund not begun yet", refund_id=refund.refund_id, error=type(error).__name__)
