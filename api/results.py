"""What the customer sees: how the order stands, in plain words."""

from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader

from api.outcomes import Outcome, State, outcome_of
from api.services import Services
from api.texts import TEXTS, language_of
from domain.errors import DatabaseUnavailable, OrderNotFound
from domain.orders import Order, OrderStatus
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
MOODS = {State.PAID: "good", State.PARTIALLY_REFUNDED: "good", State.REFUNDED: "calm"}
# Seconds after which a page looks again that no event would tell of a change.
LINK_IS_COMING, PERSON_IS_LOOKING, RELOAD = 2, 60, 5
HTML: dict[str, Any] = {"content": {"text/html": {}}}
NOT_SHOWN: dict[int | str, dict[str, Any]] = {
    404: {"description": "A page that says nothing"} | HTML,
    429: {"description": "Too many calls: a page that tries again by itself"} | HTML,
    503: {"description": "A page that tries again by itself"} | HTML,
}
Languages = Annotated[str, Header(alias="Accept-Language")]
router = APIRouter(tags=["pages"])


@router.get(
    "/orders/{order_id}/result",
    response_class=HTMLResponse,
    responses=NOT_SHOWN,
)
async def show_result(
    order_id: str, services: Services, wanted: Languages = "", token: str = ""
) -> Response:
    """The order's result page; whoever does not hold its token sees a neutral one."""
    try:
        view = await services.reads.order_view(order_id)
    except DatabaseUnavailable:
        return busy_page(services.settings, wanted)
    except OrderNotFound:
        return neutral_page(services.settings, wanted)
    if not compare_digest(view.order.result_token.encode(), token.encode()):
        return neutral_page(services.settings, wanted)
    outcome = outcome_of(view)
    return page(
        "result.html",
        services.settings,
        wanted=wanted,
        order=view.order,
        items=view.items,
        outcome=outcome,
        invoice=view.invoice,
        mood="stopped" if outcome.state.is_unpaid else MOODS.get(outcome.state, "busy"),
        look_again=_look_again(view.order, outcome),
        reload=RELOAD if outcome.state.is_open else PERSON_IS_LOOKING,
    )


def neutral_page(settings: Settings, wanted: str = "") -> Response:
    """Says nothing about any order."""
    return page("neutral.html", settings, status=404, wanted=wanted)


def busy_page(settings: Settings, wanted: str = "") -> Response:
    """For a person who has done all that is to be done: the database is away, not the money."""
    return page("busy.html", settings, status=503, wanted=wanted, reload=RELOAD)


def hasty_page(settings: Settings, wanted: str, wait: int) -> Response:
    """For a person from whose address too much came: it looks again in `wait` seconds."""
    shown = page("busy.html", settings, status=429, wanted=wanted, reload=wait)
    shown.headers["Retry-After"] = f"{wait}"
    return shown


def safe_headers(settings: Settings) -> dict[str, str]:
    """For what a browser shows: nothing is kept, passed on, or run from elsewhere."""
    https = settings.public_url.startswith("https://")
    return SAFE | ({"Strict-Transport-Security": "max-age=31536000"} if https else {})


def page(
    name: str, settings: Settings, status: int = 200, *, wanted: str = "", **values: object
) -> Response:
    """In the language that is `wanted`, an Accept-Language header, as far as there are texts."""
    language = language_of(wanted)
    text = PAGES.get_template(name).render(
        **values, language=language, texts=TEXTS[language], settings=settings
    )
    return HTMLResponse(text, status, headers=safe_headers(settings))


def _look_again(order: Order, outcome: Outcome) -> int | None:
    """Seconds after which the page's script looks again; None where events tell it, or it is over.

    Events tell the status alone: neither that the link is there, nor what a person decided.
    """
    if outcome.state is State.REVIEW:
        return PERSON_IS_LOOKING
    is_coming = order.status is OrderStatus.AWAITING_PAYMENT and outcome.state is State.WAITING
    return LINK_IS_COMING if is_coming and not outcome.payment_url else None
