"""The mail catcher takes every mail over SMTP, shows it, and keeps it over a restart."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import aiosmtplib
import httpx
import pytest

from demo.mailbox import MailPages, listen
from demo.mails import Mails
from tests.demo.conftest import Serve

ODD_MAILS = [
    b"",
    b"\r\n\r\n",
    b"no headers at all, \xff\xfe\r\n",
    b"Subject: =?utf-99?q?caf=E9?=\r\n\r\nunknown charset",
    b"Subject: =?utf-8?b?!!!?=\r\nFrom: \xe9\r\n\r\nbroken base64",
    b"Content-Type: text/plain; charset=klingon\r\n\r\nnuqneH \xe9",
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nnever closed",
    b"Content-Type: multipart/mixed\r\n\r\nno boundary",
    b"Content-Transfer-Encoding: base64\r\n\r\n????",
    b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nforwarded",
    b"Content-Disposition: attachment; filename*=utf-8''%00%ff..%2F\r\n\r\nx",
]


class Post:
    """A running catcher: SMTP port, pages, and the mails in it."""

    def __init__(self, port: int, pages: httpx.AsyncClient, mails: Mails) -> None:
        self.port, self.pages, self.mails = port, pages, mails

    async def send(self, message: EmailMessage) -> None:
        """Send it as the worker does."""
        await aiosmtplib.send(message, hostname="127.0.0.1", port=self.port)

    async def list(self, **filters: str) -> list[dict[str, str]]:
        """What `GET /messages` answers."""
        return list((await self.pages.get("/messages", params=filters)).json())


@pytest.fixture
async def post(tmp_path: Path, serve: Serve) -> AsyncIterator[Post]:
    mails = Mails(tmp_path / "mails.db")
    smtp = await listen(mails, 0)
    async with smtp, httpx.AsyncClient(base_url=await serve(MailPages(mails).app())) as pages:
        yield Post(smtp.sockets[0].getsockname()[1], pages, mails)
    mails.close()


def letter(order_id: str = "ord_1", to: str = "asha@example.com") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "shop@example.com", to
    message["Subject"] = "Thank you: ₹499.00 received"
    message["Message-ID"], message["X-Order-Id"] = f"<{order_id}@shop.example>", order_id
    message.set_content("Dear Asha,\n\n₹499.00 <b>received</b>.\n")
    return message


async def test_a_mail_is_listed_with_what_identifies_it(post: Post) -> None:
    await post.send(letter())
    (mail,) = await post.list()
    received_at = mail.pop("received_at")
    assert received_at.endswith("+00:00")
    assert mail == {
        "n": 1,
        "message_id": "<ord_1@shop.example>",
        "to": "asha@example.com",
        "subject": "Thank you: ₹499.00 received",
        "order_id": "ord_1",
    }


async def test_mails_are_found_by_order_and_by_recipient(post: Post) -> None:
    for order_id, to in (("ord_1", "asha@example.com"), ("ord_11", "ravi@example.com")):
        await post.send(letter(order_id, to))
    by_order = await post.list(order_id="ord_1")
    by_recipient = await post.list(to="RAVI@example")
    assert [mail["order_id"] for mail in by_order] == ["ord_1"]
    assert [mail["order_id"] for mail in by_recipient] == ["ord_11"]
    assert await post.list(order_id="ord_1", to="ravi") == []


async def test_the_same_mail_twice_is_kept_twice(post: Post) -> None:
    await post.send(letter())
    await post.send(letter())
    assert [mail["message_id"] for mail in await post.list()] == ["<ord_1@shop.example>"] * 2


async def test_text_is_shown_as_text_and_html_only_in_a_sandbox(post: Post) -> None:
    message = letter()
    message.add_alternative("<script>alert(1)</script><p>Received</p>", subtype="html")
    await post.send(message)
    page = await post.pages.get("/messages/1")
    html = await post.pages.get("/messages/1/html")
    assert "₹499.00 &lt;b&gt;received&lt;/b&gt;" in page.text
    assert "<script>alert" not in page.text
    (frame,) = re.findall(r"<iframe [^>]*>", page.text)
    assert 'src="/messages/1/html"' in frame
    (allowed,) = re.findall(r'sandbox="([^"]*)"', frame)
    assert allowed.split() == ["allow-popups", "allow-popups-to-escape-sandbox"]
    assert "<p>Received</p>" in html.text
    policy = html.headers["Content-Security-Policy"]
    assert policy.startswith(f"sandbox {allowed}; default-src 'none'; style-src 'unsafe-inline'")


async def test_attachments_and_the_whole_mail_are_downloads(post: Post) -> None:
    message, table = letter(), b"sku;qty\r\n \x00\xff"
    message.add_attachment(table, maintype="application", subtype="pdf", filename="preise ₹.csv")
    await post.send(message)
    page = await post.pages.get("/messages/1")
    kept = await post.pages.get("/messages/1/attachments/0")
    raw = await post.pages.get("/messages/1/raw")
    assert "preise ₹.csv" in page.text
    assert kept.content == table
    assert kept.headers["Content-Type"] == "application/octet-stream"
    assert kept.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''preise")
    assert raw.content.startswith(b"From: shop@example.com\r\n")
    assert b"\r\nc2t1O3F0eQ0KIAD/\r\n" in raw.content
    assert (await post.pages.get("/messages/1/attachments/1")).status_code == 404


async def test_an_invoice_opens_in_the_browser(post: Post) -> None:
    message, pdf = letter(), b"%PDF-1.7 \x00\xff"
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename="INV ₹ 1.pdf")
    await post.send(message)
    page = await post.pages.get("/messages/1")
    assert '<a href="/messages/1/attachments/0" target="_blank">INV ₹ 1.pdf</a>' in page.text
    shown = await post.pages.get("/messages/1/attachments/0")
    assert shown.content == pdf
    assert shown.headers["Content-Type"] == "application/pdf"
    assert shown.headers["Content-Disposition"].startswith("inline; filename*=UTF-8''INV")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("raw", ODD_MAILS)
async def test_whatever_arrives_is_kept_and_can_be_read(post: Post, raw: bytes) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=post.port) as smtp:
        await smtp.sendmail("a@example.com", ["b@example.com"], raw)
    assert len(await post.list()) == 1
    for path in ("/", "/messages/1", "/messages/1/html", "/messages/1/raw"):
        assert (await post.pages.get(path)).status_code == 200


async def test_a_mail_that_cannot_be_kept_shall_be_sent_again(post: Post) -> None:
    post.mails.close()
    with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
        await post.send(letter())
    assert refusal.value.code == 451


@pytest.mark.parametrize("path", ["/messages/7", "/messages/7/raw", "/messages/7/attachments/0"])
async def test_an_unknown_mail_is_not_found(post: Post, path: str) -> None:
    assert (await post.pages.get(path)).status_code == 404


async def test_pages_allow_no_inline_script_and_are_not_stored(post: Post) -> None:
    await post.send(letter())
    for path in ("/", "/messages/1"):
        headers = (await post.pages.get(path)).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"


async def test_mails_survive_a_kill(tmp_path: Path) -> None:
    smtp_port, page_port = free_port(), free_port()
    settings = {"SMTP_PORT": f"{smtp_port}", "MAILBOX_PORT": f"{page_port}"}
    settings["MAILBOX_STATE"] = str(tmp_path / "state" / "mails.db")
    first = await start_catcher(settings)
    await aiosmtplib.send(letter(), hostname="127.0.0.1", port=smtp_port)
    first.send_signal(signal.SIGKILL)
    await first.wait()
    second = await start_catcher(settings)
    mails = Mails(Path(settings["MAILBOX_STATE"]))
    assert [mail.order_id for mail in mails.find()] == ["ord_1"]
    mails.close()
    second.terminate()
    await second.communicate()


async def test_a_taken_port_is_named_in_one_line(post: Post, tmp_path: Path) -> None:
    catcher = await spawn({"SMTP_PORT": f"{post.port}", "MAILBOX_STATE": str(tmp_path / "x.db")})
    _, complaint = await catcher.communicate()
    assert f"cannot take mail on port {post.port} (SMTP_PORT)".encode() in complaint
    assert complaint.count(b"\n") == 1
    assert catcher.returncode == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def spawn(settings: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-m", "demo.mailbox"),
        env=os.environ | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def start_catcher(settings: dict[str, str]) -> asyncio.subprocess.Process:
    catcher = await spawn(settings)
    assert catcher.stdout is not None
    assert b"SMTP on" in await catcher.stdout.readline()
    return catcher
