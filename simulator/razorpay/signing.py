"""Razorpay's two signatures: hex HMAC-SHA256, one secret for the API, one for webhooks."""

import hmac


def webhook_signature(body: bytes, secret: str) -> str:
    """Sign the raw bytes of a webhook with the webhook secret."""
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def callback_signature(
    link_id: str, reference_id: str, status: str, payment_id: str, secret: str
) -> str:
    """Sign the browser's return with the API key's secret."""
    message = f"{link_id}|{reference_id}|{status}|{payment_id}"
    return hmac.new(secret.encode(), message.encode(), "sha256").hexdigest()
