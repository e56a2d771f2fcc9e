"""Every way in which a repair goes: each brings one there and returns the handle to it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from temporalio.client import WorkflowHandle

from domain.cases import Case, CaseVerdict, Remedy
from domain.findings import Doubt
from domain.money import Money
from domain.news import Evidence, EvidenceKind
from domain.orders import LatePolicy, OrderStatus
from domain.payments import Payment, PaymentStatus
from domain.policies import Budget
from domain.refunds import RefundStatus
from tests.support.fakes import hint_for
from tests.support.orders import PROOF, a_payment
from tests.workflows.conftest import World
from tests.workflows.money import MoneyWorld
from workflows.delivery import repair_id
from workflows.repair import RepairWorkflow

RepairHandle = WorkflowHandle[RepairWorkflow, None]
PAID, EXPIRED = OrderStatus.PAID, OrderStatus.EXPIRED
AUTHORIZED, CANCELED = PaymentStatus.AUTHORIZED, PaymentStatus.CANCELED
LINE = Evidence(EvidenceKind.SETTLEMENT_FILE, "settlements.csv, line 7", "0" * 64)
TOO_LITTLE = Money(100, "INR")


async def late(money: MoneyWorld, policy: LatePolicy, status: PaymentStatus) -> RepairHandle:
    """Money of this status has come for an order that expired."""
    order_id = await money.ended(EXPIRED, policy)
    return await money.tell(order_id, a_payment(order_id, status))


async def repair_honoured(money: MoneyWorld) -> RepairHandle:
    return await late(money, LatePolicy.HONOUR, PaymentStatus.CAPTURED)


async def repair_refunded(money: MoneyWorld) -> RepairHandle:
    return await late(money, LatePolicy.REFUND, PaymentStatus.CAPTURED)


async def repair_of_a_duplicate(money: MoneyWorld) -> RepairHandle:
    order_id = await money.ended(PAID)
    return await money.tell(order_id, a_payment(order_id, number=2))


async def repair_of_two_late_payments(money: MoneyWorld) -> RepairHandle:
    order_id = await money.ended(EXPIRED, LatePolicy.HONOUR)
    return await money.tell(order_id, a_payment(order_id), a_payment(order_id, number=2))


async def repair_after_a_hint(money: MoneyWorld) -> RepairHandle:
    order_id = await money.ended(EXPIRED)
    money.gateway.pay(order_id, a_payment(order_id))
    await money.delivery.deliver(hint_for(order_id))
    return money.repair(order_id)


async def repair_held_then_decided(money: MoneyWorld) -> RepairHandle:
    repair = await running_repair_waits(money)
    (case,) = await money.until_waiting()
    await money.say(case.case_id, Remedy.REFUND)
    return repair


async def repair_decided_twice(money: MoneyWorld) -> RepairHandle:
    """The refund that an operator wanted failed, and needs another word."""
    money.gateway.refund_status = RefundStatus.FAILED
    repair = await late(money, LatePolicy.REFUND, PaymentStatus.CAPTURED)
    (case,) = await money.until_waiting()
    money.gateway.refund_status = RefundStatus.SUCCEEDED
    await money.say(case.case_id, Remedy.REFUND)
    return repair


async def repair_dismissed(money: MoneyWorld) -> RepairHandle:
    order_id = await money.ended(EXPIRED)
    repair = await money.tell(order_id, a_payment(order_id, amount=TOO_LITTLE))
    (case,) = await money.until_waiting()
    await money.say(case.case_id, Remedy.DISMISS)
    return repair


async def repair_captured(money: MoneyWorld) -> RepairHandle:
    return await late(money, LatePolicy.HONOUR, AUTHORIZED)


async def repair_given_back(money: MoneyWorld) -> RepairHandle:
    order_id = await money.ended(EXPIRED)
    repair = await money.tell(order_id, a_payment(order_id, AUTHORIZED))
    await money.gateway.until_called("ask", times=2)
    money.gateway.knows(order_id, a_payment(order_id, CANCELED))
    return repair


async def repair_of_an_orphan(world: World) -> RepairHandle:
    """An order that awaits payment, and whose checkout is gone."""
    checkout = await world.open()
    await checkout.terminate("lost")
    await world.deliver_for_real().adopt(world.orders.orders[checkout.id])
    return world.client.get_workflow_handle_for(RepairWorkflow.run, repair_id(checkout.id))


async def repair_of_an_unknown_order(money: MoneyWorld) -> RepairHandle:
    payment = a_payment("ord_nobody")
    repair = await money.open_case(Case(None, CaseVerdict.UNKNOWN_ORDER, payment, PROOF))
    (case,) = await money.until_waiting()
    await money.say(case.case_id, Remedy.REFUND)
    return repair


async def doubted(money: MoneyWorld, *known: Callable[[str], Payment]) -> RepairHandle:
    """A file denies the capture of a paid order, of which the gateway knows these payments."""
    order_id = await money.ended(PAID)
    for payment in known:
        money.gateway.pay(order_id, payment(order_id))
    doubt = Doubt("fnd_1", "acme", order_id, a_payment(order_id).reference, LINE)
    await money.delivery.doubt(doubt)
    return money.repair(order_id)


async def repair_doubt_confirmed(money: MoneyWorld) -> RepairHandle:
    return await doubted(money, a_payment)


async def repair_doubt_retracted(money: MoneyWorld) -> RepairHandle:
    """And what else was charged for the order goes back."""
    return await doubted(
        money,
        lambda order_id: a_payment(order_id, PaymentStatus.FAILED),
        lambda order_id: a_payment(order_id, number=2),
    )


async def repair_doubt_is_a_case(money: MoneyWorld) -> RepairHandle:
    repair = await doubted(money, lambda order_id: a_payment(order_id, amount=TOO_LITTLE))
    (case,) = await money.until_waiting()
    await money.say(case.case_id, Remedy.DISMISS)
    return repair


async def running_repair_waits(money: MoneyWorld) -> RepairHandle:
    money.policies = replace(money.policies, budget=Budget(count=0))
    repair = await late(money, LatePolicy.REFUND, PaymentStatus.CAPTURED)
    await money.until_waiting()
    return repair


async def running_repair_watches(money: MoneyWorld) -> RepairHandle:
    repair = await late(money, LatePolicy.REFUND, AUTHORIZED)
    await money.gateway.until_called("ask", times=3)
    return repair


OF_ORPHANS: tuple[Callable[[World], Awaitable[RepairHandle]], ...] = (repair_of_an_orphan,)
OUTCOMES = (
    repair_honoured,
    repair_refunded,
    repair_of_a_duplicate,
    repair_of_two_late_payments,
    repair_after_a_hint,
    repair_held_then_decided,
    repair_decided_twice,
    repair_dismissed,
    repair_captured,
    repair_given_back,
    repair_of_an_unknown_order,
    repair_doubt_confirmed,
    repair_doubt_retracted,
    repair_doubt_is_a_case,
    running_repair_waits,
    running_repair_watches,
)
