"""The API is killed with -9 after it has stored a webhook, and before anybody heard of it."""

import asyncio
import signal
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlmodel import select

from db.tables import InboxRow
from tests.support.ports import free_port
from tests.support.programs import Program, environment, running_program
from tests.support.razorpay_webhooks import deliver, paid
from tests.support.service import Service, caller

pytestmark = pytest.mark.slow


@asynccontextmanager
async def api_that_dies_when_it_calls_temporal(service: Service) -> AsyncIterator[Service]:
    """Another API of the same service: nothing that it was to signal was ever sent."""
    condemned: list[Program] = []

    async def kill(reader: StreamReader, writer: StreamWriter) -> None:
        condemned[0].process.send_signal(signal.SIGKILL)
        writer.close()

    trap = await asyncio.start_server(kill, "127.0.0.1", 0)
    address = f"127.0.0.1:{trap.sockets[0].getsockname()[1]}"
    changes = {"api_port": free_port(), "temporal_address": address}
    settings = service.settings.model_copy(update=changes)
    async with trap, running_program("-m", "api", env=environment(settings)) as api:
        condemned.append(api)
        stranger = caller(settings, None)
        async with stranger:
            yield replace(service, settings=settings, stranger=stranger)
            assert await api.ended() == -signal.SIGKILL


async def listens(service: Service) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", service.settings.api_port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return


async def inbox_states(service: Service) -> list[str]:
    async with service.database.read() as session:
        return list(await session.exec(select(InboxRow.state)))


async def test_a_webhook_that_was_stored_and_not_forwarded_is_swept(
    service_on_both: Service,
) -> None:
    service = service_on_both
    order_id, _ = await service.place_and_check_out(no_webhook=True, no_callback=True)
    async with api_that_dies_when_it_calls_temporal(service) as doomed:
        await listens(doomed)
        response = await deliver(doomed, paid(order_id))
        assert (response.status_code, response.json()) == (200, {"status": "accepted"})
    assert await inbox_states(service) == ["new"]
    assert (await service.order(order_id))["status"] == "awaiting_payment"
    await service.grow_old(order_id)
    assert (await service.sweep()).events_forwarded == 1
    assert await service.ends_as(order_id) == "paid"
    assert await inbox_states(service) == ["forwarded"]
    assert len(await service.mails.about(order_id)) == 1
