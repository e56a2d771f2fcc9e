"""PayPal's signature: RSA with SHA-256, by a certificate that a root of our own vouches for."""

import os
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "messageverificationcerts.paypal.com"
LIFE = timedelta(days=3650)


@dataclass(frozen=True)
class Identity:
    """The key that signs, its certificate, and the root above that, all in PEM but the key."""

    key: rsa.RSAPrivateKey
    certificate: bytes
    root: bytes

    def signature(self, message: bytes) -> str:
        return b64encode(self.key.sign(message, PKCS1v15(), SHA256())).decode()


def kept_identity(folder: Path) -> Identity:
    """Made once and kept in three files, so that a restart does not change who we are.

    `paypal-ca.pem` is the one that a merchant has to trust.
    """
    files = [folder / f"paypal-{name}.pem" for name in ("key", "cert", "ca")]
    if not all(path.exists() for path in files):
        made = new_identity()
        key = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for path, text in zip(files, (key, made.certificate, made.root), strict=True):
            _write(path, text)
    key, certificate, root = (path.read_bytes() for path in files)
    loaded = load_pem_private_key(key, None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return Identity(loaded, certificate, root)


def new_identity(name: str = NAME, since: datetime | None = None) -> Identity:
    """A root, and a certificate of that name; `since` is when both become valid."""
    since = since or datetime.now(UTC) - timedelta(days=1)
    root_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _named("Simulator's root for PayPal")
    root = _root(root_key, issuer, since)
    key = rsa.generate_private_key(65537, 2048)
    leaf = (
        _begun(_named(name), issuer, key.public_key(), since)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, SHA256())
    )
    return Identity(key, leaf.public_bytes(Encoding.PEM), root.public_bytes(Encoding.PEM))


def transmission(
    identity: Identity, body: bytes, webhook_id: str, cert_url: str, transmission_id: str, at: float
) -> dict[str, str]:
    """The headers of one delivery: the signature covers its id, its time, and a checksum."""
    moment = datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    message = f"{transmission_id}|{moment}|{webhook_id}|{crc32(body)}".encode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "PayPal/AUHR-214.0-Simulator",
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        "PAYPAL-CERT-URL": cert_url,
        "PAYPAL-TRANSMISSION-ID": transmission_id,
        "PAYPAL-TRANSMISSION-SIG": identity.signature(message),
        "PAYPAL-TRANSMISSION-TIME": moment,
    }


def _root(key: ec.EllipticCurvePrivateKey, name: x509.Name, since: datetime) -> x509.Certificate:
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    allowed = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage)
    return (
        _begun(name, name, key.public_key(), since)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(allowed, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    since: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + LIFE)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _write(path: Path, text: bytes) -> None:
    """For the owner alone, and never half of it."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_bytes(text)
    os.replace(draft, path)
