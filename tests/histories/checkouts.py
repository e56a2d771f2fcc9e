"""Every way in which a checkout goes: each brings one there and returns the handle to it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from domain.checkouts import CheckoutPlan
from domain.errors import GatewayUnavailable, MailDelayed, OutcomeUnknown, RequestRefused
from domain.money import Money
from domain.news import EvidenceKind
from domain.orders import OrderStatus
from domain.payments import LinkStatus, PaymentStatus
from domain.policies import Notices, Timetable
from tests.support.fakes import PRICE, a_payment, hint_for, news_of
from tests.workflows.conftest import CheckoutHandle, World
from workflows.checkout import CheckoutWorkflow

FAILED = a_payment(PaymentStatus.FAILED, "pay_0")
PENDING, AUTHORIZED = a_payment(PaymentStatus.PENDING), a_payment(PaymentStatus.AUTHORIZED)
SECOND = a_payment(reference="pay_2")
TOO_LITTLE = a_payment(amount=Money(PRICE.minor - 1, PRICE.currency))
SOON = timedelta(milliseconds=20)


async def checkout_paid_by_webhook(world: World) -> CheckoutHandle:
    handle = await world.open()
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    return handle


async def checkout_paid_by_callback(world: World) -> CheckoutHandle:
    handle = await world.open()
    world.gateway.pay(handle.id, a_payment())
    await handle.signal(CheckoutWorkflow.learn, hint_for(handle.id, "pay_1"))
    return handle


async def checkout_paid_by_query(world: World) -> CheckoutHandle:
    world.hurry()
    handle = await world.open()
    world.gateway.pay(handle.id, a_payment())
    return handle


async def checkout_paid_by_file(world: World) -> CheckoutHandle:
    handle = await world.open()
    row = news_of(handle.id, a_payment(), kind=EvidenceKind.SETTLEMENT_FILE)
    await handle.signal(CheckoutWorkflow.learn, row)
    return handle


async def checkout_paid_at_the_second_attempt(world: World) -> CheckoutHandle:
    handle = await world.open()
    for payment in (FAILED, FAILED, a_payment()):
        await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, payment))
    return handle


async def checkout_paid_once_captured(world: World) -> CheckoutHandle:
    world.hurry()
    handle = await world.open()
    world.gateway.pay(handle.id, AUTHORIZED)
    return handle


async def checkout_paid_twice(world: World) -> CheckoutHandle:
    handle = await world.open()
    world.gateway.payments[handle.id] = [a_payment(), SECOND]
    await handle.signal(CheckoutWorkflow.learn, hint_for(handle.id))
    return handle


async def checkout_paid_while_it_was_asked(world: World) -> CheckoutHandle:
    world.gateway.allowed = asyncio.Event()
    world.gateway.allowed.set()
    handle = await world.open()
    world.gateway.allowed.clear()
    await handle.signal(CheckoutWorkflow.learn, hint_for(handle.id))
    await world.gateway.until_called("ask")
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    await world.letters.begun.wait()
    world.gateway.allowed.set()
    return handle


async def checkout_paid_after_long_doubt(world: World) -> CheckoutHandle:
    world.hurry()
    world.notices = Notices(doubt_after=timedelta(seconds=0.1))
    world.letters.failures = [MailDelayed("451 try again")]
    handle = await world.open()
    world.gateway.pay(handle.id, PENDING)
    await world.gateway.until_called("close", times=4)
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    return handle


async def checkout_failed(world: World) -> CheckoutHandle:
    world.hurry()
    handle = await world.open()
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, FAILED))
    return handle


async def checkout_expired(world: World) -> CheckoutHandle:
    world.hurry()
    return await world.open()


async def checkout_expired_and_told(world: World) -> CheckoutHandle:
    world.hurry()
    world.notices = Notices(expiry=True)
    return await world.open()


async def checkout_expired_without_a_link(world: World) -> CheckoutHandle:
    world.hurry()
    world.gateway.create_errors = [GatewayUnavailable("away", SOON)] * 1000
    return await world.start()


async def checkout_canceled(world: World) -> CheckoutHandle:
    handle = await world.open()
    await handle.signal(CheckoutWorkflow.cancel)
    return handle


async def checkout_canceled_by_temporal(world: World) -> CheckoutHandle:
    handle = await world.open()
    await handle.cancel()
    return handle


async def checkout_paid_although_canceled(world: World) -> CheckoutHandle:
    handle = await world.open()
    world.gateway.pay(handle.id, a_payment())
    await handle.signal(CheckoutWorkflow.cancel)
    return handle


async def checkout_needs_review(world: World) -> CheckoutHandle:
    handle = await world.open()
    world.gateway.pay(handle.id, TOO_LITTLE)
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, TOO_LITTLE))
    return handle


async def checkout_link_refused(world: World) -> CheckoutHandle:
    world.gateway.create_errors = [RequestRefused("the amount is too small")]
    return await world.start()


async def checkout_link_looked_up(world: World) -> CheckoutHandle:
    world.gateway.created_although_failed = True
    world.gateway.create_errors = [OutcomeUnknown("sent, no answer")]
    return await checkout_paid_by_webhook(world)


async def checkout_ended_before(world: World) -> CheckoutHandle:
    order = world.order()
    world.orders.end(order.order_id, OrderStatus.CANCELED)
    return await world.start(order)


async def checkout_late_news_handed_over(world: World) -> CheckoutHandle:
    world.letters.allowed = asyncio.Event()
    handle = await checkout_paid_by_webhook(world)
    await world.letters.begun.wait()
    for payment in (a_payment(), FAILED, SECOND):
        await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, payment))
    await world.delivery.arrived.wait()
    world.letters.allowed.set()
    return handle


async def checkout_all_handed_over(world: World) -> CheckoutHandle:
    """The order was ended behind its back."""
    handle = await world.open()
    world.orders.end(handle.id, OrderStatus.CANCELED)
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    return handle


def approving(world: World) -> World:
    """Its gateway takes nothing by itself, and cannot close a link."""
    can = replace(world.gateway.capabilities, needs_capture=True, can_cancel_link=False)
    world.gateway.capabilities, world.gateway.stays_open = can, True
    return world


async def checkout_paid_by_approval(world: World) -> CheckoutHandle:
    handle = await approving(world).open()
    world.gateway.approved.add(handle.id)
    approval = news_of(handle.id, link=LinkStatus.OPEN, approved=True)
    await handle.signal(CheckoutWorkflow.learn, approval)
    return handle


async def checkout_paid_by_approval_at_last(world: World) -> CheckoutHandle:
    """The answer to the capture is lost; it is sent again, under the same key."""
    world.hurry(window=2)
    world.gateway.captured_although_failed = True
    world.gateway.capture_errors = [OutcomeUnknown("sent, no answer")]
    return await checkout_paid_by_approval(world)


async def checkout_approval_declined(world: World) -> CheckoutHandle:
    world.hurry()
    world.gateway.approval = a_payment(PaymentStatus.FAILED)
    return await checkout_paid_by_approval(world)


async def falling_back(world: World, *errors: Exception) -> CheckoutHandle:
    """A checkout that has another gateway, if acme makes no link."""
    order = world.order()
    world.gateway.create_errors = [*errors]
    return await world.client.start_workflow(
        CheckoutWorkflow.run,
        replace(CheckoutPlan.of(order, world.timetable), fallbacks=("zenith",)),
        id=order.order_id,
        task_queue=world.task_queue,
    )


async def paid_at_zenith(handle: CheckoutHandle) -> CheckoutHandle:
    await handle.execute_update(CheckoutWorkflow.payment_link)
    payment = replace(a_payment(), gateway="zenith")
    news = replace(news_of(handle.id, payment), gateway="zenith")
    await handle.signal(CheckoutWorkflow.learn, news)
    return handle


async def checkout_passed_on(world: World) -> CheckoutHandle:
    return await paid_at_zenith(await falling_back(world, *[GatewayUnavailable("away")] * 3))


async def checkout_passed_on_once_closed(world: World) -> CheckoutHandle:
    """Every answer is lost: the link may be there, and is closed before another is made."""
    can = replace(world.gateway.capabilities, lookup_by_order_id=False)
    world.gateway.capabilities, world.gateway.created_although_failed = can, True
    lost = [OutcomeUnknown("sent, no answer")] * 3
    return await paid_at_zenith(await falling_back(world, *lost))


async def checkout_refused_by_all(world: World) -> CheckoutHandle:
    world.second.create_errors = [RequestRefused("no links here")]
    return await falling_back(world, RequestRefused("no links here"))


async def running_checkout_waits(world: World) -> CheckoutHandle:
    handle = await world.open()
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, FAILED))
    return handle


async def running_checkout_in_doubt(world: World) -> CheckoutHandle:
    world.timetable = replace(Timetable(), window=timedelta(seconds=0.4), slowest=SOON)
    handle = await world.open()
    world.gateway.pay(handle.id, PENDING)
    await world.gateway.until_called("close", times=3)
    return handle


OUTCOMES = (
    checkout_paid_by_webhook,
    checkout_paid_by_callback,
    checkout_paid_by_query,
    checkout_paid_by_file,
    checkout_paid_at_the_second_attempt,
    checkout_paid_once_captured,
    checkout_paid_twice,
    checkout_paid_while_it_was_asked,
    checkout_paid_after_long_doubt,
    checkout_paid_although_canceled,
    checkout_failed,
    checkout_expired,
    checkout_expired_and_told,
    checkout_expired_without_a_link,
    checkout_canceled,
    checkout_canceled_by_temporal,
    checkout_needs_review,
    checkout_link_refused,
    checkout_link_looked_up,
    checkout_ended_before,
    checkout_late_news_handed_over,
    checkout_all_handed_over,
    checkout_paid_by_approval,
    checkout_paid_by_approval_at_last,
    checkout_approval_declined,
    checkout_passed_on,
    checkout_passed_on_once_closed,
    checkout_refused_by_all,
    running_checkout_waits,
    running_checkout_in_doubt,
)
