"""Our signatures against the vectors published with Razorpay's own SDKs."""

from simulator.razorpay.signing import callback_signature, webhook_signature


def test_callback_vector_of_the_official_sdks() -> None:
    signature = callback_signature(
        "plink_IH3cNucfVEgV68",
        "TSsd1989",
        "paid",
        "pay_IH3d0ara9bSsjQ",
        "EnLs21M47BllR3X8PSFtjtbd",
    )
    assert signature == "07ae18789e35093e51d0a491eb9922646f3f82773547e5b0f67ee3f2d3bf7d5b"


def test_webhook_vector_of_the_node_sdk() -> None:
    signature = webhook_signature(b'{"a":1,"b":2,"c":{"d":3}}', "123456")
    assert signature == "2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc"


def test_a_webhook_signature_covers_every_byte() -> None:
    secret = "123456"
    assert webhook_signature(b'{"a":1}', secret) != webhook_signature(b'{"a": 1}', secret)
