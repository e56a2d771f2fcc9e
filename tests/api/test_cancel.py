"""Calling an order off, at every moment."""

from tests.support.service import Json, Service


async def cancel(service: Service, order_id: str) -> Json:
    response = await service.shop.post(f"/orders/{order_id}/cancel")
    assert response.status_code == 202
    answer: Json = response.json()
    return answer


async def test_before_the_click_on_pay(api_on_both: Service) -> None:
    order_id = await api_on_both.place()
    for _ in range(2):
        answer = await cancel(api_on_both, order_id)
        assert answer == {"order_id": order_id, "status": "canceled"}
    last = (await api_on_both.order(order_id))["timeline"][-1]
    assert (last["actor"], last["evidence"]["kind"]) == ("shop", "no_link")


async def test_while_payment_is_awaited(service: Service) -> None:
    order_id, _ = await service.place_and_check_out()
    for _ in range(2):
        assert (await cancel(service, order_id))["status"] in ("awaiting_payment", "canceled")
    assert await service.ends_as(order_id) == "canceled"
    assert (await cancel(service, order_id))["status"] == "canceled"
    [link] = (await service.simulator.ledger(order_id))["links"]
    assert link["status"] == "canceled"
    timeline = [entry["event"] for entry in (await service.order(order_id))["timeline"]]
    assert timeline == ["placed", "checkout_started", "cancel_requested", "concluded"]


async def test_a_payment_that_wins_the_race_counts(service: Service) -> None:
    order_id, url = await service.place_and_check_out(no_webhook=True, no_callback=True)
    await service.simulator.pay(url)
    await cancel(service, order_id)
    assert await service.ends_as(order_id) == "paid"


async def test_a_pending_payment_is_waited_for(service: Service) -> None:
    order_id, url = await service.place_and_check_out(no_callback=True)
    await service.simulator.pay(url, outcome="pending", method="netbanking")
    await cancel(service, order_id)
    [payment] = (await service.simulator.ledger(order_id))["payments"]
    assert (await service.order(order_id))["status"] == "awaiting_payment"
    await service.simulator.settle(payment["id"])
    assert await service.ends_as(order_id) == "paid"


async def test_a_paid_order_stays_paid(service: Service) -> None:
    order_id = await service.paid()
    assert (await cancel(service, order_id))["status"] == "paid"
    assert (await service.order(order_id))["status"] == "paid"


async def test_after_the_workflow_was_terminated_by_hand(service: Service) -> None:
    order_id, _ = await service.place_and_check_out()
    await service.temporal.get_workflow_handle(order_id).terminate("by hand")
    assert (await cancel(service, order_id))["status"] == "awaiting_payment"
    await service.grow_old(order_id)
    await service.sweep()
    assert await service.ends_as(order_id) == "canceled"
