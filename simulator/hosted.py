"""The payment page a customer sees. No scripts, no card fields, nothing from elsewhere."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles

from simulator.books import Books
from simulator.gateway import Gateway, LinkClosed
from simulator.money import written
from simulator.records import Link, Method, Outcome, Payment, PaymentStatus

HERE = Path(__file__).parent
LONGEST_DELAY = 7 * 24 * 3600


class HostedPage:
    def __init__(self, books: Books, gateway: Gateway) -> None:
        self._gateway, self._ledger, self._clock = gateway, books.ledger, books.clock
        self._templates = Environment(
            loader=PackageLoader("simulator"), autoescape=True, undefined=StrictUndefined
        )
        self._templates.filters["money"] = written

    def router(self) -> Router:
        return Router(
            redirect_slashes=False,
            routes=[
                Mount("/static", StaticFiles(directory=HERE / "static")),
                Route("/{id}", self.show, methods=["GET"]),
                Route("/{id}/attempts", self.attempt, methods=["POST"]),
                Route("/{id}/payments/{payment_id}", self.follow, methods=["GET"]),
                Route("/{id}/left", self.leave, methods=["GET"]),
            ],
        )

    async def show(self, request: Request) -> Response:
        link = self._link(request)
        return self._as_it_is(link) if link else self._nothing_here()

    async def attempt(self, request: Request) -> Response:
        """Pay, fail or leave pending: form fields outcome, method, delay (seconds)."""
        link = self._link(request)
        if link is None:
            return self._nothing_here()
        form = parse_qs((await request.body()).decode())
        try:
            outcome = Outcome(form.get("outcome", ["success"])[0])
            method = Method(form.get("method", ["card"])[0])
            delay = read_delay(form.get("delay", ["0"])[0])
        except ValueError as error:
            return self._page("link.html", link, 422, problem=str(error))
        try:
            return self._after(self._gateway.attempt(link, outcome, method, delay))
        except LinkClosed:
            return self._as_it_is(link, 409)

    async def follow(self, request: Request) -> Response:
        payment = self._ledger.payment(request.path_params["payment_id"])
        if payment is None or payment.link_id != request.path_params["id"]:
            return self._nothing_here()
        return self._after(payment)

    async def leave(self, request: Request) -> Response:
        link = self._link(request)
        if link is None:
            return self._nothing_here()
        return self._page("left.html" if link.is_open else "link.html", link)

    def _as_it_is(self, link: Link, status: int = 200) -> Response:
        """The link's page; once it is paid, with the way back for whoever missed it."""
        payments = self._ledger.payments(link_id=link.id)
        ways = [self._gateway.return_url(link, each) for each in payments if each.captured]
        back = next((way for way in ways if way), None) if not link.is_open else None
        return self._page("link.html", link, status, back=back)

    def _after(self, payment: Payment) -> Response:
        """What the browser is shown, or where it is sent, once there is an attempt."""
        (link,) = self._ledger.links(id=payment.link_id)
        if url := self._gateway.return_url(link, payment):
            return RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})
        if payment.status in (PaymentStatus.CREATED, PaymentStatus.AUTHORIZED):
            return self._page("pending.html", link, payment=payment, wait=self._wait(payment))
        return self._page("link.html", link, payment=payment)

    def _wait(self, payment: Payment) -> float | None:
        """Seconds until the bank answers; None if it may never, or has."""
        if payment.settle_at is None or payment.status is not PaymentStatus.CREATED:
            return None
        return payment.settle_at - self._clock()

    def _link(self, request: Request) -> Link | None:
        return self._ledger.link(request.path_params["id"])

    def _nothing_here(self) -> Response:
        return self._page("unknown.html", None, 404)

    def _page(self, name: str, link: Link | None, status: int = 200, **more: Any) -> Response:
        values = {
            "link": link,
            "methods": list(Method),
            "payment": None,
            "problem": None,
            "back": None,
        }
        html = self._templates.get_template(name).render(values | more)
        return HTMLResponse(html, status, headers=page_headers(link))


def read_delay(text: str) -> float:
    delay = float(text or 0)
    if not 0 <= delay <= LONGEST_DELAY:
        raise ValueError(f"a delay is between 0 and {LONGEST_DELAY} seconds")
    return delay


def page_headers(link: Link | None) -> dict[str, str]:
    """A strict policy; the form may go here and, by redirect, on to the merchant's callback."""
    back = urlsplit(link.return_url or "") if link else urlsplit("")
    merchant = f" {back.scheme}://{back.netloc}" if back.netloc else ""
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none';"
        f" frame-ancestors 'none'; form-action 'self'{merchant}"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
