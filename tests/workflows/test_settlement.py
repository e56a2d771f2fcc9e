"""Cases on the real server: by policy where that decides, else by one word of an operator."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from db.statements import update_where
from db.tables import ProductRow
from domain.cases import Case, CaseOutcome, CaseStatus, CaseVerdict, Decision, Remedy
from domain.errors import GatewayUnavailable, RequestRefused
from domain.money import Money
from domain.orders import LatePolicy, OrderStatus
from domain.payments import PaymentStatus
from domain.policies import Budget
from domain.refunds import RefundStatus
from tests.support.orders import PROOF, a_payment
from tests.workflows.conftest import World
from tests.workflows.histories import replay
from tests.workflows.money import MoneyWorld
from workflows.repair import RepairWorkflow

PAID, EXPIRED = OrderStatus.PAID, OrderStatus.EXPIRED
TOO_LITTLE = Money(100, "INR")
AUTHORIZED = PaymentStatus.AUTHORIZED


async def mismatch(money: MoneyWorld, order_id: str, number: int = 1) -> str:
    """The id of a case that waits for an operator."""
    before = len(await money.views())
    await money.tell(order_id, a_payment(order_id, number=number, amount=TOO_LITTLE))
    return (await money.until_waiting(before + 1))[-1].case_id


async def refusal(money: MoneyWorld, case_id: str, remedy: Remedy, reason: str = "so") -> str:
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await money.say(case_id, remedy, reason)
    return str(refused.value.cause)


async def test_late_money_is_refunded_by_policy(money_on_both: MoneyWorld) -> None:
    money = money_on_both
    order_id = await money.ended(EXPIRED)
    repair = await money.tell(order_id, a_payment(order_id))
    await repair.result()
    case = await money.case()
    assert (case.verdict, case.outcome) == (CaseVerdict.LATE_CAPTURE, CaseOutcome.REFUNDED)
    assert (list(money.gateway.refunds), await money.status(order_id)) == (
        [case.refund_id],
        EXPIRED,
    )
    await replay([await repair.fetch_history()])


async def test_late_money_is_honoured_by_policy(money_on_both: MoneyWorld) -> None:
    money = money_on_both
    order_id = await money.ended(EXPIRED, LatePolicy.HONOUR)
    await (await money.tell(order_id, a_payment(order_id))).result()
    assert (await money.case()).outcome is CaseOutcome.HONOURED
    assert await money.status(order_id) is PAID
    assert money.letters.confirmed == [order_id]
    assert money.gateway.refunds == {}


async def test_late_money_within_the_grace_is_honoured(money: MoneyWorld) -> None:
    repair = replace(money.policies.repair, grace=timedelta(hours=1))
    money.policies = replace(money.policies, repair=repair)
    order_id = await money.ended(EXPIRED)
    await (await money.tell(order_id, a_payment(order_id))).result()
    assert await money.status(order_id) is PAID


async def test_another_price_by_now_is_not_honoured(money: MoneyWorld) -> None:
    order_id = await money.ended(EXPIRED, LatePolicy.HONOUR)
    async with money.database.write() as session:
        this = ProductRow.sku == "coffee-beans"
        await update_where(session, ProductRow, this, amount_minor=59900)
    await (await money.tell(order_id, a_payment(order_id))).result()
    assert (await money.case()).outcome is CaseOutcome.REFUNDED


async def test_of_two_payments_the_later_goes_back(money_on_both: MoneyWorld) -> None:
    money = money_on_both
    order_id = await money.ended(PAID)
    await (await money.tell(order_id, a_payment(order_id, number=2))).result()
    case = await money.case()
    assert (case.verdict, case.outcome) == (CaseVerdict.DUPLICATE_PAYMENT, CaseOutcome.REFUNDED)
    assert await money.status(order_id) is PAID
    (refund,) = money.gateway.refunds.values()
    assert refund.payment_reference == f"pay_2_{order_id}"


async def test_of_two_late_payments_one_is_honoured(money: MoneyWorld) -> None:
    order_id = await money.ended(EXPIRED, LatePolicy.HONOUR)
    both = (a_payment(order_id), a_payment(order_id, number=2))
    await (await money.tell(order_id, *both)).result()
    outcomes = sorted(str(case.outcome) for case in await money.views())
    assert outcomes == ["honoured", "refunded"]
    assert await money.status(order_id) is PAID


@pytest.mark.parametrize(
    ("last", "outcome"),
    [
        (PaymentStatus.CANCELED, CaseOutcome.GIVEN_BACK),
        (PaymentStatus.CAPTURED, CaseOutcome.CAPTURED),
    ],
)
async def test_an_unwanted_authorization_is_watched(
    last: PaymentStatus, outcome: CaseOutcome, money: MoneyWorld
) -> None:
    order_id = await money.ended(EXPIRED)
    repair = await money.tell(order_id, a_payment(order_id, AUTHORIZED))
    await money.gateway.until_called("ask", times=2)
    money.gateway.knows(order_id, a_payment(order_id, last))
    await repair.result()
    first = (await money.views())[0]
    assert (first.verdict, first.outcome) == (CaseVerdict.LATE_AUTHORIZATION, outcome)
    captured = last is PaymentStatus.CAPTURED
    assert len(money.gateway.refunds) == captured, "what was taken goes back as late money"
    assert "capture" not in money.gateway.calls


async def test_an_authorization_that_is_not_shown_is_not_given_back(money: MoneyWorld) -> None:
    order_id = await money.ended(EXPIRED)
    repair = await money.tell(order_id, a_payment(order_id, AUTHORIZED))
    money.gateway.payments.clear()
    await money.gateway.until_called("ask", times=3)
    assert (await money.case()).status is CaseStatus.OPEN
    money.gateway.knows(order_id, a_payment(order_id, PaymentStatus.CANCELED))
    await repair.result()


async def test_a_late_authorization_that_is_wanted_is_captured(money: MoneyWorld) -> None:
    order_id = await money.ended(EXPIRED, LatePolicy.HONOUR)
    await (await money.tell(order_id, a_payment(order_id, AUTHORIZED))).result()
    outcomes = [case.outcome for case in await money.views()]
    assert sorted(map(str, outcomes)) == ["captured", "honoured"]
    assert await money.status(order_id) is PAID
    assert money.gateway.refunds == {}


async def test_a_second_authorization_is_not_captured(money: MoneyWorld) -> None:
    """Whatever its products say of late money: the order has its payment."""
    order_id = await money.ended(PAID, LatePolicy.HONOUR)
    repair = await money.tell(order_id, a_payment(order_id, AUTHORIZED, number=2))
    await money.gateway.until_called("ask", times=2)
    money.gateway.knows(order_id, a_payment(order_id, PaymentStatus.CANCELED, number=2))
    await repair.result()
    assert (await money.case()).outcome is CaseOutcome.GIVEN_BACK
    assert "capture" not in money.gateway.calls


@pytest.mark.parametrize(
    ("remedy", "status", "refunds"),
    [(Remedy.HONOUR, PAID, 0), (Remedy.REFUND, EXPIRED, 1), (Remedy.DISMISS, EXPIRED, 0)],
)
async def test_odd_money_waits_for_one_word(
    remedy: Remedy, status: OrderStatus, refunds: int, money: MoneyWorld
) -> None:
    order_id = await money.ended(EXPIRED)
    case_id = await mismatch(money, order_id)
    repair = money.repair(order_id)
    await money.say(case_id, remedy)
    await repair.result()
    assert (await money.case()).status is CaseStatus.SETTLED
    assert await money.status(order_id) is status
    assert len(money.gateway.refunds) == refunds
    await replay([await repair.fetch_history()])


async def test_of_two_words_one_counts(money: MoneyWorld) -> None:
    order_id = await money.ended(EXPIRED)
    case_id = await mismatch(money, order_id)
    words = [money.say(case_id, remedy) for remedy in (Remedy.REFUND, Remedy.DISMISS)]
    said = await asyncio.gather(*words, return_exceptions=True)
    assert [isinstance(answer, WorkflowUpdateFailedError) for answer in said].count(True) == 1
    await money.repair(order_id).result()
    assert (await money.case()).status is CaseStatus.SETTLED


async def test_a_word_that_cannot_be_is_refused_at_once(money: MoneyWorld) -> None:
    order_id = await money.ended(PAID)
    money.policies = replace(money.policies, budget=Budget(count=0))
    await money.tell(order_id, a_payment(order_id, number=2))
    (case,) = await money.until_waiting()
    assert "cannot be answered" in await refusal(money, case.case_id, Remedy.HONOUR)
    assert "say who you are" in await refusal(money, case.case_id, Remedy.REFUND, " ")
    word = Decision("case_other", Remedy.REFUND, "olga", "why")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await money.repair(order_id).execute_update(RepairWorkflow.decide, word)
    assert "there is no such case" in str(refused.value.cause)
    money.gateway.allowed = asyncio.Event()
    await money.say(case.case_id, Remedy.REFUND)
    await money.gateway.until_called("refund")
    assert "being dealt with" in await refusal(money, case.case_id, Remedy.DISMISS)
    money.gateway.allowed.set()
    await money.repair(order_id).result()
    history = await money.repair(order_id).fetch_history()
    accepted = [
        e
        for e in history.events
        if e.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    assert len(accepted) == 1, "what was refused left no trace"


async def test_a_case_that_waits_holds_no_other(money: MoneyWorld) -> None:
    order_id = await money.ended(PAID)
    waiting = await mismatch(money, order_id, number=2)
    await money.tell(order_id, a_payment(order_id, number=3))
    await money.gateway.until_called("refund")
    assert (await money.cases.case(waiting)).status is CaseStatus.WAITING
    await money.say(waiting, Remedy.DISMISS)
    await money.repair(order_id).result()
    assert len(money.gateway.refunds) == 1


async def test_past_the_budget_money_waits_for_a_word(money_on_both: MoneyWorld) -> None:
    money = money_on_both
    money.policies = replace(money.policies, budget=Budget(count=0))
    order_id = await money.ended(EXPIRED)
    await money.tell(order_id, a_payment(order_id))
    (case,) = await money.until_waiting()
    assert money.gateway.calls == []
    await money.say(case.case_id, Remedy.REFUND)
    await money.repair(order_id).result()
    assert (await money.case()).outcome is CaseOutcome.REFUNDED
    assert len(money.gateway.refunds) == 1


async def test_a_refund_that_failed_needs_another_word(money: MoneyWorld) -> None:
    money.gateway.refund_status = RefundStatus.FAILED
    order_id = await money.ended(EXPIRED)
    await money.tell(order_id, a_payment(order_id))
    (case,) = await money.until_waiting()
    money.gateway.refund_status = RefundStatus.SUCCEEDED
    await money.say(case.case_id, Remedy.REFUND)
    await money.repair(order_id).result()
    statuses = [refund.status for refund in money.gateway.refunds.values()]
    assert statuses == [RefundStatus.FAILED, RefundStatus.SUCCEEDED]


async def test_a_terminated_repair_is_taken_up_without_a_second_refund(money: MoneyWorld) -> None:
    money.gateway.refund_status = RefundStatus.PENDING
    order_id = await money.ended(EXPIRED)
    repair = await money.tell(order_id, a_payment(order_id))
    await money.gateway.until_called("ask_refund")
    await repair.terminate("by hand")
    assert await money.delivery.mind_cases(order_id)
    (refund_id,) = money.gateway.refunds
    known = money.gateway.refunds[refund_id]
    money.gateway.refunds[refund_id] = replace(known, status=RefundStatus.SUCCEEDED)
    await money.repair(order_id).result()
    assert (await money.case()).refund_id == refund_id
    assert money.gateway.calls.count("refund") == 1


async def test_a_terminated_refund_does_not_end_its_repair(money: MoneyWorld) -> None:
    money.gateway.refund_status = RefundStatus.PENDING
    order_id = await money.ended(EXPIRED)
    repair = await money.tell(order_id, a_payment(order_id))
    await money.gateway.until_called("ask_refund")
    (refund_id,) = money.gateway.refunds
    await money.env.client.get_workflow_handle(refund_id).terminate("by hand")
    known = money.gateway.refunds[refund_id]
    money.gateway.refunds[refund_id] = replace(known, status=RefundStatus.SUCCEEDED)
    await money.delivery.mind_refund(await money.refunds.refund(refund_id))
    await repair.result()
    assert (await money.case()).outcome is CaseOutcome.REFUNDED


@pytest.mark.parametrize("remedy", [Remedy.REFUND, Remedy.DISMISS])
async def test_money_of_nobody(remedy: Remedy, money: MoneyWorld) -> None:
    payment = a_payment("ord_nobody")
    repair = await money.open_case(Case(None, CaseVerdict.UNKNOWN_ORDER, payment, PROOF))
    (case,) = await money.until_waiting()
    assert case.subject == payment.identity
    await money.say(case.case_id, remedy)
    await repair.result()
    assert len(money.gateway.refunds) == (remedy is Remedy.REFUND)
    assert money.letters.refunds_told == []


async def test_a_capture_at_a_gateway_that_is_away_is_tried_again(money: MoneyWorld) -> None:
    soon = timedelta(milliseconds=20)
    money.gateway.capture_errors = [GatewayUnavailable("away", soon) for _ in range(4)]
    order_id = await money.ended(EXPIRED, LatePolicy.HONOUR)
    await (await money.tell(order_id, a_payment(order_id, AUTHORIZED))).result()
    assert await money.status(order_id) is PAID
    assert {case.status for case in await money.views()} == {CaseStatus.SETTLED}


async def test_a_capture_that_is_refused_waits_for_an_operator(money: MoneyWorld) -> None:
    money.gateway.capture_errors = [RequestRefused("the card was closed")]
    order_id = await money.ended(EXPIRED, LatePolicy.HONOUR)
    await money.tell(order_id, a_payment(order_id, AUTHORIZED))
    (case,) = await money.until_waiting()
    assert "could not be captured" in str(case.why)
    await money.repair(order_id).terminate()


async def test_what_a_running_checkout_wants_is_captured(world: World) -> None:
    world.hurry(window=4)
    handle = await world.open()
    world.gateway.pay(handle.id, replace(a_payment(handle.id, AUTHORIZED), reference="pay_1"))
    assert (await handle.result()).status is PAID
    assert world.gateway.calls.count("capture") == 1
