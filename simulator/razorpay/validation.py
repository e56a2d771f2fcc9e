"""What `POST /v1/payment_links` accepts. The wordings are Razorpay's where it documents one."""

from collections.abc import Callable
from urllib.parse import urlsplit

from simulator.money import decimals
from simulator.razorpay.errors import RazorpayError
from simulator.records import Json

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
    if type(amount) is not int:
        raise RazorpayError("The amount must be an integer.", field="amount")
    if currency not in CURRENCIES.split():
        raise RazorpayError("Currency is not supported", field="currency")
    if currency == "INR" and amount < 100:
        raise RazorpayError("amount must be at least INR 1.00", field="amount")
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


def is_map(value: object) -> bool:
    return value is None or isinstance(value, dict) or value == []


def is_flag(value: object) -> bool:
    return value is None or isinstance(value, bool)


def require(fits: bool, field: str, complaint: str) -> None:
    if not fits:
        raise RazorpayError(f"{field}: {complaint}", field=field)
