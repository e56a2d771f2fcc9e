"""Refunds over HTTP, on the real service: what goes back, once, and what may not."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.money import kept, until
from tests.support.service import Json, Service

PRICE = 49900


async def refund(service: Service, order_id: str, key: str = "1", **body: Any) -> httpx.Response:
    """An operator's call; the reason is given unless the test says otherwise."""
    return await service.ops.post(
        f"/orders/{order_id}/refunds",
        json={"reason": "it was broken"} | body,
        headers={"Idempotency-Key": f"{order_id}-{key}"},
    )


async def became(service: Service, order_id: str, status: str) -> Json:
    """The order, as soon as it has this status."""
    return await until(
        lambda: service.order(order_id), lambda order: bool(order["status"] == status)
    )


async def test_the_whole_payment_goes_back(service_on_both: Service) -> None:
    order_id = await service_on_both.paid()
    answer = await refund(service_on_both, order_id)
    assert answer.status_code == 202
    order = await became(service_on_both, order_id, "refunded")
    (shown,) = order["refunds"]
    assert shown["refund_id"] == answer.json()["refund_id"]
    assert (shown["status"], shown["amount"], shown["actor"]) == ("succeeded", PRICE, "ops")
    assert shown["reason"] == "it was broken"
    assert await kept(service_on_both.simulator, order_id) == 0
    mails = await until(
        lambda: service_on_both.mails.about(order_id), lambda found: len(found) == 2
    )
    assert len({mail["Message-ID"] for mail in mails}) == 2


async def test_two_refunds_of_one_amount_are_two_and_one_request_is_one(service: Service) -> None:
    order_id = await service.paid()
    calls = [refund(service, order_id, key, amount=10000) for key in ["a"] * 10 + ["b"] * 10]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["refund_id"] for answer in answers}) == 2
    await until(
        lambda: service.simulator.ledger(order_id), lambda ledger: len(ledger["refunds"]) == 2
    )
    order = await became(service, order_id, "partially_refunded")
    assert [each["amount"] for each in order["refunds"]] == [10000, 10000]


async def test_operators_at_once_never_pass_what_was_captured(service_on_both: Service) -> None:
    order_id = await service_on_both.paid()
    calls = [refund(service_on_both, order_id, str(n), amount=20000) for n in range(6)]
    answers = await asyncio.gather(*calls)
    assert sorted(answer.status_code for answer in answers) == [202, 202, 409, 409, 409, 409]
    await became(service_on_both, order_id, "partially_refunded")
    assert await kept(service_on_both.simulator, order_id) >= PRICE - 40000


async def test_an_answer_that_was_lost_is_looked_up(service: Service) -> None:
    order_id = await service.paid()
    await service.simulator.faults(order_id, lost_refund_answer=1)
    await refund(service, order_id)
    await became(service, order_id, "refunded")
    assert len((await service.simulator.ledger(order_id))["refunds"]) == 1


async def test_a_success_that_is_taken_back_moves_the_order_back(service: Service) -> None:
    order_id = await service.paid()
    await service.simulator.faults(order_id, refund_pending=True)
    answer = await refund(service, order_id)
    (made,) = (
        await until(
            lambda: service.simulator.ledger(order_id), lambda ledger: bool(ledger["refunds"])
        )
    )["refunds"]
    await service.simulator.settle_refund(made["id"], "processed")
    await became(service, order_id, "refunded")
    await service.simulator.settle_refund(made["id"], "failed")
    order = await became(service, order_id, "paid")
    assert order["refunds"][0]["status"] == "failed"
    shown = await service.shop.get(f"/refunds/{answer.json()['refund_id']}")
    assert shown.json()["status"] == "failed"


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"amount": 0}, 422, "invalid-request"),
        ({"amount": 1.5}, 422, "invalid-request"),
        ({"reason": ""}, 422, "invalid-request"),
        ({"amount": PRICE + 1}, 409, "refund-refused"),
        ({"amount": 100, "currency": "USD"}, 409, "refund-refused"),
    ],
    ids=repr,
)
async def test_what_may_not_be_refunded(
    service: Service, body: Json, status: int, kind: str
) -> None:
    order_id = await service.paid()
    answer = await refund(service, order_id, **body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert (await service.order(order_id))["refunds"] == []


async def test_who_may_not_refund_and_whose_refunds_are_not_shown(service: Service) -> None:
    order_id = await service.paid()
    path, body = f"/orders/{order_id}/refunds", {"reason": "mine"}
    by_client = await service.shop.post(path, json=body, headers={"Idempotency-Key": "k"})
    assert by_client.status_code == 403
    made = (await refund(service, order_id)).json()["refund_id"]
    assert (await service.other.get(f"/refunds/{made}")).status_code == 404
    assert (await refund(service, order_id, amount=1)).status_code == 422, "the key was used"
    unpaid = await service.place()
    assert (await refund(service, unpaid)).status_code == 409


async def test_a_disputed_payment_is_not_refunded(service: Service) -> None:
    order_id = await service.paid()
    (payment,) = (await service.simulator.ledger(order_id))["payments"]
    dispute = await service.simulator.dispute(payment["id"])
    await until(lambda: service.order(order_id), lambda order: bool(order["disputes"]))
    answer = await refund(service, order_id)
    assert answer.status_code == 409
    assert "dispute" in answer.json()["detail"]
    await service.simulator.settle_dispute(dispute["id"], "won")
    order = await until(
        lambda: service.order(order_id), lambda order: order["disputes"][0]["status"] == "won"
    )
    assert order["status"] == "paid"
