"""Invoices and credit notes as PDF: what they say, read back from the file."""

import asyncio
import re
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from domain.invoices import (
    Buyer,
    CreditNote,
    CreditReason,
    Invoice,
    InvoiceLine,
    Numbering,
    Seller,
    credited_shares,
    tax_shares,
)
from domain.money import Money
from domain.payments import Payment, PaymentStatus
from letters.invoice import credit_note_pdf, invoice_pdf

EVIL = r"#evil *bold* _it_ $x$ [link](u) \ @ref <a> `code` // no"
SOLD = [("coffee-beans", "Coffee beans, 250 g", 3, 49900, 500), ("mug", "Mug", 1, 29900, 1800)]


def an_invoice(
    currency: str = "INR",
    sold: list[tuple[str, str, int, int, int]] = SOLD,
    tax_names: tuple[str, ...] = ("CGST", "SGST"),
) -> Invoice:
    lines = tuple(
        InvoiceLine(sku, name, count, Money(price, currency), Money(price * count, currency), rate)
        for sku, name, count, price, rate in sold
    )
    total = Money(sum(line.amount.minor for line in lines), currency)
    return Invoice(
        number="INV-26-27-000042",
        issued_on=date(2026, 11, 25),
        order_id="ord_abc",
        seller=Seller(
            "The Corner Shop", ("12 Market Street", "Bengaluru"), "GSTIN 29ABCDE1234F1Z5"
        ),
        buyer=Buyer("user-1", "buyer@example.com"),
        lines=lines,
        tax_names=tax_names,
        taxes=tax_shares(lines, len(tax_names)),
        total=total,
        payment=Payment("razorpay", "pay_Nx81K", PaymentStatus.CAPTURED, total, "upi"),
        numbering=Numbering(),
    )


def a_credit_note(invoice: Invoice, minor: int) -> CreditNote:
    amount = Money(minor, invoice.total.currency)
    return CreditNote(
        number="CRN-26-27-000007",
        issued_on=date(2026, 12, 1),
        invoice_number=invoice.number,
        invoice_date=invoice.issued_on,
        order_id=invoice.order_id,
        seller=invoice.seller,
        buyer=invoice.buyer,
        reason=CreditReason.REFUND,
        refund_id="rfd_xyz",
        tax_names=invoice.tax_names,
        taxes=credited_shares(invoice, amount),
        total=amount,
        payment=invoice.payment,
    )


