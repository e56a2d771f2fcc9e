"""Several gateways at once: chosen by rules, left when they cannot, each with its own messages."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlmodel import select

from db.tables import EvidenceRow
from domain.news import EvidenceKind
from tests.support.neighbours import Neighbours
from tests.support.ports import free_port
from tests.support.service import Service, running_service

Served = Callable[..., AbstractAsyncContextManager[Service]]
IN_DOLLARS = "notebook-usd"


@pytest.fixture
def served(neighbours: Neighbours, sqlite_database_url: str) -> Served:
    """The service with PayPal beside Razorpay, and first where prices are in dollars."""
    rules: dict[str, Any] = {
        "gateway_rules": [{"gateways": ["paypal", "razorpay"], "currency": "USD"}]
    }

    def serve(**changes: Any) -> AbstractAsyncContextManager[Service]:
        usual = neighbours.paypal | rules
        return running_service(neighbours, sqlite_database_url, **usual | changes)

    return serve


@pytest.fixture
async def service(served: Served) -> AsyncIterator[Service]:
    async with served() as running:
        yield running


async def test_a_rule_chooses_where_the_order_does_not(service: Service) -> None:
    chosen = {
        "paypal": await service.place(IN_DOLLARS),
        "razorpay": await service.place(),
    }
    for gateway, order_id in chosen.items():
        assert (await service.order(order_id))["gateway"] == gateway
    named = await service.place(IN_DOLLARS, gateway="razorpay")
    assert (await service.order(named))["gateway"] == "razorpay"


async def test_what_a_customer_approves_is_taken_when_the_browser_comes_back(
    service: Service,
) -> None:
    """No webhook comes here: the unsigned way back is a hint, and that is enough."""
    order_id = await service.place(IN_DOLLARS)
    url = await service.check_out(order_id)
    assert url.startswith(service.simulator.base_url)
    way_back = (await service.simulator.pay(url)).headers["Location"]
    answer = await service.stranger.get(urlsplit(way_back)._replace(scheme="", netloc="").geturl())
    assert answer.status_code == 303
    assert await service.ends_as(order_id) == "paid"
    (payment,) = (await service.simulator.ledger(order_id))["payments"]
    assert payment["captured"]


async def test_the_way_back_of_another_order_is_no_hint(service: Service) -> None:
    mine, other = [await service.place(IN_DOLLARS) for _ in range(2)]
    url, _ = await service.check_out(mine), await service.check_out(other)
    way_back = urlsplit((await service.simulator.pay(url)).headers["Location"])
    (link,) = (await service.simulator.ledger(other))["links"]
    answer = await service.stranger.get(f"{way_back.path}?token={link['id']}&PayerID=x")
    assert answer.status_code == 303, "the customer sees a page, whatever the address says"
    async with service.database.read() as session:
        heard = select(EvidenceRow).where(EvidenceRow.kind == EvidenceKind.CALLBACK)
        assert (await session.exec(heard)).all() == []


async def test_a_gateway_that_is_away_is_left_for_the_next(served: Served) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    async with served(paypal_base_url=nobody) as service:
        order_id = await service.place(IN_DOLLARS)
        url = await service.check_out(order_id)
        ledger = await service.simulator.ledger(order_id)
        assert [link["short_url"] for link in ledger["links"]] == [url]
        assert (await service.order(order_id))["gateway"] == "razorpay"
        service.told_of.append(order_id)
        await service.simulator.pay(url)
        assert await service.ends_as(order_id) == "paid"


async def test_a_webhook_that_cannot_be_checked_now_has_to_come_again(served: Served) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    headers = {
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        "PAYPAL-CERT-URL": f"{nobody}/v1/notifications/certs/CERT-1",
        "PAYPAL-TRANSMISSION-ID": "1",
        "PAYPAL-TRANSMISSION-SIG": "AAAA",
        "PAYPAL-TRANSMISSION-TIME": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    async with served(worker=False, paypal_certificates_at=nobody) as service:
        answer = await service.stranger.post("/webhooks/paypal", content=b"{}", headers=headers)
        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/gateway-unavailable"
        headers["PAYPAL-CERT-URL"] = "https://evil.example/v1/notifications/certs/CERT-1"
        answer = await service.stranger.post("/webhooks/paypal", content=b"{}", headers=headers)
        assert answer.status_code == 401


async def test_without_a_webhook_id_there_is_no_endpoint(served: Served) -> None:
    async with served(worker=False, paypal_webhook_ids=[]) as service:
        answer = await service.stranger.post("/webhooks/paypal", content=b"{}")
        assert answer.status_code == 404
