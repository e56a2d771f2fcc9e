"""Payment links: made once per reference, looked up, canceled while they are open."""

import sqlite3

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.dialect import PageUrl
from simulator.gateway import Gateway, LinkClosed
from simulator.razorpay.account import RazorpayAccount, new_id
from simulator.razorpay.entities import link_entity
from simulator.razorpay.errors import DUPLICATE, RazorpayError
from simulator.razorpay.frontdesk import FrontDesk
from simulator.razorpay.validation import LONGEST_LIFE, check_new_link, parsed
from simulator.records import Json, Link, LinkStatus

CANNOT_CANCEL = {
    LinkStatus.PAID: "cannot cancel or expire an already paid/partially paid link",
    LinkStatus.EXPIRED: "cannot cancel or expire an expired link",
    LinkStatus.CANCELED: "cannot cancel or expire a cancelled link",
}


class LinksApi:
    def __init__(
        self,
        account: RazorpayAccount,
        desk: FrontDesk,
        books: Books,
        gateway: Gateway,
        page_url: PageUrl,
    ) -> None:
        self._account, self._desk, self._gateway = account, desk, gateway
        self._ledger, self._faults, self._clock = books.ledger, books.faults, books.clock
        self._page_url = page_url

    def routes(self) -> list[Route]:
        return [
            Route("/payment_links", self.create, methods=["POST"]),
            Route("/payment_links/", self.create, methods=["POST"]),
            Route("/payment_links", self.list_all, methods=["GET"]),
            Route("/payment_links/", self.list_all, methods=["GET"]),
            Route("/payment_links/{id}", self.fetch, methods=["GET"]),
            Route("/payment_links/{id}/cancel", self.cancel, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        body = parsed(await request.body())
        return await self._desk.answer(
            request, names_in(body), lambda: self._create(body), losable="lost_create_answer"
        )

    async def list_all(self, request: Request) -> Response:
        wanted = request.query_params
        filters: Json = {"dialect": "razorpay", "elsewhere": False}
        if reference := wanted.get("reference_id"):
            filters["reference_id"] = reference
        if payment_id := wanted.get("payment_id"):
            payment = self._ledger.payment(payment_id)
            filters["id"] = payment.link_id if payment else ""
        return await self._desk.answer(
            request, self._names_for(filters), lambda: self._collection(filters)
        )

    async def fetch(self, request: Request) -> Response:
        link = self._ledger.link(request.path_params["id"])
        return await self._desk.about(request, link, self._entity)

    async def cancel(self, request: Request) -> Response:
        link = self._ledger.link(request.path_params["id"])
        return await self._desk.about(request, link, self._cancel)

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

    def _collection(self, filters: Json) -> Json:
        links = self._ledger.links(**filters)
        return {"payment_links": [self._entity(link) for link in links]}

    def _names_for(self, filters: Json) -> tuple[str, ...]:
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


def names_in(body: Json | None) -> tuple[str, ...]:
    """What a create request calls its link: our order, our reference."""
    notes = (body or {}).get("notes")
    order_id = notes.get("order_id") if isinstance(notes, dict) else None
    names = (order_id, (body or {}).get("reference_id"))
    return tuple(name for name in names if isinstance(name, str) and name)
