"""Pay: one link for an order, and its outcome afterwards."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from temporalio.api.enums.v1 import EventType

from tests.support.neighbours import Neighbours
from tests.support.ports import free_port
from tests.support.service import Service, running_service
from worker import at_work


async def test_the_link_leads_to_the_gateway(service: Service) -> None:
    order_id = await service.place()
    response = await service.shop.post(f"/orders/{order_id}/checkout")
    assert response.status_code == 200
    answer = response.json()
    [link] = (await service.simulator.ledger(order_id))["links"]
    assert answer["payment_url"] == link["short_url"]
    assert (answer["order_id"], answer["status"]) == (order_id, "awaiting_payment")
    assert (link["amount"], link["currency"]) == (49900, "INR")
    left = datetime.fromisoformat(answer["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=50) < left <= timedelta(seconds=60)


async def test_fifty_clicks_at_once_make_one_link(service_on_both: Service) -> None:
    order_id = await service_on_both.place()
    path = f"/orders/{order_id}/checkout"
    clicks = await asyncio.gather(*(service_on_both.shop.post(path) for _ in range(50)))
    assert {click.status_code for click in clicks} == {200}
    assert len({click.json()["payment_url"] for click in clicks}) == 1
    ledger = await service_on_both.simulator.ledger(order_id)
    assert [link["status"] for link in ledger["links"]] == ["created"]
    # To Temporal they are one as well: it lets only ten that differ wait at once.
    history = await service_on_both.temporal.get_workflow_handle(order_id).fetch_history()
    accepted = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    assert sum(event.event_type == accepted for event in history.events) == 1


async def test_once_it_is_paid_there_is_no_link(service: Service) -> None:
    order_id = await service.paid()
    for _ in range(2):
        answer = await service.shop.post(f"/orders/{order_id}/checkout")
        assert answer.status_code == 200
        nothing = {"payment_url": None, "expires_at": None}
        assert answer.json() == {"order_id": order_id, "status": "paid", **nothing}


async def test_a_canceled_order_gets_no_link(service: Service) -> None:
    order_id = await service.place()
    await service.shop.post(f"/orders/{order_id}/cancel")
    answer = await service.shop.post(f"/orders/{order_id}/checkout")
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert answer.json()["payment_url"] is None
    assert (await service.simulator.ledger(order_id))["links"] == []


async def test_a_gateway_that_is_down_makes_one_come_again(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    async with running_service(neighbours, sqlite_database_url, link_patience=0.3) as service:
        order_id = await service.place()
        await service.simulator.faults(order_id, unavailable_for=0.7)
        early = await service.shop.post(f"/orders/{order_id}/checkout")
        assert early.status_code == 202
        assert int(early.headers["Retry-After"]) > 0
        assert early.json()["status"] in ("created", "awaiting_payment"), "whichever was faster"
        assert early.json()["payment_url"] is None
        while (later := await service.shop.post(f"/orders/{order_id}/checkout")).status_code == 202:
            pass
        assert later.status_code == 200
        [link] = (await service.simulator.ledger(order_id))["links"]
        assert later.json()["payment_url"] == link["short_url"]


async def test_a_lost_answer_of_the_gateway_costs_no_second_link(service: Service) -> None:
    order_id, url = await service.place_and_check_out(lost_create_answer=1)
    [link] = (await service.simulator.ledger(order_id))["links"]
    assert url == link["short_url"]


async def test_a_gateway_that_refuses_the_link_fails_the_order(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    elsewhere = f"{neighbours.simulator.base_url}/elsewhere"
    async with running_service(
        neighbours, sqlite_database_url, razorpay_base_url=elsewhere
    ) as service:
        order_id = await service.place()
        await service.shop.post(f"/orders/{order_id}/checkout")
        assert await service.ends_as(order_id) == "failed"
        answer = await service.shop.post(f"/orders/{order_id}/checkout")
        assert (answer.status_code, answer.json()["status"]) == (200, "failed")
        assert answer.json()["payment_url"] is None
        proof = (await service.order(order_id))["timeline"][-1]["evidence"]
        assert proof["kind"] == "link_refused"


@pytest.mark.parametrize(("window", "end"), [(60, "paid"), (1, "expired")])
async def test_orders_wait_until_our_keys_are_right(
    window: float, end: str, neighbours: Neighbours, sqlite_database_url: str
) -> None:
    patience = {"checkout_window": window, "quiet_delays": (0.5,), "link_patience": 2}
    async with running_service(
        neighbours, sqlite_database_url, worker=False, **patience
    ) as service:
        right = service.settings
        wrong = right.model_copy(update={"razorpay_key_secret": SecretStr("mistyped")})
        order_id = await service.place()
        async with at_work(wrong, service.temporal):
            answer = await service.shop.post(f"/orders/{order_id}/checkout")
            assert (answer.status_code, answer.json()["status"]) == (202, "awaiting_payment")
        async with at_work(right, service.temporal):
            if end == "paid":
                await service.simulator.pay(await service.check_out(order_id))
            assert await service.ends_as(order_id) == end
        links = (await service.simulator.ledger(order_id))["links"]
        assert len(links) == (end == "paid")


async def test_without_temporal_only_the_checkout_waits(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    async with running_service(
        neighbours, sqlite_database_url, worker=False, temporal_address=nobody
    ) as service:
        order_id = await service.place()
        answer = await service.shop.post(f"/orders/{order_id}/checkout")
        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/temporal-unavailable"
        assert int(answer.headers["Retry-After"]) > 0
        assert (await service.order(order_id))["status"] == "created"
        assert (await service.shop.post(f"/orders/{order_id}/cancel")).status_code == 202


async def test_after_the_workflow_was_terminated_by_hand(service: Service) -> None:
    order_id, url = await service.place_and_check_out()
    await service.temporal.get_workflow_handle(order_id).terminate("by hand")
    assert await service.check_out(order_id) == url
    await service.grow_old(order_id)
    assert (await service.sweep()).orders_adopted == 1
    assert await service.ends_as(order_id) == "expired"
    answer = await service.shop.post(f"/orders/{order_id}/checkout")
    assert answer.json()["payment_url"] is None
    [link] = (await service.simulator.ledger(order_id))["links"]
    assert link["status"] == "canceled"


async def test_terminated_by_hand_but_paid(service: Service) -> None:
    order_id, url = await service.place_and_check_out(no_webhook=True)
    await service.temporal.get_workflow_handle(order_id).terminate("by hand")
    await service.simulator.pay(url)
    await service.grow_old(order_id)
    await service.sweep()
    assert await service.ends_as(order_id) == "paid"
    assert await service.mails.about(order_id)
