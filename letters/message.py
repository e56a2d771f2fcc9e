"""A letter as the bytes of a mail: text and HTML that say the same, and what is attached.

Nothing in it is random or of today, so that a copy is the same to the byte.
"""

from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from domain.letters import Letter
from letters import texts
from letters.sender import Sender
from letters.texts import Words

PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True
)


@dataclass(frozen=True)
class Attachment:
    """A PDF and the name it is kept under."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Item:
    name: str
    quantity: int
    amount: str


@dataclass(frozen=True)
class Facts:
    """What a letter tells besides its words; each fact with its label."""

    items: tuple[Item, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()


def compose(
    letter: Letter, words: Words, facts: Facts, sender: Sender, attached: Attachment | None = None
) -> EmailMessage:
    """The mail, ready to be sent."""
    said = _filled(words, letter, sender)
    link = sender.page(letter.order_id, letter.result_token)
    message = EmailMessage(policy=SMTP)
    message["From"] = sender.address
    message["To"] = letter.to
    message["Subject"] = said.subject
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = letter.message_id
    message["X-Order-Id"] = letter.order_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_text(letter, said, facts, sender, link), cte="quoted-printable")
    page = PAGES.get_template("letter.html").render(
        letter=letter, words=said, facts=facts, sender=sender, link=link, texts=texts
    )
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    if attached:
        message.add_attachment(
            attached.content, maintype="application", subtype="pdf", filename=attached.name
        )
    _fix_boundaries(message, letter.letter_id)
    return message


def _filled(words: Words, letter: Letter, sender: Sender) -> Words:
    def fill(text: str) -> str:
        return text.format(shop=sender.shop_name, amount=texts.amount(letter.amount))

    lead, close = tuple(map(fill, words.lead)), tuple(map(fill, words.close))
    return Words(fill(words.subject), fill(words.title), lead, close)


def _text(letter: Letter, words: Words, facts: Facts, sender: Sender, link: str) -> str:
    rows = [(texts.ORDER, letter.order_id), *facts.rows]
    lines = [
        *words.lead,
        "",
        *(f"{item.quantity} x {item.name}: {item.amount}" for item in facts.items),
        *([""] if facts.items else []),
        *(f"{label:<11} {value}" for label, value in rows),
        "",
        *words.close,
        f"{texts.YOUR_ORDER}: {link}",
        "",
        sender.shop_name,
    ]
    return "\n".join(lines) + "\n"


def _fix_boundaries(message: EmailMessage, letter_id: str) -> None:
    """Neither quoted-printable nor base64 can contain `=_`, so no part can contain a boundary."""
    manifold = [part for part in message.walk() if part.is_multipart()]
    for number, part in enumerate(manifold, start=1):
        part.set_boundary(f"=_{letter_id}_{number}")
