"""`make bench-checkouts`: paid checkouts a second, and how soon a webhook makes an order paid.

The floor is the same steps with empty bodies on the same server in the same run. Ours goes once
through Temporal's client, on SQLite and with a gateway in memory, and once over HTTP with the
simulator. They take turns, since a server slows down with all that it was ever told. Fails unless
the bars of the design are kept.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from benchmarks.empty import EmptyActivities, EmptyCheckout
from db.engine import Database
from db.inbox import InboxStore
from db.orders import OrderStore
from domain.checkouts import CheckoutPlan, Conclusion
from domain.events import GatewayEvent
from domain.news import Evidence, EvidenceKind
from domain.orders import OrderStatus
from domain.payments import PaymentLink
from domain.policies import Policies
from domain.ports import LinkDraft
from tests.support.databases import fill
from tests.support.doomed import worker_process
from tests.support.fakes import FakeGateway
from tests.support.neighbours import Neighbours
from tests.support.orders import PRICE, a_payment, place
from tests.support.ports import free_port
from tests.support.service import running_service
from tests.support.simulator import running_simulator
from tests.support.temporal import TEMPORAL
from tests.workflows.money import MoneyWorld
from workflows.checkout import CheckoutWorkflow
from workflows.delivery import WorkflowDelivery
from workflows.options import DECISION, SEARCH_ATTRIBUTES, at_the_start
from workflows.payloads import DATA_CONVERTER
from workflows.sandbox import Runner

AT_ONCE = 50
SLOWEST_NEWS = 1.5
One = Callable[[], Awaitable[None]]


class Links(FakeGateway):
    """Each link has a name of its own, as at a real gateway."""

    async def create_payment_link(self, draft: LinkDraft) -> PaymentLink:
        link = await super().create_payment_link(draft)
        return replace(link, reference=f"plink_{draft.wire_key}")


class Noticing(OrderStore):
    """Says when an order's end is in the database."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.kept: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def conclude(self, conclusion: Conclusion) -> OrderStatus:
        status = await super().conclude(conclusion)
        self.kept[conclusion.order_id].set()
        return status


@dataclass
class Way:
    """One way to a paid checkout, and the seconds that its rounds took."""

    name: str
    one: One
    news: Callable[[], Awaitable[float]] | None = None
    seconds: float = 0.0

    async def round(self, checkouts: int) -> None:
        began = time.perf_counter()
        await _all(self.one, checkouts)
        self.seconds += time.perf_counter() - began


async def _all(one: One, times: int) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def slot() -> None:
        async with slots:
            await one()

    await asyncio.gather(*[slot() for _ in range(times)])


async def linked(client: Client, run: Any, arg: object, name: str, queue: str, update: Any) -> None:
    """Start it as the API does, and wait for its link."""
    start = WithStartWorkflowOperation(
        run,
        arg,
        id=name,
        task_queue=queue,
        task_timeout=DECISION,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        search_attributes=at_the_start("acme", PRICE),
        static_summary=f"{PRICE} by Acme, {name}",
    )
    await client.execute_update_with_start_workflow(
        update, start_workflow_operation=start, id="payment-link"
    )


@asynccontextmanager
async def floor(client: Client) -> AsyncIterator[Way]:
    """Empty checkouts; their news is a signal, and the end of the activity that it leads to."""
    queue, does = f"empty-{uuid4()}", EmptyActivities()
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[EmptyCheckout],
        activities=[does.make, does.keep, does.tell],
        workflow_runner=Runner(EmptyCheckout.__module__),
    )

    async def open_one() -> str:
        name = f"{queue}-{uuid4()}"
        await linked(client, EmptyCheckout.run, name, name, queue, EmptyCheckout.payment_link)
        return name

    async def one() -> None:
        run = client.get_workflow_handle(await open_one())
        await run.signal(EmptyCheckout.learn, "paid")
        await run.result()

    async def news() -> float:
        name = await open_one()
        began = time.perf_counter()
        await client.get_workflow_handle(name).signal(EmptyCheckout.learn, "paid")
        await does.kept[name].wait()
        return time.perf_counter() - began

    async with worker:
        yield Way("floor, empty checkouts", one, news)


