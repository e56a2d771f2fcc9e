"""One simulator process for the tests that do not restart it, driven by Razorpay's own SDK."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import razorpay

from tests.simulator.helpers import Json, NewLink, NewPayment, made_link, made_payment, sdk_for
from tests.support.simulator import Simulator, running_simulator
from tests.support.webhook_receiver import WebhookReceiver, webhook_receiver


@pytest_asyncio.fixture(scope="session")
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """The shared simulator's webhook endpoint. A test finds its deliveries there by its order."""
    async with webhook_receiver() as receiver:
        yield receiver


@pytest_asyncio.fixture(scope="session")
async def simulator(receiver: WebhookReceiver) -> AsyncIterator[Simulator]:
    async with running_simulator(receiver.url, receiver.url, retry_base=0.05) as simulator:
        yield simulator


@pytest.fixture
def sdk(simulator: Simulator) -> razorpay.Client:
    return sdk_for(simulator)


@pytest.fixture
def new_link(simulator: Simulator) -> NewLink:
    async def make(**fields: Any) -> Json:
        return await made_link(simulator, **fields)

    return make


@pytest.fixture
def new_payment(simulator: Simulator) -> NewPayment:
    async def make(**fields: Any) -> Json:
        return await made_payment(simulator, **fields)

    return make


@pytest_asyncio.fixture
async def api(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    """Razorpay's API without the SDK between: statuses, headers and raw error bodies."""
    auth = (simulator.key_id, simulator.key_secret)
    async with httpx.AsyncClient(base_url=f"{simulator.base_url}/v1", auth=auth) as client:
        yield client
