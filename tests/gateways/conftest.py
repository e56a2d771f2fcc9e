"""A wire without a network, and the adapters on it."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.gateways.wire import Wire


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire()
    async with made.http:
        yield made
