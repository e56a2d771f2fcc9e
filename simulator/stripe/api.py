"""Stripe's HTTP API over the ledger: each noun brings its own addresses."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from simulator.books import Books
from simulator.dialect import PageUrl
from simulator.gateway import Gateway
from simulator.refunds import Refunds
from simulator.stripe.account import StripeAccount
from simulator.stripe.balance import BalanceApi
from simulator.stripe.disputes import DisputesApi
from simulator.stripe.errors import StripeError
from simulator.stripe.frontdesk import FrontDesk
from simulator.stripe.intents import IntentsApi
from simulator.stripe.refunds import RefundsApi
from simulator.stripe.sessions import SessionsApi

EVERYTHING = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def stripe_api(
    account: StripeAccount, books: Books, gateway: Gateway, refunds: Refunds, page_url: PageUrl
) -> Router:
    desk = FrontDesk(account, books)
    return Router(
        redirect_slashes=False,
        routes=[
            *SessionsApi(account, desk, books, gateway, page_url).routes(),
            *IntentsApi(account, desk, books, gateway).routes(),
            *RefundsApi(desk, books, refunds).routes(),
            *DisputesApi(account, desk, books).routes(),
            *BalanceApi(account, desk, books).routes(),
            Route("/{path:path}", refuse_url, methods=EVERYTHING),
        ],
    )


async def refuse_url(request: Request) -> Response:
    message = f"Unrecognized request URL ({request.method}: {request.url.path})."
    return StripeError(message, status=404).response()
