"""A worker is killed at every step of refunds and repairs: no money is lost or sent twice.

Each point is an activity and a moment: before it, after its effect and before Temporal has its
result, and after that. The points are many, so they run side by side, each on a queue of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.support.databases import Postgres
from tests.support.doomed import Doom, Phase, played
from tests.support.money import until
from tests.support.neighbours import Neighbours
from tests.support.service import Service, running_service
from tests.support.stories import BILL, ODD, Story, a_story

AT_ONCE = 12
Telling = Callable[[Story], Awaitable[None]]


async def refund(story: Story) -> None:
    """An operator sends the money back."""
    await story.is_refunded()
    await story.ended(status="refunded", keeps=0, refunds=1, mails=2)


async def refund_in_doubt(story: Story) -> None:
    """The bank thinks about it, and nobody tells."""
    await story.is_refunded(refund_pending=True)
    simulator = story.service.simulator
    made = await until(lambda: simulator.ledger(story.order_id), lambda seen: bool(seen["refunds"]))
    await simulator.settle_refund(made["refunds"][0]["id"])
    await story.ended(status="refunded", keeps=0, refunds=1, mails=2)


async def late(story: Story) -> None:
    """Money comes after the end, and goes back."""
    await story.is_paid_late()
    await story.ended(status="canceled", keeps=0, refunds=1, mails=1)


async def late_bill(story: Story) -> None:
    """Money comes after the end, and is honoured."""
    await story.is_paid_late()
    await story.ended(status="paid", keeps=BILL, mails=1)


async def late_authorization(story: Story) -> None:
    """Money is held after the end, and captured, because the order still wants it."""
    await story.is_paid_late(status="authorized")
    await story.ended(status="paid", keeps=BILL, mails=1)


async def odd(story: Story) -> None:
    """Another amount comes after the end, and goes back on an operator's word."""
    await story.is_paid_late(amount=ODD)
    await story.says("refund")
    await story.ended(status="canceled", keeps=0, refunds=1, mails=1)


POINTS: dict[Telling, str] = {
    refund: "send_refund record_refund tell_refund",
    refund_in_doubt: "ask_refund",
    late: "standing ask open_case open_cases order_policy reserve_refund send_refund settle",
    late_bill: "honour settle confirm",
    late_authorization: "capture",
    odd: "await_word decide",
}


@pytest.fixture(params=["sqlite", "postgresql"])
async def service(
    request: pytest.FixtureRequest,
    neighbours: Neighbours,
    postgres: Postgres,
    sqlite_database_url: str,
) -> AsyncIterator[Service]:
    patience: dict[str, Any] = {"refund_first_look": 0.2, "refund_slowest_look": 1}
    budget: dict[str, Any] = {"refund_budget_count": 1000, "refund_budget_minor": {}}
    async with AsyncExitStack() as life:
        url = sqlite_database_url
        if request.param == "postgresql":
            url = await life.enter_async_context(postgres.database())
        service = running_service(neighbours, url, **patience | budget)
        yield await life.enter_async_context(service)


async def survives(service: Service, tell: Telling, doom: Doom) -> None:
    story = a_story(service)
    await prepared(story, tell)
    await played(story.settings, service.temporal, doom, lambda: tell(story))


async def prepared(story: Story, tell: Telling) -> None:
    if tell in (refund, refund_in_doubt):
        await story.is_paid()
    else:
        bill = tell in (late_bill, late_authorization)
        await story.is_canceled("electricity-bill" if bill else "coffee-beans")


async def all_survive(service: Service, phases: Collection[Phase]) -> None:
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(tell: Telling, doom: Doom) -> str | None:
        async with at_once:
            try:
                await survives(service, tell, doom)
            except Exception as error:
                return f"{tell.__name__}, {doom}: {error!r}"
            return None

    points = [
        one(tell, Doom(activity, phase))
        for tell, activities in POINTS.items()
        for activity in activities.split()
        for phase in phases
    ]
    assert [failure for failure in await asyncio.gather(*points) if failure] == []


@pytest.mark.timeout(240)
@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_what_was_done_and_not_heard_of_is_not_done_again(service: Service) -> None:
    await all_survive(service, [Phase.AFTER_EFFECT])


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_every_step_survives_kill_9(service: Service) -> None:
    await all_survive(service, tuple(Phase))
