"""PayPal's Transaction Search: 31 days at a time, and never further than PayPal itself has got.

Source: https://developer.paypal.com/docs/api/transaction-search/v1.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.errors import FileRefused, GatewayUnavailable
from domain.reconciliations import Period
from domain.settlements import START, Chunk, Entry, EntryKind, Report
from gateways.bodies import Json, malformed_is, mapping, text, word
from gateways.http import Answer
from gateways.paypal.account import NAME, Account
from gateways.paypal.amounts import money_from
from gateways.paypal.entries import TRANSACTION, kind_of, status_of

TRANSACTIONS = "/v1/reporting/transactions"
LONGEST_WINDOW = timedelta(days=31)
SECOND = timedelta(seconds=1)
PAGE_SIZE = 500
NOT_YET = timedelta(hours=1)


@dataclass(frozen=True)
class Place:
    """How far a report is read: the window's start, its next page, its rows so far, and all."""

    start: datetime
    page: int = 1
    seen: int = 0
    rows: int = 0

    @classmethod
    def of(cls, cursor: str, period: Period) -> "Place":
        if cursor == START:
            return cls(period.start)
        start, *numbers = cursor.split("/")
        return cls(datetime.fromisoformat(start), *map(int, numbers))

    def __str__(self) -> str:
        return f"{self.start.isoformat()}/{self.page}/{self.seen}/{self.rows}"


class Reports(Account):
    """What PayPal lists of its own accord."""

    async def read_report(
        self, report: Report, period: Period, cursor: str
    ) -> AsyncIterator[Chunk]:
        """Raises `GatewayUnavailable` while PayPal's books do not reach to the period's end."""
        if report is not Report.TRANSACTIONS:
            raise FileRefused("PayPal pays out nothing by itself: its balance is the merchant's")
        place = Place.of(cursor, period)
        while place.start < period.end:
            end = min(place.start + LONGEST_WINDOW, period.end)
            answer = await self._page(place, end)
            with malformed_is(answer.failure):
                check_reach(answer.body, end)
                items: list[Json] = answer.body["transaction_details"]
                entries = [entry_from(item, place.rows + at) for at, item in enumerate(items, 1)]
                place = beyond(place, answer.body, len(items), end)
            yield Chunk(entries, str(place), is_last=place.start >= period.end)

    async def _page(self, place: Place, end: datetime) -> Answer:
        """Both of its dates belong to the window, which has whole seconds."""
        query = {
            "start_date": place.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "end_date": (end - SECOND).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "fields": "transaction_info",
            "page_size": str(PAGE_SIZE),
            "page": str(place.page),
        }
        return await self._get(TRANSACTIONS, query=query)


def check_reach(body: Json, end: datetime) -> None:
    """What PayPal has not got to yet is not missing."""
    reach = datetime.fromisoformat(text(body, "last_refreshed_datetime"))
    if reach < end:
        raise GatewayUnavailable(f"PayPal's books reach to {reach.isoformat()}", NOT_YET)


def beyond(place: Place, body: Json, items: int, end: datetime) -> Place:
    """The place after a page. Raises `FileRefused` for a list that changes while it is read."""
    seen = place.seen + items
    after = replace(place, seen=seen, rows=place.rows + items)
    if place.page < body["total_pages"]:
        return replace(after, page=place.page + 1)
    if seen != body["total_items"]:
        raise FileRefused(f"{seen} transactions came, of {body['total_items']}")
    return replace(after, start=end, page=1, seen=0)


def entry_from(item: Json, position: int) -> Entry:
    told = mapping(item["transaction_info"])
    amount = told["transaction_amount"]
    gross = money_from(amount)
    kind = kind_of(text(told, "transaction_event_code"), is_credit=gross.minor >= 0)
    is_refund = kind is EntryKind.REFUND
    is_of = is_refund and word(told, "paypal_reference_id_type") == TRANSACTION
    fee = money_from(told["fee_amount"]).minor if told.get("fee_amount") else None
    began = datetime.fromisoformat(text(told, "transaction_initiation_date"))
    return Entry(
        position=position,
        kind=kind,
        reference=text(told, "transaction_id"),
        payment_reference=word(told, "paypal_reference_id") if is_of else None,
        order_reference=word(told, "invoice_id") if kind is EntryKind.PAYMENT else None,
        our_id=word(told, "custom_field"),
        status=status_of(kind, text(told, "transaction_status")),
        amount_minor=abs(gross.minor),
        currency=gross.currency,
        fee_minor=abs(fee) if fee is not None else None,
        tax_minor=None,
        method=NAME if kind is EntryKind.PAYMENT else None,
        settlement_id=None,
        occurred_at=int(began.timestamp()),
        settled_at=None,
    )
