"""Invoices and credit notes: what they say is fixed when their number is given."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.money import Money
from domain.orders import OrderItem
from domain.payments import Payment


class CreditReason(StrEnum):
    """Why an invoice is credited: money went back, or the payment proved to be none."""

    REFUND = "refund"
    RETRACTION = "retraction"


@dataclass(frozen=True)
class Seller:
    """Who sells, as invoices name them; `tax_id` with its name, as in "GSTIN 29ABCDE1234F1Z5"."""

    name: str = "The shop"
    address: tuple[str, ...] = ()
    tax_id: str | None = None


@dataclass(frozen=True)
class Numbering:
    """How numbers are made: one series for each prefix and financial year, from 1, without gaps.

    `first_month` begins the financial year; an invoice's date is that of the `time_zone`.
    """

    invoices: str = "INV"
    credit_notes: str = "CRN"
    first_month: int = 4
    time_zone: str = "Asia/Kolkata"

    def date_of(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.time_zone)).date()

    def series(self, prefix: str, day: date) -> str:
        """`INV-26-27`, or `INV-2026` where the financial year is the calendar's."""
        if self.first_month == 1:
            return f"{prefix}-{day.year}"
        start = day.year if day.month >= self.first_month else day.year - 1
        return f"{prefix}-{start % 100:02}-{(start + 1) % 100:02}"


def number_in(series: str, count: int) -> str:
    """`INV-26-27-000001`: with three letters of prefix the sixteen characters that GST allows."""
    return f"{series}-{count:06}"


@dataclass(frozen=True)
class Invoicing:
    """What settings say of invoices yet to be written.

    The tax that prices contain is one line, or is divided evenly among `tax_names`.
    """

    seller: Seller = field(default_factory=Seller)
    numbering: Numbering = field(default_factory=Numbering)
    tax_names: tuple[str, ...] = ("Tax",)


@dataclass(frozen=True)
class Buyer:
    user_id: str
    email: str


@dataclass(frozen=True)
class InvoiceLine:
    """One item as it was sold; the rate in hundredths of a percent, contained in the price."""

    sku: str
    name: str
    quantity: int
    unit_price: Money
    amount: Money
    tax_rate: int

    @classmethod
    def of(cls, item: OrderItem) -> "InvoiceLine":
        product = item.product
        price, rate = product.unit_price, product.tax_rate
        return cls(product.sku, product.name, item.quantity, price, item.amount, rate)


@dataclass(frozen=True)
class TaxShare:
    """What is contained in everything sold at one rate: `net` and `taxes` add up to `gross`."""

    rate: int
    net: Money
    taxes: tuple[Money, ...]
    gross: Money

    @classmethod
    def of(cls, gross: Money, rate: int, parts: int) -> "TaxShare":
        """Rounded once for each rate, and the parts are alike to the minor unit."""
        part = gross.included_tax(rate, parts)
        return cls(rate, gross - part * parts, (part,) * parts, gross)


@dataclass(frozen=True)
class Invoice:
    """All that an invoice says. `numbering` is for the credit notes that may follow it."""

    number: str
    issued_on: date
    order_id: str
    seller: Seller
    buyer: Buyer
    lines: tuple[InvoiceLine, ...]
    tax_names: tuple[str, ...]
    taxes: tuple[TaxShare, ...]
    total: Money
    payment: Payment
    numbering: Numbering


@dataclass(frozen=True)
class CreditNote:
    """All that a credit note says: how much of which invoice does not stand, and why."""

    number: str
    issued_on: date
    invoice_number: str
    invoice_date: date
    order_id: str
    seller: Seller
    buyer: Buyer
    reason: CreditReason
    refund_id: str | None
    tax_names: tuple[str, ...]
    taxes: tuple[TaxShare, ...]
    total: Money
    payment: Payment


def tax_shares(lines: Iterable[InvoiceLine], parts: int) -> tuple[TaxShare, ...]:
    """The tax contained in these lines, for each rate, the lowest first."""
    sums: dict[int, Money] = {}
    for line in lines:
        known = sums.get(line.tax_rate)
        sums[line.tax_rate] = known + line.amount if known else line.amount
    return tuple(TaxShare.of(sums[rate], rate, parts) for rate in sorted(sums))


def credited_shares(invoice: Invoice, amount: Money) -> tuple[TaxShare, ...]:
    """The amount spread over the invoice's rates as its total is, to the minor unit."""
    shares, before, spread = [], 0, 0
    for share in invoice.taxes:
        before += share.gross.minor
        upto = amount.minor * before // invoice.total.minor
        gross = Money(upto - spread, amount.currency)
        shares.append(TaxShare.of(gross, share.rate, len(invoice.tax_names)))
        spread = upto
    return tuple(share for share in shares if share.gross.minor)
