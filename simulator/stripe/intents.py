"""PaymentIntents and their charges: looked up, and captured where they were only authorized."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.gateway import Gateway
from simulator.ledger import Ledger
from simulator.records import Json, Link, Payment, PaymentStatus
from simulator.stripe.account import StripeAccount
from simulator.stripe.entities import charge_entity, intent_entity, intent_status
from simulator.stripe.errors import missing
from simulator.stripe.frontdesk import FrontDesk
from simulator.stripe.paging import page
from simulator.stripe.validation import check_capture


class IntentsApi:
    def __init__(
        self, account: StripeAccount, desk: FrontDesk, books: Books, gateway: Gateway
    ) -> None:
        self._live, self._desk = account.is_live, desk
        self._ledger, self._gateway = books.ledger, gateway

    def routes(self) -> list[Route]:
        return [
            Route("/payment_intents/{id}", self.fetch, methods=["GET"]),
            Route("/payment_intents/{id}/capture", self.capture, methods=["POST"]),
            Route("/charges", self.list_charges, methods=["GET"]),
            Route("/charges/{id}", self.fetch_charge, methods=["GET"]),
        ]

    async def fetch(self, request: Request) -> Response:
        link = link_of_intent(self._ledger, request.path_params["id"])
        return await self._desk.about(request, link, self._intent)

    async def capture(self, request: Request) -> Response:
        intent, form = request.path_params["id"], await self._desk.form(request)
        link = link_of_intent(self._ledger, intent)
        return await self._desk.about(request, link, lambda link: self._capture(link, intent, form))

    async def list_charges(self, request: Request) -> Response:
        intent = request.query_params.get("payment_intent", "")
        link = link_of_intent(self._ledger, intent)
        names = link.names if link else ()
        return await self._desk.answer(request, names, lambda: self._charges(request, intent))

    async def fetch_charge(self, request: Request) -> Response:
        charge = request.path_params["id"]
        link = self._ledger.link_paid_by(charge)
        return await self._desk.about(request, link, lambda link: self._charge(link, charge))

    def _intent(self, link: Link) -> Json:
        payments = self._ledger.payments(link_id=link.id)
        return intent_entity(link, payments, livemode=self._live)

    def _capture(self, link: Link, intent: str, form: Json) -> Json:
        payments = self._ledger.payments(link_id=link.id)
        check_capture(form, intent, intent_status(link, payments))
        held = [each for each in payments if each.status is PaymentStatus.AUTHORIZED]
        self._gateway.capture(held[0])
        return self._intent(self._ledger.link_of(held[0]))

    def _charges(self, request: Request, intent: str) -> Json:
        link = link_of_intent(self._ledger, intent)
        if intent and link is None:
            raise missing("payment_intent", intent)
        payments = self._ledger.payments(link_id=link.id) if link else self._all_payments()
        entities = [self._entity(payment) for payment in payments]
        return page(entities, request.query_params, "/v1/charges")

    def _all_payments(self) -> list[Payment]:
        ledger = self._ledger
        return [each for each in ledger.payments() if ledger.link_of(each).dialect == "stripe"]

    def _charge(self, link: Link, charge: str) -> Json:
        (payment,) = self._ledger.payments(id=charge)
        return self._entity(payment)

    def _entity(self, payment: Payment) -> Json:
        return charge_entity(payment, self._ledger.link_of(payment), livemode=self._live)


def link_of_intent(ledger: Ledger, intent: str) -> Link | None:
    """The session that the intent pays, or what stands for a payment made elsewhere."""
    if links := ledger.links(dialect="stripe", gateway_order_id=intent):
        return links[0]
    link = ledger.link_paid_by(intent.replace("pi_", "ch_", 1))
    return link if link and link.elsewhere else None
