"""A body that announces itself as too large is refused before it is read."""

from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import ApiError


class SizeLimit:
    """Bodies of unannounced length are counted by FastAPI while they are read."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app, self._most_bytes = app, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _announced(scope) > self._most_bytes:
            text = f"The body may have {self._most_bytes} bytes at most."
            await ApiError(413, "body-too-large", text).answer()(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _announced(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0
