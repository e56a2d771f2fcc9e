"""The worker as a process: how it starts, and how it stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic

import pytest
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from tests.support.money import until
from tests.support.neighbours import Neighbours
from tests.support.ports import free_port
from tests.support.programs import environment, running_program
from tests.support.service import Service, running_service
from workflows.schedules import SWEEP

pytestmark = pytest.mark.slow

STOPPED_WITHIN = 15


@pytest.fixture
async def service(neighbours: Neighbours, sqlite_database_url: str) -> AsyncIterator[Service]:
    """Without a worker; and the schedule that one makes is taken away in the end."""
    async with running_service(
        neighbours, sqlite_database_url, worker=False, link_patience=4
    ) as service:
        yield service
        await service.temporal.get_schedule_handle(SWEEP).delete()


async def begun(checkout: WorkflowHandle[object, object]) -> None:
    """Return once an activity of the checkout runs."""
    running = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    while True:
        with suppress(RPCError):  # it has not started
            pending = (await checkout.describe()).raw_description.pending_activities
            if any(activity.state == running for activity in pending):
                return
        await asyncio.sleep(0.02)


async def test_what_has_begun_is_finished_before_it_stops(service: Service) -> None:
    order_id = await service.place()
    await service.simulator.faults(order_id, slow=1.5)
    async with running_program("worker.py", env=environment(service.settings)) as worker:
        await worker.says("worker ready")
        click = asyncio.create_task(service.shop.post(f"/orders/{order_id}/checkout"))
        checkout = service.temporal.get_workflow_handle(order_id)
        await begun(checkout)
        asked = monotonic()
        assert await worker.stop() == 0
        assert monotonic() - asked < STOPPED_WITHIN
    events = (await checkout.fetch_history()).events
    [started] = [e for e in events if e.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED]
    assert started.activity_task_started_event_attributes.attempt == 1
    assert any(e.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED for e in events)
    assert (await service.simulator.ledger(order_id))["links"]
    # The click waits for a worker that is gone; what the last one recorded is its answer.
    assert (await click).json()["payment_url"]


async def test_what_takes_too_long_is_left_to_another(service: Service) -> None:
    """A gateway that does not answer holds nobody up: the next worker asks it again."""
    order_id = await service.place()
    await service.simulator.faults(order_id, slow=40)
    env = environment(service.settings)
    async with running_program("worker.py", env=env) as worker:
        await worker.says("worker ready")
        click = asyncio.create_task(service.shop.post(f"/orders/{order_id}/checkout"))
        await begun(service.temporal.get_workflow_handle(order_id))
        asked = monotonic()
        assert await worker.stop() == 0
        assert monotonic() - asked < STOPPED_WITHIN
    assert (await click).status_code == 202
    await service.simulator.faults(order_id, slow=0)
    async with running_program("worker.py", env=env) as next_worker:
        await next_worker.says("worker ready")
        await until(
            lambda: service.shop.post(f"/orders/{order_id}/checkout"),
            lambda answer: answer.status_code == 200,
        )
        assert len((await service.simulator.ledger(order_id))["links"]) == 1
        assert await next_worker.stop() == 0


async def test_it_stops_while_it_waits_for_temporal(neighbours: Neighbours) -> None:
    nobody = neighbours.settings(
        "sqlite+aiosqlite:///never-opened.db", temporal_address=f"127.0.0.1:{free_port()}"
    )
    async with running_program("worker.py", env=environment(nobody)) as worker:
        await worker.says("Temporal does not answer yet")
        asked = monotonic()
        assert await worker.stop() == 0
        assert monotonic() - asked < 3


async def test_another_worker_takes_over(service: Service) -> None:
    """Killed between two steps, it is replaced, and the order still ends once."""
    env = environment(service.settings)
    async with running_program("worker.py", env=env) as first:
        await first.says("worker ready")
        order_id, url = await service.place_and_check_out()
        first.process.kill()
        await first.ended()
    await service.simulator.pay(url)
    async with running_program("worker.py", env=env) as second:
        await second.says("worker ready")
        assert await service.ends_as(order_id) == "paid"
        assert len(await service.mails.about(order_id)) == 1
        assert await second.stop() == 0


async def test_its_metrics_are_served(service: Service) -> None:
    address = f"127.0.0.1:{free_port()}"
    env = environment(service.settings) | {"WORKER_METRICS_ADDRESS": address}
    async with running_program("worker.py", env=env) as worker:
        await worker.says("worker ready")
        metrics = (await service.stranger.get(f"http://{address}/metrics")).text
        assert "temporal_worker_start_total" in metrics
        assert await worker.stop() == 0
