"""What POST /orders refuses: each with the status of the contract, and nothing written."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import SQLModel, func, select

from db.catalogue import CatalogueStore
from db.engine import Database
from domain.money import Money
from domain.orders import LatePolicy, Product
from tests.support.service import Json, Service, an_order, new_key

CARD = "4111111111111111"
MEBIBYTE = 1024 * 1024


async def rows(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    async with database.read() as session:
        tables = SQLModel.metadata.sorted_tables
        return {
            t.name: (await session.exec(select(func.count()).select_from(t))).one() for t in tables
        }


@pytest.fixture
async def api(lasting_api: Service) -> AsyncIterator[Service]:
    """An API that must not write anything."""
    before = await rows(lasting_api.database)
    yield lasting_api
    assert await rows(lasting_api.database) == before


async def refusal(api: Service, body: Any = None, **request: Any) -> Json:
    """The problem that the API answers an order with."""
    sent = {"content": body} if isinstance(body, bytes) else {"json": body}
    headers = new_key() | {"Content-Type": "application/json"} | request.pop("headers", {})
    response = await api.shop.post("/orders", headers=headers, **sent | request)
    assert response.headers["content-type"] == "application/problem+json"
    problem: Json = response.json()
    assert problem["status"] == response.status_code
    assert problem["type"].startswith("/problems/")
    assert problem["title"]
    assert problem["detail"]
    return problem


def line(**changes: Any) -> list[Json]:
    return [{"sku": "coffee-beans", "quantity": 1} | changes]


@pytest.mark.parametrize(
    "body",
    [
        an_order([]),
        an_order(line(quantity=0)),
        an_order(line(quantity=-1)),
        an_order(line(quantity=10**12)),
        an_order(line(quantity=10**30)),
        an_order(line(quantity=True)),
        an_order(line(quantity=1.0)),
        an_order(line(quantity="1")),
        an_order(line(quantity=None)),
        an_order(line(price=1)),
        an_order(line(amount=1)),
        an_order(line(unit_price={"amount": 1, "currency": "INR"})),
        an_order(line(sku="")),
        an_order(line(sku="COFFEE BEANS")),
        an_order(line() * 101),
        an_order(price=49900),
        an_order(amount=1),
        an_order(total=1),
        an_order(email="no address"),
        an_order(email="a@example.com\r\nBcc: b@example.com"),
        an_order(user_id=""),
        an_order(user_id="x" * 201),
        an_order(user_id=7),
        an_order(user_id="a\nb"),
        an_order(user_id="a\0b"),
        an_order(user_id="a\x85b"),
        an_order(user_id="a\u2028b"),
        an_order(gateway="Razor Pay"),
        an_order(currency="rupees"),
        an_order(currency=["INR"]),
        an_order(timestamp="yesterday"),
        an_order(timestamp="2026-01-01T00:00:00"),
        an_order(timestamp=1767225600),
        an_order(timestamp=True),
        an_order(timestamp="9999-12-31T23:59:59-14:00"),
        an_order(timestamp="0001-01-01T00:00:00+14:00"),
        b"",
        {},
        [],
        "order",
        7,
        None,
    ],
    ids=repr,
)
async def test_a_body_that_is_no_order(api: Service, body: Any) -> None:
    problem = await refusal(api, body)
    assert (problem["status"], problem["type"]) == (422, "/problems/invalid-request")
    assert all(error["field"] and error["message"] for error in problem["errors"])


async def test_the_field_that_is_wrong_is_named(api: Service) -> None:
    problem = await refusal(api, an_order(line(quantity=0), amount=1))
    assert [error["field"] for error in problem["errors"]] == ["items.0.quantity", "amount"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (an_order(line(sku="no-such-thing")), "unknown-product"),
        (an_order([*line(), *line(sku="no-such-thing")]), "unknown-product"),
        (an_order(currency="USD"), "unknown-product"),
        (an_order(currency="XXX"), "unknown-product"),
        (an_order([*line(), *line()]), "basket-refused"),
        (an_order([*line(), *line(sku="tea-jpy")]), "basket-refused"),
        (an_order(gateway="acme"), "unknown-gateway"),
    ],
    ids=repr,
)
async def test_an_order_that_cannot_be(api: Service, body: Json, kind: str) -> None:
    problem = await refusal(api, body)
    assert (problem["status"], problem["type"]) == (422, f"/problems/{kind}")


async def test_a_currency_that_the_gateway_does_not_take(lasting_api: Service) -> None:
    mate = Product("yerba-mate", "Yerba mate", Money(9900, "ARS"), 0, LatePolicy.REFUND)
    await CatalogueStore(lasting_api.database).seed([mate])
    problem = await refusal(lasting_api, an_order(line(sku="yerba-mate")))
    assert (problem["status"], problem["type"]) == (422, "/problems/basket-refused")
    assert problem["detail"] == "razorpay does not take ARS"


@pytest.mark.parametrize(
    "text",
    [
        CARD,
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        f"card {CARD}, thanks",
        f"12 {CARD} 123",
        "6011 0009 9013 9424 0427 99",
        "2223003122003222",
    ],
)
@pytest.mark.parametrize("field", ["user_id", "email", "sku"])
async def test_a_card_number_is_refused_and_not_repeated(
    api: Service, field: str, text: str
) -> None:
    dashed = text.replace(" ", "-").replace(",", "").lower()
    bodies = {
        "user_id": an_order(user_id=text),
        "email": an_order(email=f"{dashed}@example.com"),
        "sku": an_order(line(sku=dashed)),
    }
    problem = await refusal(api, bodies[field])
    assert (problem["status"], problem["type"]) == (422, "/problems/invalid-request")
    assert "card" in problem["errors"][0]["message"]
    assert not {text, dashed} & set(json.dumps(problem).split('"'))
    assert "1111" not in json.dumps(problem)


@pytest.mark.parametrize("raw", [b"{", b'{"user_id": }', b"\xff", b"9" * 5000, b"[" * 10**5])
async def test_what_is_not_json(api: Service, raw: bytes) -> None:
    problem = await refusal(api, raw)
    assert (problem["status"], problem["type"]) == (400, "/problems/malformed-json")


async def test_another_content_type(api: Service) -> None:
    body = json.dumps(an_order()).encode()
    problem = await refusal(api, body, headers={"Content-Type": "text/plain"})
    assert problem["status"] == 422


@pytest.mark.parametrize("key", [None, "", "x" * 256, "with space", "é"])
async def test_no_usable_idempotency_key(api: Service, key: str | None) -> None:
    headers = [] if key is None else [(b"Idempotency-Key", key.encode())]
    response = await api.shop.post("/orders", json=an_order(), headers=headers)
    assert response.status_code == 400
    assert response.json()["type"] == "/problems/idempotency-key-missing"


async def test_a_body_that_announces_too_much(api: Service) -> None:
    problem = await refusal(api, b"x" * 2 * MEBIBYTE)
    assert (problem["status"], problem["type"]) == (413, "/problems/body-too-large")


async def test_a_body_that_grows_too_large(api: Service) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(2 * 16):
            yield b"x" * (MEBIBYTE // 16)

    headers = new_key() | {"Content-Type": "application/json"}
    response = await api.shop.post("/orders", content=pieces(), headers=headers)
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "/problems/body-too-large"


async def test_a_body_of_exactly_the_limit_is_read(api: Service) -> None:
    problem = await refusal(api, b" " * MEBIBYTE)
    assert problem["status"] == 400


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer wrong", "Basic key-of-the-shop", "Bearer é"],
)
async def test_no_valid_key(api: Service, authorization: str | None) -> None:
    headers: dict[str, Any] = dict(new_key())
    if authorization is not None:
        headers["Authorization"] = authorization.encode()
    response = await api.stranger.post("/orders", json=an_order(), headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["type"] == "/problems/unauthorized"


async def test_the_operator_places_no_orders(api: Service) -> None:
    response = await api.ops.post("/orders", json=an_order(), headers=new_key())
    assert response.status_code == 403
    assert response.json()["type"] == "/problems/forbidden"


@pytest.mark.parametrize("path", ["", "/checkout", "/cancel", "/events"])
@pytest.mark.parametrize("order_id", ["ord_unknown", "ord_%00", "%ff", "..", "x" * 5000])
async def test_an_unknown_order(api: Service, order_id: str, path: str) -> None:
    method = "POST" if path in ("/checkout", "/cancel") else "GET"
    for client in (api.shop, api.ops):
        response = await client.request(method, f"/orders/{order_id}{path}")
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("DELETE", "/orders", 405), ("GET", "/webhooks/razorpay", 405)],
)
async def test_calls_that_do_not_exist(api: Service, method: str, path: str, status: int) -> None:
    response = await api.shop.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/orders", "POST"),
        ("/orders/ord_x", "GET"),
        ("/callbacks/razorpay/guess", "GET, POST"),
        ("/reconciliations", "GET, POST"),
        ("/healthz", "GET"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(api: Service, path: str, allowed: str) -> None:
    response = await api.shop.delete(path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed
