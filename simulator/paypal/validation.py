"""What may be asked for, checked in the order in which PayPal's pages list it."""

from urllib.parse import urlsplit

from simulator.paypal.amounts import minor_of
from simulator.paypal.errors import PayPalError
from simulator.records import Json, Payment, PaymentStatus

LONGEST_NAME = 127
ORDER_FIELDS = {"intent", "purchase_units", "payment_source", "payer", "processing_instruction"}
UNIT_FIELDS = {
    "amount",
    "custom_id",
    "description",
    "invoice_id",
    "items",
    "payee",
    "reference_id",
    "soft_descriptor",
}
REFUND_FIELDS = {"amount", "custom_id", "invoice_id", "note_to_payer"}


def check_new_order(body: Json) -> None:
    """Raise `PayPalError` for the first thing wrong with a create request."""
    _allow(body, ORDER_FIELDS, "")
    if body.get("intent") not in ("CAPTURE", "AUTHORIZE"):
        raise PayPalError(400, "INVALID_PARAMETER_VALUE", "/intent")
    if body["intent"] != "CAPTURE":
        raise PayPalError(422, "PERMISSION_DENIED", "/intent")
    units = body.get("purchase_units")
    if not isinstance(units, list) or len(units) != 1 or not isinstance(units[0], dict):
        raise PayPalError(400, "INVALID_ARRAY_MIN_ITEMS", "/purchase_units")
    unit = units[0]
    _allow(unit, UNIT_FIELDS, "/purchase_units/0")
    _check_names(unit, "/purchase_units/0")
    minor_of(unit.get("amount"), "/purchase_units/0/amount")
    url = return_url_of(body)
    if url is not None and urlsplit(url).scheme not in ("http", "https"):
        raise PayPalError(400, "INVALID_PARAMETER_SYNTAX", "/return_url")


def check_new_refund(body: Json, payment: Payment) -> tuple[int, str]:
    """How much is to go back; `PayPalError` for the first thing wrong."""
    _allow(body, REFUND_FIELDS, "")
    _check_names(body, "")
    if payment.status is PaymentStatus.REFUNDED:
        raise PayPalError(422, "CAPTURE_FULLY_REFUNDED")
    if payment.status is PaymentStatus.CREATED:
        raise PayPalError(422, "PENDING_CAPTURE")
    if not payment.captured:
        raise PayPalError(422, "CAPTURE_STATUS_NOT_VALID")
    if "amount" not in body:
        return payment.amount_left, payment.currency
    amount, currency = minor_of(body["amount"], "/amount")
    if currency != payment.currency:
        raise PayPalError(422, "REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
    if amount > payment.amount_left:
        raise PayPalError(422, "REFUND_AMOUNT_EXCEEDED", "/amount/value")
    return amount, currency


def unit_of(body: Json) -> Json:
    units = body.get("purchase_units")
    first = units[0] if isinstance(units, list) and units else {}
    return first if isinstance(first, dict) else {}


def return_url_of(body: Json) -> str | None:
    """Where the customer goes after approving; it may lie in two places, one of them old."""
    source = body.get("payment_source") or {}
    context = (source.get("paypal") or {}).get("experience_context") or {}
    url = context.get("return_url")
    return url if isinstance(url, str) else None


def _check_names(named: Json, where: str) -> None:
    for field in ("custom_id", "invoice_id", "description", "note_to_payer"):
        value = named.get(field, "-")
        if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_NAME:
            raise PayPalError(400, "INVALID_STRING_LENGTH", f"{where}/{field}")


def _allow(body: Json, fields: set[str], where: str) -> None:
    """Stricter than PayPal, which lets unknown fields pass: here they would be our mistake."""
    if unknown := sorted(body.keys() - fields):
        raise PayPalError(400, "INVALID_PARAMETER_SYNTAX", f"{where}/{unknown[0]}")
