"""PayPal's HTTP API over the ledger: each noun brings its own addresses."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from simulator.books import Books
from simulator.dialect import PageUrl
from simulator.gateway import Gateway
from simulator.paypal.account import PayPalAccount
from simulator.paypal.entities import Entities
from simulator.paypal.errors import missing
from simulator.paypal.frontdesk import FrontDesk
from simulator.paypal.orders import OrdersApi
from simulator.paypal.payments import PaymentsApi
from simulator.paypal.reporting import ReportingApi
from simulator.paypal.signing import Identity
from simulator.refunds import Refunds

EVERYTHING = ["GET", "POST", "PUT", "PATCH", "DELETE"]
CERTIFICATE = "/v1/notifications/certs/CERT-simulator"


def paypal_api(
    account: PayPalAccount,
    identity: Identity,
    books: Books,
    gateway: Gateway,
    refunds: Refunds,
    page_url: PageUrl,
    api_url: str,
) -> Router:
    desk, entities = FrontDesk(account, books), Entities(api_url)

    async def show_certificate(request: Request) -> Response:
        return Response(identity.certificate, media_type="application/x-pem-file")

    return Router(
        redirect_slashes=False,
        routes=[
            Route("/v1/oauth2/token", desk.issue_token, methods=["POST"]),
            Route(CERTIFICATE, show_certificate, methods=["GET"]),
            *OrdersApi(desk, books, gateway, entities, page_url).routes(),
            *PaymentsApi(desk, books, refunds, entities).routes(),
            *ReportingApi(desk, books).routes(),
            Route("/{path:path}", refuse_url, methods=EVERYTHING),
        ],
    )


async def refuse_url(request: Request) -> Response:
    return missing().response()
