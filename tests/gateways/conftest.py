"""The adapters: on a wire without a network, and against the simulator as a real process."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateways.base import Gateway
from gateways.razorpay import Razorpay
from gateways.registry import gateways
from tests.gateways import razorpay_samples as sample
from tests.gateways.wire import Wire
from tests.support.simulator import Simulator, running_simulator
from tests.support.webhook_receiver import WebhookReceiver, webhook_receiver


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


@pytest_asyncio.fixture(scope="module")
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with webhook_receiver() as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def simulator(receiver: WebhookReceiver) -> AsyncIterator[Simulator]:
    async with running_simulator(receiver.url, receiver.url, receiver.url) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def simulated(simulator: Simulator) -> AsyncIterator[Gateway]:
    """Razorpay, as the simulator plays it."""
    options = {
        "base_url": simulator.base_url,
        "key_id": simulator.key_id,
        "key_secret": simulator.key_secret,
        "webhook_secrets": ["the-one-before", simulator.webhook_secret],
    }
    async with gateways({"razorpay": options}) as known:
        yield known["razorpay"]
