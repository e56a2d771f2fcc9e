"""The merchant's account at Stripe: key, webhook, ids."""

import secrets
import string
from dataclasses import dataclass

ALPHABET = string.ascii_letters + string.digits
VERSION = "2026-10-28.endive"


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeAccount:
    """Webhooks are signed once for every secret: there are two while one is being changed.

    `webhook_url` None: events are recorded, but nobody is told.
    """

    secret_key: str
    webhook_secrets: tuple[str, ...]
    webhook_url: str | None = None

    @property
    def is_live(self) -> bool:
        return self.secret_key.startswith("sk_live_")

    @property
    def session_prefix(self) -> str:
        return "cs_live_" if self.is_live else "cs_test_"


def new_id(prefix: str) -> str:
    """Twenty-four letters and digits, about as many as Stripe's ids have."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(24))
