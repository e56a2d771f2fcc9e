"""A worker is killed in the middle of a reconciliation: what is found and repaired is the same."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest

from tests.gateways.razorpay_rows import csv_of, payment
from tests.support.doomed import Doom, Phase, killed, worker_process
from tests.support.money import kept, until
from tests.support.neighbours import Neighbours
from tests.support.service import Json, Service, running_service
from worker import at_work

ADJUSTMENTS, STRAYS, LATE = 45_000, 6, 6


pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
async def service(neighbours: Neighbours, database_url: str) -> AsyncIterator[Service]:
    """Without a worker: each test brings those that it kills."""
    limits = {"refund_budget_count": 1000, "refund_budget_minor": {}}
    async with running_service(
        neighbours, database_url, worker=False, reconciliation_ageing=0, **limits
    ) as service:
        yield service


async def run_of(service: Service, run_id: str) -> Json:
    answer = await service.ops.get(f"/reconciliations/{run_id}")
    assert answer.status_code == 200, answer.text
    run: Json = answer.json()
    return run


async def killed_once(service: Service, run_id: str, moment: Callable[[Json], bool]) -> None:
    """Kill the worker when the run has come so far."""
    with worker_process(service.settings) as process:
        await until(partial(run_of, service, run_id), moment)
        process.kill()
        await killed(process)


async def finished(service: Service, run_id: str) -> Json:
    async with at_work(service.settings, service.temporal):
        return await until(partial(run_of, service, run_id), lambda run: run["state"] == "done")


async def done(look: Callable[[], Awaitable[int]], wanted: int) -> None:
    await until(look, lambda seen: seen == wanted)


async def test_a_load_goes_on_in_the_middle_and_counts_nothing_twice(service: Service) -> None:
    # Temporal is shared by the tests, and knows a file by its bytes.
    mark = uuid4().hex
    row = payment(1, transaction_entity="adjustment", debit="0.00", credit="499.00")
    rows = [row | {"entity_id": f"adj_{mark}_{number}"} for number in range(ADJUSTMENTS)]
    rows += [payment(1, entity_id=f"pay_{mark}_{number}") for number in range(STRAYS)]
    answer = await service.ops.post("/transaction-files/razorpay", content=csv_of(rows))
    run_id = answer.json()["run_id"]
    with worker_process(service.settings, Doom("load", Phase.HALFWAY)) as doomed:
        await killed(doomed)
    assert 0 < (await run_of(service, run_id))["rows"] < len(rows)
    run = await finished(service, run_id)
    assert run["rows"] == len(rows)
    tallies = {tally["match"]: tally["rows"] for tally in run["tallies"]}
    assert tallies == {"other": ADJUSTMENTS, "missing_in_orders": STRAYS}
    assert (run["findings"], run["handed_over"]) == (STRAYS, STRAYS)
    cases = (await service.ops.get("/cases", params={"limit": 500})).json()
    assert len({case["gateway_reference"] for case in cases}) == len(cases) == STRAYS


async def paid_late_and_unheard(service: Service) -> str:
    """An order that was canceled before it was paid, and nobody was told."""
    order_id, _ = await service.place_and_check_out(no_webhook=True)
    await service.shop.post(f"/orders/{order_id}/cancel")
    assert await service.ends_as(order_id) == "canceled"
    await service.simulator.pay_late(order_id)
    return order_id


async def test_a_repair_goes_on_in_the_middle_and_refunds_nothing_twice(service: Service) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    async with at_work(service.settings, service.temporal):
        orders = await asyncio.gather(*[paid_late_and_unheard(service) for _ in range(LATE)])
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    await until(lambda: asyncio.sleep(0, datetime.now(UTC)), lambda now: now > end)
    wish = {"gateway": "razorpay", "from": began.isoformat(), "to": end.isoformat()}
    answer = await service.ops.post("/reconciliations", json=wish)
    run_id = answer.json()["run_id"]
    await killed_once(service, run_id, lambda run: run["handed_over"] > 0)
    run = await finished(service, run_id)
    assert run["findings"] == run["handed_over"]
    async with at_work(service.settings, service.temporal):
        for order_id in orders:
            await done(partial(kept, service.simulator, order_id), 0)
            ledger = await service.simulator.ledger(order_id)
            assert len(ledger["refunds"]) == 1
            order = await service.order(order_id)
            assert [case["outcome"] for case in order["cases"]] in (["refunded"], [None])
