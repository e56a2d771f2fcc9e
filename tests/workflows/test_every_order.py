"""Whatever order news comes in, the end is the one that follows from all of it, and replays."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations

import pytest
from temporalio.client import WorkflowHistory

from domain.orders import Order
from domain.payments import Payment, PaymentStatus
from tests.support.fakes import a_payment, hint_for, news_of
from tests.workflows.conftest import CheckoutHandle, World
from tests.workflows.histories import replay
from tests.workflows.plays import runs, skip, unless_not_found
from workflows.checkout import CheckoutWorkflow
from workflows.delivery import WorkflowDelivery, repair_id

pytestmark = pytest.mark.slow

STEPS = ("callback", "paid", "failed", "answer", "window")
AT_ONCE = 12
ATTEMPT, CAPTURE = a_payment(PaymentStatus.FAILED), a_payment()
TWO_MINUTES = timedelta(minutes=2)

Steps = tuple[str, ...]
End = tuple[str, list[str]]


@dataclass
class Model:
    """An order by the rules alone: what it ends as, and the cases beside it."""

    status: str | None = None
    tried = captured = False
    cases: tuple[str, ...] = ()

    def step(self, step: str) -> None:
        self.tried |= step == "failed"
        self.captured |= step in ("paid", "answer")
        if self.status is None:
            if self.captured:
                self.status = "paid"
            elif step == "window":
                self.status = "failed" if self.tried else "expired"
            elif step == "cancel":
                self.status = "canceled"
        elif self.status != "paid" and self.captured and step in ("paid", "callback"):
            # A status answer reaches nobody after the end, unless a callback makes somebody ask.
            self.cases = ("late_capture",)


def model(steps: Steps) -> End:
    order = Model()
    for step in (*steps, "window"):
        order.step(step)
    return order.status or "open", list(order.cases)


class Play:
    """The same steps for a real checkout, its customer, its gateway and Delivery."""

    def __init__(self, world: World, delivery: WorkflowDelivery) -> None:
        self._world, self._delivery = world, delivery

    async def of(self, steps: Steps) -> tuple[End, list[WorkflowHistory]]:
        order = self._world.order()
        handle = await self._world.start(order)
        await handle.execute_update(CheckoutWorkflow.payment_link)
        for step in (*steps, "window"):
            await getattr(self, f"_{step}")(handle)
        await handle.result()
        return self._end(order), [
            await handle.fetch_history(),
            *await runs(self._world.client, repair_id(order.order_id)),
        ]

    async def _callback(self, handle: CheckoutHandle) -> None:
        await self._delivery.deliver(hint_for(handle.id, CAPTURE.reference))
        await self._repaired(handle)

    async def _paid(self, handle: CheckoutHandle) -> None:
        await self._webhook(handle, CAPTURE)

    async def _failed(self, handle: CheckoutHandle) -> None:
        await self._webhook(handle, ATTEMPT)

    async def _answer(self, handle: CheckoutHandle) -> None:
        self._world.gateway.knows(handle.id, CAPTURE)
        await self._skip(handle, TWO_MINUTES)

    async def _window(self, handle: CheckoutHandle) -> None:
        await self._skip(handle)

    async def _cancel(self, handle: CheckoutHandle) -> None:
        with unless_not_found():
            await handle.signal(CheckoutWorkflow.cancel)
        await handle.result()

    async def _webhook(self, handle: CheckoutHandle, payment: Payment) -> None:
        self._world.gateway.knows(handle.id, payment)
        await self._delivery.deliver(news_of(handle.id, payment))
        await self._repaired(handle)

    async def _skip(self, handle: CheckoutHandle, time: timedelta | None = None) -> None:
        await skip(self._world.env, handle, time)

    async def _repaired(self, handle: CheckoutHandle) -> None:
        with unless_not_found():
            await self._world.client.get_workflow_handle(repair_id(handle.id)).result()

    def _end(self, order: Order) -> End:
        orders = self._world.orders
        cases = [str(case.verdict) for case in orders.cases_of(order.order_id)]
        return str(orders.orders[order.order_id].status), cases


async def play_all(world: World, every: Sequence[Steps]) -> None:
    play, at_once = Play(world, world.deliver_for_real()), asyncio.Semaphore(AT_ONCE)

    async def one(steps: Steps) -> tuple[Steps, End]:
        async with at_once:
            end, histories = await play.of(steps)
            await replay(histories)
            return steps, end

    with world.env.with_time_skipping_disabled():
        ends = dict(await asyncio.gather(*map(one, every)))
    expected = {steps: model(steps) for steps in every}
    assert ends == expected
    paid = [end for end in ends.values() if end[0] == "paid"]
    assert len(world.letters.confirmed) == len(set(world.letters.confirmed)) == len(paid)


@pytest.mark.timeout(120)
async def test_every_order_of_five_kinds_of_news(skipping: World) -> None:
    every = list(permutations(STEPS))
    assert len(every) == 120
    await play_all(skipping, every)


async def test_duplicates_change_nothing(skipping: World) -> None:
    twice = [(a, a, b, b, a) for a, b in permutations(STEPS, 2)]
    await play_all(skipping, [*twice, tuple(STEPS * 2), tuple(reversed(STEPS * 2))])


async def test_a_cancel_at_any_moment(skipping: World) -> None:
    every = list(permutations(("callback", "paid", "failed", "cancel")))
    await play_all(skipping, [*every, ("failed", "cancel", "cancel", "paid", "paid")])
