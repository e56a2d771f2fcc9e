"""Every fault, switched on over HTTP for one link, seen from outside."""

import time

import httpx
import pytest
import razorpay
from razorpay.errors import SignatureVerificationError

from tests.simulator.helpers import FOUR, NewLink, callback_parameters, link_body, order_of
from tests.support.simulator import Simulator
from tests.support.webhook_receiver import WebhookReceiver


async def test_all_faults_are_off_by_default(simulator: Simulator) -> None:
    off = await simulator.faults("ord_nobody")
    response = await simulator.http.get("/simulator/faults/ord_never_seen")
    assert response.json() == off
    assert not any(off.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"no_such_fault": True},
        {"slow": -1},
        {"lost_refund_answer": -1},
        {"refund_refused": "mood"},
        {"rate_limited": {"retry_after": 1}},
    ],
)
async def test_a_wrong_fault_is_refused(simulator: Simulator, wrong: dict[str, object]) -> None:
    response = await simulator.http.put("/simulator/faults/ord_x", json=wrong)
    assert response.status_code == 422


async def test_no_callback(new_link: NewLink, simulator: Simulator) -> None:
    link = await new_link()
    await simulator.faults(order_of(link), no_callback=True)
    response = await simulator.pay(link["short_url"])
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    (payment,) = (await simulator.ledger(order_of(link)))["payments"]
    assert payment["captured"]


