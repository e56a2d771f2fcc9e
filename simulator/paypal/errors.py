"""PayPal's error bodies: what is wrong is said by the issue, more than by the status."""

import secrets

from starlette.responses import JSONResponse

from simulator.faults import Refusal
from simulator.records import Json

NAMES = {
    400: "INVALID_REQUEST",
    401: "AUTHENTICATION_FAILURE",
    403: "NOT_AUTHORIZED",
    404: "RESOURCE_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMIT_REACHED",
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
MESSAGES = {
    400: "Request is not well-formed, syntactically incorrect, or violates schema.",
    401: "Authentication failed due to invalid authentication credentials or a missing"
    " Authorization header.",
    404: "The specified resource does not exist.",
    409: "The server has detected a conflict while processing this request.",
    422: "The requested action could not be performed, semantically incorrect, or failed business"
    " validation.",
    429: "Too many requests. Blocked due to rate limiting.",
    500: "An internal server error occurred.",
    503: "Service Unavailable.",
}


class PayPalError(Exception):
    """Something PayPal answers with an error body instead of an object."""

    def __init__(self, status: int, issue: str | None = None, field: str | None = None) -> None:
        super().__init__(issue or NAMES[status])
        self.status = status
        self._details: list[Json] = []
        if issue:
            where = {"field": field, "location": "body"} if field else {}
            self._details = [{**where, "issue": issue, "description": issue.replace("_", " ")}]

    def response(self) -> JSONResponse:
        body: Json = {
            "name": NAMES[self.status],
            "message": MESSAGES.get(self.status, NAMES[self.status]),
            "debug_id": secrets.token_hex(7),
            "links": [],
        }
        return JSONResponse(
            body | ({"details": self._details} if self._details else {}), self.status
        )


def missing() -> PayPalError:
    return PayPalError(404, "INVALID_RESOURCE_ID")


def refused(refusal: Refusal) -> JSONResponse:
    """Say 429 or 5xx as PayPal does."""
    response = PayPalError(refusal.status).response()
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
