"""Every word that people are sent, in one place: who translates has to look nowhere else.

What stands in braces is filled in; `{shop}` is the shop's name, `{amount}` an amount of money.
"""

import re
from dataclasses import dataclass
from datetime import date

from domain.invoices import CreditReason
from domain.money import Money
from domain.payments import Payment


@dataclass(frozen=True)
class Words:
    """One kind of letter: subject, heading, and the paragraphs before and after the facts."""

    subject: str
    title: str
    lead: tuple[str, ...]
    close: tuple[str, ...] = ()


CONFIRMATION = Words(
    subject="{shop}: your order is paid",
    title="Your order is paid",
    lead=("Thank you for your order at {shop}. We have received your payment.",),
)
REFUND = Words(
    subject="{shop}: your money is on its way back",
    title="Your money is on its way back",
    lead=(
        "We have sent {amount} back to you, the way you paid.",
        "Your bank may need some days to show it.",
    ),
)
DOUBT = Words(
    subject="{shop}: we could not confirm your payment yet",
    title="We could not confirm your payment yet",
    lead=(
        "We do not know yet whether your payment of {amount} has arrived: the payment service has"
        " not told us for certain.",
        "We go on asking, and write to you as soon as it has. Please do not pay again. If you did"
        " not pay, there is nothing to do.",
    ),
)
EXPIRY = Words(
    subject="{shop}: your order was not paid in time",
    title="Your order was not paid in time",
    lead=(
        "The time to pay for your order of {amount} is over, so we have closed it. We have"
        " received no money for it.",
        "Should a payment still arrive, we confirm your order or send the money back, and write"
        " to you.",
    ),
    close=("You are welcome to order again at {shop}.",),
)

ORDER, REFUND_ID, AMOUNT, TOTAL = "Order", "Refund", "Amount", "Total"
PAID_BY, REFERENCE, INVOICE, CREDIT_NOTE = "Paid by", "Reference", "Invoice", "Credit note"
YOUR_ORDER, ATTACHED = "Your order", "attached"
ONLINE_PAYMENT = "online payment"
METHODS = {"upi": "UPI", "card": "card", "netbanking": "net banking", "wallet": "wallet"}

PAPER = {
    "invoice": "Invoice",
    "credit_note": "Credit note",
    "number": "Number",
    "date": "Date",
    "order": "Order",
    "invoice_number": "For invoice",
    "invoice_date": "Dated",
    "refund": "Refund",
    "sold_to": "Sold to",
    "customer": "Customer",
    "paid_by": "Paid by",
    "reference": "Payment",
    "item": "Item",
    "quantity": "Quantity",
    "unit_price": "Unit price",
    "tax_rate": "Tax",
    "amount": "Amount",
    "rate": "Tax rate",
    "net": "Net",
    "gross": "Total",
    "total": "Total",
    "credited": "Credited",
    "paid": "Paid",
    "void": "Void",
    "prices": "All prices contain the tax shown.",
    "computer": "Made by computer; valid without a signature.",
    "page": "Page",
}
REASONS = {
    CreditReason.REFUND: "Money sent back for this invoice",
    CreditReason.RETRACTION: "This invoice does not stand: its payment was not received",
}
VOID = (
    "Void since {day}: the refund was not carried out, so invoice {invoice} stands by this amount."
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def amount(money: Money) -> str:
    """With its thousands apart, and rupees in lakhs: ₹1,25,000.00, ¥1,800, KWD 1.250."""
    plain = str(money)
    digits = re.search(r"\d+", plain)
    assert digits, "an amount has digits"
    pairs = money.currency == "INR"
    head, tail = digits[0][:-3], digits[0][-3:]
    head = re.sub(r"(?<=\d)(?=(\d\d)+$)" if pairs else r"(?<=\d)(?=(\d{3})+$)", ",", head)
    grouped = f"{head},{tail}" if head else tail
    return plain[: digits.start()] + grouped + plain[digits.end() :]


def day_text(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def percent(rate: int, parts: int = 1) -> str:
    """A rate in hundredths of a percent, or one of its equal parts, as people write it."""
    return f"{rate / parts / 100:.4g} %"


def way_of(payment: Payment) -> str:
    method = payment.method or ONLINE_PAYMENT
    return f"{METHODS.get(method, method)} through {payment.gateway.capitalize()}"
