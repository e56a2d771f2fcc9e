"""Refunds that go wrong: lost, late, failed, taken back, refused; and what webhooks say of them."""

import httpx
import pytest
import razorpay

from tests.simulator.helpers import NewPayment, called, only
from tests.support.simulator import Simulator
from tests.support.webhook_receiver import Received, WebhookReceiver


async def told(receiver: WebhookReceiver, order_id: str, number: int) -> list[Received]:
    """The refund's webhooks; the payment's own four came before them."""
    return (await receiver.about(order_id, 4 + number))[4:]


async def test_a_refund_is_told_of_twice(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    payment = await new_payment()
    refund = await called(sdk.payment.refund, payment["id"], {"amount": 900, "receipt": "r_1"})
    webhooks = await told(receiver, payment["order_id"], 2)
    assert [webhook.event for webhook in webhooks] == ["refund.created", "refund.processed"]
    for webhook in webhooks:
        signature = webhook.headers["x-razorpay-signature"]
        body = webhook.body.decode()
        assert sdk.utility.verify_webhook_signature(body, signature, simulator.webhook_secret)
        content = webhook.json
        assert content["contains"] == list(content["payload"]) == ["refund", "payment"]
        assert content["created_at"] == refund["created_at"]
        assert content["payload"]["refund"]["entity"] == refund
        entity = content["payload"]["payment"]["entity"]
        assert (entity["amount_refunded"], entity["refund_status"]) == (900, "partial")
        assert entity["notes"]["order_id"] == payment["order_id"]


async def test_a_pending_refund_is_processed_later(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    payment = await new_payment()
    order_id = payment["order_id"]
    await simulator.faults(order_id, refund_pending=True)
    refund = await called(sdk.payment.refund, payment["id"])
    assert refund["status"] == "pending"
    assert (await only(simulator, "payments", order_id))["amount_refunded"] == 49900
    (created,) = await told(receiver, order_id, 1)
    assert created.event == "refund.created"
    assert created.json["payload"]["refund"]["entity"]["status"] == "pending"
    assert (await simulator.settle_refund(refund["id"]))["status"] == "processed"
    assert (await told(receiver, order_id, 2))[-1].event == "refund.processed"
    assert (await called(sdk.refund.fetch, refund["id"]))["status"] == "processed"


async def test_a_refund_fails(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    payment = await new_payment()
    await simulator.faults(payment["order_id"], refund_fails=True)
    refund = await called(sdk.payment.refund, payment["id"])
    assert refund["status"] == "failed"
    webhooks = await told(receiver, payment["order_id"], 2)
    assert [webhook.event for webhook in webhooks] == ["refund.created", "refund.failed"]
    fetched = await called(sdk.payment.fetch, payment["id"])
    assert (fetched["status"], fetched["amount_refunded"]) == ("captured", 0)
    assert fetched["refund_status"] is None


async def test_a_processed_refund_is_taken_back(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    payment = await new_payment()
    refund = await called(sdk.payment.refund, payment["id"])
    assert (await simulator.settle_refund(refund["id"], "failed"))["status"] == "failed"
    failed = (await told(receiver, payment["order_id"], 3))[-1]
    assert failed.event == "refund.failed"
    assert failed.json["payload"]["refund"]["entity"]["status"] == "failed"
    fetched = await called(sdk.payment.fetch, payment["id"])
    assert (fetched["status"], fetched["amount_refunded"]) == ("captured", 0)
    again = await called(sdk.payment.refund, payment["id"])
    assert (again["amount"], again["status"]) == (49900, "processed")


async def test_an_ended_refund_stays_as_it_is(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator
) -> None:
    payment = await new_payment()
    refund = await called(sdk.payment.refund, payment["id"])
    path = f"/simulator/refunds/{refund['id']}/settle"
    again = await simulator.http.post(path, json={"outcome": "processed"})
    assert (again.status_code, again.json()["detail"]) == (409, f"{refund['id']} is processed")
    await simulator.settle_refund(refund["id"], "failed")
    for outcome in ("processed", "failed"):
        response = await simulator.http.post(path, json={"outcome": outcome})
        assert response.status_code == 409


async def test_a_lost_refund_answer(
    new_payment: NewPayment, api: httpx.AsyncClient, simulator: Simulator
) -> None:
    payment = await new_payment()
    await simulator.faults(payment["order_id"], lost_refund_answer=2)
    path, headers = f"/payments/{payment['id']}/refund", {"X-Refund-Idempotency": "lost-answer-1"}
    body = {"amount": 500, "receipt": "ref_lost"}
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await api.post(path, json=body, headers=headers)
    (found,) = (await api.get(f"{path}s")).json()["items"]
    assert found["receipt"] == "ref_lost"
    assert (await api.post(path, json=body, headers=headers)).json() == found
    calls = (await simulator.ledger(payment["order_id"]))["calls"]
    refunds = [call["status"] for call in calls if call["path"].endswith("/refund")]
    assert refunds == [None, None, 200]


async def test_a_balance_too_small(
    new_payment: NewPayment, api: httpx.AsyncClient, simulator: Simulator
) -> None:
    payment = await new_payment()
    path, headers = f"/payments/{payment['id']}/refund", {"X-Refund-Idempotency": "no-balance-1"}
    await simulator.faults(payment["order_id"], refund_refused="balance")
    refused = await api.post(path, headers=headers)
    assert refused.status_code == 400
    assert "does not have enough balance" in refused.json()["error"]["description"]
    await simulator.faults(payment["order_id"])
    assert (await api.post(path, headers=headers)).status_code == 200


async def test_the_ledger_shows_refunds(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator
) -> None:
    payment = await new_payment()
    refund = await called(sdk.payment.refund, payment["id"], {"amount": 700, "receipt": "r_9"})
    shown = await only(simulator, "refunds", payment["order_id"])
    assert shown.pop("created_at")
    assert shown == {
        "id": refund["id"],
        "payment_id": payment["id"],
        "order_id": payment["order_id"],
        "receipt": "r_9",
        "amount": 700,
        "currency": "INR",
        "status": "processed",
    }
    assert (await only(simulator, "payments", payment["order_id"]))["amount_refunded"] == 700
