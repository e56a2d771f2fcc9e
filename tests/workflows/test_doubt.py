"""A file denies a recorded capture: only the gateway's own answer changes anything."""

from dataclasses import replace

import pytest

from db.tables import TimelineEvent
from domain.cases import CaseStatus, CaseVerdict, Remedy
from domain.findings import Answer, Doubt
from domain.money import Money
from domain.news import Evidence, EvidenceKind
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from domain.policies import Budget
from tests.support.fakes import news_of
from tests.support.orders import a_payment
from tests.workflows.money import MoneyWorld

LINE = Evidence(EvidenceKind.SETTLEMENT_FILE, "settlements.csv, line 7", "0" * 64)


async def doubt(money: MoneyWorld, order_id: str) -> None:
    """A file says that the order's payment was never captured; wait until that is settled."""
    reference = a_payment(order_id).reference
    await money.delivery.doubt(Doubt("fnd_1", "acme", order_id, reference, LINE))
    await money.repair(order_id).result()


async def test_a_capture_that_the_gateway_confirms_stands(money_on_both: MoneyWorld) -> None:
    money = money_on_both
    order_id = await money.ended(OrderStatus.PAID)
    money.gateway.pay(order_id, a_payment(order_id))
    await doubt(money, order_id)
    assert await money.status(order_id) is OrderStatus.PAID
    assert money.books.answers == {"fnd_1": Answer.CONFIRMED}


@pytest.mark.parametrize("is_known", [True, False])
async def test_one_that_it_denies_is_taken_back(money_on_both: MoneyWorld, is_known: bool) -> None:
    money = money_on_both
    order_id = await money.ended(OrderStatus.PAID)
    if is_known:
        money.gateway.pay(order_id, a_payment(order_id, PaymentStatus.FAILED))
    await doubt(money, order_id)
    assert await money.status(order_id) is OrderStatus.CANCELED
    assert money.books.answers == {"fnd_1": Answer.RETRACTED}
    (payment,) = (await money.orders.standing(order_id)).payments
    assert payment.status is PaymentStatus.FAILED


async def test_doubted_twice_it_is_taken_back_once(money: MoneyWorld) -> None:
    order_id = await money.ended(OrderStatus.PAID)
    await doubt(money, order_id)
    await doubt(money, order_id)
    timeline = (await money.reads.order_view(order_id)).timeline
    assert [entry.event for entry in timeline].count(TimelineEvent.RETRACTED) == 1


async def test_what_else_was_charged_is_refunded(money: MoneyWorld) -> None:
    order_id = await money.ended(OrderStatus.PAID)
    money.gateway.pay(order_id, a_payment(order_id, PaymentStatus.FAILED))
    money.gateway.pay(order_id, a_payment(order_id, number=2))
    await doubt(money, order_id)
    case = await money.case()
    assert (case.verdict, case.status) == (CaseVerdict.LATE_CAPTURE, CaseStatus.SETTLED)
    assert money.gateway.calls.count("refund") == 1


async def test_the_gateway_is_asked_until_it_is_certain(money: MoneyWorld) -> None:
    order_id = await money.ended(OrderStatus.PAID)
    money.gateway.pay(order_id, a_payment(order_id, PaymentStatus.PENDING))
    reference = a_payment(order_id).reference
    await money.delivery.doubt(Doubt("fnd_1", "acme", order_id, reference, LINE))
    await money.gateway.until_called("ask_payment", 3)
    assert await money.status(order_id) is OrderStatus.PAID
    money.gateway.knows(order_id, a_payment(order_id))
    await money.repair(order_id).result()
    assert money.books.answers == {"fnd_1": Answer.CONFIRMED}


async def test_another_amount_is_an_operator_s_case(money: MoneyWorld) -> None:
    order_id = await money.ended(OrderStatus.PAID)
    money.gateway.pay(order_id, a_payment(order_id, amount=Money(100, "INR")))
    reference = a_payment(order_id).reference
    await money.delivery.doubt(Doubt("fnd_1", "acme", order_id, reference, LINE))
    (case,) = await money.until_waiting()
    assert case.verdict is CaseVerdict.AMOUNT_MISMATCH
    assert await money.status(order_id) is OrderStatus.PAID
    await money.say(case.case_id, Remedy.DISMISS)


async def test_an_order_of_which_money_went_back_is_an_operator_s_case(money: MoneyWorld) -> None:
    order_id = await money.ended(OrderStatus.PAID)
    await money.begin(await money.reserved(order_id, 100))
    reference = a_payment(order_id).reference
    await money.delivery.doubt(Doubt("fnd_1", "acme", order_id, reference, LINE))
    (case,) = await money.until_waiting()
    assert case.verdict is CaseVerdict.OK_UNPAID
    await money.say(case.case_id, Remedy.DISMISS)


async def test_money_that_an_operator_let_go_asks_no_budget(money: MoneyWorld) -> None:
    money.policies = replace(money.policies, budget=Budget(0))
    order_id = await money.ended(OrderStatus.EXPIRED)
    late = a_payment(order_id)
    money.gateway.pay(order_id, late)
    news = news_of(order_id, late, kind=EvidenceKind.SETTLEMENT_FILE)
    await money.delivery.deliver(replace(news, approved_by="olga"))
    await money.repair(order_id).result()
    assert (await money.case()).status is CaseStatus.SETTLED
