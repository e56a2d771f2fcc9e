"""Puts the simulator together: one ledger, its dialects, the hosted page, the control API."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from simulator.alarm import Clock
from simulator.announcer import Announcer
from simulator.books import Books, open_books
from simulator.control import ControlApi
from simulator.dialect import Dialect
from simulator.disputes import Disputes
from simulator.fate import FateApi
from simulator.gateway import Gateway
from simulator.hosted import HostedPage
from simulator.paypal.api import paypal_api
from simulator.paypal.dialect import PayPalDialect
from simulator.paypal.files import PayPalFiles
from simulator.paypal.signing import kept_identity
from simulator.razorpay.api import razorpay_api
from simulator.razorpay.dialect import RazorpayDialect
from simulator.razorpay.files import RazorpayFiles
from simulator.refunds import Refunds
from simulator.settings import Settings
from simulator.settlements import Settlements
from simulator.stripe.api import stripe_api
from simulator.stripe.dialect import StripeDialect
from simulator.stripe.files import StripeFiles
from simulator.webhooks import WebhookSender

Work = Callable[[], Coroutine[None, None, None]]
log = logging.getLogger("simulator")


def create_app(settings: Settings, base_url: str, clock: Clock = time.time) -> FastAPI:
    def page_url(link_id: str) -> str:
        return f"{base_url}/pay/{link_id}"

    books = open_books(settings.state, clock)
    razorpay = RazorpayDialect(settings.razorpay, page_url)
    stripe = StripeDialect(settings.stripe, page_url, clock)
    identity, paypal_url = kept_identity(settings.state.parent), f"{base_url}/paypal"
    paypal = PayPalDialect(settings.paypal, identity, page_url, paypal_url, clock)
    dialects: dict[str, Dialect] = {each.name: each for each in (razorpay, stripe, paypal)}
    announcer = Announcer(books, dialects)
    gateway = Gateway(books, announcer, dialects, settings.tariff)
    refunds, disputes = Refunds(books, announcer), Disputes(books, announcer, dialects)
    settlements = Settlements(books, dialects)
    sender = WebhookSender(books.outbox, dialects, settings.backoff, clock)

    work = [gateway.keep_time, sender.run]
    if settings.settle_after is not None:
        work.append(partial(settlements.settle_after, settings.settle_after))

    app = FastAPI(lifespan=lambda _: at_work(books, sender, work), docs_url=None, redoc_url=None)
    app.include_router(ControlApi(books, announcer, sender, dialects, page_url).router())
    app.include_router(FateApi(books, gateway, refunds, disputes, settlements, dialects).router())
    app.include_router(RazorpayFiles(books).router())
    app.include_router(StripeFiles(books).router())
    app.include_router(PayPalFiles(books).router())
    app.mount("/v1", razorpay_api(settings.razorpay, books, gateway, refunds, page_url))
    app.mount("/stripe/v1", stripe_api(settings.stripe, books, gateway, refunds, page_url))
    app.mount(
        "/paypal",
        paypal_api(settings.paypal, identity, books, gateway, refunds, page_url, paypal_url),
    )
    app.mount("/pay", HostedPage(books, gateway).router())
    return app


@asynccontextmanager
async def at_work(books: Books, sender: WebhookSender, work: Iterable[Work]) -> AsyncIterator[None]:
    """Keep time, send webhooks and settle for as long as the application serves."""
    tasks = [asyncio.create_task(run()) for run in work]
    for task in tasks:
        task.add_done_callback(stop_if_broken)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await sender.close()
    books.db.close()


def stop_if_broken(task: asyncio.Task[None]) -> None:
    """A gateway that no longer keeps time or sends webhooks must not look alive."""
    if not task.cancelled() and (error := task.exception()):
        log.critical("stopping: %r", error, exc_info=error)
        signal.raise_signal(signal.SIGTERM)
