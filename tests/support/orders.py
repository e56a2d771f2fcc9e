"""Orders in a real database, brought to where a test begins."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from db.baskets import BasketStore
from db.engine import Database
from db.orders import OrderStore
from domain.cases import Case, CaseVerdict
from domain.checkouts import Conclusion, LinkOrder
from domain.keys import link_key, new_token, wire_key
from domain.money import Money
from domain.news import Evidence, EvidenceKind
from domain.orders import Basket, OrderStatus
from domain.payments import Payment, PaymentLink, PaymentStatus
from domain.ports import LinkDraft

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRICE = Money(49900, "INR")
PROOF = Evidence(EvidenceKind.WEBHOOK, "evt_1", "ab" * 32)
ANSWER = Evidence(EvidenceKind.STATUS_QUERY, "/payment_links/plink_1", "cd" * 32)


def a_basket(*items: tuple[str, int], currency: str | None = None) -> Basket:
    wanted = items or (("coffee-beans", 1),)
    return Basket("user-1", "buyer@example.com", wanted, "acme", currency=currency, timestamp=NOON)


async def place(database: Database, *items: tuple[str, int], at: datetime = NOON) -> str:
    """The id of a new order."""
    placed = await BasketStore(database).place_order(
        a_basket(*items), client="shop", key=uuid4().hex, fingerprint="f", at=at
    )
    return placed.order_id


async def place_awaiting(database: Database, *, reference: str | None = None) -> str:
    """The id of a new order whose link is open at the gateway, by default as plink_{order_id}."""
    order_id = await place(database)
    store = OrderStore(database)
    await store.begin_link(a_wish(order_id), a_draft(order_id), new_token())
    await store.keep_link(a_link(order_id, reference))
    return order_id


def a_wish(order_id: str, attempt: int = 1) -> LinkOrder:
    closes_at = NOON + timedelta(minutes=15)
    return LinkOrder(order_id, link_key(order_id, attempt), NOON, closes_at)


def a_draft(order_id: str, attempt: int = 1, body: str = '{"amount": 49900}') -> LinkDraft:
    key = link_key(order_id, attempt)
    return LinkDraft(key, wire_key(key), body)


def a_link(order_id: str, reference: str | None = None) -> PaymentLink:
    reference = reference or f"plink_{order_id}"
    url = f"https://pay.example/{reference}"
    return PaymentLink("acme", link_key(order_id, 1), reference, url, NOON + timedelta(minutes=31))


def a_payment(
    order_id: str,
    status: PaymentStatus = PaymentStatus.CAPTURED,
    *,
    number: int = 1,
    amount: Money = PRICE,
    method: str | None = "upi",
    failure: str | None = None,
) -> Payment:
    return Payment("acme", f"pay_{number}_{order_id}", status, amount, method, failure)


def an_end(order_id: str, status: OrderStatus = OrderStatus.PAID) -> Conclusion:
    """A conclusion 42 seconds after the click on Pay, with the payment if there has to be one."""
    paid = status is OrderStatus.PAID
    proof, payment = (PROOF, a_payment(order_id)) if paid else (ANSWER, None)
    return Conclusion(order_id, status, proof, NOON + timedelta(seconds=42), payment)


def a_case(payment: Payment, order_id: str, verdict: CaseVerdict) -> Case:
    return Case(order_id, verdict, payment, PROOF)
