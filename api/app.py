"""The application: routes, errors, limits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api import (
    callbacks,
    cases,
    checkouts,
    events,
    health,
    invoices,
    metrics,
    orders,
    problems,
    reconciliations,
    refunds,
    results,
    webhooks,
)
from api.limits import Limits
from api.openapi import Api
from api.services import opened
from settings import Settings

ROUTERS = (
    *(orders, checkouts, events, refunds, invoices, cases, reconciliations),
    *(callbacks, webhooks, results, health, metrics),
)


def create_app(settings: Settings) -> FastAPI:
    """The API under these settings; it opens its connections when it starts to serve."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings) as services:
            app.state.services = services
            yield

    app = Api(
        title="paidonce",
        version="0.1.0",
        summary="Every order is paid once or not at all, and every conclusion cites its proof.",
        lifespan=lifespan,
    )
    problems.install(app)
    for module in ROUTERS:
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_middleware(Limits)
    return app
