"""Webhooks: verified, stored, acknowledged, and only then acted upon."""

import asyncio
import json
from collections.abc import Sequence

from sqlmodel import col, select

from db.tables import InboxRow, InboxState, TimelineRow
from domain.orders import OrderStatus
from tests.support.neighbours import Neighbours
from tests.support.proxy import proxy_to
from tests.support.razorpay_webhooks import captured, deliver, event, paid
from tests.support.service import Service, running_service


async def inbox(service: Service) -> Sequence[InboxRow]:
    async with service.database.read() as session:
        return (await session.exec(select(InboxRow).order_by(col(InboxRow.id)))).all()


async def states(service: Service) -> list[str]:
    return [row.state for row in await inbox(service)]


async def silent(service: Service) -> str:
    """An order that awaits payment, and of which the gateway tells nobody."""
    order_id, _ = await service.place_and_check_out(no_webhook=True, no_callback=True)
    return order_id


async def test_a_signed_webhook_is_proof(service_on_both: Service) -> None:
    order_id = await silent(service_on_both)
    body = paid(order_id)
    response = await deliver(service_on_both, body, event_id="event-1")
    assert (response.status_code, response.json()) == (200, {"status": "accepted"})
    assert await service_on_both.ends_as(order_id) == "paid"
    order = await service_on_both.order(order_id)
    assert order["timeline"][-1]["evidence"]["kind"] == "webhook"
    assert order["timeline"][-1]["evidence"]["reference"] == "event-1"
    calls = (await service_on_both.simulator.ledger(order_id))["calls"]
    assert not [call for call in calls if call["method"] == "GET" and order_id in call["path"]]
    [row] = await inbox(service_on_both)
    assert json.loads(row.body) == body


async def test_the_same_again_is_a_duplicate(service_on_both: Service) -> None:
    order_id = await silent(service_on_both)
    body = paid(order_id)
    await deliver(service_on_both, body, event_id="event-1")
    assert await service_on_both.ends_as(order_id) == "paid"
    again = await deliver(service_on_both, body, event_id="event-1")
    assert (again.status_code, again.json()) == (200, {"status": "duplicate"})
    assert len(await inbox(service_on_both)) == 1


async def test_siblings_are_kept_but_say_nothing_new(service_on_both: Service) -> None:
    order_id = await silent(service_on_both)
    body = paid(order_id)
    for sibling in (body, captured(order_id, body)):
        response = await deliver(service_on_both, sibling)
        assert response.json() == {"status": "accepted"}
    assert await service_on_both.ends_as(order_id) == "paid"
    assert (await states(service_on_both))[1] == InboxState.ABSORBED


async def test_all_that_razorpay_sends_for_one_payment(service_on_both: Service) -> None:
    order_id = await service_on_both.paid(duplicate_webhooks=2)
    ledger = await service_on_both.simulator.ledger(order_id)
    while len(ledger["deliveries"]) < 3 * len(ledger["events"]):
        ledger = await service_on_both.simulator.ledger(order_id)
    assert {delivery["status_code"] for delivery in ledger["deliveries"]} == {200}
    assert {row.event_id for row in await inbox(service_on_both)} == {
        each["id"] for each in ledger["events"]
    }
    assert len(await service_on_both.mails.about(order_id)) == 1


async def test_a_hundred_copies_are_one(service_on_both: Service) -> None:
    order_id = await silent(service_on_both)
    body, at_once = paid(order_id), asyncio.Semaphore(20)

    async def one() -> str:
        async with at_once:
            response = await deliver(service_on_both, body, event_id="event-1")
        assert response.status_code == 200
        return str(response.json()["status"])

    answers = await asyncio.gather(*(one() for _ in range(100)))
    assert sorted(answers) == ["accepted"] + ["duplicate"] * 99
    assert await service_on_both.ends_as(order_id) == "paid"
    assert len(await inbox(service_on_both)) == 1
    async with service_on_both.database.read() as session:
        moves = select(TimelineRow).where(TimelineRow.to_status == OrderStatus.PAID)
        assert len((await session.exec(moves)).all()) == 1
    assert len(await service_on_both.mails.about(order_id)) == 1


async def test_a_bad_signature_is_refused(api: Service) -> None:
    body = json.dumps(paid(await api.place())).encode()
    for signature in ("0" * 64, "", "é", None):
        headers = [] if signature is None else [(b"X-Razorpay-Signature", signature.encode())]
        response = await api.stranger.post("/webhooks/razorpay", content=body, headers=headers)
        assert response.status_code == 401
        assert response.json()["type"] == "/problems/bad-signature"
    assert await inbox(api) == []


async def test_a_forged_webhook_pays_nothing(service: Service) -> None:
    order_id = await silent(service)
    assert (await service.simulator.forge(order_id))["status_code"] == 401
    response = await deliver(service, paid(order_id), secret="guessed")
    assert response.status_code == 401
    assert (await service.order(order_id))["status"] == "awaiting_payment"


