"""Which gateways there are: one line each."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from gateways.base import Gateway
from gateways.http import GatewayClient, connection
from gateways.razorpay import Razorpay

GATEWAYS: Mapping[str, tuple[Callable[..., Gateway], str]] = {
    "razorpay": (Razorpay, "https://api.razorpay.com"),
}


@asynccontextmanager
async def gateways(options: Mapping[str, Mapping[str, Any]]) -> AsyncIterator[dict[str, Gateway]]:
    """Every gateway that has options, by name; their connections are closed at the end.

    Options are the keywords of the adapter, and `base_url` unless it is the gateway's own.
    Raises `ValueError` for a gateway that does not exist.
    """
    async with AsyncExitStack() as stack:
        opened = {}
        for name, given in options.items():
            adapter, base_url, keywords = _resolved(name, given)
            http = await stack.enter_async_context(connection(base_url))
            opened[name] = adapter(http=GatewayClient(http), **keywords)
        yield opened


def _resolved(
    name: str, options: Mapping[str, Any]
) -> tuple[Callable[..., Gateway], str, dict[str, Any]]:
    if name not in GATEWAYS:
        raise ValueError(f"no gateway is named {name!r}; there is {', '.join(GATEWAYS)}")
    adapter, base_url = GATEWAYS[name]
    keywords = dict(options)
    return adapter, keywords.pop("base_url", None) or base_url, keywords
