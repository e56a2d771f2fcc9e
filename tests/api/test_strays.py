"""Money that is nobody's, lost or late, and repairs ended by hand, on the real service."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.money import kept, until
from tests.support.neighbours import Neighbours
from tests.support.service import Json, Service, new_key, running_service

PRICE = 49900
NOBODY = f"ord_{'z' * 26}"


@pytest.fixture
async def prompt(neighbours: Neighbours, sqlite_database_url: str) -> AsyncIterator[Service]:
    """A service that waits for nothing longer than it must."""
    patience: dict[str, Any] = {"refund_first_look": 0.2, "refund_slowest_look": 1}
    window: dict[str, Any] = {"checkout_window": 1.5, "quiet_delays": (1,)}
    async with running_service(
        neighbours, sqlite_database_url, unknown_order_after=0.1, **patience | window
    ) as service:
        yield service


async def became(service: Service, order_id: str, **wanted: Any) -> Json:
    """The order, once its status is this, or the statuses of its refunds, cases, disputes are.

    The gateway may tell of an authorization first: what becomes of that is not looked at.
    """

    async def look() -> Json:
        order = await service.order(order_id)
        cases = [case for case in order["cases"] if case["verdict"] != "late_authorization"]
        return order | {"cases": cases}

    def seen(order: Json) -> bool:
        parts = {name: order[name] for name in wanted}
        return wanted == {
            name: part if isinstance(part, str) else [each["status"] for each in part]
            for name, part in parts.items()
        }

    return await until(look, seen)


async def refund(service: Service, order_id: str) -> str:
    answer = await service.ops.post(
        f"/orders/{order_id}/refunds", json={"reason": "it broke"}, headers=new_key()
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["refund_id"])


async def decided(service: Service, case_id: str, verdict: str) -> Json:
    body = {"verdict": verdict, "reason": "agreed on the phone"}
    answer = await service.ops.post(f"/cases/{case_id}", json=body)
    assert answer.status_code == 200, answer.text
    case: Json = answer.json()
    return case


async def case_about(service: Service, payment_id: str) -> Json | None:
    cases = (await service.ops.get("/cases", params={"limit": 500})).json()
    return next((case for case in cases if case["gateway_reference"] == payment_id), None)


async def notices(service: Service, order_id: str) -> set[str]:
    """The Message-IDs of what the customer was told, but for the confirmation."""
    told = {str(mail["Message-ID"]) for mail in service.mails.so_far(order_id)}
    return {message_id for message_id in told if "refund" in message_id}


@pytest.mark.parametrize(("verdict", "left"), [("refund", 0), ("dismiss", 7700)])
async def test_money_of_nobody_waits_for_an_operator(
    verdict: str, left: int, prompt: Service
) -> None:
    stray = await prompt.simulator.pay_elsewhere(7700, order_id=NOBODY)

    async def swept() -> Json | None:
        await prompt.sweep()
        return await case_about(prompt, stray["id"])

    case = await until(swept, lambda seen: bool(seen and seen["status"] == "waiting"))
    assert case
    assert (case["verdict"], case["order_id"]) == ("unknown_order", None)
    await decided(prompt, case["case_id"], verdict)
    await until(
        lambda: case_about(prompt, stray["id"]),
        lambda seen: bool(seen and seen["status"] == "settled"),
    )
    ledger = await prompt.simulator.ledger()
    back = [r["amount"] for r in ledger["refunds"] if r["payment_id"] == stray["id"]]
    assert 7700 - sum(back) == left
    assert len(back) <= 1


async def test_a_dispute_that_is_lost_leaves_nothing_to_refund(service: Service) -> None:
    order_id = await service.paid()
    (payment,) = (await service.simulator.ledger(order_id))["payments"]
    dispute = await service.simulator.dispute(payment["id"])
    await became(service, order_id, disputes=["open"])
    await service.simulator.settle_dispute(dispute["id"], "lost")
    order = await became(service, order_id, disputes=["lost"])
    assert order["status"] == "paid", "a dispute is shown, and changes nothing silently"
    answer = await service.ops.post(
        f"/orders/{order_id}/refunds", json={"reason": "again"}, headers=new_key()
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/refund-refused")
    assert (await service.simulator.ledger(order_id))["refunds"] == []


@pytest.mark.parametrize("fault", [{"refund_fails": True}, {"refund_refused": "balance"}], ids=str)
async def test_a_refund_that_comes_to_nothing_is_shown_and_may_be_repeated(
    fault: Json, service: Service
) -> None:
    order_id = await service.paid()
    await service.simulator.faults(order_id, **fault)
    await refund(service, order_id)
    order = await became(service, order_id, refunds=["failed"])
    assert order["status"] == "paid"
    assert await kept(service.simulator, order_id) == PRICE
    await service.simulator.faults(order_id)
    again = await refund(service, order_id)
    order = await became(service, order_id, status="refunded")
    assert await kept(service.simulator, order_id) == 0
    run = service.temporal.get_workflow_handle(again)
    await run.result()
    assert len(await notices(service, order_id)) == 1, "only what succeeded is told"


async def test_a_refund_is_told_once_however_often_it_is_heard_of(service: Service) -> None:
    order_id = await service.paid(duplicate_webhooks=3)
    refund_id = await refund(service, order_id)
    await became(service, order_id, status="refunded")
    await service.hear_out()
    await service.temporal.get_workflow_handle(refund_id).result()
    mails = [mail["Message-ID"] for mail in service.mails.so_far(order_id)]
    assert len([each for each in mails if "refund" in each]) == 1


async def test_money_after_the_window_is_sent_back(prompt: Service) -> None:
    order_id, _ = await prompt.place_and_check_out()
    assert await prompt.ends_as(order_id) == "expired"
    await prompt.simulator.pay_late(order_id)
    order = await became(prompt, order_id, cases=["settled"])
    case = order["cases"][0]
    assert (case["verdict"], case["outcome"]) == ("late_capture", "refunded")
    assert order["status"] == "expired"
    assert await kept(prompt.simulator, order_id) == 0


async def test_a_bill_paid_after_the_window_is_honoured(prompt: Service) -> None:
    order_id = await prompt.place("electricity-bill")
    prompt.told_of.append(order_id)
    await prompt.check_out(order_id)
    assert await prompt.ends_as(order_id) == "expired"
    await prompt.simulator.pay_late(order_id)
    order = await became(prompt, order_id, status="paid")
    assert order["late_capture"] is True
    assert len(await prompt.mails.about(order_id)) == 1


async def test_the_sweep_alone_takes_up_a_repair_that_was_ended(prompt: Service) -> None:
    """The money was on its way when somebody terminated the repair; nobody says a word more."""
    order_id, _ = await prompt.place_and_check_out()
    assert await prompt.ends_as(order_id) == "expired"
    await prompt.simulator.faults(order_id, refund_pending=True)
    await prompt.simulator.pay_late(order_id)
    order = await became(prompt, order_id, refunds=["pending"])
    await prompt.hear_out()
    await prompt.simulator.faults(order_id, no_webhook=True)
    repair = prompt.temporal.get_workflow_handle(f"repair-{order_id}")
    await repair.terminate("by hand")
    (made,) = (await prompt.simulator.ledger(order_id))["refunds"]
    await prompt.simulator.settle_refund(made["id"])
    await became(prompt, order_id, refunds=["succeeded"])
    await became(prompt, order_id, cases=["open"])
    await prompt.grow_old(order_id)
    assert (await prompt.sweep()).cases_adopted == 1
    order = await became(prompt, order_id, cases=["settled"])
    assert order["cases"][0]["outcome"] == "refunded"
    assert len((await prompt.simulator.ledger(order_id))["refunds"]) == 1
    assert len(await notices(prompt, order_id)) == 1


async def test_an_automatic_refund_that_is_taken_back_waits_for_an_operator(
    prompt: Service,
) -> None:
    """The money is here again, though its case was settled: it is nobody's until a word is said."""
    order_id, _ = await prompt.place_and_check_out()
    assert await prompt.ends_as(order_id) == "expired"
    await prompt.simulator.pay_late(order_id)
    await became(prompt, order_id, cases=["settled"], refunds=["succeeded"])
    (made,) = (await prompt.simulator.ledger(order_id))["refunds"]
    await prompt.simulator.settle_refund(made["id"], "failed")
    order = await became(prompt, order_id, cases=["waiting"], refunds=["failed"])
    (case,) = order["cases"]
    assert "taken back" in case["why"]
    await decided(prompt, case["case_id"], "refund")
    await became(prompt, order_id, cases=["settled"], refunds=["failed", "succeeded"])
    assert await kept(prompt.simulator, order_id) == 0
