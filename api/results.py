"""What the customer sees: how the order stands, in plain words."""

from hmac import compare_digest
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader

from api.problems import documented
from api.services import Services
from db.views import CheckoutView
from domain.errors import OrderNotFound
from domain.orders import OrderStatus
from settings import Settings

SAFE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
        " img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}
PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, trim_blocks=True
)
NEUTRAL: dict[int | str, dict[str, Any]] = {
    404: {"description": "A page that says nothing", "content": {"text/html": {}}}
}
router = APIRouter(tags=["pages"])


@router.get(
    "/orders/{order_id}/result",
    response_class=HTMLResponse,
    responses={**NEUTRAL, **documented(503)},
)
async def show_result(order_id: str, services: Services, token: str = "") -> Response:
    """The order's result page; whoever does not hold its token sees a neutral one."""
    try:
        view = await services.reads.checkout_view(order_id)
    except OrderNotFound:
        return neutral_page(services.settings)
    if not compare_digest(view.order.result_token.encode(), token.encode()):
        return neutral_page(services.settings)
    return page(
        "result.html",
        services.settings,
        order=view.order,
        state=_state(view),
        payment_url=_live_url(view),
        shop_name=services.settings.shop_name,
        shop_url=services.settings.shop_url,
    )


def neutral_page(settings: Settings) -> Response:
    """Says nothing about any order."""
    return page("neutral.html", settings, status=404)


def safe_headers(settings: Settings) -> dict[str, str]:
    """For what a browser shows: nothing is kept, passed on, or run from elsewhere."""
    https = settings.public_url.startswith("https://")
    return SAFE | ({"Strict-Transport-Security": "max-age=31536000"} if https else {})


def page(name: str, settings: Settings, status: int = 200, **values: object) -> Response:
    text = PAGES.get_template(name).render(**values)
    return HTMLResponse(text, status, headers=safe_headers(settings))


def _state(view: CheckoutView) -> str:
    """`paid`, `confirming` or `unpaid`: nothing is called unpaid while a payment may arrive."""
    status = view.order.status
    if status.is_unpaid_end:
        return "unpaid"
    if status.is_open or status is OrderStatus.NEEDS_REVIEW:
        return "confirming"
    return "paid"


def _live_url(view: CheckoutView) -> str | None:
    link = view.link
    payable = view.order.status.is_open and link and link.status and link.status.is_live
    return link.url if link and payable else None