async def test_the_bytes_are_verified_and_not_what_they_mean(api: Service) -> None:
    body = json.dumps(paid(await api.place()))
    response = await deliver(api, body.encode(), secret=None)
    assert response.status_code == 200
    signature = response.request.headers["X-Razorpay-Signature"]
    spaced = body.replace(": ", ":  ").encode()
    again = await api.stranger.post(
        "/webhooks/razorpay", content=spaced, headers={"X-Razorpay-Signature": signature}
    )
    assert again.status_code == 401


async def test_both_secrets_count_while_they_are_changed(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    secrets = ["new-secret", "old-secret"]
    async with running_service(
        neighbours, sqlite_database_url, worker=False, razorpay_webhook_secrets=secrets
    ) as service:
        for secret, status in (("new-secret", 200), ("old-secret", 200), ("older-secret", 401)):
            response = await deliver(service, paid(await service.place()), secret=secret)
            assert response.status_code == status


async def test_without_a_secret_there_is_no_endpoint(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    async with running_service(
        neighbours, sqlite_database_url, worker=False, razorpay_webhook_secrets=[]
    ) as service:
        response = await deliver(service, paid("ord_x"), secret="x")
        assert response.status_code == 404
        assert response.json()["type"] == "/problems/not-found"


async def test_an_unknown_gateway_has_no_endpoint(api: Service) -> None:
    for gateway in ("acme", "RAZORPAY", "razorpay%00"):
        assert (await deliver(api, paid("ord_x"), gateway=gateway)).status_code == 404


async def test_what_is_signed_but_not_understood_is_kept(api_on_both: Service) -> None:
    wrong = b'{"event": "payment.captured", "payload": {"payment": {"entity": {"amount": "x"}}}}'
    unread = (b"", b"not json", b"[]", b"\xff\xfe", b'{"event": 7}', wrong)
    for raw in unread:
        response = await deliver(api_on_both, raw, event_id="event-1")
        assert (response.status_code, response.json()) == (200, {"status": "accepted"})
        again = await deliver(api_on_both, raw, event_id="event-1")
        assert again.json() == {"status": "duplicate"}
    rows = await inbox(api_on_both)
    assert [(row.body, row.state) for row in rows] == [(raw, InboxState.IGNORED) for raw in unread]


async def test_an_event_that_we_do_not_follow_is_kept(api: Service) -> None:
    response = await deliver(api, event("settlement.processed", settlement={"id": "setl_1"}))
    assert response.json() == {"status": "accepted"}
    assert await states(api) == [InboxState.IGNORED]


async def test_an_event_for_an_order_that_is_not_known_is_kept(service: Service) -> None:
    body = paid("ord_of_somebody_else")
    assert (await deliver(service, body)).json() == {"status": "accepted"}
    assert (await service.sweep()).events_forwarded == 0
    [row] = await inbox(service)
    assert (row.state, row.order_id) == (InboxState.NEW, None)


async def test_a_database_that_is_away_is_said_so(
    neighbours: Neighbours, postgres_url: str
) -> None:
    """The gateway tries again, and then it is accepted; nothing was acknowledged before."""
    port = int(postgres_url.split(":")[-1].split("/")[0])
    async with proxy_to(port) as wire:
        url = postgres_url.replace(f":{port}/", f":{wire.port}/")
        async with running_service(neighbours, url, worker=False) as service:
            body = paid(await service.place())
            await wire.cut()
            response = await deliver(service, body, event_id="event-1")
            assert response.status_code == 503
            assert response.json()["type"] == "/problems/database-unavailable"
            assert int(response.headers["Retry-After"]) > 0
            for path in ("/orders/ord_x", "/products", "/readyz", "/metrics"):
                assert (await service.shop.get(path)).status_code == 503
            assert (await service.shop.get("/healthz")).status_code == 200
            await wire.restore()
            again = await deliver(service, body, event_id="event-1")
            assert (again.status_code, again.json()) == (200, {"status": "accepted"})


async def test_what_could_not_be_forwarded_is_swept(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    """Temporal is away when the webhook comes, and the gateway never sends it again."""
    host, _, port = neighbours.temporal_address.rpartition(":")
    async with proxy_to(int(port)) as wire:
        address = f"{host}:{wire.port}"
        async with running_service(
            neighbours, sqlite_database_url, temporal_address=address
        ) as service:
            order_id = await silent(service)
            await wire.cut()
            response = await deliver(service, paid(order_id))
            assert (response.status_code, response.json()) == (200, {"status": "accepted"})
            assert await states(service) == [InboxState.NEW]
            assert (await service.order(order_id))["status"] == "awaiting_payment"
            await service.grow_old(order_id)
            assert (await service.sweep()).events_forwarded == 1
            assert await service.ends_as(order_id) == "paid"
            assert await states(service) == [InboxState.FORWARDED]
