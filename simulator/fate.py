"""What a test may decide for banks and customers: settle, give back, pay late, dispute."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from fastapi import APIRouter, HTTPException
from pydantic import PositiveInt

from simulator.books import Books
from simulator.control import control_router
from simulator.dialect import Dialect
from simulator.disputes import DisputeEnded, Disputes
from simulator.gateway import Gateway, NotAuthorized, NotRevocable
from simulator.records import (
    DisputeStatus,
    Json,
    Link,
    LinkStatus,
    Method,
    Outcome,
    Payment,
    RefundStatus,
)
from simulator.refunds import RefundEnded, Refunds
from simulator.settlements import Settlements
from simulator.views import dispute_view, payment_view, refund_view, settlement_view

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PaymentSettlement:
    outcome: Literal["success", "authorized", "failure"]


@dataclass(frozen=True, slots=True)
class RefundSettlement:
    outcome: Literal["processed", "failed"]


@dataclass(frozen=True, slots=True)
class DisputeSettlement:
    outcome: Literal["under_review", "won", "lost", "closed"]


@dataclass(frozen=True, slots=True)
class LatePayment:
    """`amount` None is what the link asks for."""

    method: Method = Method.CARD
    amount: PositiveInt | None = None
    status: Literal["captured", "authorized"] = "captured"


@dataclass(frozen=True, slots=True)
class StrayPayment:
    """`order_id` is what its notes name: nobody's order, or one that knows nothing of it."""

    amount: PositiveInt
    currency: str = "INR"
    order_id: str | None = None
    method: Method = Method.CARD
    dialect: str = "razorpay"


@dataclass(frozen=True, slots=True)
class Objection:
    """`amount` None is the whole payment."""

    reason: str = "chargeback"
    amount: PositiveInt | None = None


class FateApi:
    def __init__(
        self,
        books: Books,
        gateway: Gateway,
        refunds: Refunds,
        disputes: Disputes,
        settlements: Settlements,
        dialects: Mapping[str, Dialect],
    ) -> None:
        self._ledger, self._clock, self._dialects = books.ledger, books.clock, dialects
        self._gateway, self._refunds, self._disputes = gateway, refunds, disputes
        self._settlements = settlements

    def router(self) -> APIRouter:
        routes = control_router()
        routes.post("/links/{order_id}/late-payment")(self.pay_late)
        routes.post("/payments/stray")(self.pay_elsewhere)
        routes.post("/payments/{payment_id}/settle")(self.settle_payment)
        routes.post("/payments/{payment_id}/release")(self.release)
        routes.post("/payments/{payment_id}/revoke")(self.revoke)
        routes.post("/payments/{payment_id}/dispute")(self.dispute)
        routes.post("/refunds/{refund_id}/settle")(self.settle_refund)
        routes.post("/disputes/{dispute_id}/settle")(self.settle_dispute)
        routes.post("/settlements")(self.settle_everything)
        return routes

    async def pay_late(self, order_id: str, late: LatePayment) -> Json:
        """A success whatever became of the link: canceled, expired, or paid before.

        Where nothing comes through a closed link, the merchant's staff take the money by other
        means, for the order; there is no authorizing it alone.
        """
        links = [link for link in self._ledger.links_named(order_id) if not link.elsewhere]
        link = found(links[-1] if links else None, f"link for {order_id}")
        if self._dialects[link.dialect].takes_late_payments:
            outcome = Outcome.SUCCESS if late.status == "captured" else Outcome.AUTHORIZED
            return self._view(self._gateway.pay_late(link, outcome, late.method, late.amount))
        if late.status == "authorized":
            raise HTTPException(409, f"{link.dialect} takes no late authorizations")
        amount = late.amount or link.amount
        stray = StrayPayment(amount, link.currency, link.order_id, late.method, link.dialect)
        return await self.pay_elsewhere(stray)

    async def pay_elsewhere(self, stray: StrayPayment) -> Json:
        """Money that came through no link of the merchant's."""
        dialect = found(self._dialects.get(stray.dialect), f"dialect {stray.dialect}")
        link = link_elsewhere(stray, dialect, self._clock())
        return self._view(self._gateway.pay_elsewhere(link, stray.method))

    async def settle_payment(self, payment_id: str, settlement: PaymentSettlement) -> Json:
        payment = found(self._ledger.payment(payment_id), f"payment {payment_id}")
        return self._view(self._gateway.settle(payment, Outcome(settlement.outcome)))

    async def release(self, payment_id: str) -> Json:
        """Give back what was authorized and never captured."""
        payment = found(self._ledger.payment(payment_id), f"payment {payment_id}")
        try:
            return self._view(self._gateway.release(payment))
        except NotAuthorized:
            raise HTTPException(409, f"{payment_id} is {payment.status}") from None

    async def revoke(self, payment_id: str) -> Json:
        """Let the bank take back what was captured; nobody is told."""
        payment = found(self._ledger.payment(payment_id), f"payment {payment_id}")
        try:
            return self._view(self._gateway.revoke(payment))
        except NotRevocable:
            raise HTTPException(409, f"{payment_id} is {payment.status}, or partly so") from None

    async def dispute(self, payment_id: str, objection: Objection) -> Json:
        payment = found(self._ledger.payment(payment_id), f"payment {payment_id}")
        if not payment.captured:
            raise HTTPException(409, f"{payment_id} was never captured")
        amount = objection.amount or payment.amount
        dispute = self._disputes.begin(payment, amount, objection.reason)
        return dispute_view(dispute, self._ledger.link_of(payment))

    async def settle_refund(self, refund_id: str, settlement: RefundSettlement) -> Json:
        """End a pending refund, or fail a processed one: the gateway takes it back."""
        refund = found(self._ledger.refund(refund_id), f"refund {refund_id}")
        try:
            refund = self._refunds.settle(refund, RefundStatus(settlement.outcome))
        except RefundEnded:
            raise HTTPException(409, f"{refund_id} is {refund.status}") from None
        return refund_view(refund, self._ledger.link_of(refund))

    async def settle_dispute(self, dispute_id: str, settlement: DisputeSettlement) -> Json:
        dispute = found(self._ledger.dispute(dispute_id), f"dispute {dispute_id}")
        try:
            dispute = self._disputes.settle(dispute, DisputeStatus(settlement.outcome))
        except DisputeEnded:
            raise HTTPException(409, f"{dispute_id} is {dispute.status}") from None
        return dispute_view(dispute, self._ledger.link_of(dispute))

    async def settle_everything(self) -> Json:
        """Pay out whatever was captured, refunded or lost since the last time."""
        return {"settlements": [settlement_view(each) for each in self._settlements.settle()]}

    def _view(self, payment: Payment) -> Json:
        link = self._ledger.link_of(payment)
        return payment_view(payment, link, self._dialects[link.dialect].reference_of(link, payment))


def found(record: T | None, what: str) -> T:
    if record is None:
        raise HTTPException(404, f"there is no {what}")
    return record


def link_elsewhere(stray: StrayPayment, dialect: Dialect, now: float) -> Link:
    return Link(
        id=dialect.new_id("link"),
        dialect=dialect.name,
        amount=stray.amount,
        currency=stray.currency,
        order_id=stray.order_id,
        status=LinkStatus.PAID,
        elsewhere=True,
        details=dialect.quoting(stray.order_id) if stray.order_id else {},
        created_at=now,
        updated_at=now,
        expires_at=now,
    )
