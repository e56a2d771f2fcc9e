"""Disputes, to be looked up; answering one is left to the dashboard."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.razorpay.entities import collection, dispute_entity
from simulator.razorpay.frontdesk import FrontDesk
from simulator.razorpay.paging import page
from simulator.records import Json


class DisputesApi:
    def __init__(self, desk: FrontDesk, books: Books) -> None:
        self._desk, self._ledger = desk, books.ledger

    def routes(self) -> list[Route]:
        return [
            Route("/disputes", self.list_all, methods=["GET"]),
            Route("/disputes/{id}", self.fetch, methods=["GET"]),
        ]

    async def list_all(self, request: Request) -> Response:
        return await self._desk.answer(request, (), lambda: self._page(request))

    async def fetch(self, request: Request) -> Response:
        dispute_id = request.path_params["id"]
        dispute = self._ledger.dispute(dispute_id)
        link = self._ledger.link_of(dispute) if dispute else None
        return await self._desk.about(request, link, lambda _: self._entity(dispute_id))

    def _entity(self, dispute_id: str) -> Json:
        (dispute,) = self._ledger.disputes(id=dispute_id)
        return dispute_entity(dispute)

    def _page(self, request: Request) -> Json:
        disputes = page(self._ledger.disputes(), request.query_params)
        return collection([dispute_entity(dispute) for dispute in disputes])
