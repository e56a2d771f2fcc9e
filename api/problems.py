"""Errors as RFC 9457 problem+json, each with a stable type and a word on what to do."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.temporal import TemporalUnavailable
from domain.errors import (
    BasketRefused,
    CaseNotFound,
    DatabaseUnavailable,
    IllegalTransition,
    KeyReused,
    OrderNotFound,
    PaperNotFound,
    ProductNotFound,
    RefundNotFound,
    RefundRefused,
    RunNotFound,
)

MEDIA_TYPE = "application/problem+json"
MOST_BODY_BYTES = 1024 * 1024
AWAY = {"Retry-After": "2"}
log = structlog.get_logger()


class FieldError(BaseModel):
    """What is wrong with one field; never the value that was sent."""

    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None


@dataclass
class ApiError(Exception):
    """An expected refusal; `kind` is the last part of the problem's type."""

    status: int
    kind: str
    detail: str
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self) -> Response:
        return problem(self.status, self.kind, self.detail, headers=self.headers)


def too_large() -> ApiError:
    text = f"The body may have {MOST_BODY_BYTES} bytes at most."
    return ApiError(413, "body-too-large", text)


def too_many(wait: int) -> ApiError:
    """For a caller who is to come again in `wait` seconds."""
    text = "That were too many calls within a minute; try again after Retry-After seconds."
    return ApiError(429, "too-many-requests", text, {"Retry-After": f"{wait}"})


@dataclass(frozen=True)
class _Meaning:
    status: int
    kind: str
    detail: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


MEANINGS: dict[type[Exception], _Meaning] = {
    OrderNotFound: _Meaning(404, "order-not-found", "There is no such order."),
    ProductNotFound: _Meaning(422, "unknown-product"),
    BasketRefused: _Meaning(422, "basket-refused"),
    RefundNotFound: _Meaning(404, "refund-not-found", "There is no such refund."),
    PaperNotFound: _Meaning(404, "paper-not-found", "The order has no such paper (yet)."),
    CaseNotFound: _Meaning(404, "case-not-found", "There is no such case."),
    RunNotFound: _Meaning(404, "reconciliation-not-found", "There is no such reconciliation."),
    RefundRefused: _Meaning(409, "refund-refused"),
    KeyReused: _Meaning(
        422,
        "idempotency-key-reused",
        "This Idempotency-Key was used for a different request; use a new one.",
    ),
    IllegalTransition: _Meaning(409, "illegal-transition"),
    DatabaseUnavailable: _Meaning(
        503, "database-unavailable", "Nothing was written; try again.", AWAY
    ),
    TemporalUnavailable: _Meaning(503, "temporal-unavailable", "Nothing is lost; try again.", AWAY),
}


def problem(
    status: int,
    kind: str,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    title = kind.replace("-", " ").capitalize()
    body = Problem(
        type=f"/problems/{kind}", title=title, status=status, detail=detail, errors=errors
    )
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def malformed() -> Response:
    return problem(400, "malformed-json", "The body is not valid JSON.")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These answers for the OpenAPI file."""
    answers: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        answers[status] = {"description": HTTPStatus(status).phrase, "model": Problem}
    return answers


def install(app: FastAPI) -> None:
    """See that every error that leaves the app is a problem."""
    for kind in MEANINGS:
        app.add_exception_handler(kind, _expected)
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(HTTPException, _from_framework)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.answer()


async def _expected(request: Request, error: Exception) -> Response:
    meaning = next(MEANINGS[kind] for kind in type(error).__mro__ if kind in MEANINGS)
    detail = meaning.detail or str(error)
    return problem(meaning.status, meaning.kind, detail, headers=meaning.headers)


async def _from_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 413:
        return too_large().answer()
    if error.status_code == 400:
        # The framework's word for a body in the wrong encoding, too deep, or with endless digits.
        return malformed()
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods_of(request))
    return problem(error.status_code, kind, str(error.detail), headers=headers)


def _methods_of(request: Request) -> list[str]:
    """All that this address takes; the framework names those of one route alone."""
    routes = iter_route_contexts(request.app.routes)
    here = [route for route in routes if route.matches(request.scope)[0] is Match.PARTIAL]
    return sorted({method for route in here for method in route.methods or ()})


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = error.errors()
    if any(detail["type"] == "json_invalid" for detail in details):
        return malformed()
    if any(tuple(detail["loc"]) == ("header", "idempotency-key") for detail in details):
        text = "Send an Idempotency-Key header: 1 to 255 printable characters, new per order."
        return problem(400, "idempotency-key-missing", text)
    errors = [
        FieldError(field=".".join(map(str, detail["loc"][1:])) or "body", message=detail["msg"])
        for detail in details
    ]
    return problem(422, "invalid-request", "Some fields are not acceptable.", errors=errors)


async def _unexpected(request: Request, error: Exception) -> Response:
    # Not the path that was called: it may hold a token.
    route = getattr(request.scope.get("route"), "path", None)
    log.error("unexpected error", route=route, error=type(error).__name__)
    return problem(500, "internal-error", "Something is wrong on our side; it was logged.")
