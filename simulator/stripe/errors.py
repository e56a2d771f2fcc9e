"""Stripe's error bodies."""

from starlette.responses import JSONResponse

from simulator.faults import Refusal
from simulator.records import Json

BUSY = (
    "There is currently another in-progress request using this Idempotent Key (that probably means"
    " you submitted twice, and the other request is still going through)."
)
REUSED = (
    "Keys for idempotent requests can only be used with the same parameters they were first used"
    " with. Try using a key other than '{}' if you meant to execute a different request."
)
NO_BALANCE = "Insufficient funds in your Stripe account to refund this charge."


class StripeError(Exception):
    """Something Stripe answers with an error body instead of an object."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: Json = {"message": message, "type": kind}
        self.error |= {"code": code} if code else {}
        self.error |= {"param": param} if param else {}

    def response(self) -> JSONResponse:
        return JSONResponse({"error": self.error}, self.status)


def missing(noun: str, object_id: str) -> StripeError:
    message = f"No such {noun}: '{object_id}'"
    return StripeError(message, status=404, code="resource_missing", param="id")


def refused(refusal: Refusal) -> JSONResponse:
    """Say 429 or 5xx as Stripe does."""
    if refusal.status == 429:
        error = StripeError("Request rate limit exceeded.", status=429, code="rate_limit")
    else:
        message = "An unknown error occurred"
        error = StripeError(message, status=refusal.status, kind="api_error")
    response = error.response()
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
