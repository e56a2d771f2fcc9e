"""A merchant's webhook endpoint: a real HTTP server that keeps what it gets."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
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


@dataclass
class WebhookReceiver:
    """`statuses` are answered first, one per delivery; then 200."""

    url: str
    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    _arrival: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def events(self) -> list[str]:
        return [delivery.event for delivery in self.received]

    async def take(self, request: Request) -> Response:
        body = await request.body()
        async with self._arrival:
            self.received.append(Received(dict(request.headers), body))
            self._arrival.notify_all()
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    async def until(self, done: Callable[[list[Received]], bool], seconds: float = 20) -> None:
        """Wait until `done` holds of what has come in; raise TimeoutError if it never does."""
        async with asyncio.timeout(seconds), self._arrival:
            await self._arrival.wait_for(lambda: done(self.received))

    async def count(self, number: int) -> list[Received]:
        await self.until(lambda received: len(received) >= number)
        return self.received


@asynccontextmanager
async def webhook_receiver() -> AsyncIterator[WebhookReceiver]:
    listener = socket.create_server(("127.0.0.1", 0))
    receiver = WebhookReceiver(f"http://127.0.0.1:{listener.getsockname()[1]}/webhooks")
    app = Starlette(routes=[Route("/webhooks", receiver.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield receiver
    finally:
        server.should_exit = True
        await serving
        listener.close()
