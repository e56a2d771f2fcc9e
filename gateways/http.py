"""HTTP to a gateway: one client, and the one table of what a failure means for money."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from domain.errors import GatewayUnavailable, OutcomeUnknown, RequestRefused
from gateways.bodies import Json, parsed

Failure = GatewayUnavailable | OutcomeUnknown | RequestRefused

TIMEOUTS = httpx.Timeout(20, connect=5, pool=5)
POOL = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=30)
LONGEST_WAIT = timedelta(hours=1)
LONGEST_EXPLANATION = 200

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
TURNED_AWAY = (429, 503)
KEYS_REFUSED = (401, 403)
REQUEST_TIMEOUT = 408


def connection(
    base_url: str, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """The connections to one gateway; whoever opens them closes them."""
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=TIMEOUTS,
        limits=POOL,
        follow_redirects=False,
        trust_env=False,
        headers={"Accept": "application/json"},
        transport=transport,
    )


@dataclass(frozen=True)
class Answer:
    """What a gateway answered to `call`, such as "GET /v1/payment_links/plink_x".

    `body` is empty if an error came without JSON; `raw` are the bytes as they came. `failure` is
    what to raise if the adapter can make nothing of this answer.
    """

    call: str
    status: int
    body: Json
    raw: bytes
    failure: Failure


@dataclass(frozen=True)
class GatewayClient:
    """Calls one gateway. `explain` finds the gateway's own word in the body of an error.

    Paths are templates, `/v1/orders/{}/payments`: errors name the template, never ids or bodies.
    Raises `GatewayUnavailable`, `OutcomeUnknown` or `RequestRefused` for every status that is
    neither 2xx nor one of `answers`.
    """

    http: httpx.AsyncClient
    auth: tuple[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    explain: Callable[[Json], str] = field(default=lambda body: "")

    async def get(
        self,
        path: str,
        *ids: str,
        query: Mapping[str, str] | None = None,
        answers: Collection[int] = (),
    ) -> Answer:
        return await self._call("GET", path, ids, answers, params=query)

    async def post(
        self,
        path: str,
        *ids: str,
        content: str,
        headers: Mapping[str, str] | None = None,
        answers: Collection[int] = (),
    ) -> Answer:
        """Send `content`, already written, byte for byte; JSON unless its header says otherwise."""
        named = {"Content-Type": "application/json", **(headers or {})}
        return await self._call("POST", path, ids, answers, content=content, headers=named)

    async def _call(
        self, method: str, path: str, ids: tuple[str, ...], answers: Collection[int], **sent: Any
    ) -> Answer:
        what = f"{method} {path}"
        url = path.format(*(quote(each, safe="") for each in ids))
        sent["headers"] = {**self.headers, **sent.get("headers", {})}
        try:
            response = await self.http.request(method, url, auth=self.auth, **sent)
        except NOT_SENT as error:
            raise GatewayUnavailable(f"{what}: not sent, {type(error).__name__}") from error
        except httpx.RequestError as error:
            # Its text may quote the bytes that came back, so it is not passed on.
            raise OutcomeUnknown(f"{what}: sent, {type(error).__name__}") from None
        return self._answer(what, response, answers)

    def _answer(self, what: str, response: httpx.Response, answers: Collection[int]) -> Answer:
        body = _object(response.content)
        explanation = "not understood" if response.is_success else self.explain(body or {})
        failure = _failure(what, response, explanation)
        if response.status_code not in answers and (body is None or not response.is_success):
            raise failure
        call = f"{response.request.method} {response.url.raw_path.decode()}"
        return Answer(call, response.status_code, body or {}, response.content, failure)


@contextmanager
def in_doubt_if_refused() -> Iterator[None]:
    """For questions: one that is refused says nothing of what it was about."""
    try:
        yield
    except RequestRefused as error:
        raise OutcomeUnknown(str(error)) from error


def _failure(what: str, response: httpx.Response, explanation: str) -> Failure:
    """The table. A redirect, and a success that is not understood, leave the outcome unknown."""
    status = response.status_code
    text = " ".join(filter(None, [f"{what}: {status}", _printable(explanation)]))
    if status in TURNED_AWAY:
        return GatewayUnavailable(text, _retry_after(response))
    if status in KEYS_REFUSED:
        return GatewayUnavailable(f"{text}: the gateway does not accept our keys")
    if response.is_client_error and status != REQUEST_TIMEOUT:
        return RequestRefused(text)
    return OutcomeUnknown(text)


def _retry_after(response: httpx.Response) -> timedelta | None:
    """How long the gateway asks us to wait (RFC 9110 §10.2.3), between nothing and an hour."""
    text = response.headers.get("retry-after", "")
    try:
        if text.isdecimal():
            wait = timedelta(seconds=int(text))
        else:
            wait = parsedate_to_datetime(text) - datetime.now(UTC)
    except (OverflowError, TypeError, ValueError):
        return None
    return min(max(wait, timedelta()), LONGEST_WAIT)


def _object(raw: bytes) -> Json | None:
    try:
        return parsed(raw)
    except ValueError:
        return None


def _printable(text: str) -> str:
    """One line of it that may go to a log."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line[:LONGEST_EXPLANATION]
