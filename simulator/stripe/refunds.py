"""Refunds: made whole or in parts, looked up, listed."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.records import Json, Link, Payment, Refund
from simulator.refunds import Refunds
from simulator.stripe.account import new_id
from simulator.stripe.entities import refund_entity
from simulator.stripe.errors import NO_BALANCE, StripeError, missing
from simulator.stripe.frontdesk import FrontDesk
from simulator.stripe.intents import link_of_intent
from simulator.stripe.paging import page
from simulator.stripe.validation import check_new_refund


class RefundsApi:
    def __init__(self, desk: FrontDesk, books: Books, refunds: Refunds) -> None:
        self._desk, self._refunds = desk, refunds
        self._ledger, self._faults, self._clock = books.ledger, books.faults, books.clock

    def routes(self) -> list[Route]:
        return [
            Route("/refunds", self.create, methods=["POST"]),
            Route("/refunds", self.list_all, methods=["GET"]),
            Route("/refunds/{id}", self.fetch, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        form = await self._desk.form(request)
        link = self._link(form)
        return await self._desk.answer(
            request,
            link.names if link else (),
            lambda: self._create(link, form),
            losable="lost_refund_answer",
        )

    async def list_all(self, request: Request) -> Response:
        link = self._link(dict(request.query_params))
        names = link.names if link else ()
        return await self._desk.answer(request, names, lambda: self._page(request, link))

    async def fetch(self, request: Request) -> Response:
        refund = self._ledger.refund(request.path_params["id"])
        link = self._ledger.link_of(refund) if refund else None
        link = link if link and link.dialect == "stripe" else None
        return await self._desk.about(
            request, link, lambda _: self._entity(request.path_params["id"])
        )

    def _create(self, link: Link | None, form: Json) -> Json:
        if link is None:
            name = next((name for name in ("payment_intent", "charge") if name in form), "charge")
            raise missing(name, str(form.get(name, "")))
        payments = self._ledger.payments(link_id=link.id)
        payment = next((each for each in payments if each.captured), None)
        check_new_refund(form, payment)
        assert payment
        if self._faults.of(link.names).refund_refused == "balance":
            raise StripeError(NO_BALANCE, code="balance_insufficient")
        return self._entity(self._refunds.begin(new_refund(payment, form, self._clock())).id)

    def _page(self, request: Request, link: Link | None) -> Json:
        query = request.query_params
        for name in ("payment_intent", "charge"):
            if name in query and link is None:
                raise missing(name, query[name])
        refunds = [refund for refund in self._ledger.refunds() if self._is_of(refund, link)]
        entities = [self._entity(refund.id) for refund in refunds]
        return page(entities, query, "/v1/refunds")

    def _is_of(self, refund: Refund, link: Link | None) -> bool:
        its = self._ledger.link_of(refund)
        return its.dialect == "stripe" and (link is None or its.id == link.id)

    def _entity(self, refund_id: str) -> Json:
        (refund,) = self._ledger.refunds(id=refund_id)
        (payment,) = self._ledger.payments(id=refund.payment_id)
        return refund_entity(refund, payment, self._ledger.link_of(payment))

    def _link(self, named: Json) -> Link | None:
        """What the payment of a request was made through."""
        if charge := named.get("charge"):
            return self._ledger.link_paid_by(str(charge))
        return link_of_intent(self._ledger, str(named.get("payment_intent", "")))


def new_refund(payment: Payment, form: Json, now: float) -> Refund:
    return Refund(
        id=new_id("re_"),
        payment_id=payment.id,
        amount=int(form.get("amount") or payment.amount_left),
        currency=payment.currency,
        details=form,
        created_at=now,
        updated_at=now,
    )
