"""The merchant's app at PayPal: its keys, its webhook, ids and tokens."""

import secrets
import string
from dataclasses import dataclass

ALPHABET = string.digits + string.ascii_uppercase
TOKEN_LIFE = 32_400


@dataclass(frozen=True, slots=True, kw_only=True)
class PayPalAccount:
    """`webhook_url` None: events are recorded, but nobody is told."""

    client_id: str
    client_secret: str
    webhook_id: str
    webhook_url: str | None = None


def new_id() -> str:
    """Seventeen digits and capital letters, as orders, captures and refunds have them."""
    return "".join(secrets.choice(ALPHABET) for _ in range(17))


def new_event_id() -> str:
    return f"WH-{new_id()}-{new_id()}"
