"""Captures and refunds: looked up, and given back."""

import sqlite3

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.paypal.account import new_id
from simulator.paypal.entities import Entities, is_capture
from simulator.paypal.errors import PayPalError
from simulator.paypal.frontdesk import FrontDesk
from simulator.paypal.validation import check_new_refund
from simulator.records import Json, Link, Payment, Refund
from simulator.refunds import Refunds


class PaymentsApi:
    def __init__(self, desk: FrontDesk, books: Books, refunds: Refunds, entities: Entities) -> None:
        self._desk, self._refunds, self._entities = desk, refunds, entities
        self._ledger, self._faults, self._clock = books.ledger, books.faults, books.clock

    def routes(self) -> list[Route]:
        return [
            Route("/v2/payments/captures/{id}", self.fetch_capture, methods=["GET"]),
            Route("/v2/payments/captures/{id}/refund", self.refund, methods=["POST"]),
            Route("/v2/payments/refunds/{id}", self.fetch_refund, methods=["GET"]),
        ]

    async def fetch_capture(self, request: Request) -> Response:
        name = request.path_params["id"]
        return await self._desk.about(
            request, self._link(name), lambda link: self._entities.capture(self._taken(name), link)
        )

    async def refund(self, request: Request) -> Response:
        name, body = request.path_params["id"], await self._desk.json(request)
        return await self._desk.about(
            request,
            self._link(name),
            lambda link: self._refund(link, self._taken(name), body),
            losable="lost_refund_answer",
        )

    async def fetch_refund(self, request: Request) -> Response:
        name = request.path_params["id"]
        refund = self._ledger.refund(name)
        link = self._link(refund.payment_id) if refund else None
        return await self._desk.about(request, link, lambda _: self._refund_entity(name))

    def _refund(self, link: Link, payment: Payment, body: Json) -> Json:
        amount, currency = check_new_refund(body, payment)
        if self._faults.of(link.names).refund_refused == "balance":
            raise PayPalError(422, "REFUND_FAILED_INSUFFICIENT_FUNDS")
        now = self._clock()
        refund = Refund(
            id=new_id(),
            payment_id=payment.id,
            amount=amount,
            currency=currency,
            receipt=body.get("invoice_id"),
            details=body,
            created_at=now,
            updated_at=now,
        )
        try:
            refund = self._refunds.begin(refund)
        except sqlite3.IntegrityError:
            raise PayPalError(422, "DUPLICATE_INVOICE_ID", "/invoice_id") from None
        return self._refund_entity(refund.id)

    def _refund_entity(self, name: str) -> Json:
        (refund,) = self._ledger.refunds(id=name)
        return self._entities.refund(refund)

    def _taken(self, name: str) -> Payment:
        (payment,) = self._ledger.payments(id=name)
        return payment

    def _link(self, capture: str) -> Link | None:
        """What the capture is of; an approval that was not captured cannot be looked up."""
        payment = self._ledger.payment(capture)
        link = self._ledger.link_of(payment) if payment else None
        if payment is None or link is None or link.dialect != "paypal":
            return None
        return link if is_capture(link, payment) else None
