"""The OpenAPI file says what is true, and every route it names is guarded."""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from api.app import create_app
from settings import Settings
from tests.support.neighbours import KEYS
from tests.support.service import Json, Service, an_order, new_key

ROOT = Path(__file__).parents[2]
PUBLIC = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/callbacks/{gateway}/{token}"),
    ("POST", "/callbacks/{gateway}/{token}"),
    ("GET", "/orders/{order_id}/result"),
    ("POST", "/webhooks/{gateway}"),
}
# What each call may answer, besides 500.
ANSWERS = {
    ("GET", "/products"): {200, 401, 429, 503},
    ("POST", "/orders"): {200, 201, 400, 401, 403, 413, 422, 429, 503},
    ("GET", "/orders/{order_id}"): {200, 401, 404, 429, 503},
    ("POST", "/orders/{order_id}/checkout"): {200, 202, 401, 404, 429, 503},
    ("POST", "/orders/{order_id}/cancel"): {202, 401, 404, 429, 503},
    ("POST", "/orders/{order_id}/refunds"): {202, 400, 401, 403, 404, 409, 413, 422, 429, 503},
    ("GET", "/refunds/{refund_id}"): {200, 401, 404, 429, 503},
    ("GET", "/orders/{order_id}/invoice.pdf"): {200, 401, 404, 429, 503},
    ("GET", "/orders/{order_id}/credit-notes"): {200, 401, 404, 429, 503},
    ("GET", "/orders/{order_id}/credit-notes/{number}.pdf"): {200, 401, 404, 429, 503},
    ("GET", "/cases"): {200, 401, 403, 422, 429, 503},
    ("POST", "/cases/{case_id}"): {200, 400, 401, 403, 404, 409, 413, 422, 429, 503},
    ("POST", "/transaction-files/{gateway}"): {202, 400, 401, 403, 404, 422, 429, 503},
    ("POST", "/reconciliations"): {202, 400, 401, 403, 413, 422, 429, 503},
    ("GET", "/reconciliations"): {200, 401, 403, 404, 422, 429, 503},
    ("GET", "/reconciliations.html"): {200, 401, 403, 429, 503},
    ("GET", "/reconciliations/{run_id}"): {200, 401, 403, 404, 422, 429, 503},
    ("GET", "/reconciliations/{run_id}.csv"): {200, 401, 403, 404, 429, 503},
    ("GET", "/reconciliations/{run_id}.html"): {200, 401, 403, 404, 429, 503},
    ("POST", "/reconciliations/{run_id}/approve"): {
        *(200, 400, 401, 403, 404, 409, 413, 422, 429, 503),
    },
    ("GET", "/orders/{order_id}/events"): {200, 401, 404, 429, 503},
    ("GET", "/orders/{order_id}/result"): {200, 404, 429, 503},
    ("GET", "/callbacks/{gateway}/{token}"): {303, 404, 429, 503},
    ("POST", "/callbacks/{gateway}/{token}"): {303, 404, 413, 429, 503},
    ("POST", "/webhooks/{gateway}"): {200, 401, 404, 413, 429, 503},
    ("GET", "/healthz"): {200},
    ("GET", "/readyz"): {200, 503},
    ("GET", "/metrics"): {200, 503},
}
READERS = {
    ("GET", "/reconciliations"),
    ("GET", "/reconciliations.html"),
    ("GET", "/reconciliations/{run_id}"),
    ("GET", "/reconciliations/{run_id}.csv"),
    ("GET", "/reconciliations/{run_id}.html"),
}
# What whoever holds the token of an order's result page may see.
SHOWN = {
    "/orders/{order_id}/events",
    "/orders/{order_id}/invoice.pdf",
    "/orders/{order_id}/credit-notes",
    "/orders/{order_id}/credit-notes/{number}.pdf",
}
OPERATORS = {"/orders/{order_id}/refunds", "/cases", "/cases/{case_id}"} | {
    path for _, path in ANSWERS if path.startswith(("/reconciliations", "/transaction-files"))
}
NAMES = {
    "gateway": "razorpay",
    "token": "guess",
    "refund_id": "rfd_x",
    "case_id": "case_x",
    "run_id": "run-x",
    "number": "CRN-26-27-000001",
}
PAGES = {"/callbacks/{gateway}/{token}", "/orders/{order_id}/result"}
SCHEMA: Json = create_app(Settings()).openapi()


