"""Orders: created, looked up, and captured once their customer has approved."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.dialect import PageUrl
from simulator.gateway import Gateway
from simulator.paypal.account import new_id
from simulator.paypal.amounts import minor_of
from simulator.paypal.entities import Entities
from simulator.paypal.errors import PayPalError
from simulator.paypal.frontdesk import FrontDesk
from simulator.paypal.validation import check_new_order, return_url_of, unit_of
from simulator.records import Json, Link, LinkStatus, PaymentStatus

LIFE = 3 * 3600.0


class OrdersApi:
    def __init__(
        self,
        desk: FrontDesk,
        books: Books,
        gateway: Gateway,
        entities: Entities,
        page_url: PageUrl,
    ) -> None:
        self._desk, self._gateway, self._entities = desk, gateway, entities
        self._ledger, self._clock, self._page_url = books.ledger, books.clock, page_url

    def routes(self) -> list[Route]:
        return [
            Route("/v2/checkout/orders", self.create, methods=["POST"]),
            Route("/v2/checkout/orders/{id}", self.fetch, methods=["GET"]),
            Route("/v2/checkout/orders/{id}/capture", self.capture, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        body = await self._desk.json(request)
        return await self._desk.answer(
            request, names_in(body), lambda: self._create(body), losable="lost_create_answer"
        )

    async def fetch(self, request: Request) -> Response:
        return await self._desk.about(request, self._link(request), self._entity)

    async def capture(self, request: Request) -> Response:
        return await self._desk.about(
            request, self._link(request), self._capture, losable="lost_capture_answer"
        )

    def _create(self, body: Json) -> Json:
        check_new_order(body)
        link = new_order(body, self._clock())
        self._gateway.open_link(link)
        return self._entity(link)

    def _capture(self, link: Link) -> Json:
        if link.status in (LinkStatus.PAID, LinkStatus.COMPLETED):
            raise PayPalError(422, "ORDER_ALREADY_CAPTURED")
        approvals = self._ledger.payments(link_id=link.id, status=PaymentStatus.AUTHORIZED)
        if not approvals:
            raise PayPalError(422, "ORDER_NOT_APPROVED")
        if self._gateway.take(approvals[-1]).status is PaymentStatus.FAILED:
            raise PayPalError(422, "INSTRUMENT_DECLINED")
        (link,) = self._ledger.links(id=link.id)
        return self._entity(link)

    def _entity(self, link: Link) -> Json:
        payments = self._ledger.payments(link_id=link.id)
        refunds = [
            refund for each in payments for refund in self._ledger.refunds(payment_id=each.id)
        ]
        return self._entities.order(link, payments, self._page_url(link.id), refunds)

    def _link(self, request: Request) -> Link | None:
        """An order that was not paid in time is not known any more."""
        link = self._ledger.link(request.path_params["id"])
        if link is None or link.dialect != "paypal" or link.status is LinkStatus.EXPIRED:
            return None
        return link


def new_order(body: Json, now: float) -> Link:
    unit = unit_of(body)
    amount, currency = minor_of(unit["amount"], "amount")
    return Link(
        id=new_id(),
        dialect="paypal",
        order_id=next(iter(names_in(body)), None),
        amount=amount,
        currency=currency,
        description=unit.get("description", ""),
        return_url=return_url_of(body),
        details=body,
        created_at=now,
        updated_at=now,
        expires_at=now + LIFE,
    )


def names_in(body: Json) -> tuple[str, ...]:
    """What a create request calls its order: what is paid by it, then the invoice."""
    unit = unit_of(body)
    names = (unit.get("custom_id"), unit.get("invoice_id"))
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))
