"""PayPal's own lists: Transaction Search by windows and pages, and settlement files by the row."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import httpx
import pytest

from domain.errors import FileRefused, GatewayUnavailable, OutcomeUnknown
from domain.reconciliations import Period
from domain.settlements import START, Chunk, Entry, Report
from gateways.http import GatewayClient, connection
from gateways.paypal import PayPal
from gateways.paypal.files import COLUMNS, ROWS_AT_ONCE

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
TWO_MONTHS = Period(JUNE, JUNE + timedelta(days=60))


def told(name: str, at: datetime, **changes: Any) -> dict[str, Any]:
    """One transaction, as Transaction Search lists it."""
    info = {
        "transaction_id": name,
        "transaction_event_code": "T0006",
        "transaction_initiation_date": at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "transaction_amount": {"currency_code": "USD", "value": "499.00"},
        "fee_amount": {"currency_code": "USD", "value": "-14.97"},
        "transaction_status": "S",
        "invoice_id": "wirekey",
        "custom_field": "ord_1",
    }
    return {"transaction_info": info | changes}


class Books:
    """PayPal's end: it lists what lies in the window, two a page, as far as it has got."""

    def __init__(self, transactions: list[dict[str, Any]]) -> None:
        self.transactions, self.page = transactions, 2
        self.reach = JUNE + timedelta(days=90)
        self.asked: list[dict[str, str]] = []
        self.changes: dict[str, Any] = {}

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/oauth2/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 9000})
        query = dict(request.url.params)
        self.asked.append(query)
        start, end = (datetime.fromisoformat(query[name]) for name in ("start_date", "end_date"))
        found = [each for each in self.transactions if start <= began(each) <= end]
        first = (int(query["page"]) - 1) * self.page
        body = {
            "transaction_details": found[first : first + self.page],
            "last_refreshed_datetime": self.reach.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "page": int(query["page"]),
            "total_items": len(found),
            "total_pages": max(1, -(-len(found) // self.page)),
        }
        return httpx.Response(200, json=body | self.changes)


def began(item: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(item["transaction_info"]["transaction_initiation_date"])


@pytest.fixture
def books() -> Books:
    days = [timedelta(days=day) for day in (0, 1, 2, 30.5, 31, 45, 59.9)]
    return Books([told(f"CAPTURE{at}", JUNE + day) for at, day in enumerate(days)])


@pytest.fixture
async def paypal(books: Books) -> AsyncIterator[PayPal]:
    async with connection("https://paypal.test", httpx.MockTransport(books.answer)) as http:
        yield PayPal(
            http=GatewayClient(http), client_id="app", client_secret="s3cret", webhook_ids=[]
        )


async def chunks(paypal: PayPal, cursor: str = START, period: Period = TWO_MONTHS) -> list[Chunk]:
    return [chunk async for chunk in paypal.read_report(Report.TRANSACTIONS, period, cursor)]


def names(read: list[Chunk]) -> list[str]:
    return [entry.reference for chunk in read for entry in chunk.entries]


async def test_everything_is_listed_once_and_in_order(paypal: PayPal, books: Books) -> None:
    read = await chunks(paypal)
    assert names(read) == [f"CAPTURE{at}" for at in range(7)]
    assert [entry.position for chunk in read for entry in chunk.entries] == list(range(1, 8))
    assert [chunk.is_last for chunk in read] == [False] * (len(read) - 1) + [True]


async def test_no_window_is_longer_than_31_days(paypal: PayPal, books: Books) -> None:
    await chunks(paypal)
    windows = {(query["start_date"], query["end_date"]) for query in books.asked}
    assert windows == {
        ("2026-06-01T00:00:00Z", "2026-07-01T23:59:59Z"),
        ("2026-07-02T00:00:00Z", "2026-07-30T23:59:59Z"),
    }


async def test_from_every_cursor_the_rest_is_the_same(paypal: PayPal) -> None:
    whole = await chunks(paypal)
    for at, chunk in enumerate(whole):
        assert await chunks(paypal, chunk.cursor) == whole[at + 1 :]


async def test_what_paypal_has_not_got_to_is_not_missing(paypal: PayPal, books: Books) -> None:
    books.reach = TWO_MONTHS.end - timedelta(seconds=1)
    with pytest.raises(GatewayUnavailable, match="reach to") as caught:
        await chunks(paypal)
    assert caught.value.retry_after == timedelta(hours=1)


async def test_a_list_that_does_not_hold_together_is_refused(paypal: PayPal, books: Books) -> None:
    books.changes = {"total_items": 8}
    with pytest.raises(FileRefused):
        await chunks(paypal)


async def test_a_list_that_does_not_read_is_no_list(paypal: PayPal, books: Books) -> None:
    books.transactions[0]["transaction_info"].pop("transaction_amount")
    with pytest.raises(OutcomeUnknown):
        await chunks(paypal)


async def test_there_are_no_payouts(paypal: PayPal) -> None:
    with pytest.raises(FileRefused):
        async for _ in paypal.read_report(Report.SETTLEMENTS, TWO_MONTHS, START):
            pass


async def read_one(paypal: PayPal, books: Books, **changes: Any) -> Entry:
    books.transactions = [told("X", JUNE, **changes)]
    return (await chunks(paypal))[0].entries[0]


async def test_a_payment_bears_our_names(paypal: PayPal, books: Books) -> None:
    entry = await read_one(paypal, books)
    assert (entry.kind, entry.status) == ("payment", "captured")
    assert (entry.order_reference, entry.our_id) == ("wirekey", "ord_1")
    assert (entry.amount_minor, entry.currency, entry.fee_minor) == (49900, "USD", 1497)
    assert entry.occurred_at == int(JUNE.timestamp())


async def test_a_refund_names_its_payment(paypal: PayPal, books: Books) -> None:
    entry = await read_one(
        paypal,
        books,
        transaction_event_code="T1107",
        transaction_amount={"currency_code": "USD", "value": "-100.00"},
        paypal_reference_id="CAPTURE",
        paypal_reference_id_type="TXN",
        invoice_id="rfd_1",
        custom_field="rfd_1",
        fee_amount=None,
    )
    assert (entry.kind, entry.status, entry.amount_minor) == ("refund", "succeeded", 10000)
    assert (entry.payment_reference, entry.our_id) == ("CAPTURE", "rfd_1")
    assert (entry.order_reference, entry.fee_minor) == (None, None)


@pytest.mark.parametrize(
    ("code", "value", "said", "kind", "status"),
    [
        ("T0006", "499.00", "P", "payment", "pending"),
        ("T0006", "499.00", "D", "payment", "failed"),
        ("T0006", "499.00", "V", "payment", "captured"),
        ("T0006", "499.00", "brand new", "payment", "pending"),
        ("T0006", "-499.00", "S", "other", "unknown"),
        ("T1106", "-499.00", "S", "other", "unknown"),
        ("T1107", "-499.00", "P", "refund", "pending"),
        ("T1107", "-499.00", "D", "refund", "failed"),
        ("T1107", "499.00", "S", "other", "unknown"),
        ("T1201", "-499.00", "S", "other", "unknown"),
    ],
)
async def test_what_a_code_means(
    paypal: PayPal, books: Books, code: str, value: str, said: str, kind: str, status: str
) -> None:
    entry = await read_one(
        paypal,
        books,
        transaction_event_code=code,
        transaction_amount={"currency_code": "USD", "value": value},
        transaction_status=said,
    )
    assert (entry.kind, entry.status) == (kind, status)


# Files -----------------------------------------------------------------------------------------


def row(name: str, **changes: str) -> str:
    cells = dict.fromkeys(COLUMNS, "") | {
        "Transaction ID": name,
        "Invoice ID": "wirekey",
        "Transaction Event Code": "T0006",
        "Transaction Initiation Date": "2026/06/01 00:01:17 -0700",
        "Transaction Completion Date": "2026/06/01 00:01:17 -0700",
        "Transaction Debit or Credit": "CR",
        "Gross Transaction Amount": "49900",
        "Gross Transaction Currency": "USD",
        "Fee Debit or Credit": "DR",
        "Fee Amount": "1497",
        "Fee Currency": "USD",
        "Custom Field": "ord_1",
    }
    return ",".join(json.dumps(cell) for cell in ["SB", *(cells | changes).values()])


def settlement(*rows: str, count: int | None = None, foot: str = '"FF",1') -> bytes:
    lines = [
        '"RH",2026/06/02 03:00:00 -0700,"A","MERCHANT",011',
        '"FH",01',
        '"SH",2026/06/01 00:00:00 -0700,2026/06/01 23:59:59 -0700,"MERCHANT",""',
        ",".join(json.dumps(name) for name in ["CH", *COLUMNS, "Consumer ID"]),
        *rows,
        '"SF","USD",0,0',
        f'"SC",{len(rows)}',
        f'"RC",{len(rows) if count is None else count}',
        foot,
    ]
    return b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n"


def test_a_file_is_read_to_its_footer(paypal: PayPal) -> None:
    refund = {
        "Transaction Event Code": "T1107",
        "Transaction Debit or Credit": "DR",
        "Gross Transaction Amount": "10000",
        "PayPal Reference ID": "A",
        "PayPal Reference ID Type": "TXN",
        "Custom Field": "rfd_1",
    }
    (chunk,) = paypal.read_file(BytesIO(settlement(row("A"), row("B", **refund))), START)
    assert chunk.is_last
    paid, back = chunk.entries
    assert (paid.kind, paid.reference, paid.status) == ("payment", "A", "captured")
    assert (paid.amount_minor, paid.fee_minor, paid.order_reference) == (49900, 1497, "wirekey")
    assert paid.occurred_at == int(datetime(2026, 6, 1, 7, 1, 17, tzinfo=UTC).timestamp())
    assert (back.kind, back.payment_reference, back.our_id) == ("refund", "A", "rfd_1")


def test_from_every_cursor_of_a_file_the_rest_is_the_same(paypal: PayPal) -> None:
    content = settlement(*(row(f"T{at}") for at in range(ROWS_AT_ONCE * 2 + 5)))
    whole = list(paypal.read_file(BytesIO(content), START))
    assert [len(chunk.entries) for chunk in whole] == [ROWS_AT_ONCE, ROWS_AT_ONCE, 5]
    for at, chunk in enumerate(whole[:-1]):
        assert list(paypal.read_file(BytesIO(content), chunk.cursor)) == whole[at + 1 :]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", None),
        (b"not,a,report\n", 1),
        (settlement(row("A"))[:-9], 8),
        (settlement(row("A"), count=2), 8),
        (settlement(row("A", **{"Gross Transaction Amount": "499.00"})), 5),
        (settlement(row("A", **{"Gross Transaction Amount": "-49900"})), 5),
        (settlement(row("A", **{"Gross Transaction Amount": "٤٩"})), 5),
        (settlement(row("A", **{"Transaction Debit or Credit": ""})), 5),
        (settlement(row("A", **{"Transaction Initiation Date": "yesterday"})), 5),
        (settlement(row("A", **{"Transaction ID": ""})), 5),
        (settlement('"SB","A"'), 5),
        (settlement('"XX","A"'), 5),
        (settlement(row("A")).replace(b"Invoice ID", b"Invoice"), 4),
        (settlement("\udcff".encode(errors="surrogatepass").decode("latin-1")), 5),
        (b"\xff\xfe" + settlement(row("A")), 1),
    ],
)
def test_a_file_that_cannot_be_believed_is_refused(
    paypal: PayPal, content: bytes, line: int | None
) -> None:
    with pytest.raises(FileRefused) as caught:
        list(paypal.read_file(BytesIO(content), START))
    assert caught.value.line == line or (line is None and caught.value.line == 0)
