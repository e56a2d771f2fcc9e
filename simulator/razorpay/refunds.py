"""Refunds: made once under the caller's key, whole or in parts, and looked up."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.planting import PlantedReports
from simulator.razorpay.account import new_id
from simulator.razorpay.entities import collection, refund_entity
from simulator.razorpay.errors import NO_BALANCE, RazorpayError
from simulator.razorpay.frontdesk import FrontDesk
from simulator.razorpay.paging import page, period
from simulator.razorpay.validation import check_new_refund, parsed
from simulator.records import Json, Link, Payment, Refund
from simulator.refunds import Refunds

KEY = "X-Refund-Idempotency"


class RefundsApi:
    def __init__(
        self, desk: FrontDesk, books: Books, refunds: Refunds, reports: PlantedReports
    ) -> None:
        self._desk, self._refunds, self._reports = desk, refunds, reports
        self._ledger, self._faults, self._clock = books.ledger, books.faults, books.clock
        self._in_progress: set[str] = set()

    def routes(self) -> list[Route]:
        return [
            Route("/payments/{id}/refund", self.create, methods=["POST"]),
            Route("/payments/{id}/refunds", self.list_of_payment, methods=["GET"]),
            Route("/payments/{id}/refunds/{refund_id}", self.fetch, methods=["GET"]),
            Route("/refunds", self.list_all, methods=["GET"]),
            Route("/refunds/{refund_id}", self.fetch, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """A repetition under the same key gets the same refund; while it is being made, a 409."""
        payment_id, key = request.path_params["id"], request.headers.get(KEY)
        body = parsed(await request.body() or b"{}")
        link = self._ledger.link_paid_by(payment_id)
        if key in self._in_progress:
            return await self._desk.about(request, link, refuse_for_now)
        with self._working_on(key):
            return await self._desk.about(
                request,
                link,
                lambda link: self._create(link, payment_id, key, body),
                losable="lost_refund_answer",
            )

    async def fetch(self, request: Request) -> Response:
        wanted = request.path_params
        refund = self._ledger.refund(wanted["refund_id"])
        is_its = refund and wanted.get("id", refund.payment_id) == refund.payment_id
        link = self._ledger.link_of(refund) if refund and is_its else None
        return await self._desk.about(request, link, lambda _: self._entity(wanted["refund_id"]))

    async def list_of_payment(self, request: Request) -> Response:
        payment_id = request.path_params["id"]
        link = self._ledger.link_paid_by(payment_id)
        return await self._desk.about(
            request,
            link,
            lambda _: self._page(request, self._ledger.refunds(payment_id=payment_id)),
        )

    async def list_all(self, request: Request) -> Response:
        def show() -> Json:
            made = self._reports.refunds("razorpay", period(request.query_params))
            return self._page(request, made)

        return await self._desk.answer(request, (), show)

    def _create(self, link: Link, payment_id: str, key: str | None, body: Json | None) -> Json:
        check_key(key)
        if made := self._ledger.refunds(key=key):
            check_repetition(made[0], payment_id, body)
            return refund_entity(made[0])
        if body is None:
            raise RazorpayError("invalid request sent")
        (payment,) = self._ledger.payments(id=payment_id)
        check_new_refund(body, payment, self._ledger.refunds(payment_id=payment_id))
        if self._faults.of(link.names).refund_refused == "balance":
            raise RazorpayError(NO_BALANCE)
        return refund_entity(self._refunds.begin(new_refund(payment, key, body, self._clock())))

    def _entity(self, refund_id: str) -> Json:
        (refund,) = self._ledger.refunds(id=refund_id)
        return refund_entity(refund)

    def _page(self, request: Request, made: Iterable[Refund]) -> Json:
        refunds = page(made, request.query_params)
        return collection([refund_entity(refund) for refund in refunds])

    @contextmanager
    def _working_on(self, key: str | None) -> Iterator[None]:
        claim = {key} if key else set()
        self._in_progress |= claim
        try:
            yield
        finally:
            self._in_progress -= claim


def check_key(key: str | None) -> None:
    if key is None:
        return
    if len(key) < 10:
        raise RazorpayError("The idempotency key must be at least 10 characters long.")
    if not re.fullmatch("[A-Za-z0-9_-]+", key):
        raise RazorpayError(
            "The idempotency key must only contain alphanumeric characters,"
            " underscores, and hyphens"
        )


def check_repetition(made: Refund, payment_id: str, body: Json | None) -> None:
    if (made.payment_id, made.details) != (payment_id, body):
        raise RazorpayError(
            "Different request with the same idempotency key has already been processed.",
            status=409,
        )


def new_refund(payment: Payment, key: str | None, body: Json, now: float) -> Refund:
    return Refund(
        id=new_id("rfnd_"),
        payment_id=payment.id,
        amount=body.get("amount") or payment.amount_left,
        currency=payment.currency,
        receipt=body.get("receipt") or None,
        key=key,
        details=body,
        created_at=now,
        updated_at=now,
    )


def refuse_for_now(link: Link) -> NoReturn:
    raise RazorpayError(
        "Another request with the same idempotency key is still in progress.", status=409
    )
