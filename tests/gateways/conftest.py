"""A wire without a network, and the adapters on it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateways.razorpay import Razorpay
from tests.gateways import razorpay_samples as sample
from tests.gateways.wire import Wire


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire()
    async with made.http:
        yield made


@pytest.fixture
def razorpay(wire: Wire) -> Razorpay:
    return Razorpay(
        http=wire.client,
        key_id=sample.KEY_ID,
        key_secret=sample.KEY_SECRET,
        webhook_secrets=[sample.WEBHOOK_SECRET],
    )
