"""The official SDK drives the simulator as it would drive Razorpay."""

import pytest
import razorpay
from razorpay.errors import BadRequestError

from tests.simulator.helpers import CALLBACK, NewLink, callback_parameters, called, order_of
from tests.support.simulator import Simulator
from tests.support.webhook_receiver import WebhookReceiver


async def test_a_fresh_link(new_link: NewLink, simulator: Simulator) -> None:
    link = await new_link(notes={"order_id": "ord_fresh"})
    assert link["id"].startswith("plink_")
    assert len(link["id"]) == 20
    assert link["status"] == "created"
    assert link["short_url"] == f"{simulator.base_url}/pay/{link['id']}"
    assert (link["amount"], link["amount_paid"], link["currency"]) == (49900, 0, "INR")
    assert link["order_id"] is None
    assert link["payments"] is None
    assert (link["cancelled_at"], link["expired_at"]) == (0, 0)
    assert link["notes"] == {"order_id": "ord_fresh"}


async def test_empty_maps_come_back_as_lists(new_link: NewLink) -> None:
    link = await new_link(notes={})
    assert link["notes"] == []
    assert link["customer"] == []


async def test_fetch_and_list(new_link: NewLink, sdk: razorpay.Client) -> None:
    link = await new_link()
    assert await called(sdk.payment_link.fetch, link["id"]) == link
    found = await called(sdk.payment_link.all, {"reference_id": link["reference_id"]})
    assert found == {"payment_links": [link]}
    assert await called(sdk.payment_link.all, {"reference_id": "never used"}) == {
        "payment_links": []
    }


async def test_cancel(new_link: NewLink, sdk: razorpay.Client) -> None:
    link = await new_link()
    canceled = await called(sdk.payment_link.cancel, link["id"])
    assert canceled["status"] == "cancelled"
    assert canceled["cancelled_at"] >= link["created_at"]
    with pytest.raises(BadRequestError, match="cannot cancel or expire a cancelled link"):
        await called(sdk.payment_link.cancel, link["id"])


async def test_a_paid_link_and_what_is_behind_it(
    new_link: NewLink, sdk: razorpay.Client, simulator: Simulator
) -> None:
    link = await new_link()
    await simulator.pay(link["short_url"], method="upi")
    paid = await called(sdk.payment_link.fetch, link["id"])
    assert (paid["status"], paid["amount_paid"]) == ("paid", 49900)
    (entry,) = paid["payments"]
    assert (entry["plink_id"], entry["status"], entry["amount"]) == (link["id"], "captured", 49900)
    order = await called(sdk.order.fetch, paid["order_id"])
    assert (order["status"], order["receipt"]) == ("paid", link["reference_id"])
    assert (order["amount_paid"], order["amount_due"], order["attempts"]) == (49900, 0, 1)
    payments = await called(sdk.order.payments, paid["order_id"])
    assert (payments["entity"], payments["count"]) == ("collection", 1)
    payment = await called(sdk.payment.fetch, entry["payment_id"])
    assert payments["items"] == [payment]
    assert (payment["status"], payment["method"], payment["captured"]) == ("captured", "upi", True)
    assert (payment["fee"], payment["tax"]) == (998 + 179, 179)
    assert payment["notes"]["order_id"] == order_of(link)
    by_payment = await called(sdk.payment_link.all, {"payment_id": payment["id"]})
    assert by_payment["payment_links"] == [paid]
    with pytest.raises(BadRequestError, match="already paid/partially paid link"):
        await called(sdk.payment_link.cancel, link["id"])


async def test_a_failed_attempt_leaves_the_link_open(
    new_link: NewLink, sdk: razorpay.Client, simulator: Simulator
) -> None:
    link = await new_link()
    await simulator.pay(link["short_url"], outcome="failure")
    attempted = await called(sdk.payment_link.fetch, link["id"])
    assert (attempted["status"], attempted["payments"]) == ("created", None)
    order = await called(sdk.order.fetch, attempted["order_id"])
    assert (order["status"], order["attempts"]) == ("attempted", 1)
    (payment,) = (await called(sdk.order.payments, order["id"]))["items"]
    assert (payment["status"], payment["error_reason"]) == ("failed", "payment_failed")


async def test_a_pending_attempt_is_settled_later(
    new_link: NewLink, sdk: razorpay.Client, simulator: Simulator
) -> None:
    link = await new_link()
    await simulator.pay(link["short_url"], outcome="pending")
    (pending,) = (await simulator.ledger(order_of(link)))["payments"]
    assert (await called(sdk.payment.fetch, pending["id"]))["status"] == "created"
    assert (await simulator.settle(pending["id"], "failure"))["status"] == "failed"
    assert (await simulator.settle(pending["id"], "success"))["status"] == "captured"
    assert (await simulator.settle(pending["id"], "failure"))["status"] == "captured"
    assert (await called(sdk.payment_link.fetch, link["id"]))["status"] == "paid"


async def test_money_in_another_currency_has_a_base_amount(
    new_link: NewLink, sdk: razorpay.Client, simulator: Simulator
) -> None:
    link = await new_link(amount=1800, currency="JPY")
    await simulator.pay(link["short_url"])
    (entry,) = (await called(sdk.payment_link.fetch, link["id"]))["payments"]
    payment = await called(sdk.payment.fetch, entry["payment_id"])
    assert (payment["amount"], payment["currency"], payment["international"]) == (1800, "JPY", True)
    assert (payment["base_amount"], payment["base_currency"]) == (1800 * 80 * 100, "INR")


async def test_the_sdk_verifies_our_callback(
    new_link: NewLink, sdk: razorpay.Client, simulator: Simulator
) -> None:
    link = await new_link(callback_url=f"{CALLBACK}?token=abc")
    response = await simulator.pay(link["short_url"])
    assert response.status_code == 303
    assert response.headers["location"].startswith(f"{CALLBACK}?token=abc&razorpay_")
    parameters = callback_parameters(response)
    assert sdk.utility.verify_payment_link_signature(parameters)
    assert parameters["payment_link_id"] == link["id"]
    assert parameters["payment_link_reference_id"] == link["reference_id"]
    assert parameters["payment_link_status"] == "paid"


async def test_the_sdk_verifies_our_webhooks(
    new_link: NewLink, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link(description="₹ and é survive")
    await simulator.pay(link["short_url"])
    for webhook in await receiver.about(order_of(link), 4):
        signature = webhook.headers["x-razorpay-signature"]
        body = webhook.body.decode()
        assert sdk.utility.verify_webhook_signature(body, signature, simulator.webhook_secret)
