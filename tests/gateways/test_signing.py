"""Signatures: the vectors Razorpay publishes, and a thousand forgeries."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.errors import BadSignature
from gateways.signing import as_bytes, check_hmac, sha256_hex

VECTORS = [
    (
        "EnLs21M47BllR3X8PSFtjtbd",
        b"plink_IH3cNucfVEgV68|TSsd1989|paid|pay_IH3d0ara9bSsjQ",
        "07ae18789e35093e51d0a491eb9922646f3f82773547e5b0f67ee3f2d3bf7d5b",
    ),
    (
        "key_secret",
        b"fake_order_id|fake_payment_id",
        "b2335e3b0801106b84a7faff035df56ecffde06918c9ddd1f0fafbb37a51cc89",
    ),
    (
        "EnLs21M47BllR3X8PSFtjtbd",
        b"order_IEIaMR65cu6nz3|pay_IH4NVgf4Dreq1l",
        "0d4e745a1838664ad6c9c9902212a32d627d68e917290b0ad5f08ff4561bc50f",
    ),
    (
        "EnLs21M47BllR3X8PSFtjtbd",
        b"pay_IDZNwZZFtnjyym|sub_ID6MOhgkcoHj9I",
        "601f383334975c714c91a7d97dd723eb56520318355863dcf3821c0d07a17693",
    ),
    (
        "123456",
        b'{"a":1,"b":2,"c":{"d":3}}',
        "2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc",
    ),
]
SECRET, MESSAGE, SIGNATURE = VECTORS[4]


@pytest.mark.parametrize(("secret", "message", "signature"), VECTORS)
def test_the_published_vectors_are_accepted(secret: str, message: bytes, signature: str) -> None:
    check_hmac([secret], message, signature)


@pytest.mark.parametrize("secrets", [["old", SECRET], [SECRET, "new"], ["", SECRET]])
def test_any_of_several_secrets_will_do(secrets: list[str]) -> None:
    check_hmac(secrets, MESSAGE, SIGNATURE)


@pytest.mark.parametrize("secrets", [[], [""], ["", ""], ["other"]])
def test_without_the_secret_nothing_is_accepted(secrets: list[str]) -> None:
    with pytest.raises(BadSignature):
        check_hmac(secrets, MESSAGE, SIGNATURE)


def test_an_empty_secret_is_no_secret() -> None:
    empty = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
    with pytest.raises(BadSignature):
        check_hmac([""], b"", empty)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        " ",
        "é",
        "\udce9",
        "\uff10" * 64,
        SIGNATURE[:-1],
        SIGNATURE[:32],
        SIGNATURE + "0",
        SIGNATURE + "\n",
        " " + SIGNATURE,
        SIGNATURE.upper(),
        f"{SIGNATURE},{SIGNATURE}",
        f"sha256={SIGNATURE}",
        SIGNATURE + "é",
    ],
)
def test_a_strange_header_is_a_bad_signature_and_nothing_else(signature: str | None) -> None:
    with pytest.raises(BadSignature):
        check_hmac([SECRET], MESSAGE, signature)


@settings(max_examples=1000, deadline=None)
@given(st.data())
def test_no_forgery_is_accepted(data: st.DataObject) -> None:
    secret = data.draw(st.sampled_from([SECRET, SECRET + "0", "x"]) | st.text())
    message = data.draw(mutated(MESSAGE) | st.just(MESSAGE))
    signature = data.draw(mutated(SIGNATURE.encode()) | st.just(SIGNATURE.encode()))
    assume((secret, message, signature) != (SECRET, MESSAGE, SIGNATURE.encode()))
    with pytest.raises(BadSignature):
        check_hmac([secret], message, signature.decode("latin-1"))


@st.composite
def mutated(draw: st.DrawFn, original: bytes) -> bytes:
    """The same with a stretch of it replaced, cut out, or something put in."""
    start = draw(st.integers(0, len(original)))
    end = draw(st.integers(start, min(start + 4, len(original))))
    return original[:start] + draw(st.binary(max_size=4)) + original[end:]


@pytest.mark.parametrize("text", ["", "a?", "é", "₹", "a\udce9", "\ud800b"])
def test_no_two_texts_become_the_same_bytes(text: str) -> None:
    assert as_bytes(text).decode(errors="surrogatepass") == text


def test_the_digest_is_of_all_bytes_in_order() -> None:
    assert sha256_hex(b"a", b"bc") == sha256_hex(b"abc") != sha256_hex(b"bc", b"a")
