"""Webhooks: what they say, and that they arrive whatever the merchant does."""

import pytest

from simulator.webhooks import Backoff
from tests.simulator.helpers import FOUR, NewLink, called, made_link, order_of, sdk_for
from tests.support.simulator import Simulator, running_simulator
from tests.support.webhook_receiver import WebhookReceiver, webhook_receiver


async def test_one_payment_fires_four_events(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await simulator.pay(link["short_url"])
    webhooks = await receiver.about(order_of(link), 4)
    assert [webhook.event for webhook in webhooks] == FOUR
    ids = {webhook.headers["x-razorpay-event-id"] for webhook in webhooks}
    assert len(ids) == 4
    for webhook in webhooks:
        content = webhook.json
        assert webhook.headers["content-type"] == "application/json"
        assert content["entity"] == "event"
        assert content["account_id"].startswith("acc_")
        assert content["contains"] == list(content["payload"])


async def test_what_the_events_contain(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await simulator.pay(link["short_url"])
    contents = [webhook.json for webhook in await receiver.about(order_of(link), 4)]
    authorized, captured, order_paid, link_paid = (content["payload"] for content in contents)
    assert list(authorized) == list(captured) == ["payment"]
    assert authorized["payment"]["entity"]["status"] == "authorized"
    assert authorized["payment"]["entity"]["fee"] is None
    payment = captured["payment"]["entity"]
    assert (payment["status"], payment["amount"]) == ("captured", 49900)
    assert payment["notes"] == link["notes"]
    assert list(order_paid) == ["payment", "order"]
    assert order_paid["order"]["entity"]["id"] == payment["order_id"]
    assert list(link_paid) == ["payment_link", "order", "payment"]
    assert link_paid["payment_link"]["entity"]["status"] == "paid"
    assert link_paid["payment_link"]["entity"]["reference_id"] == link["reference_id"]
    assert link_paid["payment"]["entity"] == payment


async def test_the_traps_of_payment_link_paid(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await simulator.pay(link["short_url"])
    content = (await receiver.about(order_of(link), 4))[-1].json
    assert content["created_at"] == link["created_at"]
    order, payment = content["payload"]["order"], content["payload"]["payment"]
    assert f"order_{order['entity']['id']}" == payment["entity"]["order_id"]
    assert order["entity"]["product_type"] == "payment_link_v2"


async def test_failures_and_cancellations_are_told(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await simulator.pay(link["short_url"], outcome="failure")
    await called(sdk_for(simulator).payment_link.cancel, link["id"])
    failed, canceled = await receiver.about(order_of(link), 2)
    assert (failed.event, list(failed.json["payload"])) == ("payment.failed", ["payment"])
    assert canceled.event == "payment_link.cancelled"
    assert list(canceled.json["payload"]) == ["payment_link"]
    assert canceled.json["payload"]["payment_link"]["entity"]["status"] == "cancelled"


async def test_money_after_the_link_was_closed(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    """Late money: captured although canceled, and no payment_link.paid for it."""
    link = await new_link()
    await simulator.pay(link["short_url"], outcome="pending")
    await called(sdk_for(simulator).payment_link.cancel, link["id"])
    (payment,) = (await simulator.ledger(order_of(link)))["payments"]
    await simulator.settle(payment["id"])
    webhooks = await receiver.about(order_of(link), 4)
    assert [webhook.event for webhook in webhooks] == ["payment_link.cancelled", *FOUR[:3]]
    ledger = await simulator.ledger(order_of(link))
    assert len(ledger["events"]) == 4
    assert [entry["status"] for entry in ledger["links"]] == ["canceled"]
    assert [entry["status"] for entry in ledger["payments"]] == ["captured"]


async def test_a_second_capture_is_not_a_second_paid_link(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    await simulator.pay(link["short_url"], outcome="pending")
    await simulator.pay(link["short_url"])
    pending = (await simulator.ledger(order_of(link)))["payments"][0]
    await simulator.settle(pending["id"])
    webhooks = await receiver.about(order_of(link), 6)
    assert [webhook.event for webhook in webhooks] == [*FOUR, *FOUR[:2]]
    assert len((await simulator.ledger(order_of(link)))["events"]) == 6


async def test_failed_deliveries_are_repeated_with_the_same_id_and_bytes() -> None:
    async with (
        webhook_receiver() as receiver,
        running_simulator(receiver.url, retry_base=0.05) as simulator,
    ):
        receiver.statuses[:] = [500, 302, 404]
        link = await made_link(simulator)
        await simulator.pay(link["short_url"], outcome="failure")
        webhooks = await receiver.about(order_of(link), 4)
        assert len({webhook.headers["x-razorpay-event-id"] for webhook in webhooks}) == 1
        assert len({webhook.body for webhook in webhooks}) == 1
        ledger = await simulator.ledger(order_of(link))
        assert [d["attempt"] for d in ledger["deliveries"]][:3] == [1, 2, 3]
        assert [d["status_code"] for d in ledger["deliveries"]][:3] == [500, 302, 404]


async def test_a_merchant_that_hangs_is_given_five_seconds() -> None:
    async with (
        webhook_receiver() as receiver,
        running_simulator(receiver.url, retry_base=0.05) as simulator,
    ):
        link = await made_link(simulator)
        with receiver.hanging():
            await simulator.pay(link["short_url"], outcome="failure")
            first, again = await receiver.about(order_of(link), 2)
        assert first.headers["x-razorpay-event-id"] == again.headers["x-razorpay-event-id"]
        deliveries = (await simulator.ledger(order_of(link)))["deliveries"]
        assert deliveries[0]["status_code"] is None


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 2), (2, 4), (3, 8), (6, 60), (7, 60), (5000, 60)]
)
def test_back_off_doubles_up_to_a_limit(attempt: int, seconds: float) -> None:
    assert Backoff(base=2, limit=60).after(attempt) == seconds
