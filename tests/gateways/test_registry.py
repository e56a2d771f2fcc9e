"""Which gateways are connected, and that none stays connected."""

import pytest

from domain.errors import GatewayUnavailable
from gateways.razorpay import Razorpay
from gateways.registry import GATEWAYS, gateways

RAZORPAY = {
    "key_id": "rzp_test_1",
    "key_secret": "secret",
    "webhook_secrets": ["other"],
    "base_url": "http://127.0.0.1:9",
}

PAYPAL = {
    "client_id": "app",
    "client_secret": "secret",
    "webhook_ids": ["1"],
    "base_url": "http://127.0.0.1:9",
}

STRIPE = {
    "secret_key": "sk_test_1",
    "webhook_secrets": ["whsec_1"],
    "base_url": "http://127.0.0.1:9",
}


async def test_every_configured_gateway_is_connected_and_closed_at_the_end() -> None:
    async with gateways({"razorpay": RAZORPAY}) as known:
        assert list(known) == ["razorpay"]
        razorpay = known["razorpay"]
        assert isinstance(razorpay, Razorpay)
        with pytest.raises(GatewayUnavailable):
            await razorpay.find_payment_link("ord_x:link:1")
    with pytest.raises(RuntimeError, match="closed"):
        await razorpay.find_payment_link("ord_x:link:1")


async def test_every_gateway_bears_the_name_it_is_known_by() -> None:
    async with gateways({"paypal": PAYPAL, "razorpay": RAZORPAY, "stripe": STRIPE}) as known:
        assert known.keys() == GATEWAYS.keys()
        assert all(gateway.name == name for name, gateway in known.items())


async def test_without_options_there_are_none() -> None:
    async with gateways({}) as known:
        assert known == {}


async def test_an_unknown_gateway_is_named() -> None:
    with pytest.raises(ValueError, match="acme; use paypal, razorpay"):
        async with gateways({"acme": RAZORPAY, "razorpay": RAZORPAY}):
            pass
