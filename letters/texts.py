"""The texts of letters."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from domain.orders import OrderItem
from domain.payments import Payment
from domain.ports import ConfirmationLetter, RefundLetter


@dataclass(frozen=True)
class Sender:
    """Who writes: `address` is the From, `public_url` where the order's page is."""

    address: str
    shop_name: str
    public_url: str

    def message_id(self, letter_id: str, kind: str) -> str:
        """The same for every copy of the same letter."""
        return f"<{letter_id}.{kind}@{self.address.rpartition('@')[2]}>"


def confirmation(letter: ConfirmationLetter, sender: Sender) -> EmailMessage:
    """The confirmation of a paid order, in plain text."""
    text = _confirmation_text(letter, sender)
    return _message(letter, sender, f"{sender.shop_name}: your order is paid", text)


def refund_notice(letter: RefundLetter, sender: Sender) -> EmailMessage:
    """The notice of a refund, in plain text."""
    text = _refund_text(letter, sender)
    return _message(letter, sender, f"{sender.shop_name}: your money is on its way back", text)


def _message(
    letter: ConfirmationLetter | RefundLetter, sender: Sender, subject: str, text: str
) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = sender.address
    message["To"] = letter.to
    message["Subject"] = subject
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = letter.message_id
    message["X-Order-Id"] = letter.order_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="quoted-printable")
    return message


def _confirmation_text(letter: ConfirmationLetter, sender: Sender) -> str:
    payment = letter.payment
    lines = [
        f"Thank you for your order at {sender.shop_name}. We have received your payment.",
        "",
        f"Order      {letter.order_id}",
        *map(_item_line, letter.items),
        f"Total      {letter.amount}",
        "",
        f"Paid by    {_way_of(payment)}",
        f"Reference  {payment.reference}",
        "",
        f"Your order: {_page(letter, sender)}",
        "",
        sender.shop_name,
    ]
    return "\n".join(lines) + "\n"


def _item_line(item: OrderItem) -> str:
    return f"           {item.quantity} x {item.product.name}: {item.amount}"


def _refund_text(letter: RefundLetter, sender: Sender) -> str:
    payment = letter.payment
    lines = [
        f"We have sent {letter.amount} back to you, the way you paid.",
        "Your bank may need some days to show it.",
        "",
        f"Order      {letter.order_id}",
        f"Refund     {letter.refund_id}",
        f"Amount     {letter.amount}",
        "",
        f"Paid by    {_way_of(payment)}",
        f"Reference  {payment.reference}",
        "",
        f"Your order: {_page(letter, sender)}",
        "",
        sender.shop_name,
    ]
    return "\n".join(lines) + "\n"


def _way_of(payment: Payment) -> str:
    return f"{payment.method or 'online payment'} through {payment.gateway.capitalize()}"


def _page(letter: ConfirmationLetter | RefundLetter, sender: Sender) -> str:
    return f"{sender.public_url}/orders/{letter.order_id}/result?token={letter.result_token}"
