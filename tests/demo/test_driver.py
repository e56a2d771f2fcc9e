"""The driver says what became of each case, and never waits for ever."""

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from rich.console import Console

from demo.board import explain, final_table, live_table
from demo.cases import Act, Case
from demo.client import Mailbox, Service, Simulator
from demo.customer import Customer, Staff
from demo.driver import drive
from demo.run import Run, World
from tests.demo.conftest import Serve
from tests.demo.fake_service import KEY, FakeService


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
async def world(service: FakeService, serve: Serve) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        quiet = await serve(quiet_neighbours())
        shop = await stack.enter_async_context(Service(await serve(service.app), KEY))
        yield World(
            Staff(shop, operator=shop),
            await stack.enter_async_context(Simulator(quiet)),
            await stack.enter_async_context(Mailbox(quiet)),
        )


def quiet_neighbours() -> FastAPI:
    """A gateway that made one link, closed by now, and a mailbox without mails."""
    app = FastAPI(openapi_url=None)

    @app.put("/simulator/faults/{order_id}")
    async def faults(order_id: str) -> dict[str, Any]:
        return {}

    @app.get("/simulator/ledger")
    async def ledger(order_id: str) -> dict[str, Any]:
        return {
            "links": [{"id": "plink_1", "status": "cancelled"}],
            "payments": [],
            "refunds": [],
            "calls": [],
        }

    @app.get("/messages")
    async def messages() -> list[dict[str, Any]]:
        return []

    return app


def ends(service: FakeService, status: str) -> Act:
    """A customer for whom the service concludes at once."""

    async def act(customer: Customer) -> None:
        order = service.orders[customer.order_id]
        order["status"] = status
        order["timeline"] = [{"status": status, "evidence": {"kind": "status_query"}}]

    return act


async def clicks_pay(customer: Customer) -> None:
    await customer.click_pay()


def paper(width: int = 200) -> Console:
    return Console(file=io.StringIO(), width=width)


def on(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_what_ended_as_it_must_is_agreed_and_the_rest_is_explained(
    service: FakeService, world: World
) -> None:
    right = Run(Case("right", ends(service, "expired"), "expired"), 1, "razorpay")
    wrong = Run(Case("wrong", ends(service, "failed"), "expired"), 2, "razorpay")
    console = paper()
    await drive(world, [right, wrong], ["razorpay"], console)
    explain(console, [right, wrong])
    told = on(console)
    assert (right.agrees, wrong.agrees) == (True, False)
    assert "right: expired, expected expired" in told
    assert f"✗ wrong ({wrong.order_id}): is failed, not expired" in told
    assert "2 checkouts, 1 not as they must be." in told


async def test_the_final_table_shows_all_that_was_seen(service: FakeService, world: World) -> None:
    run = Run(Case("abandoned", ends(service, "expired"), "expired"), 1, "razorpay")
    before, after = paper(), paper()
    before.print(live_table([run], before))
    await run.play(world)
    await run.judge(world)
    after.print(final_table([run], after))
    row = next(line for line in on(after).splitlines() if run.order_id in line)
    assert "1 waiting" in on(before)
    for words in ("abandoned", "expired", "nothing", "status_query", "0", "✓"):
        assert words in row


async def test_an_order_that_never_ends_is_given_up_with_its_last_status(world: World) -> None:
    run = Run(Case("stuck", clicks_pay, "paid"), 1, "razorpay", deadline=1)
    await run.play(world)
    assert run.complaints == ["still awaiting_payment after 1 s"]


async def test_a_refused_order_is_a_disagreement_not_a_crash(world: World) -> None:
    run = Run(Case("refused", clicks_pay, "paid", sku="yacht"), 1, "razorpay")
    await run.play(world)
    await run.judge(world)
    assert run.agrees is False
    assert "Unknown product" in run.complaints[0]
    console = paper()
    console.print(final_table([run], console))
    assert "✗" in on(console)


async def test_a_customer_who_is_told_something_wrong_complains(world: World) -> None:
    async def expects_more(customer: Customer) -> None:
        await customer.click_pay()
        customer.expect(False, "that was not it")
        await customer.return_to_shop()

    run = Run(Case("told wrong", expects_more, "awaiting_payment"), 1, "razorpay", deadline=1)
    await run.play(world)
    assert run.complaints[:2] == ["that was not it", "the gateway's page did not lead back"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--orders", "23"], "must be at least 24"),
        (["--orders", "many"], "invalid"),
        ([], "http://127.0.0.1:9 does not answer"),
    ],
)
async def test_what_cannot_be_run_is_said_with_exit_status_2(
    arguments: list[str], said: str
) -> None:
    driver = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo.driver", *arguments),
        env=os.environ | {"API_URL": "http://127.0.0.1:9", "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await driver.communicate()
    assert said in output.decode()
    assert driver.returncode == 2
