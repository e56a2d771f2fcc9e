"""One refund on the real server: sent once, believed on proof, shown on its order."""

from datetime import timedelta

from domain.errors import GatewayUnavailable, OutcomeUnknown, RequestRefused
from domain.news import EvidenceKind
from domain.orders import OrderStatus
from domain.refunds import Refund, RefundNews, RefundStatus
from tests.support.fakes import refund_news
from tests.workflows.histories import replay
from tests.workflows.money import MoneyWorld

PAID, REFUNDED = OrderStatus.PAID, OrderStatus.REFUNDED


def said(refund: Refund, status: RefundStatus) -> RefundNews:
    amount, payment = refund.amount.minor, refund.payment_reference
    return refund_news(refund.refund_id, status, payment, amount, EvidenceKind.WEBHOOK)


async def test_a_refund_that_succeeds_at_once(money_on_both: MoneyWorld) -> None:
    money = money_on_both
    order_id = await money.ended(PAID)
    handle = await money.begin(await money.reserved(order_id))
    assert await handle.result() is RefundStatus.SUCCEEDED
    assert await money.status(order_id) is REFUNDED
    assert money.gateway.calls == ["refund"]
    assert money.letters.refunds_told == [handle.id]
    await replay([await handle.fetch_history()])


async def test_a_pending_refund_hears_the_webhook(money: MoneyWorld) -> None:
    order_id = await money.ended(PAID)
    money.gateway.refund_status = RefundStatus.PENDING
    refund = await money.reserved(order_id)
    handle = await money.begin(refund)
    await money.gateway.until_called("ask_refund")
    assert await money.status(order_id) is PAID
    await money.hear(said(refund, RefundStatus.SUCCEEDED))
    assert await handle.result() is RefundStatus.SUCCEEDED
    assert await money.status(order_id) is REFUNDED


async def test_a_pending_refund_is_asked_about_for_days(skipping_money: MoneyWorld) -> None:
    money = skipping_money
    money.gateway.refund_status = RefundStatus.PENDING
    order_id = await money.ended(PAID)
    refund = await money.reserved(order_id)
    handle = await money.begin(refund)
    await money.gateway.until_called("ask_refund", times=15)
    money.gateway.refunds[refund.refund_id] = said(refund, RefundStatus.SUCCEEDED)
    assert await handle.result() is RefundStatus.SUCCEEDED
    assert money.gateway.calls.count("refund") == 1
    await replay([await handle.fetch_history()])


async def test_nothing_final_in_ten_days_is_for_a_person(skipping_money: MoneyWorld) -> None:
    money = skipping_money
    money.gateway.refund_status = RefundStatus.PENDING
    order_id = await money.ended(PAID)
    handle = await money.begin(await money.reserved(order_id))
    assert await handle.result() is RefundStatus.NEEDS_REVIEW
    assert 40 < money.gateway.calls.count("ask_refund") < 60
    assert await money.status(order_id) is PAID
    assert money.letters.refunds_told == []


async def test_a_refund_that_fails(money: MoneyWorld) -> None:
    money.gateway.refund_status = RefundStatus.FAILED
    order_id = await money.ended(PAID)
    refund = await money.reserved(order_id)
    assert await (await money.begin(refund)).result() is RefundStatus.FAILED
    assert (await money.refunds.refund(refund.refund_id)).failure == "bank"
    assert await money.status(order_id) is PAID
    assert await money.reserved(order_id), "its money may be refunded again"


async def test_a_success_that_the_gateway_takes_back(money_on_both: MoneyWorld) -> None:
    money = money_on_both
    order_id = await money.ended(PAID)
    refund = await money.reserved(order_id)
    await (await money.begin(refund)).result()
    await money.hear(said(refund, RefundStatus.FAILED))
    assert await money.refund_run(refund).result() is RefundStatus.FAILED
    assert await money.status(order_id) is PAID
    assert money.letters.refunds_told == [refund.refund_id]


async def test_a_lost_answer_is_looked_up(skipping_money: MoneyWorld) -> None:
    money = skipping_money
    money.gateway.refund_errors = [OutcomeUnknown("lost")]
    money.gateway.refunded_although_failed = True
    order_id = await money.ended(PAID)
    handle = await money.begin(await money.reserved(order_id))
    assert await handle.result() is RefundStatus.SUCCEEDED
    assert money.gateway.calls == ["refund", "ask_refund"]


async def test_a_refused_look_up_does_not_fail_the_refund(skipping_money: MoneyWorld) -> None:
    money = skipping_money
    money.gateway.refund_errors = [OutcomeUnknown("lost")]
    money.gateway.refunded_although_failed = True
    money.gateway.ask_errors = [RequestRefused("no such filter")]
    order_id = await money.ended(PAID)
    handle = await money.begin(await money.reserved(order_id))
    assert await handle.result() is RefundStatus.SUCCEEDED
    assert money.gateway.calls == ["refund", "ask_refund", "ask_refund"]


async def test_a_gateway_that_is_long_away(skipping_money: MoneyWorld) -> None:
    money = skipping_money
    away = [GatewayUnavailable("away", timedelta(hours=6)) for _ in range(12)]
    money.gateway.refund_errors = list(away)
    order_id = await money.ended(PAID)
    handle = await money.begin(await money.reserved(order_id))
    assert await handle.result() is RefundStatus.SUCCEEDED
    assert len(money.gateway.refunds) == 1


async def test_a_refund_that_is_refused(money: MoneyWorld) -> None:
    money.gateway.refund_errors = [RequestRefused("the balance is too low")]
    order_id = await money.ended(PAID)
    refund = await money.reserved(order_id)
    assert await (await money.begin(refund)).result() is RefundStatus.FAILED
    failure = (await money.refunds.refund(refund.refund_id)).failure
    assert failure == "the balance is too low"
    assert money.gateway.calls == ["refund"]


async def test_a_part_and_then_the_rest(money: MoneyWorld) -> None:
    order_id = await money.ended(PAID)
    await (await money.begin(await money.reserved(order_id, 10000))).result()
    assert await money.status(order_id) is OrderStatus.PARTIALLY_REFUNDED
    rest = await money.reserved(order_id)
    assert rest.amount.minor == 39900
    await (await money.begin(rest)).result()
    assert await money.status(order_id) is REFUNDED


async def test_news_that_comes_before_it_is_sent(money: MoneyWorld) -> None:
    order_id = await money.ended(PAID)
    refund = await money.reserved(order_id)
    await money.hear(said(refund, RefundStatus.SUCCEEDED))
    assert await money.refund_run(refund).result() is RefundStatus.SUCCEEDED
    assert money.gateway.calls == []
