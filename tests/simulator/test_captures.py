"""Payments that are only authorized: captured on demand, or given back in the end."""

from typing import Any

import httpx
import pytest
import razorpay
from razorpay.errors import BadRequestError

from tests.simulator.helpers import FOUR, NewLink, NewPayment, called, only, order_of
from tests.support.simulator import Simulator
from tests.support.webhook_receiver import WebhookReceiver


async def test_authorized_is_not_captured(
    new_link: NewLink, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    page = await simulator.pay(link["short_url"], outcome="authorized")
    assert "<h1>Held by the bank</h1>" in page.text
    (webhook,) = await receiver.about(order_of(link), 1)
    entity = webhook.json["payload"]["payment"]["entity"]
    assert (webhook.event, entity["status"], entity["captured"]) == (FOUR[0], "authorized", False)
    payment = await called(sdk.payment.fetch, entity["id"])
    assert (payment["status"], payment["captured"], payment["fee"]) == ("authorized", False, None)
    fetched = await called(sdk.payment_link.fetch, link["id"])
    assert (fetched["status"], fetched["amount_paid"]) == ("created", 0)
    assert (await called(sdk.order.fetch, payment["order_id"]))["status"] == "attempted"


async def test_capture(
    new_link: NewLink, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await simulator.pay(link["short_url"], outcome="authorized")
    payment = await only(simulator, "payments", order_of(link))
    captured = await called(sdk.payment.capture, payment["id"], 49900, {"currency": "INR"})
    assert (captured["status"], captured["captured"]) == ("captured", True)
    webhooks = await receiver.about(order_of(link), 4)
    assert [webhook.event for webhook in webhooks] == FOUR
    assert (await called(sdk.payment_link.fetch, link["id"]))["status"] == "paid"
    with pytest.raises(BadRequestError, match="This payment has already been captured"):
        await called(sdk.payment.capture, payment["id"], 49900, {"currency": "INR"})


async def test_a_pending_payment_may_be_authorized_after_its_link_was_canceled(
    new_link: NewLink, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await simulator.pay(link["short_url"], outcome="pending")
    await called(sdk.payment_link.cancel, link["id"])
    payment = await only(simulator, "payments", order_of(link))
    assert (await simulator.settle(payment["id"], "authorized"))["status"] == "authorized"
    await called(sdk.payment.capture, payment["id"], 49900, {"currency": "INR"})
    webhooks = await receiver.about(order_of(link), 4)
    assert [webhook.event for webhook in webhooks] == ["payment_link.cancelled", *FOUR[:3]]


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({"amount": 49899}, "Capture amount must be equal to the amount authorized."),
        ({"amount": 49900, "currency": "USD"}, "Capture request currency must be same as payment"),
        ({"amount": 499.0}, "The amount must be an integer."),
        ({"currency": "INR"}, "Could not validate payment capture request due to: amount: cannot"),
        (None, "Could not validate payment capture request due to: amount: cannot be blank."),
    ],
)
async def test_a_bad_capture_is_refused(
    new_payment: NewPayment,
    api: httpx.AsyncClient,
    simulator: Simulator,
    body: Any,
    description: str,
) -> None:
    payment = await new_payment(outcome="authorized")
    response = await api.post(f"/payments/{payment['id']}/capture", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["description"].startswith(description)
    assert (await only(simulator, "payments", payment["order_id"]))["status"] == "authorized"


@pytest.mark.parametrize("outcome", ["failure", "pending"])
async def test_only_authorized_payments_are_captured(
    new_payment: NewPayment, sdk: razorpay.Client, outcome: str
) -> None:
    payment = await new_payment(outcome=outcome)
    with pytest.raises(BadRequestError, match="Only payments which have been authorized"):
        await called(sdk.payment.capture, payment["id"], 49900, {"currency": "INR"})


async def test_a_paid_order_takes_no_second_capture(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator
) -> None:
    paid = await new_payment()
    second = await simulator.pay_late(paid["order_id"], status="authorized")
    with pytest.raises(BadRequestError, match="the order is already paid"):
        await called(sdk.payment.capture, second["id"], 49900, {"currency": "INR"})


async def test_an_unknown_payment_is_not_captured(sdk: razorpay.Client) -> None:
    with pytest.raises(BadRequestError, match="The id provided does not exist"):
        await called(sdk.payment.capture, "pay_00000000000000", 100, {"currency": "INR"})


async def test_what_is_never_captured_is_given_back(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    payment = await new_payment(outcome="authorized")
    page = f"/pay/{payment['link_id']}/payments/{payment['id']}"
    assert "Held by the bank" in (await simulator.http.get(page)).text
    released = await simulator.release(payment["id"])
    assert "Your money is on its way back to you." in (await simulator.http.get(page)).text
    assert (released["status"], released["captured"]) == ("refunded", False)
    fetched = await called(sdk.payment.fetch, payment["id"])
    assert (fetched["status"], fetched["captured"]) == ("refunded", False)
    assert (fetched["amount_refunded"], fetched["refund_status"]) == (49900, "full")
    assert (await called(sdk.payment.fetch_multiple_refund, payment["id"]))["items"] == []
    events = (await simulator.ledger(payment["order_id"]))["events"]
    assert [event["event"] for event in events] == ["payment.authorized"]
    with pytest.raises(BadRequestError, match="Only payments which have been authorized"):
        await called(sdk.payment.capture, payment["id"], 49900, {"currency": "INR"})
    with pytest.raises(BadRequestError, match="fully refunded already"):
        await called(sdk.payment.refund, payment["id"])


@pytest.mark.parametrize("outcome", ["success", "failure", "pending"])
async def test_only_what_is_authorized_can_be_given_back(
    new_payment: NewPayment, simulator: Simulator, outcome: str
) -> None:
    payment = await new_payment(outcome=outcome)
    response = await simulator.http.post(f"/simulator/payments/{payment['id']}/release")
    assert response.status_code == 409
    assert response.json()["detail"] == f"{payment['id']} is {payment['status']}"
