"""The whole service on one machine, as its user meets it: up, used, stopped, up again, killed."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client

from local_stack import Stack
from local_stack.services import SEARCH_ATTRIBUTES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
ORDER = {"user_id": "u1", "email": "a@shop.example", "items": [{"sku": "mug", "quantity": 1}]}


@asynccontextmanager
async def started(stack: Stack) -> AsyncIterator[Process]:
    """`run` as a command, from the moment it says that everything is ready."""
    ports = {name: f"{port}" for name, port in stack.ports.items()}
    house = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local_stack", "run", "--state", f"{stack.folder}"),
        cwd=ROOT,
        env=os.environ | ports,
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        assert house.stdout is not None
        said = await house.stdout.readuntil(b"Ctrl-C stops everything.\n")
        assert said.decode() == f"{stack.welcome}\n"
        yield house
    finally:
        if house.returncode is None:
            house.kill()
        await house.wait()


async def an_order(stack: Stack) -> str:
    """A new order's id, placed with the client key that the stack has made."""
    headers = {"Authorization": f"Bearer {stack.keys['client']}", "Idempotency-Key": "k1"}
    async with httpx.AsyncClient(base_url=stack.url("API"), headers=headers) as api:
        order = (await api.post("/orders", json=ORDER)).raise_for_status().json()
        return str(order["order_id"])


async def search_attributes(stack: Stack) -> dict[str, str]:
    client = await Client.connect(stack.address("TEMPORAL"))
    found = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace="default")
    )
    kinds = {name: IndexedValueType.Name(kind) for name, kind in found.custom_attributes.items()}
    return {name: kind.removeprefix("INDEXED_VALUE_TYPE_").title() for name, kind in kinds.items()}


async def all_closed(stack: Stack) -> None:
    """Return once nobody listens on any of its ports."""
    for port in stack.ports.values():
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
            except ConnectionRefusedError:
                break
            except ConnectionResetError:
                pass  # its listener was closed just then; the next try tells
            await asyncio.sleep(0.02)


@pytest.mark.timeout(180)
async def test_up_used_stopped_up_again_killed(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "run")
    async with started(stack) as house:
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            for line in stack.welcome.splitlines():
                if "http://" in line:
                    (await browser.get(line.split()[-1])).raise_for_status()
        registered = await search_attributes(stack)
        order_id = await an_order(stack)
        house.send_signal(signal.SIGINT)
        assert await house.wait() == 0
        await asyncio.wait_for(all_closed(stack), 1)
    assert SEARCH_ATTRIBUTES.items() <= registered.items()

    async with started(stack) as house:
        assert await an_order(stack) == order_id
        house.kill()
        await house.wait()
        await asyncio.wait_for(all_closed(stack), 2)
