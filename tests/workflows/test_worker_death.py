"""A worker is killed with -9, and another goes on within seconds."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.orders import OrderStatus
from tests.support.fakes import a_payment, news_of
from tests.workflows.conftest import CheckoutHandle, World
from tests.workflows.histories import replay
from workflows.checkout import CheckoutWorkflow

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BACK_AT_WORK = 15


@pytest.fixture
def unmanned(real_time: WorkflowEnvironment) -> World:
    """A world whose worker a test brings along."""
    return World(real_time)


@asynccontextmanager
async def killed_at(world: World, call: str) -> AsyncIterator[CheckoutHandle]:
    """A checkout whose only worker was killed while it made the call, or just after the link."""
    order = world.order()
    address = world.client.service_client.config.target_host
    doomed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.doomed_worker"),
        *(address, world.task_queue, order.order_id, call),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        handle = await world.start(order)
        assert doomed.stdout
        assert await doomed.stdout.readline() == b"create\n"
        if call != "create":
            await handle.execute_update(CheckoutWorkflow.payment_link)
    finally:
        doomed.kill()
        await doomed.wait()
    yield handle


def seconds_since(start: float) -> float:
    return asyncio.get_running_loop().time() - start


async def test_killed_while_it_asks_for_the_link(unmanned: World) -> None:
    async with killed_at(unmanned, "create") as handle, unmanned.worker():
        killed = asyncio.get_running_loop().time()
        opened = await handle.execute_update(CheckoutWorkflow.payment_link)
        assert opened.link
        assert seconds_since(killed) < BACK_AT_WORK
        assert unmanned.gateway.calls == ["create"], "what it had stored died with its memory"
        await handle.terminate()


async def test_killed_while_it_waits_for_the_customer(unmanned: World) -> None:
    async with killed_at(unmanned, "nothing") as handle, unmanned.worker():
        killed = asyncio.get_running_loop().time()
        await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
        assert (await handle.result()).status is OrderStatus.PAID
        assert seconds_since(killed) < BACK_AT_WORK
        await replay([await handle.fetch_history()])
