"""Callbacks: the customer's browser comes back. What it brings is a hint, never proof."""

from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from fastapi import APIRouter, BackgroundTasks, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from api.problems import documented
from api.results import NOT_SHOWN, busy_page, neutral_page, safe_headers
from api.services import Opened, Services
from api.views import result_url
from db.views import CallbackLink
from domain.errors import BadSignature, DatabaseUnavailable, OrderNotFound
from domain.news import Evidence, EvidenceKind, PaymentNews

router = APIRouter(tags=["gateways"])
log = structlog.get_logger()
PATH = "/callbacks/{gateway}/{token}"


@router.get(
    PATH,
    response_class=RedirectResponse,
    status_code=303,
    responses=NOT_SHOWN,
)
async def receive_callback(
    gateway: str, token: str, request: Request, services: Services, later: BackgroundTasks
) -> Response:
    """Send the customer to the order's result page; an unknown token gets a neutral page."""
    return await _received(gateway, token, request.query_params, services, later)


@router.post(
    PATH,
    response_class=RedirectResponse,
    status_code=303,
    responses={**NOT_SHOWN, **documented(413)},
)
async def receive_posted_callback(
    gateway: str, token: str, request: Request, services: Services, later: BackgroundTasks
) -> Response:
    """The same, for gateways that let the browser post a form."""
    return await _received(gateway, token, await _form(request), services, later)


async def _form(request: Request) -> Mapping[str, str]:
    """A form that cannot be read says nothing, but the customer still wants to see a page."""
    try:
        form = await request.form()
    except HTTPException as error:
        if error.status_code != 400:
            raise
        return {}
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def _received(
    gateway: str,
    token: str,
    parameters: Mapping[str, str],
    services: Opened,
    later: BackgroundTasks,
) -> Response:
    try:
        link = await services.reads.link_by_callback_token(gateway, token)
    except DatabaseUnavailable:
        return busy_page(services.settings)
    except OrderNotFound:
        return neutral_page(services.settings)
    hint = _hint(gateway, link, parameters, services)
    if hint and await _is_first(hint, services):
        later.add_task(_deliver, hint, services)
    order = link.order
    url = result_url(services.settings.public_url, order.order_id, order.result_token)
    return RedirectResponse(url, status_code=303, headers=safe_headers(services.settings))


def _hint(
    name: str, link: CallbackLink, parameters: Mapping[str, str], services: Opened
) -> PaymentNews | None:
    order_id, gateway = link.order.order_id, services.gateways.get(name)
    if gateway is None:
        return None
    try:
        callback = gateway.read_callback(parameters)
    except BadSignature:
        log.warning("callback with a bad signature", order_id=order_id)
        return None
    is_key_ours = callback.wire_key in (None, link.wire_key)
    if not is_key_ours or callback.link_reference != link.gateway_reference:
        log.warning("callback of another link", order_id=order_id)
        return None
    evidence = Evidence(EvidenceKind.CALLBACK, callback.link_reference, callback.digest)
    return PaymentNews(gateway.name, order_id, evidence, mentions=callback.payment_reference)


async def _is_first(hint: PaymentNews, services: Opened) -> bool:
    """A page that is reloaded without end must not fill the history of its checkout."""
    try:
        return await services.orders.first_heard(hint.order_id, hint.evidence, datetime.now(UTC))
    except DatabaseUnavailable:
        return False  # a hint may be lost, but the customer wants to see a page


async def _deliver(hint: PaymentNews, services: Opened) -> None:
    try:
        await services.delivery.deliver(hint)
    except Exception as error:  # a hint may be lost: the checkout asks by itself
        log.warning("hint not delivered", order_id=hint.order_id, error=type(error).__name__)
