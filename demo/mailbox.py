"""A mail catcher: takes every mail that is sent to it, keeps it, and shows it in a page."""

import asyncio
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, Envelope
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from demo.mails import Mail, Mails
from demo.mime import Attachment, content
from demo.web import page_app, pages, serve

ON_THE_PAGE = 200
# A mail's HTML is a stranger's: no script, no request, no origin. A link that is clicked opens
# in a tab of its own, as in any mail program.
SANDBOX = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:"
)
# A browser's viewer of PDFs is a page of its own: it has to show what it embeds.
VIEWER = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"


class Catcher:
    """What aiosmtpd calls for each mail."""

    def __init__(self, mails: Mails) -> None:
        self._mails = mails

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:
        """Keep the mail, then say so; if it cannot be kept, the sender shall try again."""
        try:
            self._mails.add(bytes(envelope.original_content or b""), envelope.rcpt_tos)
        except sqlite3.Error as error:
            return f"451 4.3.0 not stored: {error}"
        return "250 2.0.0 stored"


class MailPages:
    """The pages over the mails."""

    def __init__(self, mails: Mails) -> None:
        self._mails = mails

    def app(self) -> FastAPI:
        """The pages as an application."""
        app = page_app()
        app.get("/")(self.inbox)
        app.get("/messages")(self.messages)
        app.get("/messages/{n}")(self.message)
        app.get("/messages/{n}/raw")(self.raw)
        app.get("/messages/{n}/html")(self.html)
        app.get("/messages/{n}/attachments/{number}")(self.attachment)
        return app

    async def inbox(self, request: Request, to: str = "", order_id: str = "") -> Response:
        found = self._mails.find(to, order_id, ON_THE_PAGE)
        return pages.TemplateResponse(request, "mailbox.html", {"mails": found, "to": to})

    async def messages(self, to: str = "", order_id: str = "") -> list[dict[str, Any]]:
        return [_summary(mail) for mail in self._mails.find(to, order_id)]

    async def message(self, request: Request, n: int) -> Response:
        mail = self._mail(n)
        shown = {"mail": mail, "content": content(mail.raw)}
        return pages.TemplateResponse(request, "mail.html", shown)

    async def raw(self, n: int) -> Response:
        return _download(self._mail(n).raw, f"mail-{n}.eml")

    async def html(self, n: int) -> Response:
        html = content(self._mail(n).raw).html
        return HTMLResponse(html, headers={"Content-Security-Policy": SANDBOX})

    async def attachment(self, n: int, number: int) -> Response:
        attachments = content(self._mail(n).raw).attachments
        if not 0 <= number < len(attachments):
            raise HTTPException(404, f"Mail {n} has no attachment {number}.")
        kept = attachments[number]
        return _viewable(kept) if kept.is_pdf else _download(kept.content, kept.name)

    def _mail(self, n: int) -> Mail:
        mail = self._mails.get(n)
        if mail is None:
            raise HTTPException(404, f"There is no mail number {n}.")
        return mail


def _summary(mail: Mail) -> dict[str, Any]:
    return {
        "n": mail.n,
        "message_id": mail.message_id,
        "to": mail.recipients,
        "subject": mail.subject,
        "received_at": mail.received_at,
        "order_id": mail.order_id,
    }


def _download(body: bytes, name: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(body, 200, {"Content-Disposition": disposition}, "application/octet-stream")


def _viewable(pdf: Attachment) -> Response:
    named = f"inline; filename*=UTF-8''{quote(pdf.name, safe='')}"
    headers = {"Content-Disposition": named, "Content-Security-Policy": VIEWER}
    return Response(pdf.content, 200, headers, "application/pdf")


async def listen(mails: Mails, port: int) -> asyncio.Server:
    """Take mail on loopback; no size limit, any address."""
    catcher = Catcher(mails)
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: SMTP(
            catcher, data_size_limit=None, enable_SMTPUTF8=True, hostname="localhost", loop=loop
        ),
        "127.0.0.1",
        port,
    )


async def main() -> None:
    """Run until told to stop. Env: SMTP_PORT, MAILBOX_PORT, MAILBOX_STATE (an SQLite file)."""
    smtp_port = int(os.environ.get("SMTP_PORT", "1025"))
    page_port = int(os.environ.get("MAILBOX_PORT", "8025"))
    mails = Mails(Path(os.environ.get("MAILBOX_STATE", "var/mailbox.db")))
    try:
        smtp = await listen(mails, smtp_port)
    except OSError as error:
        sys.exit(f"mailbox: cannot take mail on port {smtp_port} (SMTP_PORT): {error.strerror}")
    print(f"mailbox: SMTP on 127.0.0.1:{smtp_port}, page at http://127.0.0.1:{page_port}")
    async with smtp:
        await serve(MailPages(mails).app(), page_port)
    mails.close()


if __name__ == "__main__":
    asyncio.run(main())
