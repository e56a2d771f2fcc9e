"""Payments and the orders they pay: look them up, capture what was only authorized."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.gateway import Gateway
from simulator.planting import PlantedReports
from simulator.razorpay.entities import collection, order_entity, payment_entity
from simulator.razorpay.frontdesk import FrontDesk
from simulator.razorpay.paging import page, period
from simulator.razorpay.validation import check_capture, parsed
from simulator.records import Json, Link, Payment


class PaymentsApi:
    def __init__(
        self, desk: FrontDesk, books: Books, gateway: Gateway, reports: PlantedReports
    ) -> None:
        self._desk, self._ledger, self._gateway = desk, books.ledger, gateway
        self._reports = reports

    def routes(self) -> list[Route]:
        return [
            Route("/orders/{id}", self.fetch_order, methods=["GET"]),
            Route("/orders/{id}/payments", self.fetch_order_payments, methods=["GET"]),
            Route("/payments", self.list_all, methods=["GET"]),
            Route("/payments/{id}", self.fetch, methods=["GET"]),
            Route("/payments/{id}/capture", self.capture, methods=["POST"]),
        ]

    async def fetch_order(self, request: Request) -> Response:
        link = self._link_of_order(request)
        return await self._desk.about(request, link, self._order)

    async def fetch_order_payments(self, request: Request) -> Response:
        link = self._link_of_order(request)
        return await self._desk.about(request, link, self._order_payments)

    async def list_all(self, request: Request) -> Response:
        return await self._desk.answer(request, (), lambda: self._page(request.query_params))

    async def fetch(self, request: Request) -> Response:
        payment_id = request.path_params["id"]
        link = self._ledger.link_paid_by(payment_id)
        return await self._desk.about(
            request, link, lambda link: payment_entity(self._payment(payment_id), link)
        )

    async def capture(self, request: Request) -> Response:
        payment_id, body = request.path_params["id"], parsed(await request.body())
        link = self._ledger.link_paid_by(payment_id)
        return await self._desk.about(
            request, link, lambda link: self._capture(link, payment_id, body)
        )

    def _capture(self, link: Link, payment_id: str, body: Json | None) -> Json:
        payment = self._payment(payment_id)
        others = self._ledger.payments(link_id=link.id)
        check_capture(body or {}, payment, order_paid=any(other.captured for other in others))
        return payment_entity(self._gateway.capture(payment), self._ledger.link_of(payment))

    def _page(self, query: Mapping[str, str]) -> Json:
        payments = page(self._reports.payments("razorpay", period(query)), query)
        return collection([payment_entity(each, self._ledger.link_of(each)) for each in payments])

    def _payment(self, payment_id: str) -> Payment:
        (payment,) = self._ledger.payments(id=payment_id)
        return payment

    def _order(self, link: Link) -> Json:
        return order_entity(link, self._ledger.payments(link_id=link.id))

    def _order_payments(self, link: Link) -> Json:
        payments = self._ledger.payments(link_id=link.id)
        return collection([payment_entity(payment, link) for payment in payments])

    def _link_of_order(self, request: Request) -> Link | None:
        links = self._ledger.links(gateway_order_id=request.path_params["id"])
        return next(iter(links), None)
