"""Invoices and credit notes as PDF: the same document gives the same bytes, every time.

Names reach the typesetter as data and are never read as markup.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import typst

from domain.invoices import CreditNote, Invoice, TaxShare
from domain.money import Money
from letters import texts

HERE = Path(__file__).parent
FONTS = ["Noto Sans", "Noto Sans Devanagari"]


async def invoice_pdf(invoice: Invoice) -> bytes:
    """The invoice, set beside the event loop: that takes some ten milliseconds."""
    return await asyncio.to_thread(_set, invoice_data(invoice))


async def credit_note_pdf(note: CreditNote, voided_on: date | None = None) -> bytes:
    """The credit note; it says so on its face if it is void."""
    return await asyncio.to_thread(_set, credit_note_data(note, voided_on))


def invoice_data(invoice: Invoice) -> dict[str, Any]:
    """What is printed, every amount as text."""
    lines = [
        [
            line.name,
            line.sku,
            str(line.quantity),
            texts.amount(line.unit_price),
            texts.percent(line.tax_rate),
            texts.amount(line.amount),
        ]
        for line in invoice.lines
    ]
    order = (texts.PAPER["order"], invoice.order_id)
    paid = (texts.PAPER["paid"], texts.amount(invoice.payment.amount))
    return _common(invoice, "invoice", [order]) | {"lines": lines, "paid": paid}


def credit_note_data(note: CreditNote, voided_on: date | None) -> dict[str, Any]:
    facts = [
        (texts.PAPER["invoice_number"], note.invoice_number),
        (texts.PAPER["invoice_date"], texts.day_text(note.invoice_date)),
        (texts.PAPER["order"], note.order_id),
    ]
    if note.refund_id:
        facts.append((texts.PAPER["refund"], note.refund_id))
    data = _common(note, "credit_note", facts) | {"reason": texts.REASONS[note.reason]}
    if voided_on:
        day = texts.day_text(voided_on)
        data["void"] = texts.VOID.format(day=day, invoice=note.invoice_number)
    return data


def _common(paper: Invoice | CreditNote, kind: str, facts: list[tuple[str, str]]) -> dict[str, Any]:
    seller, payment = paper.seller, paper.payment
    taxes = [share.taxes for share in paper.taxes]
    date_line = (texts.PAPER["date"], texts.day_text(paper.issued_on))
    return {
        "fonts": FONTS,
        "labels": texts.PAPER,
        "kind": kind,
        "number": paper.number,
        "seller": [seller.name, *seller.address, *([seller.tax_id] if seller.tax_id else [])],
        "buyer": [paper.buyer.email, f"{texts.PAPER['customer']} {paper.buyer.user_id}"],
        "facts": [(texts.PAPER["number"], paper.number), date_line, *facts],
        "payment": [texts.way_of(payment), payment.reference],
        "tax_names": paper.tax_names,
        "taxes": [_share(share) for share in paper.taxes],
        "net": _sum([share.net for share in paper.taxes]),
        "tax_sums": [_sum(column) for column in zip(*taxes, strict=True)],
        "total": texts.amount(paper.total),
    }


def _share(share: TaxShare) -> list[str]:
    """One row: the rate, what is left without tax, each tax, and all of it."""
    rate, parts = share.rate, len(share.taxes)
    taxes = [
        f"{texts.amount(tax)} ({texts.percent(rate, parts)})" if parts > 1 else texts.amount(tax)
        for tax in share.taxes
    ]
    return [texts.percent(rate), texts.amount(share.net), *taxes, texts.amount(share.gross)]


def _sum(amounts: Sequence[Money]) -> str:
    return texts.amount(Money(sum(each.minor for each in amounts), amounts[0].currency))


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")]
    )


def _set(data: dict[str, Any]) -> bytes:
    compiler = typst.Compiler(
        (HERE / "invoice.typ").read_bytes(),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )
    pdf = compiler.compile(format="pdf")
    assert isinstance(pdf, bytes), "one document, one file"
    return pdf
