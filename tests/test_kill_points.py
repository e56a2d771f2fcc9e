"""A worker is killed at every step of an order's life: nothing is lost, nothing is done twice.

Each story is told once in peace, and its histories say which activities there are to die at; then
it is told once for each of them and each phase: before it, after its effect and before Temporal
has its result, and after that. They are told side by side, each on a queue of its own.

`make test` takes one point of each activity, others every day: a failure is repeated with its
`KILL_SEED`. `make test-all` takes them all, on both databases; `KILL_ONLY="late: ask;odd: decide"`
takes those whose names have such a part, and `KILLS_AT_ONCE` says how many at a time.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from traceback import format_exc
from typing import Any
from uuid import uuid4

import pytest

from activities.checkouts import CheckoutActivities
from activities.deliveries import DeliveryActivities
from activities.letters import LetterActivities
from activities.refunds import RefundActivities
from activities.repairs import RepairActivities
from tests.support.databases import Postgres
from tests.support.doomed import played, worker_process
from tests.support.kill_points import (
    Point,
    activity_names,
    one_of_each,
    percentile,
    points_in,
    recovery,
    steps_of,
)
from tests.support.money import until
from tests.support.neighbours import Neighbours
from tests.support.service import Service, running_service
from tests.support.stories import BILL, DOLLARS, ODD, PRICE, Story, a_story
from workflows.delivery import repair_id
from workflows.failover import TRIES

AT_ONCE = int(os.environ.get("KILLS_AT_ONCE", "12"))
ONLY = os.environ.get("KILL_ONLY", "").split(";")
SEED = int(os.environ.get("KILL_SEED", datetime.now(UTC).toordinal()))
Telling = Callable[[Story], Awaitable[None]]


async def order_placed(story: Story) -> None:
    await story.is_placed()


async def order_without_webhooks(story: Story) -> None:
    await story.is_placed(no_webhook=True)


async def order_whose_link_is_lost(story: Story) -> None:
    await story.is_placed(lost_create_answer=1)


async def order_that_takes_too_little(story: Story) -> None:
    await story.is_placed(wrong_amount=ODD, no_callback=True)


async def order_at_paypal(story: Story) -> None:
    await story.is_placed("notebook-usd", "paypal", no_webhook=True)


async def order_at_paypal_which_is_busy(story: Story) -> None:
    busy = {"times": TRIES, "retry_after": 1}
    await story.is_placed("notebook-usd", "paypal", no_webhook=True, rate_limited=busy)


async def order_paid(story: Story) -> None:
    await story.is_paid()


async def order_canceled(story: Story) -> None:
    await story.is_canceled()


async def bill_canceled(story: Story) -> None:
    await story.is_canceled("electricity-bill")


async def paid(story: Story) -> None:
    """A signed webhook says so."""
    await story.begins()
    await story.service.simulator.pay(await story.link())
    await story.ended(status="paid", keeps=PRICE, mails=1)


async def paid_by_a_link_that_was_lost(story: Story) -> None:
    """The gateway makes the link, and its answer never comes."""
    await paid(story)


async def paid_in_silence(story: Story) -> None:
    """No webhook comes, nobody returns: only a query can tell."""
    await story.begins(quiet_delays=tuple(range(1, 50, 2)), queries_in_window=25)
    await story.service.simulator.pay(await story.link())
    await story.ended(status="paid", keeps=PRICE, mails=1)


async def paid_once_captured(story: Story) -> None:
    """The customer approves, and the money is taken when the browser comes back."""
    await story.begins(quiet_delays=tuple(range(1, 50, 2)), queries_in_window=25)
    await story.is_paid_and_told()
    await story.ended(status="paid", keeps=DOLLARS, mails=1)


async def paid_at_another_gateway(story: Story) -> None:
    """The first one makes no link, and that is noted before the next one is asked."""
    await story.begins(fallbacks=("razorpay",))
    await story.is_paid_and_told()
    await story.ended(status="paid", keeps=DOLLARS, mails=1)


async def expired(story: Story) -> None:
    """Nobody pays."""
    await story.begins(checkout_window=6, quiet_delays=(), mail_expiry=True)
    await story.ended(status="expired", keeps=0, mails=1)


async def canceled_while_paying(story: Story) -> None:
    """The bank still thinks about a payment when the order is called off, and then takes it.

    So long does it think that the customer is told of the doubt.
    """
    await story.begins(checkout_window=40, quiet_delays=(), mail_doubt_after=0.1)
    simulator = story.service.simulator
    await simulator.pay(await story.link(), outcome="pending", method="netbanking")
    await story.calls_off()
    ledger = await story.link_is("canceled")
    await story.customer_is_told()
    await simulator.settle(ledger["payments"][0]["id"])
    await story.ended(status="paid", keeps=PRICE, mails=2)


async def paid_too_little(story: Story) -> None:
    """The gateway takes another amount, which goes back on an operator's word."""
    await story.begins()
    await story.service.simulator.pay(await story.link())
    story.begun.append(repair_id(story.order_id))
    await story.says("refund")
    await story.ended(status="canceled", keeps=0, refunds=1, mails=1, ends=2)


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


