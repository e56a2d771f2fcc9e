"""What a mail server says is named by what it means for the letter."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from domain.errors import MailDelayed, MailRefused
from letters.mail import MOST_KEPT, MailServer
from tests.support.mail_server import MailCatcher
from tests.support.ports import free_port


def a_mail(to: str = "buyer@example.com") -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", to, "₹499.00"
    mail.set_content("Paid: ₹499.00\n")
    return mail


async def test_a_mail_is_taken(mail_server: MailServer, catcher: MailCatcher) -> None:
    await mail_server.send(a_mail())
    (taken,) = catcher.messages
    assert (taken["To"], taken["Subject"]) == ("buyer@example.com", "₹499.00")
    assert taken.get_content() == "Paid: ₹499.00\r\n"


@pytest.mark.parametrize("step", ["to_recipient", "to_data"])
async def test_a_4xx_means_later(mail_server: MailServer, catcher: MailCatcher, step: str) -> None:
    getattr(catcher, step).append("451 4.7.1 greylisted")
    with pytest.raises(MailDelayed, match="451"):
        await mail_server.send(a_mail())
    await mail_server.send(a_mail())
    assert len(catcher.taken) == 1


@pytest.mark.parametrize("step", ["to_recipient", "to_data"])
async def test_a_5xx_means_never(mail_server: MailServer, catcher: MailCatcher, step: str) -> None:
    getattr(catcher, step).append("550 5.1.1 <buyer@example.com> does not live here")
    with pytest.raises(MailRefused) as refusal:
        await mail_server.send(a_mail())
    assert str(refusal.value) == "the mail server answered 550"
    assert catcher.taken == []


async def test_a_connection_is_kept_for_the_next_mail(
    mail_server: MailServer, catcher: MailCatcher
) -> None:
    for _ in range(3):
        await mail_server.send(a_mail())
    assert (len(catcher.taken), catcher.greeted) == (3, 1)


async def test_few_connections_are_kept(mail_server: MailServer, catcher: MailCatcher) -> None:
    await asyncio.gather(*[mail_server.send(a_mail()) for _ in range(MOST_KEPT + 3)])
    assert len(catcher.taken) == MOST_KEPT + 3
    await catcher.has_no_more_than(MOST_KEPT)


async def test_no_connection_is_kept_for_long(catcher: MailCatcher) -> None:
    async with MailServer("127.0.0.1", catcher.port, kept_seconds=0.05) as quick:
        await quick.send(a_mail())
        await catcher.has_no_more_than(0)
        await quick.send(a_mail())
    assert catcher.greeted == 2


async def test_a_kept_connection_that_the_server_closed(
    mail_server: MailServer, catcher: MailCatcher
) -> None:
    await mail_server.send(a_mail())
    catcher.hang_up()
    async with MailServer("127.0.0.1", catcher.port) as other:
        await other.send(a_mail())  # which takes longer than to notice
    await mail_server.send(a_mail())
    assert (len(catcher.taken), catcher.greeted) == (3, 3)


async def test_what_was_refused_is_not_in_the_next_mail(
    mail_server: MailServer, catcher: MailCatcher
) -> None:
    await mail_server.send(a_mail())
    catcher.to_recipient.append("550 5.1.1 does not live here")
    with pytest.raises(MailRefused):
        await mail_server.send(a_mail("nobody@example.com"))
    await mail_server.send(a_mail("else@example.com"))
    assert [mail["To"] for mail in catcher.messages] == ["buyer@example.com", "else@example.com"]


async def test_nobody_listens() -> None:
    with pytest.raises(MailDelayed):
        await MailServer("127.0.0.1", free_port()).send(a_mail())


async def test_a_wrong_password_is_not_the_letters_fault(mail_server: MailServer) -> None:
    locked = replace(mail_server, username="shop", password="wrong")
    assert "wrong" not in repr(locked)
    with pytest.raises(MailDelayed):
        await locked.send(a_mail())


async def test_an_address_that_the_server_cannot_take(mail_server: MailServer) -> None:
    with pytest.raises(MailRefused, match="address"):
        await mail_server.send(a_mail("köchin@example.com"))


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    over = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        over.set()


async def test_a_server_that_says_nothing(silent_port: int) -> None:
    with pytest.raises(MailDelayed):
        await MailServer("127.0.0.1", silent_port, timeout_seconds=0.2).send(a_mail())
