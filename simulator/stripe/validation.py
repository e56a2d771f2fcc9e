"""What may be asked for. The wordings are Stripe's, documented or heard of in its issues."""

from urllib.parse import urlsplit

from simulator.money import decimals
from simulator.records import Json, Link, LinkStatus, Payment, PaymentStatus
from simulator.stripe.errors import StripeError
from simulator.stripe.forms import allow, required, section, whole

# No payment_method_types: it is gone since version 2026-09-30.
FIELDS = """
adaptive_pricing allow_promotion_codes allowed_payment_method_types cancel_url client_reference_id
customer_email excluded_payment_method_types expand expires_at line_items locale metadata mode
payment_intent_data submit_type success_url ui_mode
"""
INTENT_FIELDS = "capture_method description metadata receipt_email statement_descriptor_suffix"
PRICE_FIELDS = "currency product_data unit_amount"
REFUND_FIELDS = "amount charge metadata payment_intent reason"
CURRENCIES = """
aed aud bhd brl cad chf clp czk dkk eur gbp hkd huf idr ils inr isk jod jpy krw kwd mxn myr nok nzd
omr php pln qar ron sar sek sgd thb tnd try twd ugx usd vnd zar
"""
LEAST = {"usd": 50, "eur": 50, "gbp": 30, "inr": 50, "jpy": 50}
IN_HUNDREDS = ("isk", "ugx")
MOST_DIGITS = 8
SHORTEST_LIFE, LONGEST_LIFE = 30 * 60, 24 * 3600
LONGEST_NAME, LONGEST_NOTE, MOST_NOTES = 40, 500, 50


def check_new_session(form: Json, now: float) -> None:
    """Raise `StripeError` for the first thing wrong with a create request."""
    allow(form, FIELDS)
    if required(form, "mode", "mode") != "payment":
        raise StripeError("Only payments are simulated.", param="mode")
    check_money(form)
    parts = urlsplit(required(form, "success_url", "success_url"))
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise StripeError("Not a valid URL", code="url_invalid", param="success_url")
    check_expiry(form, now)
    check_metadata(form, "metadata")
    allow(section(form, "payment_intent_data"), INTENT_FIELDS, "payment_intent_data")
    check_metadata(section(form, "payment_intent_data"), "payment_intent_data[metadata]")


def check_money(form: Json) -> None:
    lines = section(form, "line_items")
    if list(lines) != ["0"]:
        raise StripeError("One line item is simulated, not more.", param="line_items")
    line = section(lines, "0")
    allow(line, "price_data quantity", "line_items[0]")
    price = section(line, "price_data")
    allow(price, PRICE_FIELDS, "line_items[0][price_data]")
    product = "line_items[0][price_data][product_data]"
    required(section(price, "product_data"), "name", f"{product}[name]")
    amount = whole(required(price, "unit_amount", "unit_amount"), "unit_amount")
    quantity = whole(required(line, "quantity", "quantity"), "quantity")
    check_amount(amount * quantity, required(price, "currency", "currency"))


def check_amount(amount: int, currency: str, param: str = "unit_amount") -> None:
    if currency not in CURRENCIES.split():
        raise StripeError(f"Invalid currency: {currency}.", param="currency")
    if amount < LEAST.get(currency, 1):
        message = "The Checkout Session's total amount due must add up to at least the minimum."
        raise StripeError(message, code="amount_too_small", param=param)
    if len(str(amount)) > MOST_DIGITS + (decimals(currency.upper()) == 3):
        raise StripeError("The amount is too large.", code="amount_too_large", param=param)
    step = 10 if decimals(currency.upper()) == 3 else 100 if currency in IN_HUNDREDS else 1
    if amount % step:
        raise StripeError("Invalid amount for this currency.", param=param)


def check_expiry(form: Json, now: float) -> None:
    if "expires_at" not in form:
        return
    expires_at = whole(form["expires_at"], "expires_at")
    if expires_at < now + SHORTEST_LIFE:
        message = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session"
        raise StripeError(f"{message} creation.", param="expires_at")
    if expires_at > now + LONGEST_LIFE:
        message = "The `expires_at` timestamp must be less than 24 hours from Checkout Session"
        raise StripeError(f"{message} creation.", param="expires_at")


def check_metadata(form: Json, full: str) -> None:
    notes = section(form, "metadata")
    if len(notes) > MOST_NOTES or any(len(name) > LONGEST_NAME for name in notes):
        raise StripeError("Metadata has too many keys, or too long ones.", param=full)
    if any(not isinstance(note, str) or len(note) > LONGEST_NOTE for note in notes.values()):
        message = f"Metadata values can have up to {LONGEST_NOTE} characters."
        raise StripeError(message, param=full)


def check_expire(link: Link) -> None:
    if not link.is_open:
        said = "expired" if link.status in ENDED else "complete"
        raise StripeError(
            'Only Checkout Sessions with a status in ["open"] can be expired.'
            f" This Checkout Session has a status of `{said}`."
        )


ENDED = (LinkStatus.CANCELED, LinkStatus.EXPIRED)


def check_new_refund(form: Json, payment: Payment | None) -> None:
    """Raise `StripeError` for the first thing wrong; `payment` is the one that was taken."""
    allow(form, REFUND_FIELDS)
    check_metadata(form, "metadata")
    if payment is None:
        message = "This PaymentIntent does not have a successful charge to refund."
        raise StripeError(message, param="payment_intent")
    if payment.status is PaymentStatus.REFUNDED:
        message = f"Charge {payment.id} has already been refunded."
        raise StripeError(message, code="charge_already_refunded")
    if "amount" in form:
        amount = whole(form["amount"], "amount")
        if amount < 1:
            message = "Invalid positive integer"
            raise StripeError(message, code="parameter_invalid_integer", param="amount")
        if amount > payment.amount_left:
            message = "Refund amount is greater than unrefunded amount on charge"
            raise StripeError(message, param="amount")


def check_capture(form: Json, intent_id: str, status: str) -> None:
    allow(form, "amount_to_capture")
    if status != "requires_capture":
        raise StripeError(
            f"This PaymentIntent ({intent_id}) could not be captured because it has a status of"
            f" {status}. Only a PaymentIntent with one of the following statuses may be captured:"
            " requires_capture.",
            code="payment_intent_unexpected_state",
        )
