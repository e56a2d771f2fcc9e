"""The other end of the wire: answers as told, remembers what it was asked, sends nothing."""

import json
from typing import Any
from urllib.parse import parse_qs

import httpx

from gateways.http import GatewayClient, connection

Reply = httpx.Response | Exception


def reply(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named)


class Wire:
    """One gateway's end. The last reply of a route is repeated; an unknown route is an error."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._replies: dict[str, list[Reply]] = {}
        self._otherwise: list[Reply] = []
        self.http = connection("https://gateway.test", httpx.MockTransport(self._answer))
        self.client = GatewayClient(self.http)

    def on(self, route: str, *replies: Reply) -> None:
        """`route` is a method and a path, `GET /v1/orders/order_x/payments`."""
        self._replies[route] = list(replies)

    def always(self, answer: Reply) -> None:
        """The same reply on every route."""
        self._replies.clear()
        self._otherwise = [answer]

    @property
    def calls(self) -> list[str]:
        return [route_of(request) for request in self.requests]

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]

    @property
    def last_body(self) -> Any:
        return json.loads(self.last.content)

    @property
    def last_query(self) -> dict[str, list[str]]:
        return parse_qs(self.last.url.query.decode())

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        replies = self._replies.get(self.calls[-1], self._otherwise)
        if not replies:
            raise KeyError(self.calls[-1])
        given = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given.status_code, headers=given.headers, content=given.content)


def route_of(request: httpx.Request) -> str:
    return f"{request.method} {request.url.raw_path.decode().partition('?')[0]}"


def failures() -> list[type[httpx.RequestError]]:
    """Every way in which httpx says that a call failed."""
    return sorted(_leaves(httpx.RequestError), key=lambda kind: kind.__name__)


def _leaves(kind: type[httpx.RequestError]) -> list[type[httpx.RequestError]]:
    below = kind.__subclasses__()
    return [leaf for each in below for leaf in _leaves(each)] if below else [kind]
