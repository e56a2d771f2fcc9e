"""What is refused before anything of it is read."""

from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import MOST_BODY_BYTES, ApiError, too_large


class Limits:
    """Bodies of unannounced length are counted by FastAPI while they are read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(scope) if scope["type"] == "http" else None
        app = refusal.answer() if refusal else self._app
        await app(scope, receive, send)


def _refusal(scope: Scope) -> ApiError | None:
    if _announced(scope) > MOST_BODY_BYTES:
        return too_large()
    if "\0" in scope["path"]:
        # No name of ours has one, and PostgreSQL would choke on it.
        return ApiError(404, "not-found", "There is nothing at this address.")
    return None


def _announced(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0
