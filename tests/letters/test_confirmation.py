"""The confirmation of a paid order: sent once, and the same to the byte if it is repeated."""

import asyncio
import re
from dataclasses import replace
from email.message import EmailMessage

import pytest

from db.engine import Database
from db.letters import LetterStore
from db.orders import OrderStore
from db.papers import PaperStore
from db.reads import OrderReads
from db.statements import update_where
from db.tables import OrderItemRow
from domain.errors import IllegalTransition, MailDelayed, MailRefused
from domain.orders import OrderStatus
from letters.confirmation import Confirmations
from letters.invoice import invoice_pdf
from letters.mail import MailServer
from letters.sender import Sender
from tests.support.mail_server import MailCatcher
from tests.support.orders import NOON, a_payment, an_end, place, place_awaiting
from tests.support.refunds import a_refund_wish, place_ended, refunded

SENDER = Sender("orders@shop.example", "Ünder the ₹ shop", "https://pay.example")


@pytest.fixture
async def order_id(database: Database) -> str:
    order_id = await place_awaiting(database)
    await OrderStore(database).conclude(an_end(order_id))
    return order_id


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part
    return str(part.get_content())


def page_of(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part
    return str(part.get_content())


@pytest.fixture
def confirmations(database: Database, mail_server: MailServer) -> Confirmations:
    return Confirmations(LetterStore(database), mail_server, SENDER)


async def test_it_is_sent_once(
    database: Database, confirmations: Confirmations, catcher: MailCatcher, order_id: str
) -> None:
    for _ in range(3):
        await confirmations.confirm(order_id)
    assert len(catcher.taken) == 1
    (letter,) = (await OrderReads(database).order_view(order_id)).letters
    assert letter.sent_at is not None
    assert letter.refused is None


async def test_it_says_what_the_customer_needs(
    database: Database, confirmations: Confirmations, catcher: MailCatcher, order_id: str
) -> None:
    await confirmations.confirm(order_id)
    (mail,) = catcher.messages
    assert mail["To"] == "buyer@example.com"
    assert mail["From"] == "orders@shop.example"
    assert mail["X-Order-Id"] == order_id
    assert mail["Message-ID"] == f"<{order_id}.confirmation@shop.example>"
    text, page = text_of(mail), page_of(mail)
    order = await OrderStore(database).order(order_id)
    for words in (
        "Ünder the ₹ shop",
        order_id,
        "Coffee beans, 250 g",
        "₹499.00",
        "UPI through Acme",
        a_payment(order_id).reference,
        "INV-25-26-000001",
        f"https://pay.example/orders/{order_id}/result?token={order.result_token}",
    ):
        assert words in text
        assert words in page
    assert "1 x Coffee beans, 250 g: ₹499.00" in text
    assert "1 \u00d7 Coffee beans, 250 g" in page


async def test_its_page_needs_nothing_from_elsewhere(
    confirmations: Confirmations, catcher: MailCatcher, order_id: str
) -> None:
    await confirmations.confirm(order_id)
    page = page_of(catcher.messages[0])
    assert not re.search(r"<(img|link|script|style|iframe|object|form)\b|url\(|\son\w+=|src=", page)
    assert len(re.findall("https?://", page)) == 1, "the link to the order"


async def test_the_invoice_is_attached(
    database: Database, confirmations: Confirmations, catcher: MailCatcher, order_id: str
) -> None:
    await confirmations.confirm(order_id)
    (paper,) = catcher.messages[0].iter_attachments()
    assert paper.get_content_type() == "application/pdf"
    assert paper.get_filename() == "INV-25-26-000001.pdf"
    invoice = await PaperStore(database).invoice(order_id)
    assert paper.get_content() == await invoice_pdf(invoice)


async def test_names_are_not_markup(
    database: Database, mail_server: MailServer, catcher: MailCatcher, order_id: str
) -> None:
    async with database.write() as session:
        await update_where(session, OrderItemRow, OrderItemRow.order_id == order_id, name="<b>&{x}")
    odd = replace(SENDER, shop_name="Tom & <i>{shop}</i>")
    await Confirmations(LetterStore(database), mail_server, odd).confirm(order_id)
    (mail,) = catcher.messages
    assert mail["Subject"] == "Tom & <i>{shop}</i>: your order is paid"
    assert "1 x <b>&{x}: ₹499.00" in text_of(mail)
    assert "&lt;b&gt;&amp;{x}" in page_of(mail)
    assert "Tom &amp; &lt;i&gt;{shop}&lt;/i&gt;" in page_of(mail)


async def test_a_refund_is_told_with_its_credit_note(
    database: Database, confirmations: Confirmations, catcher: MailCatcher, order_id: str
) -> None:
    refund = await refunded(database, a_refund_wish(order_id, 20000))
    for _ in range(2):
        await confirmations.tell_refund(refund.refund_id)
    (mail,) = catcher.messages
    assert mail["Message-ID"] == f"<{refund.refund_id}.refund@shop.example>"
    for words in ("₹200.00", refund.refund_id, "CRN-25-26-000001"):
        assert words in text_of(mail)
        assert words in page_of(mail)
    (paper,) = mail.iter_attachments()
    assert paper.get_filename() == "CRN-25-26-000001.pdf"
    assert paper.get_content().startswith(b"%PDF-")


async def test_refunds_are_not_told_where_that_is_off(
    database: Database, mail_server: MailServer, catcher: MailCatcher, order_id: str
) -> None:
    refund = await refunded(database, a_refund_wish(order_id))
    silent = Confirmations(LetterStore(database), mail_server, SENDER, tell_refunds=False)
    await silent.tell_refund(refund.refund_id)
    assert catcher.taken == []


async def test_doubt_is_told_once_and_only_while_there_is_any(
    database: Database, confirmations: Confirmations, catcher: MailCatcher, order_id: str
) -> None:
    await confirmations.tell_doubt(order_id)
    await confirmations.tell_doubt(await place(database))
    assert catcher.taken == [], "one is paid, and the other has no link"
    open_id = await place_awaiting(database)
    for _ in range(2):
        await confirmations.tell_doubt(open_id)
    (mail,) = catcher.messages
    assert mail["Subject"] == "Ünder the ₹ shop: we could not confirm your payment yet"
    assert mail["Message-ID"] == f"<{open_id}.unconfirmed@shop.example>"
    assert "do not pay again" in " ".join(text_of(mail).split())
    assert list(mail.iter_attachments()) == []
    await OrderStore(database).conclude(an_end(open_id))
    await confirmations.confirm(open_id)
    assert [mail["Message-ID"] for mail in catcher.messages][1:] == [
        f"<{open_id}.confirmation@shop.example>"
    ]


async def test_expiry_is_told_once_and_only_if_it_stands(
    database: Database, confirmations: Confirmations, catcher: MailCatcher, order_id: str
) -> None:
    await confirmations.tell_expiry(order_id)
    assert catcher.taken == []
    expired = await place_ended(database, OrderStatus.EXPIRED)
    for _ in range(2):
        await confirmations.tell_expiry(expired)
    (mail,) = catcher.messages
    assert mail["Subject"] == "Ünder the ₹ shop: your order was not paid in time"
    assert mail["Message-ID"] == f"<{expired}.expiry@shop.example>"


async def test_a_delayed_letter_is_the_same_letter_later(
    confirmations: Confirmations, catcher: MailCatcher, order_id: str
) -> None:
    catcher.to_recipient.append("451 4.7.1 greylisted")
    with pytest.raises(MailDelayed):
        await confirmations.confirm(order_id)
    assert catcher.taken == []
    await confirmations.confirm(order_id)
    assert len(catcher.taken) == 1


async def test_a_refused_letter_is_not_tried_again(
    database: Database, confirmations: Confirmations, catcher: MailCatcher, order_id: str
) -> None:
    catcher.to_recipient.append("550 5.1.1 nobody")
    for _ in range(2):
        with pytest.raises(MailRefused, match="550"):
            await confirmations.confirm(order_id)
    assert catcher.taken == []
    (letter,) = (await OrderReads(database).order_view(order_id)).letters
    assert (letter.sent_at, letter.refused) == (None, "the mail server answered 550")


class KilledAfterSending:
    """Carries the letter, and dies before anybody hears of it."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def send(self, message: EmailMessage) -> None:
        await self._server.send(message)
        raise asyncio.CancelledError


async def test_a_kill_between_sending_and_recording_repeats_the_same_bytes(
    database: Database,
    mail_server: MailServer,
    confirmations: Confirmations,
    catcher: MailCatcher,
    order_id: str,
) -> None:
    book = LetterStore(database)
    # Written down long ago, so that a date of today would show.
    await book.confirmation(order_id, SENDER.message_id(order_id, "confirmation"), NOON)
    killed = Confirmations(book, KilledAfterSending(mail_server), SENDER)
    with pytest.raises(asyncio.CancelledError):
        await killed.confirm(order_id)
    await confirmations.confirm(order_id)
    first, second = catcher.taken
    assert first == second
    assert b"Content-Disposition: attachment" in first
    assert catcher.messages[0]["Date"].datetime == NOON


async def test_a_line_that_is_cut_after_the_data_repeats_the_same_bytes(
    confirmations: Confirmations, catcher: MailCatcher, order_id: str
) -> None:
    catcher.cuts = 1
    with pytest.raises(MailDelayed):
        await confirmations.confirm(order_id)
    for _ in range(2):
        await confirmations.confirm(order_id)
    first, second = catcher.taken
    assert first == second
    assert first.count(b"Content-Type: multipart/") == 2


async def test_an_unpaid_order_is_not_confirmed(
    database: Database, confirmations: Confirmations, catcher: MailCatcher
) -> None:
    with pytest.raises(IllegalTransition):
        await confirmations.confirm(await place_awaiting(database))
    assert catcher.taken == []
