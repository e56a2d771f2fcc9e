"""Razorpay's report API: lists that are read to their end, whatever moves meanwhile."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.errors import FileRefused, GatewayUnavailable, OutcomeUnknown
from domain.money import Money
from domain.reconciliations import Period
from domain.settlements import START, Chunk, Entry, EntryKind, Report, SettlementTotal
from gateways.bodies import Json
from gateways.http import GatewayClient, connection
from gateways.razorpay import Razorpay
from tests.gateways import razorpay_samples as sample
from tests.gateways.wire import Wire

START_OF_DAY = datetime(2026, 11, 3, 18, 30, tzinfo=UTC)  # 4 November, midnight in India
DAY = Period(START_OF_DAY, START_OF_DAY + timedelta(days=1))
AT = int(START_OF_DAY.timestamp())

SETTLEMENT = {
    "id": "setl_1",
    "entity": "settlement",
    "amount": 97100,
    "status": "processed",
    "fees": 0,
    "tax": 0,
    "utr": "UTR1",
    "created_at": AT + 60,
}
ROW: Json = {
    "entity_id": "pay_1",
    "type": "payment",
    "debit": 0,
    "credit": 97100,
    "amount": 100000,
    "currency": "INR",
    "fee": 2900,
    "tax": 442,
    "on_hold": False,
    "settled": True,
    "created_at": AT - 200_000,
    "settled_at": AT + 60,
    "settlement_id": "setl_1",
    "credit_type": "default",
    "notes": {"order_id": sample.ORDER},
    "payment_id": None,
    "settlement_utr": "UTR1",
    "order_id": sample.GATEWAY_ORDER,
    "order_receipt": sample.REFERENCE,
    "method": "card",
}
REFUND_ROW = ROW | {
    "entity_id": "rfnd_1",
    "type": "refund",
    "debit": 100000,
    "credit": 0,
    "fee": 0,
    "tax": 0,
    "payment_id": "pay_1",
    "notes": {"refund_id": sample.REFUND_ID},
}
TRANSFER = ROW | {
    "entity_id": "trf_1",
    "type": "transfer",
    "debit": 100296,
    "credit": 0,
    "fee": 296,
    "tax": 46,
    "payment_id": "pay_1",
    "notes": None,
}
ADJUSTMENT: Json = {name: ROW[name] for name in ("created_at", "settled_at", "currency")} | {
    "entity_id": "adj_1",
    "type": "adjustment",
    "debit": 5000,
    "credit": 0,
    "amount": 5000,
    "fee": 0,
    "tax": 0,
    "settlement_id": "setl_1",
    "settlement_utr": None,
    "notes": "Dispute lost",
}


class Lists:
    """Lists by path, which may change before any page; `most` is what a page has at most."""

    def __init__(self, most: int = 100, **lists: list[Json]) -> None:
        self.lists, self.most = lists, most
        self.before: dict[int, Callable[[list[Json]], None]] = {}
        self.pages: list[tuple[str, int, int]] = []
        self.queries: list[httpx.QueryParams] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name, query = request.url.path.rsplit("/", 1)[-1], request.url.params
        items = self.lists.get(name, [])
        if change := self.before.get(len(self.pages)):
            change(items)
        skip, count = int(query["skip"]), min(int(query["count"]), self.most)
        self.pages.append((name, skip, count))
        self.queries.append(query)
        return httpx.Response(200, json=sample.collection(*items[skip : skip + count]))


def razorpay_with(lists: Lists) -> Razorpay:
    return Razorpay(
        http=GatewayClient(connection("https://gateway.test", httpx.MockTransport(lists))),
        key_id=sample.KEY_ID,
        key_secret=sample.KEY_SECRET,
        webhook_secrets=[],
    )


async def read(
    lists: Lists, report: Report = Report.TRANSACTIONS, period: Period = DAY, cursor: str = START
) -> list[Chunk]:
    source = razorpay_with(lists).read_report(report, period, cursor)
    return [chunk async for chunk in source]


def references(chunks: list[Chunk]) -> list[str]:
    return [entry.reference for chunk in chunks for entry in chunk.entries]


def payments(count: int) -> list[Json]:
    """Newest first, as they are listed."""
    return [sample.payment(id=f"pay_{number}") for number in reversed(range(count))]


async def test_payments_and_refunds_are_told_in_our_words() -> None:
    lists = Lists(payments=[sample.payment()], refunds=[sample.refund()])
    chunks = await read(lists)
    paid, given_back = (entry for chunk in chunks for entry in chunk.entries)
    assert paid == Entry(
        position=1,
        kind=EntryKind.PAYMENT,
        reference=sample.PAYMENT,
        payment_reference=None,
        order_reference=None,
        our_id=sample.ORDER,
        status="captured",
        amount_minor=49900,
        currency="INR",
        fee_minor=998,
        tax_minor=180,
        method="upi",
        settlement_id=None,
        occurred_at=1790000060,
        settled_at=None,
    )
    assert given_back == Entry(
        position=2,
        kind=EntryKind.REFUND,
        reference=sample.REFUND,
        payment_reference=sample.PAYMENT,
        order_reference=None,
        our_id=sample.REFUND_ID,
        status="succeeded",
        amount_minor=10000,
        currency="INR",
        fee_minor=None,
        tax_minor=None,
        method=None,
        settlement_id=None,
        occurred_at=1790000120,
        settled_at=None,
    )
    assert [chunk.is_last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


async def test_every_attempt_is_told_with_its_status() -> None:
    made = [
        sample.failed(id="pay_1", fee=None, tax=None),
        sample.payment(id="pay_2", status="authorized", captured=False, fee=None, tax=None),
        sample.payment(id="pay_3", status="refunded", amount_refunded=49900),
        sample.given_back(id="pay_4"),
        sample.payment(id="pay_5", status="something new", notes=[]),
    ]
    told = [entry for chunk in await read(Lists(payments=made)) for entry in chunk.entries]
    statuses = ["failed", "authorized", "captured", "canceled", "pending"]
    assert [entry.status for entry in told] == statuses
    assert [entry.fee_minor for entry in told] == [None, None, 998, None, 998]
    assert told[-1].our_id is None


async def test_the_period_is_asked_for_to_its_last_second() -> None:
    lists = Lists(payments=[sample.payment()])
    ends = timedelta(milliseconds=500)
    await read(lists, period=Period(DAY.start + ends, DAY.end + ends))
    asked = {(query["from"], query["to"]) for query in lists.queries}
    assert asked == {(str(AT), str(AT + 24 * 3600))}
    lists.queries.clear()
    await read(lists)
    assert {query["to"] for query in lists.queries} == {str(AT + 24 * 3600 - 1)}


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
@pytest.mark.parametrize("most", [100, 10])
async def test_a_list_is_read_to_its_end_however_long_its_pages(count: int, most: int) -> None:
    lists = Lists(most, payments=payments(count), refunds=[sample.refund()])
    chunks = await read(lists)
    assert references(chunks) == [*(item["id"] for item in payments(count)), sample.REFUND]
    positions = [entry.position for chunk in chunks for entry in chunk.entries]
    assert positions == list(range(1, count + 2))


async def test_reading_goes_on_where_any_chunk_ended() -> None:
    lists = Lists(payments=payments(250), refunds=[sample.refund()])
    chunks = await read(lists)
    for number, chunk in enumerate(chunks[:-1], 1):
        assert await read(lists, cursor=chunk.cursor) == chunks[number:]


def arrive(items: list[Json]) -> None:
    items.insert(0, sample.payment(id="pay_new"))


def vanish(items: list[Json]) -> None:
    del items[0]


@pytest.mark.parametrize("change", [arrive, vanish])
@pytest.mark.parametrize("page", [1, 2, 3])
async def test_a_list_that_moves_meanwhile_loses_no_row(
    change: Callable[[list[Json]], None], page: int
) -> None:
    lists = Lists(payments=payments(250))
    lists.before[page] = change
    chunks = await read(lists)
    assert set(references(chunks)) >= {item["id"] for item in lists.lists["payments"]}
    positions = [entry.position for chunk in chunks for entry in chunk.entries]
    assert positions == list(range(1, len(positions) + 1))


async def test_a_list_that_never_stands_still_is_refused() -> None:
    lists = Lists(payments=payments(250))
    lists.before = dict.fromkeys(range(100), arrive)
    with pytest.raises(FileRefused, match="payments moved"):
        await read(lists)


async def test_twins_are_told_twice() -> None:
    twins = [*payments(100), payments(1)[0]]
    assert len(references(await read(Lists(payments=twins)))) == 101


async def test_settlements_are_told_with_what_they_contain() -> None:
    lists = Lists(settlements=[SETTLEMENT], combined=[ROW, REFUND_ROW, TRANSFER, ADJUSTMENT])
    chunks = await read(lists, Report.SETTLEMENTS)
    net, nothing = Money(97100, "INR"), Money(0, "INR")
    at = DAY.start + timedelta(seconds=60)
    totals = [total for chunk in chunks for total in chunk.totals]
    assert totals == [SettlementTotal("setl_1", net, nothing, nothing, at, "UTR1")]
    told = [entry for chunk in chunks for entry in chunk.entries]
    assert told[0] == Entry(
        position=2,
        kind=EntryKind.PAYMENT,
        reference="pay_1",
        payment_reference=None,
        order_reference=sample.REFERENCE,
        our_id=sample.ORDER,
        status="captured",
        amount_minor=100000,
        currency="INR",
        fee_minor=2458,
        tax_minor=442,
        method="card",
        settlement_id="setl_1",
        occurred_at=AT - 200_000,
        settled_at=AT + 60,
    )
    assert [(entry.kind, entry.amount_minor) for entry in told[1:]] == [
        ("refund", 100000),
        ("other", -100000),
        ("other", -5000),
    ]
    assert (told[1].our_id, told[1].payment_reference) == (sample.REFUND_ID, "pay_1")
    assert (told[2].fee_minor, told[2].tax_minor) == (250, 46)


async def test_the_days_of_settlements_are_those_of_india() -> None:
    lists = Lists()
    hour = timedelta(hours=1)
    for start, end, days in (
        (DAY.start, DAY.end, ["04"]),
        (DAY.start - hour, DAY.end, ["03", "04"]),
        (DAY.end - hour, DAY.end + timedelta(seconds=1), ["04", "05"]),
    ):
        lists.queries.clear()
        await read(lists, Report.SETTLEMENTS, Period(start, end))
        asked = [query for query in lists.queries if "day" in query]
        assert [query["day"] for query in asked] == days
        assert {(query["year"], query["month"]) for query in asked} == {("2026", "11")}


async def test_a_failed_settlement_pays_nothing() -> None:
    lists = Lists(settlements=[SETTLEMENT | {"status": "failed"}])
    assert all(not chunk.totals for chunk in await read(lists, Report.SETTLEMENTS))


@pytest.mark.parametrize("name", ["credit", "debit", "fee", "amount"])
async def test_sums_that_contradict_each_other_are_refused(name: str) -> None:
    for row in (ROW, REFUND_ROW):
        wrong = row | {name: row[name] + 1}
        with pytest.raises(FileRefused, match="do not follow"):
            await read(Lists(combined=[ROW, wrong]), Report.SETTLEMENTS)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "499.00"},
        {"amount": True},
        {"currency": None},
        {"id": ""},
        {"created_at": None},
        {"created_at": 10**20},
        {"fee": "11.78"},
    ],
)
async def test_what_is_not_as_documented_is_no_answer(changes: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown, match="GET /v1/payments"):
        await read(Lists(payments=[sample.payment(**changes)]))


async def test_trouble_is_passed_on(wire: Wire, razorpay: Razorpay) -> None:
    wire.on("GET /v1/payments", httpx.Response(429, headers={"Retry-After": "7"}))
    with pytest.raises(GatewayUnavailable) as trouble:
        await anext(razorpay.read_report(Report.TRANSACTIONS, DAY, START))
    assert trouble.value.retry_after == timedelta(seconds=7)


def test_it_says_what_it_can() -> None:
    assert Razorpay.capabilities.reports == set(Report)
    assert Razorpay.capabilities.settles_at == "Asia/Kolkata"