def text_of(pdf: bytes) -> str:
    """All that is printed, with one space where there are several."""
    pages = PdfReader(BytesIO(pdf)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


async def test_it_says_all_that_it_must() -> None:
    text = text_of(await invoice_pdf(an_invoice()))
    for words in (
        "Invoice",
        "The Corner Shop",
        "12 Market Street",
        "GSTIN 29ABCDE1234F1Z5",
        "Number INV-26-27-000042",
        "Date 25 November 2026",
        "Order ord_abc",
        "buyer@example.com",
        "Customer user-1",
        "UPI through Razorpay",
        "pay_Nx81K",
        "Coffee beans, 250 g coffee-beans 3 ₹499.00 5 % ₹1,497.00",
        "Mug mug 1 ₹299.00 18 % ₹299.00",
        "Net ₹1,679.10",
        "CGST ₹58.45",
        "SGST ₹58.45",
        "Total ₹1,796.00",
        "Paid ₹1,796.00",
        "5 % ₹1,425.72 ₹35.64 (2.5 %) ₹35.64 (2.5 %) ₹1,497.00",
        "18 % ₹253.38 ₹22.81 (9 %) ₹22.81 (9 %) ₹299.00",
        "Page 1 / 1",
    ):
        assert words in text, text


@pytest.mark.parametrize(
    ("currency", "words"),
    [
        ("JPY", ("¥49,900 5 % ¥149,700", "Net ¥167,910", "Tax ¥11,690", "Total ¥179,600")),
        (
            "KWD",
            ("KWD 49.900 5 % KWD 149.700", "Tax KWD 11.690", "Total KWD 179.600"),
        ),
    ],
)
async def test_currencies_have_their_own_decimals(currency: str, words: tuple[str, ...]) -> None:
    text = text_of(await invoice_pdf(an_invoice(currency, tax_names=("Tax",))))
    for each in words:
        assert each in text, text


async def test_names_are_printed_as_they_are() -> None:
    invoice = an_invoice(sold=[("evil", EVIL, 1, 100, 0)])
    evil = replace(
        invoice,
        seller=Seller(EVIL, (EVIL,), EVIL),
        buyer=Buyer(EVIL, "#evil@example.com"),
    )
    text = text_of(await invoice_pdf(evil))
    assert text.count(EVIL) == 6, "seller, address, tax id, customer, item, footer"
    assert "#evil@example.com" in text


async def test_hindi_is_printed_in_its_own_letters() -> None:
    pdf = await invoice_pdf(an_invoice(sold=[("tote", "थैला", 1, 100, 0)]))
    resources: Any = PdfReader(BytesIO(pdf)).pages[0]["/Resources"]
    fonts = [font.get_object()["/BaseFont"] for font in resources["/Font"].values()]
    assert any("+NotoSansDevanagari" in font for font in fonts)
    assert all("+NotoSans" in font for font in fonts), "none comes from this machine"
    assert "थ" in text_of(pdf)


async def test_the_same_invoice_is_the_same_bytes() -> None:
    invoice = an_invoice()
    copies = await asyncio.gather(*(invoice_pdf(invoice) for _ in range(4)))
    assert len(set(copies)) == 1
    assert b"/CreationDate" not in copies[0]
    assert await invoice_pdf(replace(invoice, number="INV-26-27-000043")) != copies[0]


async def test_a_hundred_items_fill_more_than_one_page() -> None:
    sold = [(f"sku-{n}", f"Thing number {n}", 1, 100, 500) for n in range(100)]
    pdf = await invoice_pdf(an_invoice(sold=sold))
    pages = PdfReader(BytesIO(pdf)).pages
    assert len(pages) > 1
    for number, page in enumerate(pages[:-1], start=1):
        text = page.extract_text()
        assert "Unit price" in text, "the heads are repeated"
        assert f"Page {number} / {len(pages)}" in text
    assert "Thing number 99" in text_of(pdf)


async def test_what_is_too_long_stays_on_the_paper() -> None:
    long = an_invoice(sold=[("sku", "x" * 200, 10_000, 10**8, 500)])
    long = replace(long, buyer=Buyer("u" * 200, f"{'e' * 64}@{'d' * 180}.example"))
    pdf = await invoice_pdf(long)
    (page,) = PdfReader(BytesIO(pdf)).pages
    lines = page.extract_text().splitlines()
    assert max(map(len, lines)) < 100, "each breaks at the end of its column"
    printed = re.sub(r"\s", "", page.extract_text())
    for whole in ("x" * 200, "u" * 200, "e" * 64, "₹10,00,00,00,000.00"):
        assert whole in printed


async def test_a_credit_note_names_its_invoice() -> None:
    pdf = await credit_note_pdf(a_credit_note(an_invoice(), 50000))
    text = text_of(pdf)
    for words in (
        "Credit note",
        "Number CRN-26-27-000007",
        "Date 1 December 2026",
        "For invoice INV-26-27-000042",
        "Dated 25 November 2026",
        "Refund rfd_xyz",
        "Money sent back for this invoice",
        "Credited ₹500.00",
    ):
        assert words in text, text
    assert "Void" not in text
    assert "Paid ₹" not in text


async def test_a_void_credit_note_says_so() -> None:
    note = a_credit_note(an_invoice(), 50000)
    text = text_of(await credit_note_pdf(note, date(2026, 12, 24)))
    assert "Void since 24 December 2026" in text
    assert "invoice INV-26-27-000042 stands" in text
    assert "VOID" in text
