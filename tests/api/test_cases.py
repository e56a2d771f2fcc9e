"""Money that comes late, twice, wrong or for nobody, on the real service."""

import asyncio
from typing import Any

import httpx

from tests.support.money import kept, until
from tests.support.neighbours import Neighbours
from tests.support.service import Json, Service, running_service

PRICE = 49900


async def canceled(service: Service, sku: str = "coffee-beans") -> str:
    """An order that ended unpaid, its link closed."""
    order_id = await service.place(sku)
    service.told_of.append(order_id)
    await service.check_out(order_id)
    await service.shop.post(f"/orders/{order_id}/cancel")
    assert await service.ends_as(order_id) == "canceled"
    return order_id


async def case_of(service: Service, order_id: str, status: str) -> tuple[Json, Json]:
    """The order and its one case, as soon as that has this status.

    The gateway tells of an authorization first: where that came late, it has a case that is
    settled as soon as the money was captured.
    """

    def about_money(order: Json) -> list[Json]:
        return [case for case in order["cases"] if case["verdict"] != "late_authorization"]

    order = await until(
        lambda: service.order(order_id),
        lambda seen: [case["status"] for case in about_money(seen)] == [status],
    )
    return order, about_money(order)[0]


async def say(service: Service, case_id: str, verdict: str, **more: Any) -> httpx.Response:
    body = {"verdict": verdict, "reason": "agreed on the phone"} | more
    return await service.ops.post(f"/cases/{case_id}", json=body)


async def test_a_late_payment_is_sent_back(service_on_both: Service) -> None:
    order_id = await canceled(service_on_both)
    await service_on_both.simulator.pay_late(order_id)
    order, case = await case_of(service_on_both, order_id, "settled")
    assert (order["status"], case["verdict"]) == ("canceled", "late_capture")
    assert case["outcome"] == "refunded"
    assert order["refunds"][0]["refund_id"] == case["refund_id"]
    assert await kept(service_on_both.simulator, order_id) == 0


async def test_a_late_payment_of_a_bill_is_honoured(service: Service) -> None:
    order_id = await canceled(service, "electricity-bill")
    await service.simulator.pay_late(order_id)
    order, case = await case_of(service, order_id, "settled")
    assert (order["status"], order["late_capture"]) == ("paid", True)
    assert (case["outcome"], order["refunds"]) == ("honoured", [])
    assert len(await service.mails.about(order_id)) == 1


async def test_a_second_payment_is_sent_back_and_the_order_stays_paid(service: Service) -> None:
    order_id = await service.paid()
    await service.simulator.pay_late(order_id)
    order, case = await case_of(service, order_id, "settled")
    assert (order["status"], case["verdict"]) == ("paid", "duplicate_payment")
    assert await kept(service.simulator, order_id) == PRICE


async def test_what_was_authorized_and_given_back_leaves_nothing(service: Service) -> None:
    order_id = await service.place()
    service.told_of.append(order_id)
    url = await service.check_out(order_id)
    await service.simulator.pay(url, outcome="authorized")
    await service.shop.post(f"/orders/{order_id}/cancel")
    (payment,) = (await service.simulator.ledger(order_id))["payments"]
    await service.simulator.release(payment["id"])
    assert await service.ends_as(order_id) == "canceled"
    assert await kept(service.simulator, order_id) == 0


async def test_an_operator_s_word_is_taken_once(service_on_both: Service) -> None:
    service = service_on_both
    order_id, url = await service.place_and_check_out(wrong_amount=100)
    await service.simulator.pay(url)
    assert await service.ends_as(order_id) == "needs_review"
    _, case = await case_of(service, order_id, "waiting")
    waiting = (await service.ops.get("/cases", params={"status": "waiting"})).json()
    assert case["case_id"] in [each["case_id"] for each in waiting]
    answers = await asyncio.gather(*(say(service, case["case_id"], "honour") for _ in range(10)))
    assert sorted({answer.status_code for answer in answers}) in ([200], [200, 409])
    order, case = await case_of(service, order_id, "settled")
    assert (order["status"], case["decided_by"]) == ("paid", "ops")
    assert case["reason"] == "agreed on the phone"
    late = await say(service, case["case_id"], "refund")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/word-not-wanted")
    assert await kept(service.simulator, order_id) == 100


async def test_wrong_money_that_is_sent_back_ends_the_order(service: Service) -> None:
    order_id, url = await service.place_and_check_out(wrong_amount=PRICE + 500)
    await service.simulator.pay(url)
    _, case = await case_of(service, order_id, "waiting")
    assert (await say(service, case["case_id"], "refund")).status_code == 200
    order, _ = await case_of(service, order_id, "settled")
    assert order["status"] == "canceled"
    assert await kept(service.simulator, order_id) == 0


async def test_who_may_not_decide_and_what_is_no_word(service: Service) -> None:
    order_id, url = await service.place_and_check_out(wrong_amount=100)
    await service.simulator.pay(url)
    _, case = await case_of(service, order_id, "waiting")
    path, word = f"/cases/{case['case_id']}", {"verdict": "dismiss", "reason": "x"}
    assert (await service.shop.post(path, json=word)).status_code == 403
    assert (await service.ops.post("/cases/case_none", json=word)).status_code == 404
    for bad in ({"verdict": "dismiss"}, {"verdict": "keep", "reason": "x"}, word | {"reason": ""}):
        assert (await service.ops.post(path, json=bad)).status_code == 422
    assert (await say(service, case["case_id"], "dismiss")).status_code == 200
    order, case = await case_of(service, order_id, "settled")
    assert (order["status"], case["outcome"]) == ("failed", "dismissed")


async def test_past_the_budget_cases_wait(neighbours: Neighbours, sqlite_database_url: str) -> None:
    async with running_service(neighbours, sqlite_database_url, refund_budget_count=0) as service:
        order_id = await canceled(service)
        await service.simulator.pay_late(order_id)
        _, case = await case_of(service, order_id, "waiting")
        assert "budget" in case["why"]
        assert await kept(service.simulator, order_id) == PRICE
        assert (await say(service, case["case_id"], "refund")).status_code == 200
        await case_of(service, order_id, "settled")
        assert await kept(service.simulator, order_id) == 0


async def test_a_repair_that_was_ended_by_hand_is_taken_up_again(service: Service) -> None:
    order_id, url = await service.place_and_check_out(wrong_amount=100)
    await service.simulator.pay(url)
    _, case = await case_of(service, order_id, "waiting")
    await service.temporal.get_workflow_handle(f"repair-{order_id}").terminate("lost")
    assert (await say(service, case["case_id"], "refund")).status_code == 200
    await case_of(service, order_id, "settled")
    assert await kept(service.simulator, order_id) == 0
