"""Stripe's balance transactions, listed by day and by payout, as entries."""

from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from domain.errors import FileRefused
from domain.money import Money
from domain.reconciliations import Period
from domain.settlements import START, Chunk, Entry, EntryKind, Report
from gateways.bodies import Json
from gateways.stripe import Stripe
from tests.gateways import stripe_samples as sample
from tests.gateways.stripe_samples import INTENT, NOW, ORDER, REFERENCE
from tests.gateways.wire import Wire, reply

SECOND = int(NOW.timestamp())


@pytest.fixture
def stripe(wire: Wire) -> Stripe:
    return Stripe(http=wire.client, secret_key=sample.SECRET_KEY, webhook_secrets=[])


DAY = Period(NOW, NOW + timedelta(days=1))


def moved(kind: str, amount: int, source: Json | str | None, **changes: Any) -> Json:
    """A balance transaction."""
    entity = {
        "id": f"txn_{kind}",
        "object": "balance_transaction",
        "amount": amount,
        "created": 1790000070,
        "currency": "inr",
        "fee": 1178,
        "fee_details": [
            {"amount": 998, "currency": "inr", "type": "stripe_fee"},
            {"amount": 180, "currency": "inr", "type": "tax"},
        ],
        "source": source,
        "type": kind,
    }
    return entity | changes


async def all_of(reading: AsyncIterator[Chunk]) -> list[Chunk]:
    return [chunk async for chunk in reading]


async def test_transactions_are_read_to_their_end(stripe: Stripe, wire: Wire) -> None:
    nothing: Json = {"fee": 0, "fee_details": []}
    first = [moved("charge", 49900, sample.charge()), moved("refund", -10000, sample.refund())]
    last = [
        moved("refund_failure", 10000, sample.refund(), **nothing),
        moved("stripe_fee", -500, None, **nothing),
    ]
    route = "GET /v1/balance_transactions"
    wire.on(route, reply(sample.listed(*first, more=True)), reply(sample.listed(*last)))
    chunks = await all_of(stripe.read_report(Report.TRANSACTIONS, DAY, START))
    assert [chunk.is_last for chunk in chunks] == [False, True]
    paid, back, failed, fee = [entry for chunk in chunks for entry in chunk.entries]
    assert (paid.kind, paid.reference, paid.order_reference) == (
        EntryKind.PAYMENT,
        INTENT,
        REFERENCE,
    )
    assert (paid.amount_minor, paid.fee_minor, paid.tax_minor) == (49900, 998, 180)
    assert (paid.status, paid.method, paid.our_id) == ("captured", "upi", ORDER)
    assert (back.kind, back.reference, back.payment_reference) == (
        EntryKind.REFUND,
        sample.REFUND,
        INTENT,
    )
    assert (back.status, back.amount_minor, back.our_id) == ("succeeded", 10000, sample.REFUND_ID)
    assert (failed.reference, failed.status) == (sample.REFUND, "failed")
    assert (fee.kind, fee.amount_minor) == (EntryKind.OTHER, -500)
    assert [entry.position for entry in (paid, back, failed, fee)] == [1, 2, 3, 4]
    assert wire.last_query["starting_after"] == ["txn_refund"]
    assert wire.last_query["created[gte]"] == [str(SECOND)]
    rest = await all_of(stripe.read_report(Report.TRANSACTIONS, DAY, chunks[0].cursor))
    assert [chunk.is_last for chunk in rest] == [True]
    assert await all_of(stripe.read_report(Report.TRANSACTIONS, DAY, chunks[1].cursor)) == []


async def test_a_fee_in_another_currency_is_not_told(stripe: Stripe, wire: Wire) -> None:
    abroad = moved("payment", 4000000, sample.charge(currency="usd"))
    wire.on("GET /v1/balance_transactions", reply(sample.listed(abroad)))
    ((entry,),) = [
        chunk.entries for chunk in await all_of(stripe.read_report(Report.TRANSACTIONS, DAY, START))
    ]
    assert (entry.currency, entry.amount_minor, entry.fee_minor) == ("USD", 49900, None)


def payout(name: str) -> Json:
    trace = {"status": "supported", "value": f"UTR{name}"}
    shape = {"object": "payout", "amount": 38722, "currency": "inr", "arrival_date": SECOND}
    return {"id": name, "trace_id": trace, **shape}


async def test_payouts_are_read_one_after_the_other(stripe: Stripe, wire: Wire) -> None:
    two, one = payout("po_2"), payout("po_1")
    payouts = [sample.listed(two, one), sample.listed(one), sample.listed()]
    wire.on("GET /v1/payouts", *map(reply, payouts))
    wire.on("GET /v1/payouts/po_1", reply(payout("po_1")))
    itself = moved("payout", -38722, "po_2", fee=0, fee_details=[])
    pages = [
        sample.listed(itself, moved("charge", 49900, sample.charge()), more=True),
        sample.listed(moved("refund", -10000, sample.refund(), fee=0, fee_details=[])),
        sample.listed(),
    ]
    wire.on("GET /v1/balance_transactions", *map(reply, pages))
    wire.on("GET /v1/payouts/po_2", reply(payout("po_2")))
    chunks = await all_of(stripe.read_report(Report.SETTLEMENTS, DAY, START))
    assert [len(chunk.entries) for chunk in chunks] == [1, 1, 0]
    assert [chunk.is_last for chunk in chunks] == [False, False, True]
    assert {entry.settlement_id for chunk in chunks for entry in chunk.entries} == {"po_2"}
    ((second,), (first,)) = [chunk.totals for chunk in chunks if chunk.totals]
    assert (second.settlement_id, first.settlement_id) == ("po_2", "po_1")
    assert (second.net, second.fee, second.tax) == (
        Money(38722, "INR"),
        Money(998, "INR"),
        Money(180, "INR"),
    )
    assert (second.bank_reference, second.settled_at) == ("UTRpo_2", NOW)


