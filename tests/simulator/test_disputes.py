"""Disputes: opened and ended by the bank, looked up through the SDK, told of by webhooks."""

import pytest
import razorpay
from razorpay.errors import BadRequestError

from tests.simulator.helpers import NewPayment, called, only
from tests.support.simulator import Simulator
from tests.support.webhook_receiver import WebhookReceiver


async def test_a_dispute(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    payment = await new_payment()
    made = await simulator.dispute(payment["id"], amount=30000, reason="goods_not_received")
    dispute = await called(sdk.dispute.fetch, made["id"])
    assert dispute["id"].startswith("disp_")
    assert (dispute["payment_id"], dispute["status"]) == (payment["id"], "open")
    assert (dispute["amount"], dispute["currency"]) == (30000, "INR")
    assert (dispute["amount_deducted"], dispute["phase"]) == (0, "chargeback")
    assert dispute["reason_code"] == "goods_not_received"
    assert dispute["respond_by"] > dispute["created_at"]
    webhook = (await receiver.about(payment["order_id"], 5))[-1]
    assert webhook.event == "payment.dispute.created"
    content = webhook.json
    assert content["contains"] == list(content["payload"]) == ["payment", "dispute"]
    assert content["payload"]["dispute"]["entity"] == dispute
    assert content["payload"]["payment"]["entity"]["id"] == payment["id"]
    signature, body = webhook.headers["x-razorpay-signature"], webhook.body.decode()
    assert sdk.utility.verify_webhook_signature(body, signature, simulator.webhook_secret)


@pytest.mark.parametrize(("outcome", "deducted"), [("won", 0), ("lost", 49900), ("closed", 0)])
async def test_a_dispute_ends(
    new_payment: NewPayment,
    sdk: razorpay.Client,
    simulator: Simulator,
    receiver: WebhookReceiver,
    outcome: str,
    deducted: int,
) -> None:
    payment = await new_payment()
    made = await simulator.dispute(payment["id"])
    for each in ("under_review", outcome):
        assert (await simulator.settle_dispute(made["id"], each))["status"] == each
    webhooks = (await receiver.about(payment["order_id"], 7))[4:]
    events = ["created", "under_review", outcome]
    assert [webhook.event for webhook in webhooks] == [f"payment.dispute.{e}" for e in events]
    ended = webhooks[-1].json["payload"]["dispute"]["entity"]
    assert (ended["status"], ended["amount_deducted"]) == (outcome, deducted)
    again = await simulator.http.post(
        f"/simulator/disputes/{made['id']}/settle", json={"outcome": "won"}
    )
    assert (again.status_code, again.json()["detail"]) == (409, f"{made['id']} is {outcome}")
    assert (await only(simulator, "payments", payment["order_id"]))["status"] == "captured"


async def test_disputes_are_listed(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator
) -> None:
    payment = await new_payment()
    first, second = [await simulator.dispute(payment["id"], amount=n) for n in (100, 200)]
    found = await called(sdk.dispute.all, {"count": 2})
    assert (found["entity"], found["count"]) == ("collection", 2)
    assert [item["id"] for item in found["items"]] == [second["id"], first["id"]]
    shown = (await simulator.ledger(payment["order_id"]))["disputes"]
    assert shown == [first, second]
    with pytest.raises(BadRequestError, match="The id provided does not exist"):
        await called(sdk.dispute.fetch, "disp_00000000000000")


async def test_only_captured_money_is_disputed(
    new_payment: NewPayment, simulator: Simulator
) -> None:
    payment = await new_payment(outcome="authorized")
    response = await simulator.http.post(f"/simulator/payments/{payment['id']}/dispute", json={})
    assert response.status_code == 409
