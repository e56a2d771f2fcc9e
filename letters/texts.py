"""The texts of letters."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from domain.orders import OrderItem
from domain.ports import ConfirmationLetter


@dataclass(frozen=True)
class Sender:
    """Who writes: `address` is the From, `public_url` where the order's page is."""

    address: str
    shop_name: str
    public_url: str

    def message_id(self, order_id: str, kind: str) -> str:
        """The same for every copy of the same letter."""
        return f"<{order_id}.{kind}@{self.address.rpartition('@')[2]}>"


def confirmation(letter: ConfirmationLetter, sender: Sender) -> EmailMessage:
    """The confirmation of a paid order, in plain text."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender.address
    message["To"] = letter.to
    message["Subject"] = f"{sender.shop_name}: your order is paid"
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = letter.message_id
    message["X-Order-Id"] = letter.order_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_confirmation_text(letter, sender), cte="quoted-printable")
    return message


def _confirmation_text(letter: ConfirmationLetter, sender: Sender) -> str:
    payment = letter.payment
    page = f"{sender.public_url}/orders/{letter.order_id}/result?token={letter.result_token}"
    lines = [
        f"Thank you for your order at {sender.shop_name}. We have received your payment.",
        "",
        f"Order      {letter.order_id}",
        *map(_item_line, letter.items),
        f"Total      {letter.amount}",
        "",
        f"Paid by    {payment.method or 'online payment'} through {payment.gateway.capitalize()}",
        f"Reference  {payment.reference}",
        "",
        f"Your order: {page}",
        "",
        sender.shop_name,
    ]
    return "\n".join(lines) + "\n"


def _item_line(item: OrderItem) -> str:
    return f"           {item.quantity} x {item.product.name}: {item.amount}"