async def test_no_webhook(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    silent, loud = await new_link(), await new_link()
    await simulator.faults(order_of(silent), no_webhook=True)
    await simulator.pay(silent["short_url"])
    await simulator.pay(loud["short_url"])
    await receiver.about(order_of(loud), 4)
    ledger = await simulator.ledger(order_of(silent))
    assert [event["event"] for event in ledger["events"]] == FOUR
    assert ledger["deliveries"] == []
    assert receiver.so_far(order_of(silent)) == []


async def test_duplicate_webhooks(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await simulator.faults(order_of(link), duplicate_webhooks=2)
    await simulator.pay(link["short_url"])
    webhooks = await receiver.about(order_of(link), 12)
    assert [webhook.event for webhook in webhooks] == FOUR * 3
    assert len({webhook.headers["x-razorpay-event-id"] for webhook in webhooks}) == 4


async def test_late_webhook(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await simulator.faults(order_of(link), late_webhook=0.8)
    started = time.monotonic()
    await simulator.pay(link["short_url"])
    await receiver.about(order_of(link), 4)
    assert time.monotonic() - started >= 0.8


async def test_shuffled_webhooks(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await simulator.faults(order_of(link), shuffled_webhooks=True)
    await simulator.pay(link["short_url"])
    webhooks = await receiver.about(order_of(link), 4)
    assert [webhook.event for webhook in webhooks] == FOUR[::-1]


async def test_wrong_amount(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await simulator.faults(order_of(link), wrong_amount=100)
    await simulator.pay(link["short_url"])
    content = (await receiver.about(order_of(link), 4))[-1].json["payload"]
    assert content["payment"]["entity"]["amount"] == 100
    assert content["payment_link"]["entity"]["amount"] == 49900
    assert content["payment_link"]["entity"]["amount_paid"] == 100


async def test_wrong_webhook_signature(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver, sdk: razorpay.Client
) -> None:
    link = await new_link()
    await simulator.faults(order_of(link), wrong_webhook_signature=True)
    await simulator.pay(link["short_url"])
    for webhook in await receiver.about(order_of(link), 4):
        signature = webhook.headers["x-razorpay-signature"]
        with pytest.raises(SignatureVerificationError):
            sdk.utility.verify_webhook_signature(
                webhook.body.decode(), signature, simulator.webhook_secret
            )
    deliveries = (await simulator.ledger(order_of(link)))["deliveries"]
    assert not any(delivery["signature_ok"] for delivery in deliveries)


async def test_wrong_callback_signature(
    new_link: NewLink, simulator: Simulator, sdk: razorpay.Client
) -> None:
    link = await new_link()
    await simulator.faults(order_of(link), wrong_callback_signature=True)
    parameters = callback_parameters(await simulator.pay(link["short_url"]))
    with pytest.raises(SignatureVerificationError):
        sdk.utility.verify_payment_link_signature(parameters)


async def test_lost_create_answer(simulator: Simulator, api: httpx.AsyncClient) -> None:
    body = link_body()
    order_id = order_of(body)
    await simulator.faults(order_id, lost_create_answer=1)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await api.post("/payment_links", json=body)
    found = await api.get("/payment_links", params={"reference_id": body["reference_id"]})
    (link,) = found.json()["payment_links"]
    assert link["status"] == "created"
    assert (await api.post("/payment_links", json=body)).status_code == 400
    calls = (await simulator.ledger(order_id))["calls"]
    assert [call["status"] for call in calls] == [None, 200, 400]


async def test_server_errors(simulator: Simulator, api: httpx.AsyncClient) -> None:
    body = link_body()
    await simulator.faults(order_of(body), server_errors=2)
    responses = [await api.post("/payment_links", json=body) for _ in range(3)]
    assert [response.status_code for response in responses] == [500, 500, 200]
    assert responses[0].json()["error"]["code"] == "SERVER_ERROR"
    assert len((await simulator.ledger(order_of(body)))["links"]) == 1


async def test_rate_limited(simulator: Simulator, api: httpx.AsyncClient) -> None:
    body = link_body()
    await simulator.faults(order_of(body), rate_limited={"times": 1, "retry_after": 7})
    first, second = [await api.post("/payment_links", json=body) for _ in range(2)]
    assert (first.status_code, first.headers["retry-after"]) == (429, "7")
    assert first.json()["error"]["description"] == "Too many requests"
    assert second.status_code == 200


async def test_slow(new_link: NewLink, simulator: Simulator, api: httpx.AsyncClient) -> None:
    link = await new_link()
    await simulator.faults(order_of(link), slow=0.4)
    started = time.monotonic()
    assert (await api.get(f"/payment_links/{link['id']}")).status_code == 200
    assert time.monotonic() - started >= 0.4


async def test_unavailable_for_a_while(simulator: Simulator, api: httpx.AsyncClient) -> None:
    body = link_body()
    await simulator.faults(order_of(body), unavailable_for=0.5)
    assert (await api.post("/payment_links", json=body)).status_code == 503
    query = {"reference_id": body["reference_id"]}
    assert (await api.get("/payment_links", params=query)).status_code == 503
    deadline = time.monotonic() + 10
    while (await api.post("/payment_links", json=body)).status_code == 503:
        assert time.monotonic() < deadline
    assert len((await api.get("/payment_links", params=query)).json()["payment_links"]) == 1


@pytest.mark.parametrize("name", ["order_id", "reference_id", "id"])
async def test_a_link_is_known_by_each_of_its_names(
    new_link: NewLink, simulator: Simulator, api: httpx.AsyncClient, name: str
) -> None:
    link = await new_link()
    await simulator.faults({**link, "order_id": order_of(link)}[name], server_errors=1)
    assert (await api.get(f"/payment_links/{link['id']}")).status_code == 500
    assert (await api.get(f"/payment_links/{link['id']}")).status_code == 200


async def test_faults_hit_one_link_only_and_can_be_cleared(
    new_link: NewLink, simulator: Simulator, api: httpx.AsyncClient
) -> None:
    broken, sound = await new_link(), await new_link()
    await simulator.faults(order_of(broken), server_errors=99)
    assert (await api.get(f"/payment_links/{broken['id']}")).status_code == 500
    assert (await api.get(f"/payment_links/{sound['id']}")).status_code == 200
    await simulator.http.delete(f"/simulator/faults/{order_of(broken)}")
    assert (await api.get(f"/payment_links/{broken['id']}")).status_code == 200


async def test_a_forged_webhook_changes_nothing(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver, sdk: razorpay.Client
) -> None:
    link = await new_link()
    assert await simulator.forge(order_of(link)) == {"status_code": 200}
    (webhook,) = await receiver.about(order_of(link), 1)
    assert webhook.event == "payment_link.paid"
    with pytest.raises(SignatureVerificationError):
        sdk.utility.verify_webhook_signature(
            webhook.body.decode(),
            webhook.headers["x-razorpay-signature"],
            simulator.webhook_secret,
        )
    ledger = await simulator.ledger(order_of(link))
    assert (ledger["payments"], ledger["events"], ledger["deliveries"]) == ([], [], [])
    assert ledger["links"][0]["status"] == "created"


async def test_forging_the_impossible_is_refused(new_link: NewLink, simulator: Simulator) -> None:
    link = await new_link()
    for body, status in (
        ({"order_id": "ord_nobody"}, 404),
        ({"order_id": order_of(link), "event": "refund.created"}, 422),
    ):
        response = await simulator.http.post("/simulator/webhooks/forge", json=body)
        assert response.status_code == status
