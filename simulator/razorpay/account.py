"""The merchant's account at Razorpay: keys, webhook, ids."""

import secrets
import string
from dataclasses import dataclass
from hashlib import sha256

ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class RazorpayAccount:
    """`webhook_url` None: events are recorded, but nobody is told."""

    key_id: str
    key_secret: str
    webhook_secret: str
    webhook_url: str | None = None

    @property
    def merchant_id(self) -> str:
        return sha256(self.key_id.encode()).hexdigest()[:14]

    @property
    def is_test(self) -> bool:
        return not self.key_id.startswith("rzp_live_")


def new_id(prefix: str) -> str:
    """Fourteen letters and digits, as Razorpay's ids are."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(14))
