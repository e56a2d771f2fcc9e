"""Refunds through the official SDK: whole, in parts, once per key, and what is refused."""

import asyncio
from typing import Any

import httpx
import pytest
import razorpay
from razorpay.errors import BadRequestError

from tests.simulator.helpers import Json, NewPayment, called, numbers
from tests.support.simulator import Simulator

HEADER = "X-Refund-Idempotency"


def new_key() -> str:
    return f"refund_key-{next(numbers)}"


async def refunded(
    sdk: razorpay.Client, payment: Json, key: str | None = None, **body: Any
) -> Json:
    headers = {HEADER: key or new_key()}
    return await called(sdk.payment.refund, payment["id"], body, headers=headers)


async def test_a_whole_refund(
    new_payment: NewPayment, sdk: razorpay.Client, simulator: Simulator
) -> None:
    payment = await new_payment()
    notes = {"why": "a broken mug"}
    refund = await refunded(sdk, payment, receipt="ref_1", notes=notes)
    created_at = refund.pop("created_at")
    assert created_at > 0
    assert refund.pop("id").startswith("rfnd_")
    assert refund == {
        "entity": "refund",
        "amount": 49900,
        "currency": "INR",
        "payment_id": payment["id"],
        "notes": notes,
        "receipt": "ref_1",
        "acquirer_data": {"arn": None},
        "batch_id": None,
        "status": "processed",
        "speed_processed": "normal",
        "speed_requested": "normal",
    }
    fetched = await called(sdk.payment.fetch, payment["id"])
    assert (fetched["status"], fetched["refund_status"]) == ("refunded", "full")
    assert (fetched["amount_refunded"], fetched["captured"]) == (49900, True)
    order = await called(sdk.order.fetch, fetched["order_id"])
    assert (order["status"], order["amount_paid"]) == ("paid", 49900)


async def test_refunds_in_parts(new_payment: NewPayment, sdk: razorpay.Client) -> None:
    payment = await new_payment()
    first = await refunded(sdk, payment, amount=10000, speed="optimum")
    assert (first["speed_requested"], first["speed_processed"]) == ("optimum", "instant")
    same_again = await refunded(sdk, payment, amount=10000)
    assert same_again["id"] != first["id"]
    fetched = await called(sdk.payment.fetch, payment["id"])
    assert (fetched["status"], fetched["refund_status"]) == ("captured", "partial")
    assert fetched["amount_refunded"] == 20000
    rest = await refunded(sdk, payment)
    assert rest["amount"] == 29900
    assert (await called(sdk.payment.fetch, payment["id"]))["status"] == "refunded"


async def test_refunds_are_looked_up(new_payment: NewPayment, sdk: razorpay.Client) -> None:
    payment, other = await new_payment(), await new_payment()
    made = [await refunded(sdk, payment, amount=amount) for amount in (100, 200)]
    stranger = await refunded(sdk, other)
    assert await called(sdk.refund.fetch, made[0]["id"]) == made[0]
    found = await called(sdk.payment.fetch_multiple_refund, payment["id"])
    assert found == {"entity": "collection", "count": 2, "items": made[::-1]}
    its = await called(sdk.payment.fetch_refund_id, payment["id"], made[1]["id"])
    assert its == made[1]
    with pytest.raises(BadRequestError, match="The id provided does not exist"):
        await called(sdk.payment.fetch_refund_id, payment["id"], stranger["id"])
    latest = await called(sdk.refund.all, {"count": 2, "skip": 1})
    assert latest["items"] == made[::-1]
    since = {"from": made[0]["created_at"], "to": made[0]["created_at"], "count": 100}
    assert made[0] in (await called(sdk.refund.all, since))["items"]
    assert (await called(sdk.refund.all, {"to": 1_600_000_000}))["items"] == []


@pytest.mark.parametrize(
    ("query", "description"),
    [
        ({"count": 101}, "The count may not be greater than 100."),
        ({"count": 0}, "The count must be at least 1."),
        ({"skip": "x"}, "The skip must be an integer."),
        ({"from": -1}, "The from must be an integer."),
    ],
)
async def test_a_wrong_page_is_refused(
    api: httpx.AsyncClient, query: dict[str, Any], description: str
) -> None:
    response = await api.get("/refunds", params=query)
    assert response.status_code == 400
    assert response.json()["error"]["description"] == description


async def test_the_same_key_makes_one_refund(new_payment: NewPayment, sdk: razorpay.Client) -> None:
    payment, key = await new_payment(), new_key()
    first = await refunded(sdk, payment, key, amount=100, receipt="once")
    assert await refunded(sdk, payment, key, amount=100, receipt="once") == first
    fetched = await called(sdk.payment.fetch, payment["id"])
    assert fetched["amount_refunded"] == 100


async def test_a_key_with_another_body_is_a_conflict(
    new_payment: NewPayment, api: httpx.AsyncClient
) -> None:
    payment, other = await new_payment(), await new_payment()
    headers = {HEADER: new_key()}
    path = f"/payments/{payment['id']}/refund"
    await api.post(path, json={"amount": 100}, headers=headers)
    for where, body in (
        (path, {"amount": 101}),
        (f"/payments/{other['id']}/refund", {"amount": 100}),
    ):
        response = await api.post(where, json=body, headers=headers)
        assert response.status_code == 409
        error = response.json()["error"]
        assert error["code"] == "BAD_REQUEST_ERROR"
        assert error["description"] == (
            "Different request with the same idempotency key has already been processed."
        )


