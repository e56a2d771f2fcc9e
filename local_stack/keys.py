"""The keys of a local stack: random on its first start, the same ever after."""

import json
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path


def kept_keys(path: Path) -> Mapping[str, str]:
    """The keys by name, in the clear; in a file that only its owner may read.

    A stack that is older than one of them gets that one when it starts again.
    """
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    keys = _new_keys() | kept
    if keys != kept:
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(keys, indent=2) + "\n")
        draft.replace(path)
    return keys


def _new_keys() -> dict[str, str]:
    return {
        "client": secrets.token_urlsafe(32),
        "operator": secrets.token_urlsafe(32),
        "razorpay_key_id": f"rzp_test_{secrets.token_hex(7)}",
        "razorpay_key_secret": secrets.token_urlsafe(18),
        "razorpay_webhook_secret": secrets.token_urlsafe(24),
        "paypal_client_id": f"app_{secrets.token_hex(7)}",
        "paypal_client_secret": secrets.token_urlsafe(18),
        "paypal_webhook_id": secrets.token_hex(9).upper(),
        "stripe_secret_key": f"sk_test_{secrets.token_urlsafe(18)}",
        "stripe_webhook_secret": f"whsec_{secrets.token_urlsafe(24)}",
    }


def api_keys(keys: Mapping[str, str]) -> str:
    """What the API knows of its callers: role and hash, never the key."""
    callers = {"shop": "client", "ops": "operator"}
    return json.dumps(
        [
            {"name": name, "role": role, "sha256": sha256(keys[role].encode()).hexdigest()}
            for name, role in callers.items()
        ]
    )
