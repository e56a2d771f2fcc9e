"""Settlements, and the report of what those of a day or month contained.

Source: https://razorpay.com/docs/api/settlements. All amounts are paise, and fees include the tax.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.planting import PlantedReports
from simulator.razorpay.entities import collection, or_list
from simulator.razorpay.errors import UNKNOWN_ID, RazorpayError
from simulator.razorpay.frontdesk import FrontDesk
from simulator.razorpay.paging import counted, page, period
from simulator.records import EntryKind, Json, Method, Settlement
from simulator.statement import Line, Period

# Razorpay's days are taken for India's; no source says so.
INDIA = timezone(timedelta(hours=5, minutes=30))
CARD_FIELDS = ("card_network", "card_issuer", "card_type")


class SettlementsApi:
    def __init__(self, desk: FrontDesk, books: Books, reports: PlantedReports) -> None:
        self._desk, self._statement, self._reports = desk, books.statement, reports

    def routes(self) -> list[Route]:
        return [
            Route("/settlements", self.list_all, methods=["GET"]),
            Route("/settlements/", self.list_all, methods=["GET"]),
            Route("/settlements/recon/combined", self.recon, methods=["GET"]),
            Route("/settlements/{id}", self.fetch, methods=["GET"]),
        ]

    async def list_all(self, request: Request) -> Response:
        return await self._desk.answer(request, (), lambda: self._page(request.query_params))

    async def fetch(self, request: Request) -> Response:
        return await self._desk.answer(request, (), lambda: self._entity(request.path_params["id"]))

    async def recon(self, request: Request) -> Response:
        return await self._desk.answer(request, (), lambda: self._recon(request.query_params))

    def _page(self, query: Mapping[str, str]) -> Json:
        settlements = self._statement.settlements("razorpay", period(query))
        return collection([settlement_entity(each) for each in page(settlements, query)])

    def _entity(self, settlement_id: str) -> Json:
        settlement = self._statement.settlement(settlement_id)
        if settlement is None or settlement.dialect != "razorpay":
            raise RazorpayError(UNKNOWN_ID)
        return settlement_entity(settlement)

    def _recon(self, query: Mapping[str, str]) -> Json:
        """Oldest first, so that pages stay where they are while more is settled.

        The default count is not documented; ten is what Razorpay's own tools say.
        """
        settled = settled_in(query)
        count, skip = counted(query, most=1000)
        lines = list(self._reports.lines("razorpay", settled))[skip : skip + count]
        return collection([recon_item(line) for line in lines])


def settled_in(query: Mapping[str, str]) -> Period:
    """The day or month asked for. Raise `RazorpayError` if there is none."""
    year, month, day = (query.get(name, "") for name in ("year", "month", "day"))
    if not (year.isdecimal() and len(year) == 4 and 1970 <= int(year) < 9999):
        raise RazorpayError("The year must be 4 digits.", field="year")
    if not (month.isdecimal() and 1 <= int(month) <= 12):
        raise RazorpayError("The month is not a valid month.", field="month")
    if not day:
        first = date(int(year), int(month), 1)
        return days(first, (first + timedelta(days=31)).replace(day=1))
    try:
        wanted = date(int(year), int(month), int(day))
    except ValueError:
        raise RazorpayError("The day must be between 1 and 2 digits.", field="day") from None
    return days(wanted, wanted + timedelta(days=1))


def days(first: date, end: date) -> Period:
    since, until = (datetime(at.year, at.month, at.day, tzinfo=INDIA) for at in (first, end))
    return Period(since.timestamp(), until.timestamp())


def settlement_entity(settlement: Settlement) -> Json:
    """`fees` and `tax` are 0, as documented: only an instant settlement has some of its own."""
    return {
        "id": settlement.id,
        "entity": "settlement",
        "amount": settlement.amount,
        "status": "processed",
        "fees": 0,
        "tax": 0,
        "utr": settlement.utr,
        "created_at": int(settlement.created_at),
    }


def recon_item(line: Line) -> Json:
    """One line, every field of Razorpay's sample.

    Razorpay settles in rupees only. How it shows a payment in another currency is not documented;
    here it stays in its own.
    """
    entry, settlement = line.entry, line.settlement
    return {
        "entity_id": entry.id,
        "type": entry.kind,
        "debit": entry.debit,
        "credit": entry.credit,
        "amount": entry.amount,
        "currency": entry.currency,
        "fee": entry.fee + entry.tax,
        "tax": entry.tax,
        "on_hold": False,
        "settled": True,
        "created_at": int(entry.created_at),
        "settled_at": int(settlement.created_at),
        "settlement_id": settlement.id,
        "posted_at": None,
        "description": description(line),
        "dispute_id": line.dispute.id if line.dispute else None,
        **(about_nothing() if entry.kind is EntryKind.ADJUSTMENT else about_order(line)),
    }


def about_order(line: Line) -> Json:
    return {
        "credit_type": "default",
        "notes": or_list((line.refund or line.link).details.get("notes")),
        "payment_id": line.refund.payment_id if line.refund else None,
        "settlement_utr": line.settlement.utr,
        "order_id": line.link.gateway_order_id,
        "order_receipt": line.link.reference_id,
        "method": line.payment.method,
        **card_fields(line.payment.method),
    }


def about_nothing() -> Json:
    """An adjustment in the sample has no credit type, and no word on what it adjusts."""
    names = ("notes", "payment_id", "settlement_utr", "order_id", "order_receipt", "method")
    return dict.fromkeys((*names, *CARD_FIELDS))


def description(line: Line) -> str | None:
    match line.entry.kind:
        case EntryKind.PAYMENT:
            return line.link.description or None
        case EntryKind.REFUND:
            return None
        case EntryKind.ADJUSTMENT:
            about = line.dispute.id if line.dispute else line.entry.source_id
            return f"{'Dispute lost' if line.dispute else 'Reversal'}: {about}"


def card_fields(method: Method) -> Json:
    if method is not Method.CARD:
        return dict.fromkeys(CARD_FIELDS)
    return {"card_network": "Visa", "card_issuer": "HDFC", "card_type": "debit"}
