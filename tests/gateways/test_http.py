"""What each failure of a call means for money, through a real httpx client."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from domain.errors import GatewayUnavailable, OutcomeUnknown, RequestRefused
from gateways.bodies import Json
from gateways.http import GatewayClient, connection, in_doubt_if_refused
from tests.gateways.wire import Wire, failures, reply

NOTHING_HAPPENED = {httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout}
LINK = "/v1/links/link_1"

STATUSES = {
    **dict.fromkeys((400, 404, 405, 409, 410, 413, 422), RequestRefused),
    **dict.fromkeys((401, 403, 429, 503), GatewayUnavailable),
    **dict.fromkeys((408, 500, 501, 502, 504, 520, 599), OutcomeUnknown),
    **dict.fromkeys((300, 301, 302, 303, 304, 307, 308), OutcomeUnknown),
}


async def call(wire: Wire, method: str, client: GatewayClient | None = None) -> object:
    client = client or wire.client
    if method == "GET":
        return await client.get("/v1/links/{}", "link_1")
    return await client.post("/v1/links/{}", "link_1", content='{"a": 1}')


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", failures())
async def test_every_failure_of_httpx_has_a_meaning(
    wire: Wire, method: str, kind: type[httpx.RequestError]
) -> None:
    wire.on(f"{method} {LINK}", kind("HTTP/1.1 secret"))
    meaning = GatewayUnavailable if kind in NOTHING_HAPPENED else OutcomeUnknown
    with pytest.raises(meaning, match=f"{method} /v1/links/{{}}: .*{kind.__name__}"):
        await call(wire, method)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("status", "meaning"), STATUSES.items())
async def test_every_status_has_a_meaning(
    wire: Wire, method: str, status: int, meaning: type[Exception]
) -> None:
    wire.on(f"{method} {LINK}", reply({"error": {}}, status))
    with pytest.raises(meaning, match=f"{method} /v1/links/{{}}: {status}"):
        await call(wire, method)


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_keys_say_so_in_words(wire: Wire, status: int) -> None:
    wire.on(f"POST {LINK}", reply({"error": {"description": "Authentication failed"}}, status))
    client = replace(wire.client, explain=described)
    said = f"{status} Authentication failed: the gateway does not accept our keys"
    with pytest.raises(GatewayUnavailable, match=said) as raised:
        await call(wire, "POST", client)
    assert raised.value.retry_after is None


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b'"paid"', b"null", b"\xff", b"[" * 100_000, b'{"a": 1']
)
@pytest.mark.parametrize("status", [200, 201, 204])
async def test_a_success_that_is_no_object_leaves_the_outcome_unknown(
    wire: Wire, status: int, content: bytes
) -> None:
    wire.on(f"POST {LINK}", httpx.Response(status, content=content))
    with pytest.raises(OutcomeUnknown, match="not understood"):
        await call(wire, "POST")


async def test_an_answer_brings_status_body_bytes_and_the_call(wire: Wire) -> None:
    wire.on("GET /v1/links/a%2Fb%3Fc", httpx.Response(200, content=b' {"a":  1}'))
    answer = await wire.client.get("/v1/links/{}", "a/b?c", query={"reference": "r"})
    assert (answer.status, answer.body, answer.raw) == (200, {"a": 1}, b' {"a":  1}')
    assert answer.call == "GET /v1/links/a%2Fb%3Fc?reference=r"


async def test_a_post_sends_the_stored_bytes_with_auth_and_headers(wire: Wire) -> None:
    wire.on(f"POST {LINK}", reply({}))
    client = replace(wire.client, auth=("id", "secret"), headers={"X-Account": "a1"})
    await call(wire, "POST", client)
    assert wire.last.content == b'{"a": 1}'
    assert wire.last.headers["content-type"] == "application/json"
    assert wire.last.headers["authorization"] == "Basic aWQ6c2VjcmV0"
    assert wire.last.headers["x-account"] == "a1"
    assert "secret" not in repr(client)


async def test_a_call_may_carry_a_header_of_its_own(wire: Wire) -> None:
    wire.on(f"POST {LINK}", reply({}))
    client = replace(wire.client, headers={"X-Client": "all"})
    await client.post("/v1/links/{}", "link_1", content="{}", headers={"X-Key": "k1"})
    sent = wire.last.headers
    assert (sent["x-client"], sent["x-key"]) == ("all", "k1")
    assert sent["content-type"] == "application/json"


def test_a_question_that_is_refused_leaves_in_doubt_what_it_was_about() -> None:
    with pytest.raises(OutcomeUnknown, match="GET /x: 400"), in_doubt_if_refused():
        raise RequestRefused("GET /x: 400")
    with pytest.raises(GatewayUnavailable), in_doubt_if_refused():
        raise GatewayUnavailable("not sent")


@pytest.mark.parametrize(
    ("status", "meaning"), [(400, RequestRefused), (429, GatewayUnavailable), (502, OutcomeUnknown)]
)
async def test_a_status_named_as_an_answer_is_returned_with_its_meaning(
    wire: Wire, status: int, meaning: type[Exception]
) -> None:
    wire.on(f"POST {LINK}", httpx.Response(status, content=b"<html>"))
    answer = await wire.client.post("/v1/links/{}", "link_1", content="{}", answers=(status,))
    assert (answer.status, answer.body) == (status, {})
    assert type(answer.failure) is meaning


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        ("0", 0),
        ("40", 40),
        ("7200", 3600),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
        ("9" * 30, None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("Thu, 01 Jan 2026 00:00:00 -0000", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_bounded_or_ignored(
    wire: Wire, status: int, given: str, wait: int | None
) -> None:
    headers = [(b"retry-after", given.encode())]
    wire.on(f"GET {LINK}", httpx.Response(status, headers=headers))
    with pytest.raises(GatewayUnavailable) as raised:
        await call(wire, "GET")
    assert raised.value.retry_after == (None if wait is None else timedelta(seconds=wait))


async def test_retry_after_may_be_a_date(wire: Wire) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    wire.on(f"GET {LINK}", reply({}, 429, retry_after=at))
    with pytest.raises(GatewayUnavailable) as raised:
        await call(wire, "GET")
    assert raised.value.retry_after is not None
    assert timedelta(seconds=80) < raised.value.retry_after <= timedelta(seconds=90)


def described(body: Json) -> str:
    return str(body["error"]["description"])


async def test_an_error_tells_what_the_gateway_said_and_nothing_more(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    said = "the amount\r\nis \x1b[31mtoo\x00 small " + "x" * 500
    wire.on(f"GET {LINK}", reply({"error": {"description": said}, "email": "a@b.c"}, 400))
    client = replace(wire.client, auth=("id", "s3cret"), explain=described)
    with caplog.at_level(logging.DEBUG), pytest.raises(RequestRefused) as raised:
        await client.get("/v1/links/{}", "link_1", query={"reference": "customer-7"})
    text = str(raised.value)
    assert text.startswith("GET /v1/links/{}: 400 the amount  is  [31mtoo  small xxx")
    assert len(text) < 240
    assert text.isprintable()
    told = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert not [secret for secret in ("s3cret", "a@b.c") if secret in told]
    assert not [private for private in ("customer-7", "link_1") if private in text]


async def test_bytes_that_are_not_http_are_not_repeated_in_the_error(wire: Wire) -> None:
    wire.on(f"GET {LINK}", httpx.RemoteProtocolError("illegal line b'a@b.c'"))
    with pytest.raises(OutcomeUnknown) as raised:
        await call(wire, "GET")
    assert "a@b.c" not in "".join(traceback.format_exception(raised.value))


@asynccontextmanager
async def server(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A real socket that answers everything with the same bytes, then hangs up."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", heard


async def test_a_call_that_was_heard_and_cut_off_is_of_unknown_outcome() -> None:
    async with server(b"") as (url, heard), connection(url) as http:
        with pytest.raises(OutcomeUnknown):
            await GatewayClient(http).post("/v1/links", content="{}")
        assert heard


async def test_a_closed_port_means_that_nothing_happened() -> None:
    async with server(b"") as (url, heard):
        pass
    async with connection(url) as http:
        with pytest.raises(GatewayUnavailable):
            await GatewayClient(http).post("/v1/links", content="{}")
    assert not heard


async def test_a_redirect_is_never_followed() -> None:
    async with server(b"") as (elsewhere, heard):
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere}/\r\nContent-Length: 0\r\n\r\n"
        async with server(moved.encode()) as (url, _), connection(url) as http:
            with pytest.raises(OutcomeUnknown, match="307"):
                await GatewayClient(http).get("/v1/links")
        assert not heard


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    async with server(b"") as (proxy, heard), server(ok) as (url, _):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("ALL_PROXY", proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with connection(url) as http:
            assert (await GatewayClient(http).get("/v1/links")).status == 200
        assert not heard


async def test_waiting_for_a_gateway_has_an_end() -> None:
    async with connection("https://gateway.test") as http:
        assert http.timeout == httpx.Timeout(connect=5, read=20, write=20, pool=5)
