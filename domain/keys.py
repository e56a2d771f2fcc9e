"""Names for orders and for every outward effect, made of our own ids."""

import secrets
from base64 import b32encode
from hashlib import sha256

ORDER_PREFIX = "ord_"
TOKEN_BYTES = 20
WIRE_LENGTH = 23


def new_id(prefix: str) -> str:
    """`ord_` and 26 characters of base32: 130 random bits from the system's generator."""
    return f"{prefix}_{b32encode(secrets.token_bytes(17)).decode().lower()[:26]}"


def new_token() -> str:
    """160 random bits for a URL, made of nothing that can be guessed."""
    return b32encode(secrets.token_bytes(TOKEN_BYTES)).decode().lower()


def derived_id(prefix: str, *parts: str) -> str:
    """An id like `new_id` gives, but always the same for the same parts."""
    digest = sha256("\0".join(parts).encode()).digest()
    return f"{prefix}_{b32encode(digest).decode().lower()[:26]}"


def link_key(order_id: str, attempt: int) -> str:
    """The key of one payment link; the same on every retry, reset and replay."""
    return f"{order_id}:link:{attempt}"


def attempt_of(link_key: str) -> int:
    """The number of the link that has this key."""
    return int(link_key.rpartition(":")[2])


def capture_key(link_key: str, attempt: int) -> str:
    """The key under which the money of an approved link is taken."""
    return f"{link_key}:capture:{attempt}"


def wire_key(key: str) -> str:
    """The key as it travels: 115 bits in 23 characters that every gateway's alphabet has."""
    return b32encode(sha256(key.encode()).digest()).decode().lower()[:WIRE_LENGTH]
