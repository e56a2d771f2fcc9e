"""What the customer sees: how the order stands, in plain words."""

from hmac import compare_digest
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader

from api.services import Services
from db.views import CheckoutView
from domain.errors import OrderNotFound
from domain.orders import OrderStatus

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
router = APIRouter(include_in_schema=False)


@router.get("/orders/{order_id}/result", response_class=HTMLResponse)
async def show_result(order_id: str, services: Services, token: str = "") -> Response:
    """The order's result page; whoever does not hold its token sees a neutral one."""
    try:
        view = await services.reads.checkout_view(order_id)
    except OrderNotFound:
        return neutral_page()
    if not compare_digest(view.order.result_token.encode(), token.encode()):
        return neutral_page()
    return _page(
        "result.html",
        order=view.order,
        state=_state(view),
        payment_url=_live_url(view),
        shop_name=services.settings.shop_name,
        shop_url=services.settings.shop_url,
    )


def neutral_page() -> Response:
    """Says nothing about any order."""
    return _page("neutral.html", status=404)


def _page(name: str, status: int = 200, **values: object) -> Response:
    return HTMLResponse(PAGES.get_template(name).render(**values), status, headers=SAFE)


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
