"""Series, dates and taxes of invoices: every sum is right to the minor unit."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.invoices import (
    Buyer,
    Invoice,
    InvoiceLine,
    Numbering,
    Seller,
    TaxShare,
    credited_shares,
    number_in,
    tax_shares,
)
from domain.money import Money
from domain.payments import Payment, PaymentStatus

LINES = st.lists(st.tuples(st.integers(1, 10**9), st.sampled_from([0, 250, 500, 1200, 1800])))


@pytest.mark.parametrize(
    ("day", "first_month", "series"),
    [
        (date(2026, 3, 31), 4, "INV-25-26"),
        (date(2026, 4, 1), 4, "INV-26-27"),
        (date(2099, 12, 31), 4, "INV-99-00"),
        (date(2026, 12, 31), 1, "INV-2026"),
        (date(2026, 6, 30), 7, "INV-25-26"),
    ],
)
def test_a_series_is_of_one_financial_year(day: date, first_month: int, series: str) -> None:
    assert Numbering(first_month=first_month).series("INV", day) == series


def test_numbers_have_the_sixteen_characters_that_gst_allows() -> None:
    assert number_in("INV-26-27", 42) == "INV-26-27-000042"
    assert len(number_in("INV-26-27", 999_999)) == 16


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Asia/Kolkata", date(2026, 4, 1)), ("UTC", date(2026, 3, 31))],
)
def test_the_date_is_the_sellers(zone: str, day: date) -> None:
    at = datetime(2026, 3, 31, 18, 30, tzinfo=UTC)
    assert Numbering(time_zone=zone).date_of(at) == day


@pytest.mark.parametrize(
    ("gross", "rate", "parts", "net", "tax"),
    [
        (49900, 500, 1, 47524, 2376),
        (49900, 500, 2, 47524, 1188),
        (29900, 1800, 2, 25338, 2281),
        (1, 1800, 2, 1, 0),
        (125000, 0, 2, 125000, 0),
    ],
)
def test_tax_is_contained_in_the_price(
    gross: int, rate: int, parts: int, net: int, tax: int
) -> None:
    share = TaxShare.of(Money(gross, "INR"), rate, parts)
    assert share.net == Money(net, "INR")
    assert share.taxes == (Money(tax, "INR"),) * parts


def an_invoice(lines: list[tuple[int, int]], parts: int = 1) -> Invoice:
    sold = tuple(
        InvoiceLine("sku", "thing", 1, Money(minor, "INR"), Money(minor, "INR"), rate)
        for minor, rate in lines
    )
    total = Money(sum(minor for minor, _ in lines), "INR")
    return Invoice(
        number="INV-26-27-000001",
        issued_on=date(2026, 4, 1),
        order_id="ord_1",
        seller=Seller(),
        buyer=Buyer("user-1", "buyer@example.com"),
        lines=sold,
        tax_names=("Tax",) * parts,
        taxes=tax_shares(sold, parts),
        total=total,
        payment=Payment("acme", "pay_1", PaymentStatus.CAPTURED, total),
        numbering=Numbering(),
    )


def sum_of(shares: tuple[TaxShare, ...]) -> int:
    """Net and taxes of all shares: what they come to."""
    return sum(share.net.minor + sum(tax.minor for tax in share.taxes) for share in shares)


@given(lines=LINES.filter(bool), parts=st.integers(1, 2))
def test_shares_add_up_to_the_total(lines: list[tuple[int, int]], parts: int) -> None:
    invoice = an_invoice(lines, parts)
    assert sum_of(invoice.taxes) == invoice.total.minor
    assert [share.rate for share in invoice.taxes] == sorted({rate for _, rate in lines})


@given(lines=LINES.filter(bool), parts=st.integers(1, 2), data=st.data())
def test_what_is_credited_adds_up_too(
    lines: list[tuple[int, int]], parts: int, data: st.DataObject
) -> None:
    invoice = an_invoice(lines, parts)
    minor = data.draw(st.integers(1, invoice.total.minor))
    shares = credited_shares(invoice, Money(minor, "INR"))
    assert sum_of(shares) == minor
    assert all(share.gross.minor > 0 for share in shares)


@given(lines=LINES.filter(bool), parts=st.integers(1, 2))
def test_crediting_all_of_it_undoes_all_of_it(lines: list[tuple[int, int]], parts: int) -> None:
    invoice = an_invoice(lines, parts)
    assert credited_shares(invoice, invoice.total) == invoice.taxes
