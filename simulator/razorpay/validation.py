"""What may be asked for. The wordings are Razorpay's, documented or heard of in its issues."""

import json
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from simulator.money import decimals
from simulator.razorpay.errors import RazorpayError
from simulator.records import Json, Payment, PaymentStatus, Refund

REFUND_FIELDS = {"amount", "speed", "notes", "receipt"}
FIELDS = """
amount currency accept_partial first_min_partial_amount upi_link description reference_id customer
expire_by notify notes callback_url callback_method reminder_enable options
"""
CURRENCIES = """
AED AUD BDT BHD BRL CAD CHF CNY CZK DKK EGP EUR GBP HKD HUF IDR ILS INR JPY KES KRW KWD LKR MXN MYR
NGN NOK NPR NZD OMR PHP PLN QAR SAR SEK SGD THB TRY TWD USD VND ZAR
"""
SHORTEST_LIFE = 15 * 60
LONGEST_LIFE = 184 * 24 * 3600


def parsed(raw: bytes) -> Json | None:
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def check_new_link(body: Json, now: float, *, test_mode: bool) -> None:
    """Raise `RazorpayError` for the first thing wrong with a create request."""
    if not body.keys() <= set(FIELDS.split()):
        raise RazorpayError("wrong input fields sent.")
    check_money(body)
    check_texts(body)
    check_expiry(body, now)
    check_callback(body)
    check_notes(body)
    check_kind(body, test_mode=test_mode)


def check_money(body: Json) -> None:
    amount, currency = body.get("amount"), body.get("currency") or "INR"
    if amount is None:
        raise RazorpayError("The amount field is required", field="amount")
    if currency not in CURRENCIES.split():
        raise RazorpayError("Currency is not supported", field="currency")
    check_amount(amount, currency)


def check_amount(amount: object, currency: str) -> None:
    if type(amount) is not int:
        raise RazorpayError("The amount must be an integer.", field="amount")
    if currency == "INR" and amount < 100:
        raise RazorpayError("The amount must be at least INR 1.00", field="amount")
    if amount < 1:
        raise RazorpayError("The amount must be at least 1.", field="amount")
    if decimals(currency) == 3 and amount % 10:
        raise RazorpayError("The last digit of a three decimal amount must be 0.", field="amount")


def check_texts(body: Json) -> None:
    for name, longest in (("reference_id", 40), ("description", 2048)):
        text = body.get(name) or ""
        require(isinstance(text, str), name, "must be a string.")
        require(len(text) <= longest, name, f"the length must be no more than {longest}.")


def check_expiry(body: Json, now: float) -> None:
    expire_by = body.get("expire_by")
    if expire_by is None:
        return
    require(type(expire_by) is int, "expire_by", "must be an integer.")
    if expire_by <= now + SHORTEST_LIFE:
        raise RazorpayError("timestamp must be atleast 15 minutes in future", field="expire_by")
    if expire_by > now + LONGEST_LIFE:
        raise RazorpayError("timestamp must be within 6 months in future", field="expire_by")


def check_callback(body: Json) -> None:
    url, method = body.get("callback_url"), body.get("callback_method")
    if not url and not method:
        return
    parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
    require(
        parts.scheme in ("http", "https") and bool(parts.netloc), "callback_url", "invalid URL."
    )
    require(method == "get", "callback_method", "must be a valid value.")


def check_notes(body: Json) -> None:
    notes = body.get("notes") or {}
    require(isinstance(notes, dict), "notes", "must be an object.")
    require(len(notes) <= 15, "notes", "the length must be no more than 15.")
    if any(len(str(value)) > 255 for value in notes.values()):
        raise RazorpayError("value: the length must not be greater than 255.", field="notes")


def check_kind(body: Json, *, test_mode: bool) -> None:
    shapes: list[tuple[str, Callable[[object], bool]]] = [
        *((name, is_map) for name in ("customer", "notify", "options")),
        *((name, is_flag) for name in ("accept_partial", "upi_link", "reminder_enable")),
    ]
    for name, fits in shapes:
        require(fits(body.get(name)), name, "must be a valid value.")
    if body.get("upi_link"):
        check_upi(body, test_mode=test_mode)
    if body.get("accept_partial"):
        raise RazorpayError("partial payments are not simulated", field="accept_partial")


def check_upi(body: Json, *, test_mode: bool) -> None:
    if (body.get("currency") or "INR") != "INR":
        raise RazorpayError("upi is currently supported only in indian currency")
    if body.get("accept_partial"):
        raise RazorpayError("partial payment not supported in upi link")
    if test_mode:
        raise RazorpayError(
            "UPI Payment Links is not supported in Test Mode."
            " Please experience the product in Live Mode."
        )


def check_new_refund(body: Json, payment: Payment, made: Sequence[Refund]) -> None:
    """Raise `RazorpayError` for the first thing wrong; `made` are the payment's other refunds."""
    if surplus := sorted(body.keys() - REFUND_FIELDS):
        raise RazorpayError(f"{', '.join(surplus)} is/are not required and should not be sent.")
    if payment.status is PaymentStatus.REFUNDED:
        raise RazorpayError("The payment has been fully refunded already.")
    if not payment.captured:
        raise RazorpayError("The payment status should be captured for action to be taken")
    if (amount := body.get("amount")) is not None:
        check_amount(amount, payment.currency)
        if amount > payment.amount_left:
            raise RazorpayError("The refund amount provided is greater than amount captured.")
    require(body.get("speed") in (None, "normal", "optimum"), "speed", "must be a valid value.")
    receipt = body.get("receipt")
    require(receipt is None or isinstance(receipt, str), "receipt", "must be a string.")
    if receipt and any(refund.receipt == receipt for refund in made):
        raise RazorpayError("Duplicate receipt found for this refund request.")
    check_notes(body)


def check_capture(body: Json, payment: Payment, *, order_paid: bool) -> None:
    """Raise `RazorpayError` unless the body names what was authorized, all of it."""
    amount, currency = body.get("amount"), body.get("currency") or "INR"
    if amount is None:
        reason = "Could not validate payment capture request due to: amount: cannot be blank."
        raise RazorpayError(reason, field="amount")
    check_amount(amount, currency)
    if payment.captured:
        raise RazorpayError("This payment has already been captured")
    if payment.status is not PaymentStatus.AUTHORIZED:
        raise RazorpayError(
            "Only payments which have been authorized and not yet captured can be captured"
        )
    if order_paid:
        raise RazorpayError(
            "Your payment has been declined as the order is already paid."
            " Please initiate the payment with a new order."
        )
    if currency != payment.currency:
        raise RazorpayError("Capture request currency must be same as payment currency.")
    if amount != payment.amount:
        raise RazorpayError("Capture amount must be equal to the amount authorized.")


def is_map(value: object) -> bool:
    return value is None or isinstance(value, dict) or value == []


def is_flag(value: object) -> bool:
    return value is None or isinstance(value, bool)


def require(fits: bool, field: str, complaint: str) -> None:
    if not fits:
        raise RazorpayError(f"{field}: {complaint}", field=field)
