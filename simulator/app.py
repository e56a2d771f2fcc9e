"""Puts the simulator together: one ledger, its dialects, the hosted page, the control API."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from simulator.alarm import Alarm, Clock
from simulator.control import ControlApi
from simulator.database import open_database
from simulator.faults import FaultBook
from simulator.gateway import Gateway
from simulator.hosted import HostedPage
from simulator.ledger import Ledger
from simulator.outbox import Outbox
from simulator.razorpay.api import RazorpayApi
from simulator.razorpay.dialect import RazorpayDialect
from simulator.settings import Settings
from simulator.webhooks import WebhookSender

log = logging.getLogger("simulator")


def create_app(settings: Settings, base_url: str, clock: Clock = time.time) -> FastAPI:
    def page_url(link_id: str) -> str:
        return f"{base_url}/pay/{link_id}"

    db = open_database(settings.state)
    ledger, outbox, faults = Ledger(db), Outbox(db, Alarm(clock)), FaultBook(db, clock)
    razorpay = RazorpayDialect(settings.razorpay, page_url)
    dialects = {razorpay.name: razorpay}
    gateway = Gateway(db, ledger, outbox, faults, dialects, Alarm(clock), clock)
    client = httpx.AsyncClient(trust_env=False)
    urls = {name: dialect.webhook_url for name, dialect in dialects.items()}
    sender = WebhookSender(outbox, client, urls, settings.backoff, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(run) for run in (gateway.keep_time(), sender.run())]
        for task in tasks:
            task.add_done_callback(stop_if_broken)
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.aclose()
        db.close()

    app = FastAPI(
        title="Payment gateway simulator", lifespan=lifespan, docs_url=None, redoc_url=None
    )
    api = RazorpayApi(settings.razorpay, gateway, ledger, faults, page_url, clock)
    control = ControlApi(gateway, ledger, outbox, faults, sender, page_url)
    app.include_router(control.router())
    app.mount("/v1", api.router())
    app.mount("/pay", HostedPage(gateway, ledger, clock).router())
    return app


def stop_if_broken(task: asyncio.Task[None]) -> None:
    """A gateway that no longer keeps time or sends webhooks must not look alive."""
    if not task.cancelled() and (error := task.exception()):
        log.critical("stopping: %r", error, exc_info=error)
        signal.raise_signal(signal.SIGTERM)
