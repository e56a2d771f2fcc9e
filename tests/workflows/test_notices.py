"""Besides the confirmation: a word when the end is long in doubt, and one when it came unpaid."""

from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType

from domain.errors import MailDelayed, MailRefused
from domain.payments import PaymentStatus
from domain.policies import Notices
from tests.support.fakes import a_payment
from tests.workflows.conftest import CheckoutHandle, World
from tests.workflows.histories import actions, replay
from tests.workflows.test_long_waits import Stopwatch

pytestmark = pytest.mark.slow

HALF_AN_HOUR = Notices(doubt_after=timedelta(minutes=30))
PENDING = a_payment(PaymentStatus.PENDING)


async def in_doubt(world: World, lasting: timedelta) -> CheckoutHandle:
    """A checkout whose payment is pending for so long after its link was made, then captured."""
    time = Stopwatch()

    def look() -> bool:
        status = PaymentStatus.PENDING if time() < lasting else PaymentStatus.CAPTURED
        world.gateway.payments[handle.id] = [a_payment(status)]
        return False

    with world.env.with_time_skipping_disabled():
        handle = await world.open()
    world.gateway.is_down = look
    await world.env.fast_forward(handle)
    assert (await handle.result()).status == "paid"
    return handle


async def test_long_doubt_is_told_once(skipping: World) -> None:
    skipping.notices = HALF_AN_HOUR
    handle = await in_doubt(skipping, timedelta(days=2))
    assert skipping.letters.doubts_told == [handle.id]
    assert skipping.letters.confirmed == [handle.id]
    await replay([await handle.fetch_history()])


@pytest.mark.parametrize("notices", [Notices(), HALF_AN_HOUR])
async def test_short_doubt_is_not_told_and_costs_nothing(skipping: World, notices: Notices) -> None:
    skipping.notices = notices
    handle = await in_doubt(skipping, timedelta(minutes=25))
    assert skipping.letters.doubts_told == []
    history = await handle.fetch_history()
    scheduled = [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]
    assert scheduled.count("confirm") == 1
    assert "tell_doubt" not in scheduled


async def test_it_is_not_told_where_that_is_off(skipping: World) -> None:
    await in_doubt(skipping, timedelta(days=2))
    assert skipping.letters.doubts_told == []


async def test_a_telling_of_doubt_costs_one_action(skipping: World) -> None:
    costs = []
    for notices in (Notices(), HALF_AN_HOUR):
        skipping.notices = notices
        handle = await in_doubt(skipping, timedelta(days=2))
        costs.append(actions(await handle.fetch_history()))
    assert costs[1] == costs[0] + 1


async def test_a_silent_gateway_is_doubt_too(skipping: World) -> None:
    skipping.notices, time = HALF_AN_HOUR, Stopwatch()
    with skipping.env.with_time_skipping_disabled():
        handle = await skipping.open()
    skipping.gateway.is_down = lambda: time() < timedelta(hours=10)
    skipping.gateway.retry_after = None
    await skipping.env.fast_forward(handle)
    assert (await handle.result()).status == "expired"
    assert skipping.letters.doubts_told == [handle.id]
    assert skipping.letters.expiries_told == []


@pytest.mark.parametrize("failure", [MailRefused("550"), MailDelayed("451")])
async def test_a_mail_server_that_is_away_does_not_hold_the_order(
    skipping: World, failure: Exception
) -> None:
    skipping.notices = HALF_AN_HOUR
    skipping.letters.failures = [failure]
    handle = await in_doubt(skipping, timedelta(days=2))
    assert skipping.letters.confirmed == [handle.id]
    told = [] if isinstance(failure, MailRefused) else [handle.id]
    assert skipping.letters.doubts_told == told


async def test_a_notice_that_waits_is_dropped_with_the_doubt(world: World) -> None:
    """The mail server is away for as long as nothing is certain: then only the end is told."""
    world.hurry()
    world.notices = Notices(doubt_after=timedelta())
    world.letters.failures = [MailDelayed("451")] * 100
    handle = await world.open()
    world.gateway.pay(handle.id, PENDING)
    await world.gateway.until_called("close", times=3)
    world.letters.failures.clear()
    world.gateway.knows(handle.id, a_payment())
    assert (await handle.result()).status == "paid"
    assert world.letters.confirmed == [handle.id]
    assert world.letters.doubts_told == []


@pytest.mark.parametrize(("expiry", "told"), [(False, 0), (True, 1)])
async def test_expiry_is_told_if_that_is_on(skipping: World, expiry: bool, told: int) -> None:
    skipping.notices = Notices(expiry=expiry)
    handle = await skipping.start()
    assert (await handle.result()).status == "expired"
    assert skipping.letters.expiries_told == [handle.id] * told
    assert skipping.letters.confirmed == []


async def test_other_ends_are_not_called_expiry(skipping: World) -> None:
    skipping.notices = Notices(expiry=True)
    handle = await skipping.start()
    skipping.gateway.pay(handle.id, a_payment(PaymentStatus.FAILED))
    assert (await handle.result()).status == "failed"
    assert skipping.letters.expiries_told == []
