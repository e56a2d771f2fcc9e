"""What is refused before it is read, and while it is."""

import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MOST_BODY_BYTES, ApiError

# A transaction file is kept as it streams in, and only an operator may send one.
STREAMED = re.compile("/transaction-files/[^/]*")


class Limits:
    """No body above `MOST_BODY_BYTES`, announced or not, and no address with a NUL in it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif "\0" in scope["path"]:
            # No name of ours has one, and PostgreSQL would choke on it.
            nothing = ApiError(404, "not-found", "There is nothing at this address.")
            await nothing.answer()(scope, receive, send)
        elif STREAMED.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
        else:
            await self._app(scope, _counted(receive), send)


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
