"""Money nobody waits for: after the end of a link, a second time, or through no link at all."""

import httpx
import pytest
import razorpay

from tests.simulator.helpers import FOUR, NewLink, NewPayment, called, order_of
from tests.support.simulator import Simulator
from tests.support.webhook_receiver import WebhookReceiver


async def test_a_success_after_cancel(
    new_link: NewLink, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await called(sdk.payment_link.cancel, link["id"])
    late = await simulator.pay_late(order_of(link), method="upi")
    assert (late["status"], late["method"], late["amount"]) == ("captured", "upi", 49900)
    webhooks = await receiver.about(order_of(link), 4)
    assert [webhook.event for webhook in webhooks] == ["payment_link.cancelled", *FOUR[:3]]
    fetched = await called(sdk.payment_link.fetch, link["id"])
    assert (fetched["status"], fetched["amount_paid"]) == ("cancelled", 49900)
    (entry,) = (await called(sdk.order.payments, fetched["order_id"]))["items"]
    assert entry["id"] == late["id"]


async def test_a_second_payment_of_a_paid_link(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    first = await new_payment()
    second = await simulator.pay_late(first["link_id"], amount=1234)
    assert (second["amount"], second["order_id"]) == (1234, first["order_id"])
    webhooks = await receiver.about(first["order_id"], 6)
    assert [webhook.event for webhook in webhooks] == [*FOUR, *FOUR[:2]]
    link = await called(sdk.payment_link.fetch, first["link_id"])
    assert link["amount_paid"] == 49900 + 1234


async def test_faults_apply_to_late_payments(new_payment: NewPayment, simulator: Simulator) -> None:
    first = await new_payment()
    await simulator.faults(first["order_id"], no_webhook=True, wrong_amount=300)
    assert (await simulator.pay_late(first["order_id"]))["amount"] == 300
    assert len((await simulator.ledger(first["order_id"]))["events"]) == 6


async def test_a_late_authorization(
    new_payment: NewPayment, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    first = await new_payment()
    late = await simulator.pay_late(first["order_id"], status="authorized")
    assert (late["status"], late["captured"]) == ("authorized", False)
    webhooks = await receiver.about(first["order_id"], 5)
    assert [webhook.event for webhook in webhooks] == [*FOUR, FOUR[0]]


async def test_money_from_elsewhere(
    sdk: razorpay.Client, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    stray = await simulator.pay_elsewhere(2500, currency="USD", order_id="ord_of_nobody")
    assert (stray["link_id"], stray["order_id"]) == (None, "ord_of_nobody")
    webhooks = await receiver.about("ord_of_nobody", 2)
    assert [webhook.event for webhook in webhooks] == FOUR[:2]
    payment = await called(sdk.payment.fetch, stray["id"])
    assert (payment["status"], payment["captured"]) == ("captured", True)
    assert (payment["amount"], payment["currency"]) == (2500, "USD")
    assert payment["notes"] == {"order_id": "ord_of_nobody"}
    assert payment["order_id"] is None
    refund = await called(sdk.payment.refund, stray["id"])
    assert (refund["amount"], refund["status"]) == (2500, "processed")
    assert (await receiver.about("ord_of_nobody", 4))[-1].event == "refund.processed"


async def test_money_from_elsewhere_belongs_to_no_link(
    new_link: NewLink, sdk: razorpay.Client, simulator: Simulator, api: httpx.AsyncClient
) -> None:
    link = await new_link()
    stray = await simulator.pay_elsewhere(49900, order_id=order_of(link))
    by_payment = await called(sdk.payment_link.all, {"payment_id": stray["id"]})
    assert by_payment == {"payment_links": []}
    ledger = await simulator.ledger(order_of(link))
    assert [entry["id"] for entry in ledger["links"]] == [link["id"]]
    assert {event["link_id"] for event in ledger["events"]} == {None}
    everything = (await called(sdk.payment_link.all))["payment_links"]
    assert {entry["id"] for entry in everything} >= {link["id"]}
    assert all(entry["status"] for entry in everything)
    late = await simulator.pay_late(order_of(link))
    assert late["link_id"] == link["id"]


async def test_money_from_elsewhere_may_name_no_order(
    simulator: Simulator, receiver: WebhookReceiver, sdk: razorpay.Client
) -> None:
    stray = await simulator.pay_elsewhere(100)
    assert (await called(sdk.payment.fetch, stray["id"]))["notes"] == []
    assert len(await receiver.about(stray["id"], 2)) == 2
    assert stray in (await simulator.ledger())["payments"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("links/ord_nobody/late-payment", {}, 404),
        ("links/ord_nobody/late-payment", {"status": "failed"}, 422),
        ("links/ord_nobody/late-payment", {"amount": 0}, 422),
        ("links/ord_nobody/late-payment", {"method": "cash"}, 422),
        ("payments/stray", {"amount": 1.5}, 422),
        ("payments/stray", {}, 422),
        ("payments/pay_x/release", {}, 404),
        ("payments/pay_x/dispute", {}, 404),
        ("refunds/rfnd_x/settle", {"outcome": "failed"}, 404),
        ("refunds/rfnd_x/settle", {"outcome": "pending"}, 422),
        ("disputes/disp_x/settle", {"outcome": "won"}, 404),
        ("disputes/disp_x/settle", {"outcome": "open"}, 422),
    ],
)
async def test_what_makes_no_sense_is_refused(
    simulator: Simulator, path: str, body: dict[str, object], status: int
) -> None:
    response = await simulator.http.post(f"/simulator/{path}", json=body)
    assert response.status_code == status
