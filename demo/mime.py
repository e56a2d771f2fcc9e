"""Reading a mail, whatever bytes it is made of: nothing that arrives may be unreadable."""

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message


@dataclass(frozen=True)
class Attachment:
    """A part meant to be kept, not read."""

    name: str
    content: bytes

    @property
    def size(self) -> str:
        """Bytes, for people."""
        return f"{len(self.content) / 1000:,.1f} kB"

    @property
    def is_pdf(self) -> bool:
        """Whether it is one, whatever it calls itself."""
        return self.content.startswith(b"%PDF-")


@dataclass(frozen=True)
class Content:
    """What a mail says: its text, its HTML, its attachments."""

    text: str
    html: str
    attachments: tuple[Attachment, ...]


def header(raw: bytes, name: str) -> str:
    """One header, decoded (RFC 2047); empty if absent, and as it stands if it cannot be decoded."""
    value = message_from_bytes(raw)[name]
    try:
        text = str(make_header(decode_header(value or "")))
    except (LookupError, ValueError, MessageError):
        text = str(value)
    return " ".join(printable(text).split())


def content(raw: bytes) -> Content:
    """Text, HTML and attachments of a whole mail."""
    leaves = list(_leaves(message_from_bytes(raw)))
    read = [part for part in leaves if not _is_kept(part)]
    kept = [part for part in leaves if _is_kept(part)]
    return Content(
        "\n".join(_text(part) for part in read if part.get_content_subtype() != "html"),
        "\n".join(_text(part) for part in read if part.get_content_subtype() == "html"),
        tuple(_attachment(part, number) for number, part in enumerate(kept)),
    )


def printable(text: str) -> str:
    """Text that any database and terminal takes: no lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _leaves(message: Message) -> Iterator[Message]:
    parts = message.get_payload()
    if not (message.is_multipart() and isinstance(parts, list)):
        yield message
        return
    for part in parts:
        if isinstance(part, Message):
            yield from _leaves(part)


def _is_kept(part: Message) -> bool:
    return part.get_content_maintype() != "text" or part.get_content_disposition() == "attachment"


def _text(part: Message) -> str:
    payload = _bytes(part)
    try:
        return payload.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return payload.decode("utf-8", "replace")


def _attachment(part: Message, number: int) -> Attachment:
    try:
        name = printable(part.get_filename() or "")
    except (LookupError, ValueError):
        name = ""
    return Attachment(name or f"part-{number + 1}", _bytes(part))


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
