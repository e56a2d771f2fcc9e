"""Signatures over raw bytes: checked before anything is parsed, and closed when in doubt."""

from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest

from domain.errors import BadSignature


def check_hmac(secrets: Iterable[str], message: bytes, *signatures: str | None) -> None:
    """Raise `BadSignature` unless one of them is the hex HMAC-SHA256 under one of the secrets.

    Several are valid while a secret is being changed. With none, nothing is.
    """
    given = [as_bytes(signature or "") for signature in signatures]
    expected = [_hex_hmac(secret, message) for secret in secrets if secret]
    # Bytes, since compare_digest refuses text that is not ASCII; a list, so that none is skipped.
    if not any([compare_digest(mine, theirs) for mine in expected for theirs in given]):
        raise BadSignature("no valid secret explains this signature")


def sha256_hex(*parts: bytes) -> str:
    """The digest that evidence keeps: of all the bytes received, in the order they came."""
    return sha256(b"".join(parts)).hexdigest()


def as_bytes(text: str) -> bytes:
    """UTF-8 for whatever a stranger sent, even halves of characters; no two texts give the same."""
    return text.encode(errors="surrogatepass")


def _hex_hmac(secret: str, message: bytes) -> bytes:
    return hmac_digest(secret.encode(), message, "sha256").hex().encode()
