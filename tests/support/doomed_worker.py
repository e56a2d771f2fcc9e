"""A worker to be killed: python -m tests.support.doomed_worker ADDRESS TASK_QUEUE ORDER_ID CALL.

It says each call to its gateway on a line of its own, and never comes back from CALL.
"""

import asyncio
import sys
from datetime import timedelta

from temporalio.client import Client

from activities.sweeps import SweepTimes
from activities.world import World
from tests.support.fake_books import FakeBooks, FakeFiles
from tests.support.fakes import (
    FakeCases,
    FakeDelivery,
    FakeGateway,
    FakeInbox,
    FakeLetters,
    FakeOrders,
    FakeRefunds,
    an_order,
)
from worker import build_worker
from workflows.payloads import DATA_CONVERTER


class StuckGateway(FakeGateway):
    def __init__(self, last_call: str) -> None:
        super().__init__()
        self._last_call = last_call

    async def _begin(self, call: str) -> None:
        sys.stdout.write(f"{call}\n")
        sys.stdout.flush()
        if call == self._last_call:
            await asyncio.Event().wait()


async def work(address: str, task_queue: str, order_id: str, last_call: str) -> None:
    client = await Client.connect(address, data_converter=DATA_CONVERTER)
    orders = FakeOrders()
    orders.add(an_order(order_id))
    world = World(
        orders=orders,
        refunds=FakeRefunds(),
        cases=FakeCases(orders),
        inbox=FakeInbox(),
        books=FakeBooks(),
        files=FakeFiles(),
        gateways={"acme": StuckGateway(last_call)},
        letters=FakeLetters(),
        delivery=FakeDelivery(),
        public_url="https://paidonce.example",
        times=SweepTimes(window=timedelta(minutes=15)),
    )
    await build_worker(client, task_queue, world.activities()).run()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
