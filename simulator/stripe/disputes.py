"""Disputes, to be looked up; answering one is left to the dashboard."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.records import Dispute, Json
from simulator.stripe.account import StripeAccount
from simulator.stripe.entities import dispute_entity
from simulator.stripe.frontdesk import FrontDesk


class DisputesApi:
    def __init__(self, account: StripeAccount, desk: FrontDesk, books: Books) -> None:
        self._live, self._desk, self._ledger = account.is_live, desk, books.ledger

    def routes(self) -> list[Route]:
        return [Route("/disputes/{id}", self.fetch, methods=["GET"])]

    async def fetch(self, request: Request) -> Response:
        dispute = self._ledger.dispute(request.path_params["id"])
        link = self._ledger.link_of(dispute) if dispute else None
        return await self._desk.about(request, link, lambda _: self._entity(dispute))

    def _entity(self, dispute: Dispute | None) -> Json:
        assert dispute
        (payment,) = self._ledger.payments(id=dispute.payment_id)
        link = self._ledger.link_of(payment)
        return dispute_entity(dispute, payment, link, livemode=self._live)
