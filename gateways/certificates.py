"""Signatures made with a certificate: the chain, the name and the time are checked, then the bytes.

Closed when in doubt: whatever does not verify is a `BadSignature`.
"""

import warnings
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import (
    Certificate,
    DNSName,
    load_der_x509_certificate,
    load_pem_x509_certificates,
)
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from domain.errors import BadSignature

MOST_IN_A_CHAIN = 8


def trusted_by(pem: str | None) -> Store:
    """The roots in the text; without one, those that our connections trust as well."""
    if pem:
        return Store(load_pem_x509_certificates(pem.encode()))
    known = httpx.create_ssl_context().get_ca_certs(binary_form=True)
    with warnings.catch_warnings():
        # Among the roots of the world there are some with odd serial numbers.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return Store([load_der_x509_certificate(each) for each in known])


def key_of(pem: bytes, names: Iterable[str], store: Store, now: datetime) -> RSAPublicKey:
    """The key of the first certificate, if a trusted root vouches that it is of such a name."""
    with _else_bad("a certificate that does not read"):
        leaf, *between = load_pem_x509_certificates(pem)[:MOST_IN_A_CHAIN]
    if not any(is_of(leaf, between, name, store, now) for name in names):
        raise BadSignature("nobody whom we trust vouches for this certificate")
    with _else_bad("a certificate without an RSA key"):
        key = leaf.public_key()
    if not isinstance(key, RSAPublicKey):
        raise BadSignature("a certificate without an RSA key")
    return key


def is_of(
    leaf: Certificate, between: Sequence[Certificate], name: str, store: Store, now: datetime
) -> bool:
    """Whether the chain holds now, and its end is of this name."""
    verifier = PolicyBuilder().store(store).time(now).build_server_verifier(DNSName(name))
    try:
        verifier.verify(leaf, list(between))
    except (VerificationError, ValueError):
        return False
    return True


def check_rsa(key: RSAPublicKey, messages: Iterable[bytes], signature: str) -> None:
    """Raise `BadSignature` unless the base64 text signs one of the messages (SHA-256, PKCS #1)."""
    with _else_bad("a signature that is not base64"):
        given = b64decode(signature.encode("ascii"), validate=True)
    if not any([_signs(key, message, given) for message in messages]):
        raise BadSignature("the signature is of something else")


def _signs(key: RSAPublicKey, message: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


@contextmanager
def _else_bad(why: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise BadSignature(why) from error
