"""Checkout Sessions: made, looked up, listed, expired."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.dialect import PageUrl
from simulator.gateway import Gateway
from simulator.records import Json, Link
from simulator.stripe.account import StripeAccount, new_id
from simulator.stripe.entities import SESSION_STATUSES, session_entity
from simulator.stripe.forms import allow, section
from simulator.stripe.frontdesk import FrontDesk
from simulator.stripe.paging import page
from simulator.stripe.validation import LONGEST_LIFE, check_expire, check_new_session


class SessionsApi:
    def __init__(
        self,
        account: StripeAccount,
        desk: FrontDesk,
        books: Books,
        gateway: Gateway,
        page_url: PageUrl,
    ) -> None:
        self._account, self._desk, self._gateway = account, desk, gateway
        self._ledger, self._clock = books.ledger, books.clock
        self._page_url = page_url

    def routes(self) -> list[Route]:
        return [
            Route("/checkout/sessions", self.create, methods=["POST"]),
            Route("/checkout/sessions", self.list_all, methods=["GET"]),
            Route("/checkout/sessions/{id}", self.fetch, methods=["GET"]),
            Route("/checkout/sessions/{id}/expire", self.expire, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        form = await self._desk.form(request)
        return await self._desk.answer(
            request, names_in(form), lambda: self._create(form), losable="lost_create_answer"
        )

    async def list_all(self, request: Request) -> Response:
        return await self._desk.answer(request, (), lambda: self._page(request))

    async def fetch(self, request: Request) -> Response:
        return await self._desk.about(request, self._link(request), self._entity)

    async def expire(self, request: Request) -> Response:
        form = await self._desk.form(request)
        return await self._desk.about(
            request, self._link(request), lambda link: self._expire(link, form)
        )

    def _create(self, form: Json) -> Json:
        now = self._clock()
        check_new_session(form, now)
        link = new_session(form, now, self._account)
        self._gateway.open_link(link)
        return self._entity(link)

    def _expire(self, link: Link, form: Json) -> Json:
        allow(form, "expand")
        check_expire(link)
        return self._entity(self._gateway.cancel(link))

    def _page(self, request: Request) -> Json:
        wanted = request.query_params
        links = self._ledger.links(dialect="stripe", elsewhere=False)
        if intent := wanted.get("payment_intent"):
            links = [link for link in links if link.gateway_order_id == intent]
        if status := wanted.get("status"):
            links = [link for link in links if SESSION_STATUSES[link.status] == status]
        return page([self._entity(link) for link in links], wanted, "/v1/checkout/sessions")

    def _entity(self, link: Link) -> Json:
        payments, url = self._ledger.payments(link_id=link.id), self._page_url(link.id)
        return session_entity(link, payments, url, livemode=self._account.is_live)

    def _link(self, request: Request) -> Link | None:
        link = self._ledger.link(request.path_params["id"])
        return link if link and link.dialect == "stripe" else None


def new_session(form: Json, now: float, account: StripeAccount) -> Link:
    line = form["line_items"]["0"]
    price = line["price_data"]
    return Link(
        id=new_id(account.session_prefix),
        dialect="stripe",
        order_id=next(iter(names_in(form)), None),
        amount=int(price["unit_amount"]) * int(line["quantity"]),
        currency=price["currency"].upper(),
        description=price["product_data"]["name"],
        return_url=form["success_url"],
        details=form,
        created_at=now,
        updated_at=now,
        expires_at=float(form.get("expires_at", now + LONGEST_LIFE)),
    )


def names_in(form: Json) -> tuple[str, ...]:
    """What a create request calls its session: the order it is for."""
    metadata = form.get("metadata")
    notes = section(form, "metadata") if isinstance(metadata, dict) else {}
    names = (notes.get("order_id"), form.get("client_reference_id"))
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))
