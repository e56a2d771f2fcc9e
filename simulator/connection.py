"""Losing an answer for real: the connection is cut before a single byte of it is sent."""

import asyncio

from starlette.requests import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CUT = "simulator.cut"


class CuttableProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP, which also hands each request the means to cut its connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CUT: {"abort": self.transport.abort}}


async def cut(request: Request) -> None:
    """Abort the connection; whatever is answered afterwards goes nowhere."""
    request.scope["extensions"][CUT]["abort"]()
    await asyncio.sleep(0)
