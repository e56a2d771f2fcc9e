"""Paid orders in a real database, and what is wished and heard of giving their money back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from db.cases import CaseStore
from db.engine import Database
from db.orders import OrderStore
from db.reads import OrderReads
from db.refunds import RefundStore
from db.views import OrderView
from domain.cases import Case, CaseVerdict
from domain.disputes import Dispute, DisputeStatus
from domain.keys import new_id
from domain.money import Money
from domain.news import Evidence, EvidenceKind
from domain.orders import OrderStatus
from domain.payments import Payment
from domain.refunds import Refund, RefundNews, RefundStatus, RefundWish
from tests.support.orders import NOON, PROOF, a_case, a_payment, an_end, place_awaiting

LATER = NOON + timedelta(hours=1)
TOLD = Evidence(EvidenceKind.WEBHOOK, "evt_refund", "ef" * 32)


async def place_ended(database: Database, status: OrderStatus = OrderStatus.PAID) -> str:
    """The id of an order that has ended so; its price is ₹499.00."""
    order_id = await place_awaiting(database)
    await OrderStore(database).conclude(an_end(order_id, status))
    return order_id


async def pay_twice(database: Database) -> tuple[str, Payment]:
    """A paid order, and the second payment of it."""
    order_id = await place_ended(database)
    second = a_payment(order_id, number=2)
    case = a_case(second, order_id, CaseVerdict.DUPLICATE_PAYMENT)
    await CaseStore(database).open_case(case, NOON)
    return order_id, second


async def pay_for_nobody(database: Database) -> Payment:
    """A payment whose order is not known."""
    payment = a_payment("nobody")
    case = Case(None, CaseVerdict.UNKNOWN_ORDER, payment, PROOF)
    await CaseStore(database).open_case(case, NOON)
    return payment


def a_refund_wish(of: str, minor: int | None = None, **changes: Any) -> RefundWish:
    """An operator's wish for so much of the order's payment, or for all that is left of it."""
    wish = RefundWish(
        refund_id=new_id("rfd"),
        order_id=of,
        gateway="acme",
        payment_reference=a_payment(of).reference,
        amount=None if minor is None else Money(minor, "INR"),
        reason="it broke",
        actor="ops",
    )
    return replace(wish, **changes)


async def reserved(database: Database, wish: RefundWish) -> Refund:
    refund = await RefundStore(database).reserve(wish, None, NOON)
    assert refund
    return refund


def refund_news(refund: Refund, status: RefundStatus, **changes: Any) -> RefundNews:
    """What the gateway says of the refund, which it calls rfnd_{refund_id}."""
    news = RefundNews(
        gateway=refund.gateway,
        refund_id=refund.refund_id,
        status=status,
        evidence=TOLD,
        payment_reference=refund.payment_reference,
        amount=refund.amount,
        reference=f"rfnd_{refund.refund_id}",
    )
    return replace(news, **changes)


async def refunded(database: Database, wish: RefundWish) -> Refund:
    refund = await reserved(database, wish)
    news = refund_news(refund, RefundStatus.SUCCEEDED)
    return await RefundStore(database).record_refund(news, LATER)


def a_dispute(payment: Payment, status: DisputeStatus = DisputeStatus.OPEN) -> Dispute:
    evidence = Evidence(EvidenceKind.WEBHOOK, f"evt_{status}", "12" * 32)
    return Dispute(
        gateway=payment.gateway,
        reference=f"disp_{payment.reference}",
        payment_reference=payment.reference,
        status=status,
        amount=payment.amount,
        reason="not delivered",
        evidence=evidence,
    )


async def view_of(database: Database, order_id: str) -> OrderView:
    return await OrderReads(database).order_view(order_id)


async def status_of(database: Database, order_id: str) -> OrderStatus:
    return await OrderReads(database).status_of(order_id)
