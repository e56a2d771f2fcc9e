"""Invoices and credit notes over HTTP: to whoever may see the order, and to nobody else."""

import asyncio
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from io import BytesIO

import httpx
import pytest
from pypdf import PdfReader

from db.refunds import RefundStore
from domain.money import Money
from domain.news import Evidence, EvidenceKind
from domain.refunds import RefundNews, RefundStatus
from tests.support.money import until
from tests.support.neighbours import Neighbours
from tests.support.service import Service, new_key, running_service


def token_of(order: dict[str, str]) -> dict[str, str]:
    return {"token": order["result_url"].rpartition("=")[2]}


def text_of(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/pdf"
    pages = PdfReader(BytesIO(response.content)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


async def refund(service: Service, order_id: str, amount: int) -> str:
    """The id of a refund that has succeeded, and of which the customer was told."""
    path, body = f"/orders/{order_id}/refunds", {"amount": amount, "reason": "it broke"}
    answer = await service.ops.post(path, json=body, headers=new_key())
    refund_id = str(answer.json()["refund_id"])
    await until(lambda: mails_of(service, order_id, refund_id), bool)
    return refund_id


async def mails_of(service: Service, order_id: str, letter_id: str) -> list[EmailMessage]:
    mails = await service.mails.about(order_id)
    return [mail for mail in mails if letter_id in mail["Message-ID"]]


async def told(service: Service, order_id: str) -> None:
    """Wait until the checkout has sent what it had to send."""
    await service.temporal.get_workflow_handle(order_id).result()


async def test_a_paid_order_has_an_invoice(service: Service) -> None:
    order_id, url = await service.place_and_check_out()
    path = f"/orders/{order_id}/invoice.pdf"
    early = await service.shop.get(path)
    assert (early.status_code, early.json()["type"]) == (404, "/problems/paper-not-found")
    assert (await service.order(order_id))["invoice"] is None
    await service.simulator.pay(url)
    assert await service.ends_as(order_id) == "paid"
    order = await service.order(order_id)
    number = order["invoice"]["number"]
    assert re.fullmatch(r"INV-\d\d-\d\d-000001", number)
    assert order["invoice"]["url"] == f"{service.settings.public_url}{path}"
    paper = await service.shop.get(path)
    assert paper.headers["Content-Disposition"] == f'inline; filename="{number}.pdf"'
    assert paper.headers["Cache-Control"] == "no-store"
    text = text_of(paper)
    reference = order["payments"][0]["gateway_reference"]
    for words in (number, order_id, "₹499.00", reference, service.settings.shop_name):
        assert words in text
    await told(service, order_id)
    (mail,) = service.mails.so_far(order_id)
    (attached,) = mail.iter_attachments()
    assert attached.get_content() == paper.content, "the same bytes, every time"


async def test_who_may_see_it(service: Service) -> None:
    order_id = await service.paid()
    order = await service.order(order_id)
    paper, notes = f"/orders/{order_id}/invoice.pdf", f"/orders/{order_id}/credit-notes"
    for path in (paper, notes):
        for caller in (service.shop, service.ops):
            assert (await caller.get(path)).status_code == 200
        with_token = await service.stranger.get(path, params=token_of(order))
        assert with_token.status_code == 200
        for none in ({}, {"token": ""}):
            assert (await service.stranger.get(path, params=none)).status_code == 401
        assert (await service.other.get(path)).status_code == 404
        for guess in ("guess", "é"):
            answer = await service.stranger.get(path, params={"token": guess})
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/order-not-found")


async def test_what_went_back_is_credited(service: Service) -> None:
    order_id = await service.paid()
    refund_id = await refund(service, order_id, 20000)
    notes = (await service.shop.get(f"/orders/{order_id}/credit-notes")).json()
    (note,) = notes
    assert re.fullmatch(r"CRN-\d\d-\d\d-000001", note["number"])
    assert (note["amount"], note["currency"]) == (20000, "INR")
    assert (note["reason"], note["refund_id"], note["voided_at"]) == ("refund", refund_id, None)
    order = await service.order(order_id)
    assert order["credit_notes"] == notes
    path = note["url"].removeprefix(service.settings.public_url)
    text = text_of(await service.stranger.get(path, params=token_of(order)))
    for words in (note["number"], order["invoice"]["number"], refund_id, "Credited ₹200.00"):
        assert words in text
    other = await service.paid()
    foreign = await service.shop.get(path.replace(order_id, other))
    assert foreign.status_code == 404
    (mail,) = await mails_of(service, order_id, refund_id)
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == f"{note['number']}.pdf"


async def test_what_the_gateway_took_back_is_void(service: Service) -> None:
    order_id = await service.paid()
    await refund(service, order_id, 20000)
    (shown,) = (await service.order(order_id))["refunds"]
    news = RefundNews(
        gateway=shown["gateway"],
        refund_id=shown["refund_id"],
        status=RefundStatus.FAILED,
        evidence=Evidence(EvidenceKind.STATUS_QUERY, "taken back"),
        payment_reference=shown["gateway_reference"],
        amount=Money(20000, "INR"),
        reference=shown["reference"],
    )
    await RefundStore(service.database).record_refund(news, datetime.now(UTC))
    (note,) = (await service.order(order_id))["credit_notes"]
    assert note["voided_at"]
    path = note["url"].removeprefix(service.settings.public_url)
    assert "Void since" in text_of(await service.ops.get(path))


async def test_ten_payments_at_once_get_ten_numbers_in_a_row(service_on_both: Service) -> None:
    service = service_on_both
    placed = [await service.place_and_check_out() for _ in range(10)]
    await asyncio.gather(*(service.simulator.pay(url) for _, url in placed))
    for order_id, _ in placed:
        assert await service.ends_as(order_id) == "paid"
    given = [(await service.order(order_id))["invoice"]["number"] for order_id, _ in placed]
    assert [number[-6:] for number in sorted(given)] == [f"{n:06}" for n in range(1, 11)]


async def test_the_settings_say_who_sells(neighbours: Neighbours, sqlite_database_url: str) -> None:
    async with running_service(
        neighbours,
        sqlite_database_url,
        seller_name="कोने की दुकान #1",
        seller_address=("12 Market Street", "Bengaluru"),
        seller_tax_id="GSTIN 29ABCDE1234F1Z5",
        tax_names=("CGST", "SGST"),
        invoice_series="SHOP",
        financial_year_starts=1,
    ) as service:
        order_id = await service.paid()
        number = (await service.order(order_id))["invoice"]["number"]
        assert re.fullmatch(r"SHOP-20\d\d-000001", number)
        text = text_of(await service.shop.get(f"/orders/{order_id}/invoice.pdf"))
        for words in ("#1", "12 Market Street", "GSTIN 29ABCDE1234F1Z5", "CGST ₹11.88"):
            assert words in text


@pytest.mark.parametrize(
    ("answer", "refused"), [("550 5.1.1 nobody", "the mail server answered 550"), (None, None)]
)
async def test_operators_see_what_became_of_letters(
    service: Service, answer: str | None, refused: str | None
) -> None:
    service.mails.to_recipient = [answer] if answer else []
    order_id = await service.paid()
    await told(service, order_id)
    (letter,) = (await service.ops.get(f"/orders/{order_id}")).json()["letters"]
    assert (letter["kind"], letter["about"]) == ("confirmation", order_id)
    assert letter["refused"] == refused
    assert (letter["sent_at"] is None) is (answer is not None)
