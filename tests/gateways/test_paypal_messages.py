"""PayPal's webhooks: which certificate, whose, from where, and over which bytes."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import httpx
import pytest

from domain.errors import (
    BadSignature,
    GatewayUnavailable,
    MessageNotUnderstood,
    OutcomeUnknown,
)
from gateways.paypal import PayPal
from simulator.paypal.signing import Identity, new_identity, transmission
from tests.gateways.wire import Wire, reply

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WEBHOOK_ID, CERT = "7WH00000000000001", "/v1/notifications/certs/CERT-360caa42"
CERT_URL = f"https://api.paypal.com{CERT}"
APPROVED = {
    "id": "WH-1",
    "event_type": "CHECKOUT.ORDER.APPROVED",
    "resource": {
        "id": "5O190127TN364715T",
        "status": "APPROVED",
        "purchase_units": [{"custom_id": "ord_1", "invoice_id": "key"}],
    },
}
PAYPAL = new_identity(since=NOW - timedelta(days=30))


def adapter(wire: Wire, identity: Identity = PAYPAL, **options: Any) -> PayPal:
    known: dict[str, Any] = {
        "webhook_ids": [WEBHOOK_ID],
        "ca": identity.root.decode(),
        "clock": lambda: NOW,
    }
    return PayPal(http=wire.client, client_id="app", client_secret="s3cret", **known | options)


@pytest.fixture
def wire(wire: Wire) -> Wire:
    wire.on(f"GET {CERT}", httpx.Response(200, content=PAYPAL.certificate))
    return wire


def delivery(
    body: bytes | None = None,
    *,
    identity: Identity = PAYPAL,
    at: datetime = NOW,
    webhook_id: str = WEBHOOK_ID,
    url: str = CERT_URL,
    **changes: Any,
) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(APPROVED).encode() if body is None else body
    headers = transmission(identity, body, webhook_id, url, "t-1", at.timestamp())
    return body, headers | {name.replace("_", "-").upper(): text for name, text in changes.items()}


async def test_the_checksum_and_the_ids_are_what_is_signed(wire: Wire) -> None:
    body, headers = delivery()
    event = await adapter(wire).read_webhook(body, headers)
    assert (event.event_id, event.awaits_capture) == ("WH-1", True)
    assert wire.calls == [f"GET {CERT}"]
    assert headers["PAYPAL-TRANSMISSION-SIG"] == PAYPAL.signature(
        f"t-1|2026-06-01T12:00:00Z|{WEBHOOK_ID}|{crc32(body)}".encode()
    )


async def test_a_certificate_is_fetched_once(wire: Wire) -> None:
    paypal = adapter(wire)
    await asyncio.gather(*(paypal.read_webhook(*delivery()) for _ in range(5)))
    assert wire.calls == [f"GET {CERT}"]


@pytest.mark.parametrize(
    "url",
    [
        f"http://api.paypal.com{CERT}",
        f"https://api.paypal.com.evil.example{CERT}",
        f"https://evil-paypal.com{CERT}",
        f"https://evilpaypal.com{CERT}",
        f"https://user@evil.example{CERT}",
        f"https://api.paypal.com:8443{CERT}",
        f"https://api.paypal.com@evil.example{CERT}",
        f"https://evil.example/api.paypal.com{CERT}",
        f"https://api.paypal.com{CERT}?next=https://evil.example",
        f"https://api.paypal.com{CERT}#x",
        "https://api.paypal.com/../../etc/passwd",
        "https://api.paypal.com",
        f"https://api.paypal.com{CERT}\n",
        f"HTTPS://API.PAYPAL.COM{CERT}",
        f"//api.paypal.com{CERT}",
        "file:///etc/passwd",
    ],
)
async def test_no_other_host_is_ever_asked(wire: Wire, url: str) -> None:
    with pytest.raises(BadSignature):
        await adapter(wire).read_webhook(*delivery(url=url))
    assert wire.calls == []


async def test_the_address_of_development_is_only_for_development(wire: Wire) -> None:
    url = f"http://127.0.0.1:8100/paypal{CERT}"
    wire.on(f"GET /paypal{CERT}", httpx.Response(200, content=PAYPAL.certificate))
    there = adapter(wire, certificates_at="http://127.0.0.1:8100/paypal")
    await there.read_webhook(*delivery(url=url))
    with pytest.raises(BadSignature):
        await adapter(wire).read_webhook(*delivery(url=url))
    with pytest.raises(BadSignature):
        await there.read_webhook(*delivery(url=url.replace("8100", "8101")))


async def test_a_redirect_is_not_followed(wire: Wire) -> None:
    elsewhere = httpx.Response(302, headers={"Location": "https://evil.example/cert"})
    wire.on(f"GET {CERT}", elsewhere)
    with pytest.raises(OutcomeUnknown):
        await adapter(wire).read_webhook(*delivery())
    assert wire.calls == [f"GET {CERT}"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_a_certificate_that_does_not_exist_signs_nothing(wire: Wire, status: int) -> None:
    wire.on(f"GET {CERT}", reply({}, status))
    with pytest.raises(BadSignature):
        await adapter(wire).read_webhook(*delivery())


@pytest.mark.parametrize(
    ("failure", "meaning"),
    [
        (httpx.ConnectError("away"), GatewayUnavailable),
        (httpx.ReadTimeout("slow"), OutcomeUnknown),
        (reply({}, 503), GatewayUnavailable),
        (reply({}, 500), OutcomeUnknown),
    ],
)
async def test_while_it_cannot_be_fetched_nothing_is_known(
    wire: Wire, failure: Any, meaning: type[Exception]
) -> None:
    wire.on(f"GET {CERT}", failure, httpx.Response(200, content=PAYPAL.certificate))
    paypal = adapter(wire)
    with pytest.raises(meaning):
        await paypal.read_webhook(*delivery())
    assert (await paypal.read_webhook(*delivery())).event_id == "WH-1"


@pytest.mark.parametrize("content", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA"])
async def test_what_is_no_certificate_vouches_for_nothing(wire: Wire, content: bytes) -> None:
    wire.on(f"GET {CERT}", httpx.Response(200, content=content))
    with pytest.raises(BadSignature):
        await adapter(wire).read_webhook(*delivery())


async def test_a_root_that_we_do_not_trust_vouches_for_nothing(wire: Wire) -> None:
    other = new_identity(since=NOW - timedelta(days=30))
    wire.on(f"GET {CERT}", httpx.Response(200, content=other.certificate))
    with pytest.raises(BadSignature):
        await adapter(wire).read_webhook(*delivery(identity=other))
    wire.on(f"GET {CERT}", httpx.Response(200, content=other.certificate + other.root))
    with pytest.raises(BadSignature):
        await adapter(wire).read_webhook(*delivery(identity=other))


async def test_the_roots_of_our_connections_do_not_vouch_for_a_made_up_chain(wire: Wire) -> None:
    with pytest.raises(BadSignature):
        await adapter(wire, ca=None).read_webhook(*delivery())


async def test_a_certificate_of_another_name_signs_nothing(wire: Wire) -> None:
    other = new_identity("www.paypal.com", since=NOW - timedelta(days=30))
    wire.on(f"GET {CERT}", httpx.Response(200, content=other.certificate))
    with pytest.raises(BadSignature):
        await adapter(wire, other).read_webhook(*delivery(identity=other))


@pytest.mark.parametrize("away", [timedelta(days=-31), timedelta(days=3650)])
async def test_a_certificate_has_its_time(wire: Wire, away: timedelta) -> None:
    then = NOW + away
    with pytest.raises(BadSignature):
        await adapter(wire, clock=lambda: then).read_webhook(*delivery(at=then))


async def test_a_certificate_that_was_kept_still_has_its_time(wire: Wire) -> None:
    now = [NOW]
    paypal = adapter(wire, clock=lambda: now[0])
    await paypal.read_webhook(*delivery())
    now[0] += timedelta(days=3650)
    with pytest.raises(BadSignature):
        await paypal.read_webhook(*delivery(at=now[0]))


@pytest.mark.parametrize(
    ("age", "good"),
    [
        (timedelta(minutes=-5), True),
        (timedelta(minutes=-5, seconds=-1), False),
        (timedelta(days=3, hours=12), True),
        (timedelta(days=3, hours=12, seconds=1), False),
    ],
)
async def test_the_time_is_bounded_on_both_sides(wire: Wire, age: timedelta, good: bool) -> None:
    paypal = adapter(wire)
    if good:
        await paypal.read_webhook(*delivery(at=NOW - age))
        return
    with pytest.raises(BadSignature):
        await paypal.read_webhook(*delivery(at=NOW - age))


@pytest.mark.parametrize(
    "changes",
    [
        {"paypal_auth_algo": "SHA1withRSA"},
        {"paypal_auth_algo": ""},
        {"paypal_transmission_id": "t-2"},
        {"paypal_transmission_id": ""},
        {"paypal_transmission_time": "2026-06-01T12:00:01Z"},
        {"paypal_transmission_time": "2026-06-01 12:00:00"},
        {"paypal_transmission_time": "2026-13-01T12:00:00Z"},
        {"paypal_transmission_time": "٢٠٢٦-06-01T12:00:00Z"},
        {"paypal_transmission_sig": "é"},
        {"paypal_transmission_sig": "not base64!"},
        {"paypal_transmission_sig": ""},
        {"paypal_transmission_sig": "AAAA"},
        {"paypal_cert_url": ""},
    ],
)
async def test_every_header_counts(wire: Wire, changes: dict[str, Any]) -> None:
    with pytest.raises(BadSignature):
        await adapter(wire).read_webhook(*delivery(**changes))


async def test_headers_are_found_in_any_spelling_and_all_are_needed(wire: Wire) -> None:
    body, headers = delivery()
    spelled = {name.lower(): value for name, value in headers.items()}
    assert (await adapter(wire).read_webhook(body, spelled)).event_id == "WH-1"
    for name in [name for name in headers if name.startswith("PAYPAL")]:
        some = {key: value for key, value in headers.items() if key != name}
        with pytest.raises(BadSignature):
            await adapter(wire).read_webhook(body, some)


async def test_the_webhook_of_another_is_not_ours(wire: Wire) -> None:
    with pytest.raises(BadSignature):
        await adapter(wire).read_webhook(*delivery(webhook_id="ANOTHER"))
    nobody = adapter(wire, webhook_ids=[])
    assert not nobody.hears_webhooks
    with pytest.raises(BadSignature):
        await nobody.read_webhook(*delivery(webhook_id=""))


async def test_while_a_webhook_is_changed_both_are_good(wire: Wire) -> None:
    changing = adapter(wire, webhook_ids=["NEW", WEBHOOK_ID])
    for webhook_id in ("NEW", WEBHOOK_ID):
        assert await changing.read_webhook(*delivery(webhook_id=webhook_id))


async def test_a_body_that_was_written_anew_is_refused(wire: Wire) -> None:
    body, headers = delivery()
    for other in (json.dumps(APPROVED, indent=1).encode(), body + b"\n", body[:-1], b""):
        with pytest.raises(BadSignature):
            await adapter(wire).read_webhook(other, headers)


async def test_what_is_signed_but_does_not_read_says_so(wire: Wire) -> None:
    for body in (b"", b"[]", b"{}", b"\xff", b"[" * 100_000):
        with pytest.raises(MessageNotUnderstood):
            await adapter(wire).read_webhook(*delivery(body))


async def test_an_event_that_we_do_not_follow_says_nothing(wire: Wire) -> None:
    body = json.dumps({"id": "WH-9", "event_type": "BILLING.PLAN.CREATED", "resource": {}})
    event = await adapter(wire).read_webhook(*delivery(body.encode()))
    assert (event.kind, event.outcome) == ("BILLING.PLAN.CREATED", None)


async def test_an_approval_that_comes_again_is_news_again(wire: Wire) -> None:
    event = await adapter(wire).read_webhook(*delivery())
    assert event.outcome != replace(event, event_id="WH-2").outcome


async def test_an_approval_that_ran_out_ends_its_order(wire: Wire) -> None:
    body = {
        "id": "WH-3",
        "event_type": "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
        "resource": {"order_id": "5O190127TN364715T"},
    }
    event = await adapter(wire).read_webhook(*delivery(json.dumps(body).encode()))
    assert (event.link_reference, event.link) == ("5O190127TN364715T", "closed")
