"""Razorpay's HTTP API over the ledger: payment links, and the orders and payments behind them."""

import json
import sqlite3
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from simulator.books import Books
from simulator.dialect import PageUrl
from simulator.gateway import Gateway, LinkClosed
from simulator.razorpay.account import RazorpayAccount, new_id
from simulator.razorpay.entities import link_entity, order_entity, payment_entity
from simulator.razorpay.errors import DUPLICATE, NOT_FOUND, UNKNOWN_ID, RazorpayError
from simulator.razorpay.frontdesk import FrontDesk
from simulator.razorpay.validation import LONGEST_LIFE, check_new_link
from simulator.records import Json, Link, LinkStatus

CANNOT_CANCEL = {
    LinkStatus.PAID: "cannot cancel or expire an already paid/partially paid link",
    LinkStatus.EXPIRED: "cannot cancel or expire an expired link",
    LinkStatus.CANCELED: "cannot cancel or expire a cancelled link",
}


class RazorpayApi:
    def __init__(
        self,
        account: RazorpayAccount,
        books: Books,
        gateway: Gateway,
        page_url: PageUrl,
    ) -> None:
        self._account, self._gateway, self._page_url = account, gateway, page_url
        self._ledger, self._faults, self._clock = books.ledger, books.faults, books.clock
        self._desk = FrontDesk(account, books)

    def router(self) -> Router:
        everything = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return Router(
            redirect_slashes=False,
            routes=[
                Route("/payment_links", self.create_link, methods=["POST"]),
                Route("/payment_links/", self.create_link, methods=["POST"]),
                Route("/payment_links", self.list_links, methods=["GET"]),
                Route("/payment_links/", self.list_links, methods=["GET"]),
                Route("/payment_links/{id}", self.fetch_link, methods=["GET"]),
                Route("/payment_links/{id}/cancel", self.cancel_link, methods=["POST"]),
                Route("/orders/{id}", self.fetch_order, methods=["GET"]),
                Route("/orders/{id}/payments", self.fetch_order_payments, methods=["GET"]),
                Route("/payments/{id}", self.fetch_payment, methods=["GET"]),
                Route("/{path:path}", self.refuse_url, methods=everything),
            ],
        )

    async def create_link(self, request: Request) -> Response:
        body = parsed(await request.body())
        return await self._desk.answer_unless_lost(
            request, names_in(body), lambda: self._create(body)
        )

    async def list_links(self, request: Request) -> Response:
        wanted = request.query_params
        filters = {"dialect": "razorpay"}
        if reference := wanted.get("reference_id"):
            filters["reference_id"] = reference
        if payment_id := wanted.get("payment_id"):
            payment = self._ledger.payment(payment_id)
            filters["id"] = payment.link_id if payment else ""
        return await self._desk.answer(
            request, self._names_for(filters), lambda: self._collection(filters)
        )

    async def fetch_link(self, request: Request) -> Response:
        link = self._ledger.link(request.path_params["id"])
        return await self._about(request, link, self._entity)

    async def cancel_link(self, request: Request) -> Response:
        link = self._ledger.link(request.path_params["id"])
        return await self._about(request, link, self._cancel)

    async def fetch_order(self, request: Request) -> Response:
        link = self._link_of_order(request)
        return await self._about(request, link, self._order)

    async def fetch_order_payments(self, request: Request) -> Response:
        link = self._link_of_order(request)
        return await self._about(request, link, self._order_payments)

    async def fetch_payment(self, request: Request) -> Response:
        payment_id = request.path_params["id"]
        payment = self._ledger.payment(payment_id)
        link = self._ledger.link(payment.link_id) if payment else None
        return await self._about(request, link, lambda link: self._payment(link, payment_id))

    async def refuse_url(self, request: Request) -> Response:
        return RazorpayError(NOT_FOUND).response()

    async def _about(
        self, request: Request, link: Link | None, show: Callable[[Link], Json]
    ) -> Response:
        """Answer a call about one link, in the state it is in once the faults had their say."""

        def act() -> Json:
            fresh = link and self._ledger.link(link.id)
            if fresh is None:
                raise RazorpayError(UNKNOWN_ID)
            return show(fresh)

        return await self._desk.answer(request, link.names if link else (), act)

    def _create(self, body: Json | None) -> Json:
        if body is None:
            raise RazorpayError("wrong input fields sent.")
        now = self._clock()
        check_new_link(body, now, test_mode=self._account.is_test)
        link = new_link(body, now)
        try:
            self._gateway.open_link(link)
        except sqlite3.IntegrityError:
            raise RazorpayError(DUPLICATE, field="reference_id") from None
        return self._entity(link)

    def _cancel(self, link: Link) -> Json:
        try:
            return self._entity(self._gateway.cancel(link))
        except LinkClosed:
            raise RazorpayError(CANNOT_CANCEL[link.status]) from None

    def _entity(self, link: Link) -> Json:
        payments = self._ledger.payments(link_id=link.id)
        return link_entity(link, payments, self._page_url(link.id))

    def _collection(self, filters: dict[str, str]) -> Json:
        links = self._ledger.links(**filters)
        return {"payment_links": [self._entity(link) for link in links]}

    def _order(self, link: Link) -> Json:
        return order_entity(link, self._ledger.payments(link_id=link.id))

    def _order_payments(self, link: Link) -> Json:
        payments = self._ledger.payments(link_id=link.id)
        items = [payment_entity(payment, link) for payment in payments]
        return {"entity": "collection", "count": len(items), "items": items}

    def _payment(self, link: Link, payment_id: str) -> Json:
        (payment,) = self._ledger.payments(id=payment_id)
        return payment_entity(payment, link)

    def _link_of_order(self, request: Request) -> Link | None:
        links = self._ledger.links(gateway_order_id=request.path_params["id"])
        return next(iter(links), None)

    def _names_for(self, filters: dict[str, str]) -> tuple[str, ...]:
        """Names of the one link that is asked for, or would be if it were there already."""
        if not filters.keys() & {"reference_id", "id"}:
            return ()
        if links := self._ledger.links(**filters):
            return links[0].names
        reference = filters.get("reference_id", "")
        return (self._faults.name_of([reference]) or reference, reference)


def new_link(body: Json, now: float) -> Link:
    return Link(
        id=new_id("plink_"),
        dialect="razorpay",
        order_id=(body.get("notes") or {}).get("order_id"),
        reference_id=body.get("reference_id") or None,
        amount=body["amount"],
        currency=body.get("currency") or "INR",
        description=body.get("description") or "",
        return_url=body.get("callback_url") or None,
        details=body,
        created_at=now,
        updated_at=now,
        expires_at=body.get("expire_by") or now + LONGEST_LIFE,
    )


def parsed(raw: bytes) -> Json | None:
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def names_in(body: Json | None) -> tuple[str, ...]:
    """What a create request calls its link: our order, our reference."""
    notes = (body or {}).get("notes")
    order_id = notes.get("order_id") if isinstance(notes, dict) else None
    names = (order_id, (body or {}).get("reference_id"))
    return tuple(name for name in names if isinstance(name, str) and name)
