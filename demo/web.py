"""What the shop's and the mailbox's pages share: look, headers, and how they are served."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from demo.money import money_text

HERE = Path(__file__).parent
# A browser holds a form's redirects to form-action too: the gateway's page must be in it.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; frame-src 'self'; form-action 'self' http://127.0.0.1:* https:; "
        "base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

pages = Jinja2Templates(HERE / "templates")
pages.env.filters["money"] = lambda price: money_text(price["amount"], price["currency"])
pages.env.filters["clock"] = lambda at: f"{datetime.fromisoformat(at):%d %b %Y, %H:%M:%S} UTC"


def page_app() -> FastAPI:
    """An application of pages: static files, strict headers, no API documentation."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")

    @app.middleware("http")
    async def add_headers(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


async def serve(app: FastAPI, port: int) -> None:
    """Serve on loopback until told to stop."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=2
    )
    await uvicorn.Server(config).serve()
