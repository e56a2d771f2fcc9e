"""Kill -9 at the worst moments: nothing that was promised is forgotten."""

import sqlite3
import time

import pytest
from razorpay.errors import BadRequestError

from tests.simulator.helpers import FOUR, called, made_link, made_payment, order_of, sdk_for
from tests.support.simulator import running_simulator
from tests.support.webhook_receiver import webhook_receiver


async def test_the_ledger_and_the_faults_survive() -> None:
    async with running_simulator() as simulator:
        link = await made_link(simulator)
        await simulator.faults(order_of(link), wrong_callback_signature=True)
        await simulator.pay(link["short_url"], outcome="failure")
        await simulator.pay(link["short_url"])
        before = await simulator.ledger()
        await simulator.restart()
        assert await simulator.ledger() == before
        assert len(before["payments"]) == 2
        faults = await simulator.http.get(f"/simulator/faults/{order_of(link)}")
        assert faults.json()["wrong_callback_signature"]
        fetched = await called(sdk_for(simulator).payment_link.fetch, link["id"])
        assert (fetched["status"], fetched["short_url"]) == ("paid", link["short_url"])


async def test_refunds_disputes_and_keys_survive() -> None:
    async with running_simulator() as simulator:
        sdk, payment = sdk_for(simulator), await made_payment(simulator)
        await simulator.faults(payment["order_id"], refund_pending=True)
        headers = {"X-Refund-Idempotency": "survives-a-kill"}
        wish = (payment["id"], {"amount": 500, "receipt": "ref_1"})
        refund = await called(sdk.payment.refund, *wish, headers=headers)
        dispute = await simulator.dispute(payment["id"])
        held = await simulator.pay_late(payment["order_id"], status="authorized")
        await simulator.pay_elsewhere(700)
        before = await simulator.ledger()
        await simulator.restart()
        assert await simulator.ledger() == before
        assert await called(sdk.payment.refund, *wish, headers=headers) == refund
        assert (await simulator.settle_refund(refund["id"]))["status"] == "processed"
        assert (await simulator.settle_dispute(dispute["id"], "won"))["status"] == "won"
        assert (await simulator.release(held["id"]))["status"] == "refunded"


async def test_undelivered_webhooks_survive() -> None:
    async with (
        webhook_receiver() as receiver,
        running_simulator(receiver.url, retry_base=0.5) as simulator,
    ):
        receiver.statuses[:] = [500] * 4
        link = await made_link(simulator)
        await simulator.pay(link["short_url"])
        await receiver.about(order_of(link), 4)
        await simulator.restart()
        webhooks = await receiver.about(order_of(link), 8)
        assert [webhook.event for webhook in webhooks[:4]] == FOUR
        first, second = webhooks[:4], webhooks[4:8]
        assert {w.body for w in first} == {w.body for w in second}
        assert {w.headers["x-razorpay-event-id"] for w in first} == {
            w.headers["x-razorpay-event-id"] for w in second
        }


async def test_webhooks_that_were_not_due_survive() -> None:
    async with webhook_receiver() as receiver, running_simulator(receiver.url) as simulator:
        link = await made_link(simulator)
        await simulator.faults(order_of(link), late_webhook=1)
        await simulator.pay(link["short_url"])
        await simulator.restart()
        webhooks = await receiver.about(order_of(link), 4)
        assert [webhook.event for webhook in webhooks] == FOUR


async def test_a_delayed_payment_survives_and_ignores_that_its_link_was_closed() -> None:
    async with webhook_receiver() as receiver, running_simulator(receiver.url) as simulator:
        link = await made_link(simulator)
        await simulator.pay(link["short_url"], delay=1)
        await called(sdk_for(simulator).payment_link.cancel, link["id"])
        await simulator.restart()
        webhooks = await receiver.about(order_of(link), 4)
        assert [webhook.event for webhook in webhooks] == ["payment_link.cancelled", *FOUR[:3]]


async def test_a_link_expires_while_the_simulator_is_down() -> None:
    async with webhook_receiver() as receiver, running_simulator(receiver.url) as simulator:
        link = await made_link(simulator)
        await simulator.kill()
        with sqlite3.connect(simulator.state) as state:
            state.execute("UPDATE links SET expires_at = ?", (time.time() - 1,))
        state.close()
        await simulator.start()
        (webhook,) = await receiver.about(order_of(link), 1)
        assert webhook.event == "payment_link.expired"
        entity = webhook.json["payload"]["payment_link"]["entity"]
        assert (entity["status"], entity["cancelled_at"]) == ("expired", 0)
        assert entity["expired_at"] >= entity["created_at"]
        with pytest.raises(BadRequestError, match="cannot cancel or expire an expired link"):
            await called(sdk_for(simulator).payment_link.cancel, link["id"])
        assert "<h1>Expired</h1>" in (await simulator.http.get(link["short_url"])).text