def operations() -> Iterator[tuple[str, str, Json]]:
    for path, methods in SCHEMA["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


ALL = [pytest.param(*each, id=f"{each[0]} {each[1]}") for each in operations()]


def test_every_route_is_documented() -> None:
    assert {(method, path) for method, path, _ in operations()} == ANSWERS.keys()


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
def test_every_answer_is_documented(method: str, path: str, operation: Json) -> None:
    assert {int(status) for status in operation["responses"]} == ANSWERS[method, path]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
def test_every_error_is_a_problem(method: str, path: str, operation: Json) -> None:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, response in operation["responses"].items():
        if status in ("404", "429", "503") and path in PAGES:
            assert response["content"].keys() == {"text/html"}
        elif int(status) >= 400:
            assert response["content"] == problem


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
def test_every_route_names_its_key_or_is_public(method: str, path: str, operation: Json) -> None:
    assert ((method, path) in PUBLIC) is (operation.get("security") is None)
    known = SCHEMA["components"]["securitySchemes"]
    schemes = {
        known[scheme].get("scheme", known[scheme].get("name"))
        for [scheme] in operation.get("security", [])
    }
    more = {"basic"} if (method, path) in READERS else {"token"} if path in SHOWN else set()
    assert schemes == (set() if (method, path) in PUBLIC else {"bearer"} | more)


@pytest.mark.parametrize(
    ("path", "status", "media_type"),
    [
        ("/orders/{order_id}/events", "200", "text/event-stream"),
        ("/orders/{order_id}/result", "200", "text/html"),
        ("/metrics", "200", "text/plain"),
        ("/orders/{order_id}/invoice.pdf", "200", "application/pdf"),
        ("/orders/{order_id}/credit-notes/{number}.pdf", "200", "application/pdf"),
        ("/orders/{order_id}/credit-notes", "200", "application/json"),
        ("/orders/{order_id}", "200", "application/json"),
        ("/reconciliations.html", "200", "text/html"),
        ("/reconciliations/{run_id}.csv", "200", "text/csv"),
    ],
)
def test_media_types(path: str, status: str, media_type: str) -> None:
    assert SCHEMA["paths"][path]["get"]["responses"][status]["content"].keys() == {media_type}


def test_every_problem_is_explained() -> None:
    explained = set(re.findall("/problems/([a-z-]+)", (ROOT / "docs/problems.md").read_text()))
    code = "".join(file.read_text() for file in (ROOT / "api").glob("*.py"))
    kinds = set(re.findall(r"(?:ApiError|_Meaning|problem)\(\s*\d+,\s*\"([a-z-]+)\"", code))
    assert len(kinds) > 20
    assert kinds <= explained


def test_nothing_is_left_of_the_guesses() -> None:
    assert "HTTPValidationError" not in str(SCHEMA)
    assert SCHEMA["components"]["schemas"]["OrderIn"]["additionalProperties"] is False


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
async def test_nobody_gets_in_without_a_key(
    lasting_api: Service, method: str, path: str, operation: Json
) -> None:
    order_id = await lasting_api.place()
    url = path.format(order_id=order_id, **NAMES)
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        response = await lasting_api.stranger.request(
            method, url, json=an_order(), headers=new_key() | headers
        )
        assert f"{response.status_code}" in operation["responses"]
        if (method, path) not in PUBLIC:
            assert response.status_code == 401


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
async def test_a_key_is_a_bearer_key_or_none(
    lasting_api: Service, method: str, path: str, operation: Json
) -> None:
    """Neither another scheme, nor its hash, nor a query, nor a cookie; no password but to read."""
    if (method, path) in PUBLIC:
        return
    url = path.format(order_id=await lasting_api.place(), **NAMES)
    key, digest = KEYS["ops"], sha256(KEYS["ops"].encode()).hexdigest()
    password = {"Authorization": f"Basic {b64encode(f':{key}'.encode()).decode()}"}
    for headers in (
        # An address that ends like a page takes a password, as a browser sends it.
        {} if path.endswith(".html") else password,
        {"Authorization": f"Token {key}"},
        {"Authorization": key},
        {"Authorization": f"Bearer {digest}"},
        {"Authorization": f"Bearer {key} {key}"},
        {"X-Api-Key": key, "Cookie": f"key={key}; Authorization=Bearer {key}"},
    ):
        response = await lasting_api.stranger.request(
            method,
            url,
            json=an_order(),
            params={"key": key, "api_key": key, "access_token": key},
            headers=new_key() | headers,
        )
        assert response.status_code == 401, headers
        assert key not in response.text


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
@pytest.mark.parametrize("name", ["nobody", "shop", "ops"])
async def test_a_password_opens_pages_to_operators_alone(
    lasting_api: Service, method: str, path: str, operation: Json, name: str
) -> None:
    if (method, path) not in READERS:
        return
    url = path.format(order_id="ord_x", **NAMES)
    password = b64encode(f"me:{KEYS.get(name, 'guess')}".encode()).decode()
    headers = {"Authorization": f"Basic {password}", "Accept": "text/html"}
    response = await lasting_api.stranger.get(url, headers=headers)
    right = 404 if "{run_id}" in path else 200
    assert response.status_code == {"nobody": 401, "shop": 403, "ops": right}[name]


def test_every_role_is_said() -> None:
    for (method, path), answers in ANSWERS.items():
        assert (403 in answers) is (path in OPERATORS or (method, path) == ("POST", "/orders"))


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
async def test_nobody_gets_at_what_is_anothers(
    lasting_api: Service, method: str, path: str, operation: Json
) -> None:
    order_id = await lasting_api.place()
    url = path.format(order_id=order_id, **NAMES)
    if (method, path) in PUBLIC | {("GET", "/products")}:
        return
    caller = lasting_api.ops if path == "/orders" else lasting_api.other
    response = await caller.request(method, url, json=an_order(), headers=new_key())
    assert response.status_code == (403 if path in OPERATORS | {"/orders"} else 404)
    assert f"{response.status_code}" in operation["responses"]
