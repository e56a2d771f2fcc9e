"""Invoices and credit notes: to whoever may see the order, as JSON and as PDF."""

from hmac import compare_digest
from typing import Any

from fastapi import APIRouter, Depends, Response

from api.auth import Bearer, Token, authenticated
from api.models import CreditNoteOut
from api.orders import seen
from api.problems import documented
from api.services import Services
from api.views import credit_note_out
from domain.errors import OrderNotFound
from letters.invoice import credit_note_pdf, invoice_pdf

PDF = "application/pdf"
SAFE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
router = APIRouter(tags=["invoices"])


async def _allowed(order_id: str, services: Services, bearer: Bearer, token: Token) -> None:
    if bearer is None and token is not None:
        order = await services.orders.order(order_id)
        if not compare_digest(order.result_token.encode(), token.encode()):
            raise OrderNotFound(order_id)
        return
    await seen(order_id, services, await authenticated(bearer, services))


PAPER: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {"description": "The paper", "content": {PDF: {}}},
        **documented(401, 404, 503),
    },
    "dependencies": [Depends(_allowed)],
}


@router.get("/orders/{order_id}/invoice.pdf", **PAPER)
async def get_invoice(order_id: str, services: Services) -> Response:
    """The order's invoice, the same bytes every time; 404 until the order is paid."""
    invoice = await services.papers.invoice(order_id)
    return _pdf(invoice.number, await invoice_pdf(invoice))


@router.get(
    "/orders/{order_id}/credit-notes",
    responses=documented(401, 404, 503),
    dependencies=[Depends(_allowed)],
)
async def list_credit_notes(order_id: str, services: Services) -> list[CreditNoteOut]:
    """What was credited of the order's invoice, the oldest first."""
    url = services.settings.public_url
    notes = await services.papers.credit_notes(order_id)
    return [credit_note_out(order_id, note, url) for note in notes]


@router.get("/orders/{order_id}/credit-notes/{number}.pdf", **PAPER)
async def get_credit_note(order_id: str, number: str, services: Services) -> Response:
    """One credit note; it says so if it is void."""
    note, view = await services.papers.credit_note(order_id, number)
    voided_on = view.voided_at and services.settings.invoicing.numbering.date_of(view.voided_at)
    return _pdf(number, await credit_note_pdf(note, voided_on))


def _pdf(number: str, content: bytes) -> Response:
    named = {"Content-Disposition": f'inline; filename="{number}.pdf"'}
    return Response(content, 200, SAFE | named, PDF)
