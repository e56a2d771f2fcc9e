"""A merchant's webhook endpoint: a real HTTP server that keeps what it gets."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route


@dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content

    @property
    def event(self) -> str:
        return str(self.json["event"])

    def is_about(self, order_id: str) -> bool:
        """Every entity of Razorpay's carries the link's notes, and they our order."""
        return f'"{order_id}"'.encode() in self.body


@dataclass
class WebhookReceiver:
    """`statuses` are answered first, one per delivery; then 200."""

    url: str
    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    _arrival: asyncio.Condition = field(default_factory=asyncio.Condition)
    _answering: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Take deliveries, but do not answer."""
        self._answering.clear()
        try:
            yield
        finally:
            self._answering.set()

    @property
    def callback_url(self) -> str:
        return self.url.replace("/webhooks", "/callback")

    async def take(self, request: Request) -> Response:
        body = await request.body()
        async with self._arrival:
            self.received.append(Received(dict(request.headers), body))
            self._arrival.notify_all()
        await self._answering.wait()
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    async def welcome(self, request: Request) -> Response:
        """Where a callback URL may lead: the shop's own page."""
        return HTMLResponse(
            "<link rel=icon href=data:,><title>Shop</title><h1>Back at the shop</h1>"
        )

    async def until(self, done: Callable[[list[Received]], bool], seconds: float = 20) -> None:
        """Wait until `done` holds of what has come in; raise TimeoutError if it never does."""
        async with asyncio.timeout(seconds), self._arrival:
            await self._arrival.wait_for(lambda: done(self.received))

    async def about(self, order_id: str, number: int) -> list[Received]:
        """Wait until `number` deliveries about an order are in, and return all there are."""
        await self.until(lambda _: len(self.so_far(order_id)) >= number)
        return self.so_far(order_id)

    def so_far(self, order_id: str) -> list[Received]:
        return [delivery for delivery in self.received if delivery.is_about(order_id)]


@asynccontextmanager
async def webhook_receiver() -> AsyncIterator[WebhookReceiver]:
    listener = socket.create_server(("127.0.0.1", 0))
    receiver = WebhookReceiver(f"http://127.0.0.1:{listener.getsockname()[1]}/webhooks")
    receiver._answering.set()
    routes = [Route("/webhooks", receiver.take, methods=["POST"])]
    app = Starlette(routes=[*routes, Route("/callback", receiver.welcome)])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield receiver
    finally:
        server.should_exit = True
        await serving
        listener.close()