async def denied(story: Story) -> None:
    """The bank takes back what was captured, and a file tells of it."""
    await story.is_doubted()
    await story.ended(status="canceled", keeps=0, mails=1)


# What is told, by what went before it.
STORIES: dict[Telling, Telling] = {
    paid: order_placed,
    paid_by_a_link_that_was_lost: order_whose_link_is_lost,
    paid_in_silence: order_without_webhooks,
    paid_once_captured: order_at_paypal,
    paid_at_another_gateway: order_at_paypal_which_is_busy,
    expired: order_placed,
    canceled_while_paying: order_placed,
    paid_too_little: order_that_takes_too_little,
    refund: order_paid,
    refund_in_doubt: order_paid,
    late: order_canceled,
    late_bill: bill_canceled,
    late_authorization: bill_canceled,
    odd: order_canceled,
    denied: order_paid,
}
# What is only done when two things meet at one moment, as in tests/workflows/test_ending.py and
# test_settlement.py.
NOT_TOLD = {"hand_over", "read_refund"}
ACTORS = (
    CheckoutActivities,
    DeliveryActivities,
    LetterActivities,
    RefundActivities,
    RepairActivities,
)
TELLINGS = {telling.__name__: telling for telling in STORIES}


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
        accounts = neighbours.paypal
        running = running_service(neighbours, url, worker=False, **patience | budget | accounts)
        service = await life.enter_async_context(running)
        life.enter_context(worker_process(service.settings))
        yield service


async def points_of(service: Service) -> list[Point]:
    """Every story told in peace, and all the ways to die in each."""
    queue = f"queue-{uuid4()}"
    stories = {name: a_story(service, queue) for name in TELLINGS}
    with worker_process(stories["paid"].settings):
        failures = await _side_by_side(told(name, story) for name, story in stories.items())
    assert not failures, "\n".join(failures)
    steps = {name: steps_of(await story.histories()) for name, story in stories.items()}
    points = points_in(steps)
    known = {name for actor in ACTORS for name in activity_names(actor)}
    assert known - {doom.activity for _, doom in points} == NOT_TOLD
    return [(name, doom) for name, doom in points if any(o in f"{name}: {doom}" for o in ONLY)]


async def told(name: str, story: Story) -> None:
    await STORIES[TELLINGS[name]](story)
    await TELLINGS[name](story)


async def survives(service: Service, point: Point, recoveries: list[float]) -> None:
    name, doom = point
    story, telling = a_story(service), TELLINGS[name]
    await STORIES[telling](story)
    died_at = await played(story.settings, doom, lambda: telling(story))
    seconds = recovery(await story.histories(), doom, died_at)
    recoveries += [seconds] if seconds is not None else []
    sys.stdout.write(f"survived: {name}, {doom}, back at work after {seconds} s\n")


async def all_survive(service: Service, points: list[Point]) -> list[float]:
    """Seconds that it took each to go on."""
    names = [f"{name}: {doom}" for name, doom in points]
    recoveries: list[float] = []
    failures = await _side_by_side(
        (survives(service, point, recoveries) for point in points),
        names,
    )
    assert not failures, "\n".join(
        [f"{len(failures)} of {len(points)}, KILL_SEED={SEED}", *failures]
    )
    return recoveries


async def _side_by_side(deeds: Iterable[Awaitable[None]], names: Iterable[str] = ()) -> list[str]:
    """What went wrong."""
    at_once, name_of = asyncio.Semaphore(AT_ONCE), iter(names)

    async def one(deed: Awaitable[None], name: str) -> str | None:
        async with at_once:
            try:
                await deed
            except Exception:
                return f"{name}\n{format_exc()}"
            return None

    outcomes = await asyncio.gather(*(one(deed, next(name_of, "in peace")) for deed in deeds))
    return [outcome for outcome in outcomes if outcome]


def report(capsys: pytest.CaptureFixture[str], recoveries: list[float]) -> None:
    half, most = percentile(recoveries, 0.5), percentile(recoveries, 0.95)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(recoveries)} kills, none lost, none doubled; back at work after"
            f" {half:.1f} s (p50), {most:.1f} s (p95), {max(recoveries):.1f} s (longest)\n"
        )


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_every_activity_survives_kill_9(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = one_of_each(await points_of(service), SEED)
    report(capsys, await all_survive(service, chosen))


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_every_step_of_every_story_survives_kill_9(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    report(capsys, await all_survive(service, await points_of(service)))
