"""Razorpay's error bodies."""

from starlette.responses import JSONResponse

from simulator.faults import Refusal

NOT_FOUND = "The requested URL was not found on the server."
UNKNOWN_ID = "The id provided does not exist"
DUPLICATE = "payment link creation with reference ID already attempted"
NO_BALANCE = (
    "Your account does not have enough balance to carry out the refund operation. You can add funds"
    " to your account from your Razorpay dashboard or capture new payments."
)
SERVER_ERROR = (
    "We are facing some trouble completing your request at the moment. Please try again shortly."
)


class RazorpayError(Exception):
    """Something Razorpay answers with an error body instead of an entity."""

    def __init__(self, description: str, *, field: str | None = None, status: int = 400) -> None:
        super().__init__(description)
        self.description, self.field, self.status = description, field, status

    def response(self) -> JSONResponse:
        return error_response(self.status, "BAD_REQUEST_ERROR", self.description, self.field)


def refused(refusal: Refusal) -> JSONResponse:
    """Say 429 or 5xx as Razorpay does; the description is all that tells them apart."""
    if refusal.status == 429:
        response = error_response(429, "BAD_REQUEST_ERROR", "Too many requests")
    else:
        response = error_response(refusal.status, "SERVER_ERROR", SERVER_ERROR)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def error_response(
    status: int, code: str, description: str, field: str | None = None
) -> JSONResponse:
    error = {"code": code, "description": description, "field": field}
    reason = "input_validation_failed" if field else "NA"
    rest = {"source": "business", "step": "payment_initiation", "reason": reason, "metadata": []}
    return JSONResponse({"error": error | rest}, status)
