"""What Razorpay's API refuses, in the wordings it documents."""

import time
from typing import Any

import httpx
import pytest

from tests.simulator.helpers import NewLink, link_body
from tests.support.simulator import Simulator

DAY = 24 * 3600


@pytest.mark.parametrize(
    ("wrong", "description"),
    [
        ({"amount": None}, "The amount field is required"),
        ({"amount": "49900"}, "The amount must be an integer."),
        ({"amount": 499.0}, "The amount must be an integer."),
        ({"amount": True}, "The amount must be an integer."),
        ({"amount": 99}, "amount must be at least INR 1.00"),
        ({"amount": 0, "currency": "JPY"}, "The amount must be at least 1."),
        ({"amount": 295991, "currency": "KWD"}, "last digit of a three decimal amount must be 0"),
        ({"currency": "XXX"}, "Currency is not supported"),
        ({"reference_id": "r" * 41}, "reference_id: the length must be no more than 40."),
        ({"description": "d" * 2049}, "description: the length must be no more than 2048."),
        ({"callback_method": "post"}, "callback_method: must be a valid value."),
        ({"callback_method": None}, "callback_method: must be a valid value."),
        ({"callback_url": "/callback"}, "callback_url: invalid URL."),
        ({"notes": {"key": "v" * 256}}, "value: the length must not be greater than 255."),
        ({"notes": {str(n): "v" for n in range(16)}}, "notes: the length must be no more than 15."),
        ({"notes": "a note"}, "notes: must be an object."),
        ({"customer": "Gaurav"}, "customer: must be a valid value."),
        ({"reminder_enable": "no"}, "reminder_enable: must be a valid value."),
        ({"upi_link": True}, "UPI Payment Links is not supported in Test Mode."),
        ({"upi_link": True, "currency": "USD"}, "upi is currently supported only in indian"),
        ({"upi_link": True, "accept_partial": True}, "partial payment not supported in upi link"),
        ({"accept_partial": True}, "partial payments are not simulated"),
        ({"order_id": "ord_1"}, "wrong input fields sent."),
    ],
)
async def test_a_bad_link_is_refused(
    api: httpx.AsyncClient, wrong: dict[str, Any], description: str
) -> None:
    response = await api.post("/payment_links", json=link_body() | wrong)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "BAD_REQUEST_ERROR"
    assert description in error["description"]


@pytest.mark.parametrize(
    ("ahead", "accepted"),
    [(900, False), (905, True), (183 * DAY, True), (185 * DAY, False), (-1, False)],
)
async def test_a_link_lives_from_15_minutes_to_6_months(
    api: httpx.AsyncClient, ahead: int, accepted: bool
) -> None:
    body = link_body(expire_by=int(time.time()) + ahead)
    response = await api.post("/payment_links", json=body)
    assert (response.status_code == 200) == accepted
    if 0 < ahead <= 900:
        description = response.json()["error"]["description"]
        assert description == "timestamp must be atleast 15 minutes in future"


async def test_a_reference_is_used_once(api: httpx.AsyncClient, new_link: NewLink) -> None:
    link = await new_link()
    again = link_body(reference_id=link["reference_id"])
    response = await api.post("/payment_links", json=again)
    assert response.status_code == 400
    assert response.json() == {
        "error": {
            "code": "BAD_REQUEST_ERROR",
            "description": "payment link creation with reference ID already attempted",
            "field": "reference_id",
            "source": "business",
            "step": "payment_initiation",
            "reason": "input_validation_failed",
            "metadata": [],
        }
    }


async def test_two_links_may_both_lack_a_reference(new_link: NewLink) -> None:
    first, second = await new_link(reference_id=""), await new_link(reference_id=None)
    assert first["id"] != second["id"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"text"', b"\xff"])
async def test_a_body_that_is_no_object_is_refused(api: httpx.AsyncClient, content: bytes) -> None:
    response = await api.post("/payment_links", content=content)
    assert response.status_code == 400
    assert response.json()["error"]["description"] == "wrong input fields sent."


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/payment_links/plink_00000000000000"),
        ("POST", "/payment_links/plink_00000000000000/cancel"),
        ("GET", "/orders/order_00000000000000"),
        ("GET", "/orders/order_00000000000000/payments"),
        ("GET", "/payments/pay_00000000000000"),
    ],
)
async def test_an_unknown_id_is_400_not_404(api: httpx.AsyncClient, method: str, path: str) -> None:
    response = await api.request(method, path)
    assert response.status_code == 400
    assert response.json()["error"]["description"] == "The id provided does not exist"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("DELETE", "/payment_links/x"), ("PUT", "/orders/x")]
)
async def test_an_unknown_url_is_400_too(api: httpx.AsyncClient, method: str, path: str) -> None:
    response = await api.request(method, path)
    assert response.status_code == 400
    description = response.json()["error"]["description"]
    assert description == "The requested URL was not found on the server."


async def test_a_trailing_slash_is_the_same_address(api: httpx.AsyncClient) -> None:
    assert (await api.post("/payment_links/", json=link_body())).status_code == 200


@pytest.mark.parametrize(
    ("header", "description"),
    [
        ("", "Please provide your api key for authentication purposes."),
        ("Bearer abc", "Please provide your api key for authentication purposes."),
        ("basic cnpwOng=", "Please provide your api key for authentication purposes."),
        ("Basic !!!", "The api key provided is invalid"),
        ("Basic cnpwOng=", "The api key provided is invalid"),
        ("Basic cnpwX3Rlc3Rfc2ltdWxhdG9yOng=", "The api secret provided is invalid"),
    ],
)
async def test_bad_credentials_are_401(simulator: Simulator, header: str, description: str) -> None:
    headers = {"Authorization": header}
    response = await simulator.http.get("/v1/payment_links", headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["description"] == description
