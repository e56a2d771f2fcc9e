"""Razorpay's HTTP API over the ledger: each noun brings its own addresses."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from simulator.books import Books
from simulator.dialect import PageUrl
from simulator.gateway import Gateway
from simulator.planting import PlantedReports
from simulator.razorpay.account import RazorpayAccount
from simulator.razorpay.disputes import DisputesApi
from simulator.razorpay.errors import NOT_FOUND, RazorpayError
from simulator.razorpay.frontdesk import FrontDesk
from simulator.razorpay.links import LinksApi
from simulator.razorpay.payments import PaymentsApi
from simulator.razorpay.refunds import RefundsApi
from simulator.razorpay.settlements import SettlementsApi
from simulator.refunds import Refunds

EVERYTHING = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def razorpay_api(
    account: RazorpayAccount, books: Books, gateway: Gateway, refunds: Refunds, page_url: PageUrl
) -> Router:
    desk, reports = FrontDesk(account, books), PlantedReports(books)
    return Router(
        redirect_slashes=False,
        routes=[
            *LinksApi(account, desk, books, gateway, page_url).routes(),
            *PaymentsApi(desk, books, gateway, reports).routes(),
            *RefundsApi(desk, books, refunds, reports).routes(),
            *DisputesApi(desk, books).routes(),
            *SettlementsApi(desk, books, reports).routes(),
            Route("/{path:path}", refuse_url, methods=EVERYTHING),
        ],
    )


async def refuse_url(request: Request) -> Response:
    return RazorpayError(NOT_FOUND).response()