async def test_a_key_in_progress_is_a_conflict(
    new_payment: NewPayment, api: httpx.AsyncClient, simulator: Simulator
) -> None:
    payment = await new_payment()
    await simulator.faults(payment["order_id"], slow=0.5)
    path, headers = f"/payments/{payment['id']}/refund", {HEADER: new_key()}
    tries = [api.post(path, json={"amount": 100}, headers=headers) for _ in range(3)]
    others = [api.post(path, json={"amount": 100}) for _ in range(2)]
    responses = await asyncio.gather(*tries, *others)
    assert sorted(response.status_code for response in responses[:3]) == [200, 409, 409]
    assert [response.status_code for response in responses[3:]] == [200, 200]
    (refused, _) = [response for response in responses if response.status_code == 409]
    assert refused.json()["error"]["description"] == (
        "Another request with the same idempotency key is still in progress."
    )
    again = await api.post(path, json={"amount": 100}, headers=headers)
    assert again.status_code == 200
    assert len((await simulator.ledger(payment["order_id"]))["refunds"]) == 3


@pytest.mark.parametrize(
    ("key", "description"),
    [
        ("ninechars", "The idempotency key must be at least 10 characters long."),
        ("ten chars!", "The idempotency key must only contain alphanumeric characters,"),
    ],
)
async def test_a_bad_key_is_refused(
    new_payment: NewPayment, api: httpx.AsyncClient, key: str, description: str
) -> None:
    payment = await new_payment()
    response = await api.post(f"/payments/{payment['id']}/refund", headers={HEADER: key})
    assert response.status_code == 400
    assert response.json()["error"]["description"].startswith(description)


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({"amount": 49901}, "The refund amount provided is greater than amount captured."),
        ({"amount": 99}, "The amount must be at least INR 1.00"),
        ({"amount": 0}, "The amount must be at least INR 1.00"),
        ({"amount": 100.5}, "The amount must be an integer."),
        ({"amount": "100"}, "The amount must be an integer."),
        ({"speed": "fast"}, "speed: must be a valid value."),
        ({"receipt": 7}, "receipt: must be a string."),
        ({"notes": {str(n): "v" for n in range(16)}}, "notes: the length must be no more than 15."),
        ({"reason": "x", "currency": "INR"}, "currency, reason is/are not required and should not"),
        ([], "invalid request sent"),
    ],
)
async def test_a_bad_refund_is_refused(
    new_payment: NewPayment,
    api: httpx.AsyncClient,
    simulator: Simulator,
    body: Any,
    description: str,
) -> None:
    payment = await new_payment()
    response = await api.post(f"/payments/{payment['id']}/refund", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["description"].startswith(description)
    assert (await simulator.ledger(payment["order_id"]))["refunds"] == []


async def test_no_more_than_is_left(new_payment: NewPayment, sdk: razorpay.Client) -> None:
    payment = await new_payment()
    await refunded(sdk, payment, amount=49000)
    with pytest.raises(BadRequestError, match="greater than amount captured"):
        await refunded(sdk, payment, amount=901)
    await refunded(sdk, payment, amount=900)
    with pytest.raises(BadRequestError, match="fully refunded already"):
        await refunded(sdk, payment)
    with pytest.raises(BadRequestError, match="fully refunded already"):
        await refunded(sdk, payment, amount=100)


async def test_yen_have_no_smallest_refund_but_one(
    new_payment: NewPayment, sdk: razorpay.Client
) -> None:
    payment = await new_payment(amount=1800, currency="JPY")
    assert (await refunded(sdk, payment, amount=1))["currency"] == "JPY"
    with pytest.raises(BadRequestError, match="at least 1"):
        await refunded(sdk, payment, amount=0)


async def test_a_receipt_is_used_once_per_payment(
    new_payment: NewPayment, sdk: razorpay.Client
) -> None:
    payment, other = await new_payment(), await new_payment()
    await refunded(sdk, payment, amount=100, receipt="ref_7")
    with pytest.raises(BadRequestError, match="Duplicate receipt"):
        await refunded(sdk, payment, amount=100, receipt="ref_7")
    await refunded(sdk, other, amount=100, receipt="ref_7")


@pytest.mark.parametrize("outcome", ["failure", "pending", "authorized"])
async def test_what_was_not_captured_is_not_refunded(
    new_payment: NewPayment, sdk: razorpay.Client, outcome: str
) -> None:
    payment = await new_payment(outcome=outcome)
    with pytest.raises(BadRequestError, match="The payment status should be captured"):
        await refunded(sdk, payment)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/payments/pay_00000000000000/refund"),
        ("GET", "/payments/pay_00000000000000/refunds"),
        ("GET", "/payments/pay_00000000000000/refunds/rfnd_00000000000000"),
        ("GET", "/refunds/rfnd_00000000000000"),
    ],
)
async def test_an_unknown_id_is_refused(api: httpx.AsyncClient, method: str, path: str) -> None:
    response = await api.request(method, path)
    assert response.status_code == 400
    assert response.json()["error"]["description"] == "The id provided does not exist"
