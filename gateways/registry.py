"""Which gateways there are: one line each."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from gateways.base import Gateway
from gateways.http import GatewayClient, connection
from gateways.paypal import PayPal
from gateways.razorpay import Razorpay
from gateways.stripe import Stripe

GATEWAYS: Mapping[str, Callable[..., Gateway]] = {
    "paypal": PayPal,
    "razorpay": Razorpay,
    "stripe": Stripe,
}


@asynccontextmanager
async def gateways(options: Mapping[str, Mapping[str, Any]]) -> AsyncIterator[dict[str, Gateway]]:
    """Every gateway that has options, by name; their connections are closed at the end.

    Options are `base_url` and the keywords of the adapter. Raises `ValueError` for a gateway that
    does not exist.
    """
    if unknown := options.keys() - GATEWAYS.keys():
        raise ValueError(
            f"no such gateway: {', '.join(sorted(unknown))}; use {', '.join(GATEWAYS)}"
        )
    async with AsyncExitStack() as stack:
        connected = {}
        for name, given in options.items():
            http = await stack.enter_async_context(connection(given["base_url"]))
            keywords = {word: value for word, value in given.items() if word != "base_url"}
            connected[name] = GATEWAYS[name](http=GatewayClient(http), **keywords)
        yield connected