@asynccontextmanager
async def through_client(env: WorkflowEnvironment, url: str) -> AsyncIterator[Way]:
    """Checkouts on real stores; their news is a webhook, and the paid order that it leads to."""
    async with Database(url) as database:
        money = MoneyWorld(env, database, Policies(), gateway=Links())
        money.orders, inbox = Noticing(database), InboxStore(database)
        kept = money.orders.kept
        delivery = WorkflowDelivery(
            env.client,
            money.task_queue,
            orders=money.orders,
            refunds=money.refunds,
            inbox=inbox,
            policies=money.policies,
        )

        async def open_one() -> str:
            order_id = await place(database, at=datetime.now(UTC))
            plan = CheckoutPlan.of(await money.orders.order(order_id), money.policies.timetable)
            update = CheckoutWorkflow.payment_link
            await linked(env.client, CheckoutWorkflow.run, plan, order_id, money.task_queue, update)
            return order_id

        async def hear(order_id: str) -> None:
            payment = a_payment(order_id)
            proof = Evidence(EvidenceKind.WEBHOOK, f"evt_{order_id}")
            event = GatewayEvent("acme", proof.reference, "paid", proof, order_id, payment=payment)
            accepted = await inbox.accept(event, b"{}", datetime.now(UTC))
            await delivery.forward(accepted.row, datetime.now(UTC))

        async def one() -> None:
            order_id = await open_one()
            await hear(order_id)
            await env.client.get_workflow_handle(order_id).result()

        async def news() -> float:
            order_id = await open_one()
            began = time.perf_counter()
            await hear(order_id)
            await kept[order_id].wait()
            return time.perf_counter() - began

        async with money.worker():
            yield Way("checkouts through the client", one, news)


@asynccontextmanager
async def over_http(env: WorkflowEnvironment, url: str) -> AsyncIterator[Way]:
    """Checkouts over HTTP, the simulator's webhooks included.

    The worker is a process of its own, as everywhere but in tests.
    """
    port = free_port()
    async with running_simulator(f"http://127.0.0.1:{port}/webhooks/razorpay") as simulator:
        neighbours = Neighbours(env, simulator, port)
        async with running_service(neighbours, url, worker=False, link_patience=60) as service:

            async def one() -> None:
                order_id = await service.place()
                await simulator.pay(await service.check_out(order_id))
                assert await service.ends_as(order_id) == "paid"

            with worker_process(service.settings):
                yield Way("checkouts over HTTP", one)


async def main(checkouts: int, rounds: int, *, strict: bool) -> int:
    """Print each row of the table; 1 if a bar is missed."""
    async with await temporal() as env, AsyncExitStack() as life:
        folder = life.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        urls = [f"sqlite+aiosqlite:///{folder}/{name}.db" for name in ("client", "http")]
        for url in urls:
            await fill(url)
        ways = (floor(env.client), through_client(env, urls[0]), over_http(env, urls[1]))
        bare, client, http = [await life.enter_async_context(way) for way in ways]
        for way in (bare, client, http):
            await _all(way.one, AT_ONCE)
        for number in range(rounds):
            for way in (bare, client, http):
                await way.round(checkouts)
            say(f"round {number + 1} of {rounds}")
        signal, webhook = await medians_ms(bare, client)
    done = checkouts * rounds
    say(f"{bare.name}: {done / bare.seconds:.1f} a second, {signal:.1f} ms from signal to activity")
    missed = []
    for way, bar in ((client, 0.6), (http, 0.4)):
        ratio = bare.seconds / way.seconds
        say(f"{way.name}: {done / way.seconds:.1f} a second, {ratio:.2f} x the floor, bar {bar}")
        missed += [way.name] if ratio < bar else []
    say(f"webhook to paid order: {webhook:.1f} ms, {webhook / signal:.2f} x the floor, bar 1.5")
    missed += ["webhook to paid order"] if webhook / signal > SLOWEST_NEWS else []
    for name in missed:
        say(f"MISSED: {name}")
    return 1 if missed and strict else 0


async def medians_ms(*ways: Way, times: int = 60) -> list[float]:
    """How long news takes, one after the other and in turns."""
    samples = [[await way.news() for way in ways if way.news] for _ in range(times)]
    return [statistics.median(each) * 1000 for each in zip(*samples, strict=True)]


async def temporal() -> WorkflowEnvironment:
    return await WorkflowEnvironment.start_local(
        data_converter=DATA_CONVERTER,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        dev_server_extra_args=[
            "--dynamic-config-value",
            'history.timerProcessorMaxTimeShift="1ms"',
        ],
    )


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkouts", description=__doc__)
    parser.add_argument("--checkouts", type=int, default=100, help="of each kind in a round (100)")
    parser.add_argument("--rounds", type=int, default=4, help="how many (4)")
    parser.add_argument("--no-bars", action="store_true", help="only print")
    given = parser.parse_args()
    code = asyncio.run(main(given.checkouts, given.rounds, strict=not given.no_bars))
    # Temporal's client can crash while the interpreter takes itself apart.
    sys.stdout.flush()
    os._exit(code)
