"""Stripe's balance transactions, listed by when they were made or by the payout they went into.

Source: https://docs.stripe.com/api/balance_transactions, …/api/payouts,
…/reports/balance-transaction-types. Their sums are in the currency of the account's balance, so
what a customer paid is read from the charge behind them.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import BinaryIO

from domain.payments import PaymentStatus
from domain.reconciliations import Period
from domain.refunds import RefundStatus
from domain.settlements import START, Chunk, Entry, EntryKind, Report, SettlementTotal
from gateways.bodies import Json, malformed_is, mapping, text, word
from gateways.http import Answer
from gateways.stripe import files
from gateways.stripe.account import Account, id_of, noted
from gateways.stripe.amounts import money
from gateways.stripe.payments import method_of
from gateways.stripe.refunds import our_id

TRANSACTIONS = "/v1/balance_transactions"
PAYOUTS = "/v1/payouts"
THE_END = "end"

PAYMENT, REFUND, OTHER = EntryKind.PAYMENT, EntryKind.REFUND, EntryKind.OTHER
# Whatever is not paid by card is a `payment`, not a `charge`.
KINDS = {
    "charge": PAYMENT,
    "payment": PAYMENT,
    "refund": REFUND,
    "payment_refund": REFUND,
    "refund_failure": REFUND,
    "payment_failure_refund": PAYMENT,
    "payment_reversal": PAYMENT,
}
TAKEN_BACK = {"refund_failure", "payment_failure_refund", "payment_reversal"}


@dataclass(frozen=True)
class Place:
    """How far a report is read: the payout at hand, the last entry seen, its rows and fees."""

    payout: str = ""
    last: str = ""
    rows: int = 0
    fee: int = 0
    tax: int = 0

    @classmethod
    def of(cls, cursor: str) -> "Place":
        payout, last, rows, fee, tax = cursor.split("/")
        return cls(payout, last, int(rows), int(fee), int(tax))

    def __str__(self) -> str:
        return f"{self.payout}/{self.last}/{self.rows}/{self.fee}/{self.tax}"

    @property
    def onward(self) -> dict[str, str]:
        return {"starting_after": self.last} if self.last else {}


class Reports(Account):
    """What Stripe lists of its own accord."""

    def read_file(self, file: BinaryIO, cursor: str) -> Iterator[Chunk]:
        return files.chunks(file, cursor)

    async def read_report(
        self, report: Report, period: Period, cursor: str
    ) -> AsyncIterator[Chunk]:
        place = Place() if cursor == START else Place.of(cursor)
        if report is Report.TRANSACTIONS:
            reading = self._transactions(within("created", period), place)
        else:
            reading = self._settlements(period, place)
        async for chunk in reading:
            yield chunk

    async def _transactions(self, query: Mapping[str, str], place: Place) -> AsyncIterator[Chunk]:
        more = place.payout != THE_END
        while more:
            answer, items, more = await self._page(query, place)
            with malformed_is(answer.failure):
                entries = entries_of(items, place, None)
                place = beyond(place, items)
            end = place if more else replace(place, payout=THE_END)
            yield Chunk(entries, str(end), is_last=not more)

    async def _settlements(self, period: Period, place: Place) -> AsyncIterator[Chunk]:
        """One payout after the other, the newest first; what a payout holds does not change."""
        while place.payout != THE_END:
            payout, following = await self._payout(period, place)
            if payout is None:
                yield Chunk([], str(replace(place, payout=THE_END)), is_last=True)
                return
            query = {"payout": payout["id"]}
            answer, items, more = await self._page(query, place)
            with malformed_is(answer.failure):
                entries = entries_of(items, place, payout)
                place = replace(beyond(place, items), payout=text(payout, "id"))
                totals = () if more else (total_of(payout, place),)
            if not more:
                place = Place(payout=following, rows=place.rows)
            yield Chunk(entries, str(place), totals, is_last=place.payout == THE_END)

    async def _payout(self, period: Period, place: Place) -> tuple[Json | None, str]:
        """The payout at hand and the name of the one after it."""
        query = {**within("arrival_date", period), "status": "paid", "limit": "100"}
        if place.payout:
            answer = await self._http.get(f"{PAYOUTS}/{{}}", place.payout)
            following = await self._http.get(
                PAYOUTS, query={**query, "limit": "1", "starting_after": place.payout}
            )
            with malformed_is(following.failure):
                names = [text(each, "id") for each in following.body["data"]]
            return answer.body, names[0] if names else THE_END
        answer = await self._http.get(PAYOUTS, query={**query, "limit": "2"})
        with malformed_is(answer.failure):
            payouts: list[Json] = answer.body["data"]
            names = [text(each, "id") for each in payouts]
        return (payouts[0] if payouts else None), names[1] if len(names) > 1 else THE_END

    async def _page(
        self, query: Mapping[str, str], place: Place
    ) -> tuple[Answer, list[Json], bool]:
        page = {**query, **place.onward, "limit": "100", "expand[]": "data.source"}
        answer = await self._http.get(TRANSACTIONS, query=page)
        with malformed_is(answer.failure):
            items: list[Json] = answer.body["data"]
            more = answer.body["has_more"] is True
            if more and not items:
                raise ValueError("an empty page that is not the last")
        return answer, items, more


def within(name: str, period: Period) -> dict[str, str]:
    start, end = (int(moment.timestamp()) for moment in (period.start, period.end))
    return {f"{name}[gte]": str(start), f"{name}[lt]": str(end)}


def beyond(place: Place, items: list[Json]) -> Place:
    """The place after these items, their fees and taxes counted."""
    fees = [split_fee(item) for item in items]
    return replace(
        place,
        last=text(items[-1], "id") if items else place.last,
        rows=place.rows + len(items),
        fee=place.fee + sum(fee for fee, _ in fees),
        tax=place.tax + sum(tax for _, tax in fees),
    )


def entries_of(items: list[Json], place: Place, payout: Json | None) -> list[Entry]:
    """The payout itself is one of its own transactions, and no entry."""
    return [
        entry_from(item, place.rows + at, payout)
        for at, item in enumerate(items, 1)
        if word(item, "type") != "payout"
    ]


def entry_from(item: Json, position: int, payout: Json | None) -> Entry:
    kind, source = KINDS.get(text(item, "type"), OTHER), mapping(item.get("source"))
    told = item if kind is OTHER else source
    price = money(told["amount"], text(told, "currency"))
    intent = id_of(source, "payment_intent")
    counted = text(item, "currency").upper() == price.currency
    fee, tax = split_fee(item) if counted else (None, None)
    reference = intent if kind is PAYMENT else None
    return Entry(
        position=position,
        kind=kind,
        reference=reference or id_of(item, "source") or text(item, "id"),
        payment_reference=intent if kind is REFUND else None,
        order_reference=noted(source, "wire_key") if kind is PAYMENT else None,
        our_id=our_id(source) if kind is REFUND else noted(source, "order_id"),
        status=status_of(item, kind),
        amount_minor=price.minor,
        currency=price.currency,
        fee_minor=fee,
        tax_minor=tax,
        method=method_of(source),
        settlement_id=text(payout, "id") if payout else None,
        occurred_at=item["created"],
        settled_at=payout["arrival_date"] if payout else None,
    )


def status_of(item: Json, kind: EntryKind) -> str:
    failed = word(item, "type") in TAKEN_BACK
    if kind is PAYMENT:
        return (PaymentStatus.FAILED if failed else PaymentStatus.CAPTURED).value
    if kind is REFUND:
        return (RefundStatus.FAILED if failed else RefundStatus.SUCCEEDED).value
    return PaymentStatus.UNKNOWN.value


def split_fee(item: Json) -> tuple[int, int]:
    """The fee without its tax, and the tax."""
    details = item.get("fee_details") or []
    tax = sum(each["amount"] for each in details if each["type"] == "tax")
    fee: int = item["fee"]
    return fee - tax, tax


def total_of(payout: Json, place: Place) -> SettlementTotal:
    currency = text(payout, "currency")
    return SettlementTotal(
        settlement_id=text(payout, "id"),
        net=money(payout["amount"], currency),
        fee=money(place.fee, currency),
        tax=money(place.tax, currency),
        settled_at=datetime.fromtimestamp(payout["arrival_date"], UTC),
        bank_reference=word(mapping(payout.get("trace_id")), "value"),
    )
