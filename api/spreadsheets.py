"""Tables for spreadsheets: CSV as RFC 4180 has it, and no cell that a program would calculate."""

import csv
import io
from collections.abc import AsyncIterator, Iterable

from db.reconciliation_views import FindingView
from domain.money import Money

# What a spreadsheet takes for the beginning of a formula, also behind a space.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
HEAD = (
    *("finding", "class", "plan", "gateway", "reference", "payment", "order", "order_status"),
    *("refund", "refund_status", "occurred_at", "method", "status_at_gateway"),
    *("amount_at_gateway", "currency_at_gateway", "our_amount", "our_currency"),
    *("repair", "note", "answer", "case", "case_status", "case_outcome", "settled"),
)
Cell = object


def cells_of(view: FindingView) -> list[Cell]:
    """One finding under `HEAD`; amounts in major units, as people write them."""
    finding = view.finding
    return [
        *(finding.finding_id, finding.match, finding.plan, finding.gateway, finding.reference),
        *(finding.payment_reference, finding.order_id, view.order_status),
        *(view.refund_id, view.refund_status, finding.occurred_at.isoformat(), finding.method),
        *(finding.file_status, *_amount(finding.file_amount), *_amount(finding.our_amount)),
        *(view.state, view.note, view.answer, view.case_id, view.case_status, view.case_outcome),
        "yes" if view.is_settled else "no",
    ]


def _amount(money: Money | None) -> tuple[Cell, Cell]:
    return (money.major_text(), money.currency) if money else (None, None)


async def csv_of(
    head: Iterable[str], pages: AsyncIterator[Iterable[Iterable[Cell]]]
) -> AsyncIterator[str]:
    """The table, a page of rows at a time."""
    yield _lines([head])
    async for rows in pages:
        yield _lines(rows)


def _lines(rows: Iterable[Iterable[Cell]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: Cell) -> str:
    """The text of a cell; one that would be a formula begins with an apostrophe."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
