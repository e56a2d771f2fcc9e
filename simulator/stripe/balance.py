"""Balance transactions and payouts: what moved on the merchant's balance, and what was paid out.

Source: https://docs.stripe.com/api/balance_transactions and …/api/payouts. Stripe would count in
the currency of the balance; here each stays in its own, and a fee is known as soon as the charge.
"""

from collections.abc import Iterator, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.books import Books
from simulator.planting import PlantedReports
from simulator.records import EntryKind, Json, Payment, Refund, RefundStatus, Settlement
from simulator.statement import Line, Period
from simulator.stripe.account import StripeAccount
from simulator.stripe.entities import balance_id, charge_entity, refund_entity
from simulator.stripe.errors import missing
from simulator.stripe.frontdesk import FrontDesk
from simulator.stripe.paging import page

SOURCE = "data.source"


class BalanceApi:
    def __init__(self, account: StripeAccount, desk: FrontDesk, books: Books) -> None:
        self._live, self._desk, self._ledger = account.is_live, desk, books.ledger
        self._statement, self._reports = books.statement, PlantedReports(books)

    def routes(self) -> list[Route]:
        return [
            Route("/balance_transactions", self.list_moves, methods=["GET"]),
            Route("/payouts", self.list_payouts, methods=["GET"]),
            Route("/payouts/{id}", self.fetch_payout, methods=["GET"]),
        ]

    async def list_moves(self, request: Request) -> Response:
        return await self._desk.answer(request, (), lambda: self._moves(request))

    async def list_payouts(self, request: Request) -> Response:
        return await self._desk.answer(request, (), lambda: self._payouts(request.query_params))

    async def fetch_payout(self, request: Request) -> Response:
        return await self._desk.answer(
            request, (), lambda: payout_entity(self._settlement(request.path_params["id"]))
        )

    def _moves(self, request: Request) -> Json:
        query = request.query_params
        wanted = query.get("payout")
        moves = self._paid_out(self._settlement(wanted)) if wanted else self._all()
        entities = sorted(moves, key=lambda move: int(move["created"]))
        if SOURCE not in (*query.getlist("expand[]"), *query.getlist("expand[0]")):
            entities = [move | {"source": move["source"]["id"]} for move in entities]
        return page(entities, query, "/v1/balance_transactions")

    def _all(self) -> Iterator[Json]:
        for payment in self._reports.payments("stripe", Period()):
            if payment.captured:
                yield self._charge(payment)
        for refund in self._reports.refunds("stripe", Period()):
            if refund.status is not RefundStatus.PENDING:
                yield self._refund(refund)
            if refund.status is RefundStatus.FAILED:
                yield self._failure(refund)

    def _paid_out(self, settlement: Settlement) -> Iterator[Json]:
        yield payout_move(settlement)
        for line in self._reports.lines("stripe", Period(settlement.created_at)):
            if line.settlement.id == settlement.id:
                yield self._move(line)

    def _move(self, line: Line) -> Json:
        entry = line.entry
        if entry.kind is EntryKind.PAYMENT:
            return self._charge(line.payment)
        if entry.kind is EntryKind.REFUND and line.refund:
            return self._refund(line.refund)
        source: Json = {"id": entry.source_id, "object": "adjustment"}
        gain = entry.credit - entry.debit
        return move("adjustment", entry.id, gain, entry.currency, entry.created_at, source)

    def _charge(self, payment: Payment) -> Json:
        link = self._ledger.link_of(payment)
        source = charge_entity(payment, link, livemode=self._live)
        at = payment.captured_at or payment.created_at
        made = move("charge", balance_id(payment), payment.amount, payment.currency, at, source)
        return made | fees_of(payment)

    def _refund(self, refund: Refund) -> Json:
        source = self._refund_source(refund)
        name = f"txn_{refund.id.removeprefix('re_')}"
        return move("refund", name, -refund.amount, refund.currency, refund.created_at, source)

    def _failure(self, refund: Refund) -> Json:
        source = self._refund_source(refund)
        name = f"txn_f{refund.id.removeprefix('re_')}"
        return move(
            "refund_failure", name, refund.amount, refund.currency, refund.updated_at, source
        )

    def _refund_source(self, refund: Refund) -> Json:
        (payment,) = self._ledger.payments(id=refund.payment_id)
        return refund_entity(refund, payment, self._ledger.link_of(payment))

    def _payouts(self, query: Mapping[str, str]) -> Json:
        since = float(query.get("arrival_date[gte]", "0"))
        until = float(query.get("arrival_date[lt]", "inf"))
        settlements = self._statement.settlements("stripe", Period(since, until))
        return page([payout_entity(each) for each in settlements], query, "/v1/payouts")

    def _settlement(self, payout: str) -> Settlement:
        settlement = self._statement.settlement(payout)
        if settlement is None or settlement.dialect != "stripe":
            raise missing("payout", payout)
        return settlement


def move(kind: str, name: str, amount: int, currency: str, at: float, source: Json) -> Json:
    return {
        "id": name,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": int(at),
        "created": int(at),
        "currency": currency.lower(),
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": kind,
        "source": source,
        "status": "available",
        "type": kind,
    }


def fees_of(payment: Payment) -> Json:
    parts = {"stripe_fee": payment.fee, "tax": payment.tax}
    currency, whole = payment.currency.lower(), sum(parts.values())
    details = [
        {"amount": amount, "currency": currency, "type": kind} for kind, amount in parts.items()
    ]
    return {"fee": whole, "fee_details": details, "net": payment.amount - whole}


def payout_move(settlement: Settlement) -> Json:
    source = payout_entity(settlement)
    name = f"txn_{settlement.id.removeprefix('po_')}"
    amount, at = -settlement.amount, settlement.created_at
    return move("payout", name, amount, settlement.currency, at, source)


def payout_entity(settlement: Settlement) -> Json:
    return {
        "id": settlement.id,
        "object": "payout",
        "amount": settlement.amount,
        "arrival_date": int(settlement.created_at),
        "automatic": True,
        "created": int(settlement.created_at),
        "currency": settlement.currency.lower(),
        "reconciliation_status": "completed",
        "status": "paid",
        "trace_id": {"status": "supported", "value": settlement.utr},
    }
