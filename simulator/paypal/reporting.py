"""Transaction Search: what was taken and given back, by when it began."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from math import ceil

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.paypal.amounts import amount_of
from simulator.paypal.entities import CAPTURE_STATUSES, is_capture, moment, names_of
from simulator.paypal.errors import PayPalError
from simulator.paypal.frontdesk import FrontDesk
from simulator.planting import PlantedReports
from simulator.records import Json, Link, Payment, PaymentStatus, Refund, RefundStatus
from simulator.statement import Period

LONGEST_WINDOW = timedelta(days=31)
MOST_AT_ONCE = 500
WORDS = {"COMPLETED": "S", "REFUNDED": "S", "PENDING": "P", "DECLINED": "D"}


class ReportingApi:
    def __init__(self, desk: FrontDesk, books: Books) -> None:
        self._desk, self._ledger, self._clock = desk, books.ledger, books.clock
        self._reports = PlantedReports(books)

    def routes(self) -> list[Route]:
        return [Route("/v1/reporting/transactions", self.search, methods=["GET"])]

    async def search(self, request: Request) -> Response:
        return await self._desk.answer(request, (), lambda: self._page(request.query_params))

    def _page(self, query: Mapping[str, str]) -> Json:
        start, end = (when(query, name) for name in ("start_date", "end_date"))
        if end < start or end - start > LONGEST_WINDOW:
            raise PayPalError(400, "INVALID_PARAMETER_VALUE", "/end_date")
        page, size = whole(query, "page", 1), whole(query, "page_size", 100)
        if size > MOST_AT_ONCE:
            raise PayPalError(400, "INVALID_PARAMETER_VALUE", "/page_size")
        first, last = start.timestamp(), end.timestamp() + 1
        found = [each for _, each in sorted(self._all(Period(first, last)), key=dated)]
        return {
            "transaction_details": found[(page - 1) * size : page * size],
            "start_date": query["start_date"],
            "end_date": query["end_date"],
            "last_refreshed_datetime": moment(self._clock()),
            "page": page,
            "total_items": len(found),
            "total_pages": max(1, ceil(len(found) / size)),
        }

    def _all(self, period: Period) -> Iterator[tuple[float, Json]]:
        for payment in self._reports.payments("paypal", period):
            link = self._ledger.link_of(payment)
            if is_capture(link, payment):
                yield payment.created_at, payment_row(link, payment)
        for refund in self._reports.refunds("paypal", period):
            if refund.status is not RefundStatus.FAILED:
                yield refund.created_at, refund_row(refund)


def dated(entry: tuple[float, Json]) -> float:
    return entry[0]


def payment_row(link: Link, payment: Payment) -> Json:
    names = names_of(link)
    order = {} if link.elsewhere else {"paypal_reference_id_type": "ODR"}
    return row(
        payment.id,
        "T0006",
        payment.created_at,
        payment.amount,
        payment.currency,
        transaction_status=WORDS[CAPTURE_STATUSES[payment.status]],
        invoice_id=names.get("invoice_id"),
        custom_field=names.get("custom_id"),
        paypal_reference_id=None if link.elsewhere else link.id,
        fee_amount=fee_of(payment),
        **order,
    )


def refund_row(refund: Refund) -> Json:
    return row(
        refund.id,
        "T1107",
        refund.created_at,
        -refund.amount,
        refund.currency,
        transaction_status="P" if refund.status is RefundStatus.PENDING else "S",
        invoice_id=refund.details.get("invoice_id"),
        custom_field=refund.details.get("custom_id"),
        paypal_reference_id=refund.payment_id,
        paypal_reference_id_type="TXN",
    )


def row(name: str, code: str, at: float, minor: int, currency: str, **more: object) -> Json:
    """One transaction; what there is not is left out."""
    info = {
        "transaction_id": name,
        "transaction_event_code": code,
        "transaction_initiation_date": moment(at),
        "transaction_updated_date": moment(at),
        "transaction_amount": amount_of(minor, currency),
        **{word: value for word, value in more.items() if value is not None},
    }
    return {"transaction_info": info}


def fee_of(payment: Payment) -> Json | None:
    if payment.status is PaymentStatus.FAILED:
        return None
    return amount_of(-payment.fee - payment.tax, payment.currency)


def when(query: Mapping[str, str], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(query[name])
    except (KeyError, ValueError):
        raise PayPalError(400, "INVALID_PARAMETER_SYNTAX", f"/{name}") from None
    if at.tzinfo is None:
        raise PayPalError(400, "INVALID_PARAMETER_SYNTAX", f"/{name}")
    return at


def whole(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, str(usual))
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise PayPalError(400, "INVALID_PARAMETER_VALUE", f"/{name}")
    return int(text)
