"""What is refused before it is read, and while it is."""

import re
from hashlib import sha256

from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MOST_BODY_BYTES, ApiError, too_large, too_many
from api.rates import place_of
from api.results import hasty_page
from api.services import Opened

# A transaction file is kept as it streams in, and only an operator may send one.
STREAMED = re.compile("/transaction-files/[^/]*")
# Whoever watches us must see us most of all when we are overrun. Webhooks are counted only if
# nobody signed them: what a gateway has to say of money is heard at any rate.
UNCOUNTED = re.compile("/healthz|/readyz|/metrics|/static/.*|/webhooks/.*")
PAGES = re.compile("/callbacks/.*|/orders/[^/]*/result")


class Limits:
    """No caller too often, no body above `MOST_BODY_BYTES`, no address with a NUL in it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif "\0" in scope["path"]:
            # No name of ours has one, and PostgreSQL would choke on it.
            nothing = ApiError(404, "not-found", "There is nothing at this address.")
            await nothing.answer()(scope, receive, send)
        elif wait := _wait(scope):
            await _come_again(scope, receive, send, wait)
        elif STREAMED.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
        elif _announced(scope) > MOST_BODY_BYTES:
            await too_large().answer()(scope, receive, send)
        else:
            await self._app(scope, _counted(receive), send)


def stranger_of(scope: Scope) -> str:
    """Whom to count a call to that no key came with."""
    return f"address {place_of(scope['client'][0])}" if scope.get("client") else "nobody"


def _wait(scope: Scope) -> int:
    """Seconds that this caller must wait; 0 if the call may go on, and is counted."""
    if UNCOUNTED.fullmatch(scope["path"]):
        return 0
    services: Opened = scope["app"].state.services
    given = Headers(scope=scope).get("authorization")
    kind, secret = get_authorization_scheme_param(given)
    key = services.keys.get(sha256(secret.encode()).hexdigest())
    if key and kind.lower() == "bearer":
        return services.rates.take(f"key {key.name}", services.settings.rate_limit_per_minute)
    return services.rates.take(stranger_of(scope), services.settings.stranger_limit_per_minute)


async def _come_again(scope: Scope, receive: Receive, send: Send, wait: int) -> None:
    settings = scope["app"].state.services.settings
    if PAGES.fullmatch(scope["path"]):
        answer = hasty_page(settings, Headers(scope=scope).get("accept-language", ""), wait)
    else:
        answer = too_many(wait).answer()
    await answer(scope, receive, send)


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if re.fullmatch("[0-9]{1,18}", length) else 0


def _counted(receive: Receive) -> Receive:
    left = MOST_BODY_BYTES

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        return message

    return counted
