"""Stripe's signature: hex HMAC-SHA256 over the time and the raw body, once for each secret."""

import hmac
from collections.abc import Sequence


def signature_header(body: bytes, secrets: Sequence[str], at: int) -> str:
    """`t=…,v1=…`; `at` is the time of this very delivery, in whole Unix seconds."""
    message = f"{at}.".encode() + body
    digests = [hmac.new(secret.encode(), message, "sha256").hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={digest}" for digest in digests)])
