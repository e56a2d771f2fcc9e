"""Every way in which a refund goes: each brings one there and returns the handle to it."""

from dataclasses import replace
from datetime import timedelta

from temporalio.client import WorkflowHandle

from domain.errors import OutcomeUnknown, RequestRefused
from domain.news import EvidenceKind
from domain.orders import OrderStatus
from domain.policies import Patience
from domain.refunds import Refund, RefundNews, RefundStatus
from tests.support.fakes import refund_news
from tests.workflows.money import QUICK, MoneyWorld
from workflows.refund import RefundWorkflow

RefundHandle = WorkflowHandle[RefundWorkflow, RefundStatus]
SHORT = Patience(QUICK.first, QUICK.slowest, longest=timedelta(seconds=0.4))


def said(refund: Refund, status: RefundStatus, minor: int | None = None) -> RefundNews:
    """What a webhook says."""
    amount = refund.amount.minor if minor is None else minor
    payment = refund.payment_reference
    return refund_news(refund.refund_id, status, payment, amount, EvidenceKind.WEBHOOK)


async def wished(money: MoneyWorld) -> Refund:
    return await money.reserved(await money.ended(OrderStatus.PAID))


async def pending(money: MoneyWorld) -> Refund:
    """A refund that runs, and that the gateway does not end by itself."""
    money.gateway.refund_status = RefundStatus.PENDING
    refund = await wished(money)
    await money.begin(refund)
    await money.gateway.until_called("ask_refund")
    return refund


async def refund_succeeded(money: MoneyWorld) -> RefundHandle:
    return await money.begin(await wished(money))


async def refund_succeeded_later(money: MoneyWorld) -> RefundHandle:
    refund = await pending(money)
    await money.hear(said(refund, RefundStatus.SUCCEEDED))
    return money.refund_run(refund)


async def refund_found_to_have_succeeded(money: MoneyWorld) -> RefundHandle:
    refund = await pending(money)
    money.gateway.refunds[refund.refund_id] = said(refund, RefundStatus.SUCCEEDED)
    return money.refund_run(refund)


async def refund_told_before_it_was_sent(money: MoneyWorld) -> RefundHandle:
    refund = await wished(money)
    await money.hear(said(refund, RefundStatus.SUCCEEDED))
    return money.refund_run(refund)


async def refund_answer_looked_up(money: MoneyWorld) -> RefundHandle:
    money.gateway.refund_errors = [OutcomeUnknown("lost")]
    money.gateway.refunded_although_failed = True
    return await refund_succeeded(money)


async def refund_failed(money: MoneyWorld) -> RefundHandle:
    money.gateway.refund_status = RefundStatus.FAILED
    return await refund_succeeded(money)


async def refund_refused(money: MoneyWorld) -> RefundHandle:
    money.gateway.refund_errors = [RequestRefused("the balance is too low")]
    return await refund_succeeded(money)


async def refund_reversed(money: MoneyWorld) -> RefundHandle:
    refund = await wished(money)
    await (await money.begin(refund)).result()
    await money.hear(said(refund, RefundStatus.FAILED))
    return money.refund_run(refund)


async def refund_of_another_amount(money: MoneyWorld) -> RefundHandle:
    refund = await pending(money)
    await money.hear(said(refund, RefundStatus.SUCCEEDED, minor=1))
    return money.refund_run(refund)


async def refund_never_answered(money: MoneyWorld) -> RefundHandle:
    money.policies = replace(money.policies, refund_patience=SHORT)
    money.gateway.refund_status = RefundStatus.PENDING
    return await money.begin(await wished(money))


async def running_refund_waits(money: MoneyWorld) -> RefundHandle:
    return money.refund_run(await pending(money))


OUTCOMES = (
    refund_succeeded,
    refund_succeeded_later,
    refund_found_to_have_succeeded,
    refund_told_before_it_was_sent,
    refund_answer_looked_up,
    refund_failed,
    refund_refused,
    refund_reversed,
    refund_of_another_amount,
    refund_never_answered,
    running_refund_waits,
)
