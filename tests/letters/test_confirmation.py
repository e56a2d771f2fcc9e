"""The confirmation of a paid order: sent once, and the same to the byte if it is repeated."""

import asyncio
from email.message import EmailMessage

import pytest

from db.engine import Database
from db.letters import LetterStore
from db.orders import OrderStore
from db.reads import OrderReads
from domain.errors import IllegalTransition, MailDelayed, MailRefused
from letters.confirmation import Confirmations
from letters.mail import MailServer
from letters.sender import Sender
from tests.letters.catcher import MailCatcher
from tests.support.orders import NOON, a_payment, an_end, place_awaiting

SENDER = Sender("orders@shop.example", "Ünder the ₹ shop", "https://pay.example")


@pytest.fixture
async def order_id(database: Database) -> str:
    order_id = await place_awaiting(database)
    await OrderStore(database).conclude(an_end(order_id))
    return order_id


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
    text = mail.get_content()
    order = await OrderStore(database).order(order_id)
    for words in (
        "Ünder the ₹ shop",
        order_id,
        "1 x Coffee beans, 250 g: ₹499.00",
        "Total      ₹499.00",
        "upi through Acme",
        a_payment(order_id).reference,
        f"https://pay.example/orders/{order_id}/result?token={order.result_token}",
    ):
        assert words in text


async def test_a_delayed_letter_is_the_same_letter_later(
    confirmations: Confirmations, catcher: MailCatcher, order_id: str
) -> None:
    catcher.to_data.append("451 4.7.1 greylisted")
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
    assert catcher.messages[0]["Date"].datetime == NOON


async def test_an_unpaid_order_is_not_confirmed(
    database: Database, confirmations: Confirmations, catcher: MailCatcher
) -> None:
    with pytest.raises(IllegalTransition):
        await confirmations.confirm(await place_awaiting(database))
    assert catcher.taken == []