# Files ------------------------------------------------------------------------------------------

COLUMNS = """
automatic_payout_id automatic_payout_effective_at_utc balance_transaction_id created_utc currency
gross fee net reporting_category source_id description customer_facing_amount
customer_facing_currency payment_intent_id payment_method_type payment_metadata[order_id]
payment_metadata[wire_key] refund_metadata[refund_id]
"""


def line(**values: str) -> str:
    usual = {
        "automatic_payout_id": "po_1",
        "automatic_payout_effective_at_utc": "2026-11-26 00:00:00",
        "balance_transaction_id": "txn_1",
        "created_utc": "2026-11-25 12:00:00",
        "currency": "inr",
        "gross": "499.00",
        "fee": "11.78",
        "net": "487.22",
        "reporting_category": "charge",
        "source_id": "ch_Cc3",
        "payment_intent_id": INTENT,
        "payment_method_type": "card",
        "payment_metadata[order_id]": ORDER,
        "payment_metadata[wire_key]": REFERENCE,
    }
    return ",".join((usual | values).get(name, "") for name in COLUMNS.split()) + "\n"


def csv(*lines: str) -> BytesIO:
    return BytesIO((",".join(COLUMNS.split()) + "\n" + "".join(lines)).encode())


def entries_in(stripe: Stripe, file: BytesIO) -> list[Entry]:
    return [entry for chunk in stripe.read_file(file, START) for entry in chunk.entries]


def test_a_file_is_read_row_by_row(stripe: Stripe) -> None:
    refund = {"reporting_category": "refund", "source_id": "re_1", "gross": "-100.00", "fee": "0"}
    file = csv(
        line(description='"two\nlines, quoted"'),
        line(**refund, **{"refund_metadata[refund_id]": sample.REFUND_ID}),
        line(**refund | {"reporting_category": "refund_failure", "gross": "100.00"}),
        line(reporting_category="fee", gross="-5.00", source_id="", payment_intent_id=""),
        line(reporting_category="payout", gross="-382.22", source_id="po_1"),
        line(customer_facing_amount="6.00", customer_facing_currency="usd"),
    )
    paid, back, failed, fee, abroad = entries_in(stripe, file)
    assert (paid.position, paid.kind, paid.reference) == (2, EntryKind.PAYMENT, INTENT)
    assert (paid.order_reference, paid.our_id, paid.status) == (REFERENCE, ORDER, "captured")
    assert (paid.amount_minor, paid.fee_minor, paid.tax_minor) == (49900, 1178, None)
    assert (paid.occurred_at, paid.settlement_id) == (SECOND, "po_1")
    assert (back.position, back.kind, back.amount_minor) == (4, EntryKind.REFUND, 10000)
    assert (back.reference, back.payment_reference) == ("re_1", INTENT)
    assert (back.our_id, back.status) == (sample.REFUND_ID, "succeeded")
    assert (failed.reference, failed.status) == ("re_1", "failed")
    assert (fee.kind, fee.reference, fee.amount_minor) == (EntryKind.OTHER, "txn_1", -500)
    assert (abroad.amount_minor, abroad.currency, abroad.fee_minor) == (600, "USD", None)


def test_a_file_is_read_on_from_where_it_was_left(stripe: Stripe) -> None:
    file = csv(*(line(payment_intent_id=f"pi_{number}") for number in range(12_000)))
    chunks = list(stripe.read_file(file, START))
    assert [len(chunk.entries) for chunk in chunks] == [5000, 5000, 2000]
    assert [chunk.is_last for chunk in chunks] == [False, False, True]
    assert list(stripe.read_file(file, chunks[0].cursor)) == chunks[1:]
    assert [chunk.entries for chunk in stripe.read_file(file, chunks[2].cursor)] == [[]]


@pytest.mark.parametrize(
    ("file", "where"),
    [
        (BytesIO(b""), 1),
        (BytesIO(b"a,b\n"), 1),
        (csv(line(), line()[:-1]), 3),
        (csv(line(), line(description='"open')), 3),
        (csv(line(), "a,b\n"), 3),
        (csv(line(), line(gross="4_9")), 3),
        (csv(line(), line(currency="rupees")), 3),
        (csv(line(), line(created_utc="yesterday")), 3),
        (csv(line(), line(description="a\0b")), 3),
        (BytesIO(csv(line()).getvalue() + b"\xff\n"), 3),
    ],
)
def test_what_is_not_as_it_must_be_is_refused_with_its_line(
    stripe: Stripe, file: BytesIO, where: int
) -> None:
    with pytest.raises(FileRefused) as refused:
        entries_in(stripe, file)
    assert refused.value.line == where
