"""Gateways whose customers only approve: the money is ours to take, once, and within the window."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import OutcomeUnknown, RequestRefused
from domain.news import EvidenceKind, PaymentNews
from domain.orders import OrderStatus
from domain.payments import LinkStatus, PaymentStatus
from domain.policies import Timetable
from tests.support.fakes import a_payment, hint_for, news_of
from tests.workflows.conftest import CheckoutHandle, World
from tests.workflows.histories import replay
from workflows.checkout import CheckoutWorkflow


@pytest.fixture
def approving(world: World) -> World:
    """Its gateway takes nothing by itself, and cannot close a link."""
    return made_approving(world)


def made_approving(world: World) -> World:
    world.gateway.capabilities = replace(
        world.gateway.capabilities, needs_capture=True, can_cancel_link=False
    )
    world.gateway.stays_open = True
    return world


def approval_of(order_id: str) -> PaymentNews:
    return news_of(order_id, link=LinkStatus.OPEN, approved=True)


async def approve(world: World, handle: CheckoutHandle) -> None:
    world.gateway.approved.add(handle.id)
    await handle.signal(CheckoutWorkflow.learn, approval_of(handle.id))


async def test_what_the_customer_approved_is_taken(approving: World) -> None:
    handle = await approving.open()
    await approve(approving, handle)
    result = await handle.result()
    assert (result.status, result.payment_reference) == (OrderStatus.PAID, "pay_1")
    assert result.evidence
    assert result.evidence.kind is EvidenceKind.STATUS_QUERY
    assert approving.gateway.calls == ["create", "capture_link", "ask"], "nothing else is asked"
    await replay([await handle.fetch_history()])


async def test_webhook_and_return_together_bring_one_capture(approving: World) -> None:
    handle = await approving.open()
    approving.gateway.approved.add(handle.id)
    for _ in range(3):
        await handle.signal(CheckoutWorkflow.learn, hint_for(handle.id))
        await handle.signal(CheckoutWorkflow.learn, approval_of(handle.id))
    assert (await handle.result()).status is OrderStatus.PAID
    assert approving.gateway.calls.count("capture_link") == 1
    assert len(approving.gateway.payments[handle.id]) == 1


async def test_the_customer_s_return_is_enough(approving: World) -> None:
    handle = await approving.open()
    approving.gateway.approved.add(handle.id)
    await handle.signal(CheckoutWorkflow.learn, hint_for(handle.id))
    assert (await handle.result()).status is OrderStatus.PAID
    assert approving.gateway.calls[:3] == ["create", "ask", "capture_link"]


async def test_a_lost_answer_to_the_capture_is_followed_up_under_the_same_key(
    approving: World,
) -> None:
    approving.hurry(window=2)
    approving.gateway.captured_although_failed = True
    approving.gateway.capture_errors = [OutcomeUnknown("sent, no answer")]
    handle = await approving.open()
    await approve(approving, handle)
    assert (await handle.result()).status is OrderStatus.PAID
    keys = approving.gateway.capture_keys
    assert keys == [f"{handle.id}:link:1:capture:1"] * 2
    assert len(approving.gateway.payments[handle.id]) == 1


async def test_a_capture_in_doubt_keeps_the_order_open_past_its_window(skipping: World) -> None:
    world = made_approving(skipping)
    world.timetable = Timetable(window=timedelta(minutes=15))
    world.gateway.capture_errors = [OutcomeUnknown("no answer")] * 40
    handle = await world.open()
    await approve(world, handle)
    result = await handle.result()
    assert result.status is OrderStatus.PAID, "the customer had approved in time"
    described = await handle.describe()
    assert described.close_time
    assert described.execution_time
    assert described.close_time - described.execution_time > timedelta(hours=1)
    assert set(world.gateway.capture_keys) == {f"{handle.id}:link:1:capture:1"}
    await replay([await handle.fetch_history()])


async def test_after_a_decline_the_customer_may_approve_again(approving: World) -> None:
    approving.hurry(window=4)
    approving.gateway.approval = a_payment(PaymentStatus.FAILED, reference="declined")
    handle = await approving.open()
    await approve(approving, handle)
    await approving.gateway.until_called("capture_link")
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, link=LinkStatus.OPEN))
    approving.gateway.approval = a_payment()
    await approve(approving, handle)
    assert (await handle.result()).status is OrderStatus.PAID
    keys = approving.gateway.capture_keys
    assert keys == [f"{handle.id}:link:1:capture:1", f"{handle.id}:link:1:capture:2"]


async def test_a_decline_that_nobody_mends_ends_as_failed(approving: World) -> None:
    approving.hurry()
    approving.gateway.approval = a_payment(PaymentStatus.FAILED)
    handle = await approving.open()
    await approve(approving, handle)
    assert (await handle.result()).status is OrderStatus.FAILED
    assert approving.gateway.calls.count("capture_link") == 1


async def test_a_refused_capture_is_not_repeated(approving: World) -> None:
    approving.hurry()
    approving.gateway.capture_errors = [RequestRefused("the account is closed")]
    handle = await approving.open()
    await handle.signal(CheckoutWorkflow.learn, approval_of(handle.id))
    assert (await handle.result()).status is OrderStatus.EXPIRED
    assert approving.gateway.calls.count("capture_link") == 1


async def test_after_the_window_nothing_is_taken(approving: World) -> None:
    """The link stays open at the gateway; refusing to capture is what makes it powerless."""
    approving.hurry()
    handle = await approving.open()
    await approving.gateway.until_called("close")
    approving.gateway.approved.add(handle.id)
    await handle.signal(CheckoutWorkflow.learn, approval_of(handle.id))
    result = await handle.result()
    assert result.status is OrderStatus.EXPIRED
    assert "capture_link" not in approving.gateway.calls
    link = approving.orders.links[f"{handle.id}:link:1"]
    assert link.status is LinkStatus.CLOSED


async def test_a_canceled_order_is_not_captured(approving: World) -> None:
    handle = await approving.open()
    await handle.signal(CheckoutWorkflow.cancel)
    await approve(approving, handle)
    assert (await handle.result()).status is OrderStatus.CANCELED
    assert "capture_link" not in approving.gateway.calls


async def test_a_payment_that_is_pending_keeps_the_order_open(approving: World) -> None:
    approving.hurry()
    approving.gateway.approval = a_payment(PaymentStatus.PENDING)
    handle = await approving.open()
    await approve(approving, handle)
    await approving.gateway.until_called("close", 2)
    await handle.signal(CheckoutWorkflow.learn, news_of(handle.id, a_payment()))
    assert (await handle.result()).status is OrderStatus.PAID


async def test_nothing_is_taken_for_an_order_that_has_ended(approving: World) -> None:
    """A second wall, for when Temporal's state is older than the database's."""
    approving.hurry()
    handle = await approving.open()
    approving.orders.end(handle.id, OrderStatus.CANCELED)
    await approve(approving, handle)
    assert (await handle.result()).status is OrderStatus.CANCELED
    assert "capture_link" not in approving.gateway.calls
