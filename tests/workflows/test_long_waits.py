"""Hours and days of doubt, on a clock that skips: it waits as long as it takes, and asks seldom."""

from datetime import datetime, timedelta

import pytest
from temporalio import activity

from domain.errors import MailDelayed
from domain.payments import PaymentStatus
from tests.support.fakes import a_payment
from tests.workflows.conftest import CheckoutHandle, World
from tests.workflows.histories import replay

pytestmark = pytest.mark.slow

WINDOW = timedelta(minutes=15)


def queries(world: World) -> int:
    return world.gateway.calls.count("close")


async def lasted(handle: CheckoutHandle) -> timedelta:
    described = await handle.describe()
    assert described.close_time
    assert described.execution_time
    return described.close_time - described.execution_time


class Stopwatch:
    """How long after the gateway was first called it is called now, by the workflow's clock."""

    def __init__(self) -> None:
        self._began: datetime | None = None

    def __call__(self) -> timedelta:
        now = activity.info().started_time
        self._began = self._began or now
        return now - self._began


@pytest.mark.parametrize(
    ("away", "at_most"),
    [(timedelta(hours=10), 13), (timedelta(days=3), 24)],
)
async def test_a_gateway_that_is_away_is_asked_until_it_is_back(
    skipping: World, away: timedelta, at_most: int
) -> None:
    time = Stopwatch()
    skipping.gateway.is_down = lambda: timedelta() < time() < away
    skipping.gateway.retry_after = None
    handle = await skipping.start()
    result = await handle.result()
    assert result.status == "expired"
    assert away <= await lasted(handle) <= away * 2 + WINDOW
    assert queries(skipping) <= 2 * at_most, "each question is tried twice"
    await replay([await handle.fetch_history()])


async def test_a_payment_that_is_pending_for_days(skipping: World) -> None:
    time = Stopwatch()

    def look() -> bool:
        days = time() / timedelta(days=1)
        status = PaymentStatus.PENDING if days < 5 else PaymentStatus.CAPTURED
        skipping.gateway.payments[handle.id] = [a_payment(status)]
        return False

    with skipping.env.with_time_skipping_disabled():
        handle = await skipping.open()
    skipping.gateway.is_down = look
    await skipping.env.fast_forward(handle)
    assert (await handle.result()).status == "paid"
    assert timedelta(days=5) <= await lasted(handle) <= timedelta(days=5, hours=7)
    assert queries(skipping) <= 33
    assert skipping.letters.confirmed == [handle.id]


async def test_a_gateway_that_is_away_from_the_start(skipping: World) -> None:
    time = Stopwatch()
    away = timedelta(minutes=25)
    skipping.gateway.is_down, skipping.gateway.retry_after = (lambda: time() < away), None
    handle = await skipping.start()
    assert (await handle.result()).status == "expired"
    assert skipping.gateway.links == {}
    created = skipping.gateway.calls.count("create") + skipping.gateway.calls.count("find")
    assert created <= WINDOW / timedelta(seconds=30) + 6, "at most every half minute"


async def test_a_letter_waits_for_a_mail_server_that_is_down_for_an_hour(skipping: World) -> None:
    skipping.letters.failures = [MailDelayed("451")] * 20
    handle = await skipping.start()
    skipping.gateway.pay(handle.id, a_payment())
    assert (await handle.result()).status == "paid"
    assert skipping.letters.confirmed == [handle.id]
    assert timedelta(minutes=45) < await lasted(handle) < timedelta(hours=2)
