"""The "Settlement recon" file, as it should be and as it may arrive."""

import csv
import io
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.simulator.helpers import Json, called, made_link, made_payment, only, sdk_for
from tests.support.simulator import Simulator, running_simulator

INDIA = timezone(timedelta(hours=5, minutes=30))
HEADER = (
    "transaction_entity,entity_id,amount,currency,fee (exclusive tax),tax,debit,credit,"
    "payment_method,card_type,issuer_name,entity_created_at,payment_captured_at,payment_notes,"
    "refund_notes,arn,entity_description,order_id,order_receipt,order_notes,dispute_id,"
    "dispute_created_at,dispute_reason,settlement_id,settled_at,settlement_utr,settled_by"
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def simulator() -> AsyncIterator[Simulator]:
    """One of this module's own, for its files contain everything it settled."""
    async with running_simulator() as simulator:
        yield simulator


def rows_in(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


async def settled_rows(simulator: Simulator, **query: Any) -> list[dict[str, str]]:
    """Settle what is left, and read its rows."""
    made = {settlement["id"] for settlement in await simulator.pay_out()}
    rows = rows_in(await simulator.csv(**query))
    return [row for row in rows if row["settlement_id"] in made]


def local(iso_time: str) -> str:
    return datetime.fromisoformat(iso_time).astimezone(INDIA).strftime("%d/%m/%Y %H:%M:%S")


async def some_payments(simulator: Simulator, count: int) -> list[Json]:
    """Payments that are the only ones to be settled next."""
    await simulator.pay_out()
    return [await made_payment(simulator) for _ in range(count)]


async def test_a_payment_and_its_refund_in_27_columns(simulator: Simulator) -> None:
    await simulator.pay_out()
    link = await made_link(simulator, description='Tea, "the best" ₹')
    await simulator.pay(link["short_url"])
    paid = await only(simulator, "payments", link["id"])
    wish = {"amount": 900, "notes": {"refund_id": "rfd_1"}}
    refund = await called(sdk_for(simulator).payment.refund, paid["id"], wish)
    (made,) = await simulator.pay_out()
    text = await simulator.csv()
    assert text.splitlines()[0] == HEADER
    order_id = (await only(simulator, "links", link["id"]))["gateway_order_id"]
    notes = f'{{"order_id": "{link["notes"]["order_id"]}"}}'
    common = {
        "currency": "INR",
        "payment_method": "card",
        "card_type": "debit",
        "issuer_name": "HDFC",
        "payment_notes": notes,
        "arn": "",
        "order_id": order_id,
        "order_receipt": link["reference_id"],
        "order_notes": notes,
        "dispute_id": "",
        "dispute_created_at": "",
        "dispute_reason": "",
        "settlement_id": made["id"],
        "settled_at": local(made["created_at"]),
        "settlement_utr": made["utr"],
        "settled_by": "Razorpay",
    }
    payment_row, refund_row = rows_in(text)[-2:]
    captured_at = payment_row["payment_captured_at"]
    assert datetime.strptime(captured_at, "%d/%m/%Y %H:%M:%S").replace(tzinfo=INDIA)
    assert payment_row == common | {
        "transaction_entity": "payment",
        "entity_id": paid["id"],
        "amount": "499.00",
        "fee (exclusive tax)": "9.98",
        "tax": "1.79",
        "debit": "0.00",
        "credit": "487.23",
        "entity_created_at": local(paid["created_at"]),
        "payment_captured_at": captured_at,
        "refund_notes": "",
        "entity_description": 'Tea, "the best" ₹',
    }
    assert refund_row == common | {
        "transaction_entity": "refund",
        "entity_id": refund["id"],
        "amount": "9.00",
        "fee (exclusive tax)": "0.00",
        "tax": "0.00",
        "debit": "9.00",
        "credit": "0.00",
        "entity_created_at": datetime.fromtimestamp(refund["created_at"], INDIA).strftime(
            "%d/%m/%Y %H:%M:%S"
        ),
        "payment_captured_at": captured_at,
        "refund_notes": '{"refund_id": "rfd_1"}',
        "entity_description": "",
    }


async def test_a_lost_dispute_is_an_adjustment(simulator: Simulator) -> None:
    (payment,) = await some_payments(simulator, 1)
    await simulator.pay_out()
    dispute = await simulator.dispute(payment["id"], amount=700, reason="goods_not_received")
    await simulator.settle_dispute(dispute["id"], "lost")
    (row,) = await settled_rows(simulator)
    assert (row["transaction_entity"], row["debit"], row["credit"]) == (
        "adjustment",
        "7.00",
        "0.00",
    )
    assert (row["dispute_id"], row["dispute_reason"]) == (dispute["id"], "goods_not_received")
    assert row["dispute_created_at"] == local(dispute["created_at"])
    assert row["order_receipt"] == row["payment_method"] == ""


async def test_every_currency_has_its_own_decimals(simulator: Simulator) -> None:
    await simulator.pay_out()
    await simulator.pay_elsewhere(1800, currency="JPY")
    await simulator.pay_elsewhere(295990, currency="KWD")
    await simulator.pay_elsewhere(5)
    rows = await settled_rows(simulator)
    assert [(row["currency"], row["amount"]) for row in rows] == [
        ("JPY", "1800"),
        ("KWD", "295.990"),
        ("INR", "0.05"),
    ]
    assert all(row["order_receipt"] == "" for row in rows)


async def test_the_period_is_that_of_the_settlement(simulator: Simulator) -> None:
    await some_payments(simulator, 2)
    now = time.time()
    assert len(await settled_rows(simulator, since=now - 60, to=now + 60)) == 2
    queries: list[Json] = [{"to": now - 3600}, {"since": now + 3600}]
    for query in queries:
        assert await simulator.csv(**query) == f"{HEADER}\n"


async def test_more_rows_than_are_sent_at_once(simulator: Simulator) -> None:
    await simulator.pay_out()
    made = [(await simulator.pay_elsewhere(100 + n))["id"] for n in range(520)]
    rows = await settled_rows(simulator)
    assert [row["entity_id"] for row in rows] == made


async def test_planted_rows(simulator: Simulator) -> None:
    faults: list[Json] = [
        {"left_out": True},
        {"twice": True},
        {"amount": 50000},
        {"currency": "USD"},
        {},
    ]
    made = await some_payments(simulator, len(faults))
    for payment, wrong in zip(made, faults, strict=True):
        await simulator.faults(payment["order_id"], payment_rows=wrong)
    rows = await settled_rows(simulator)
    ids = [payment["id"] for payment in made]
    assert [row["entity_id"] for row in rows] == [ids[1], *ids[1:]]
    assert rows[0] == rows[1]
    assert (rows[2]["amount"], rows[2]["credit"]) == ("500.00", "488.23")
    assert (rows[3]["currency"], rows[3]["amount"]) == ("USD", "499.00")
    assert rows[4]["amount"] == "499.00"


async def test_faults_of_rows_survive_a_kill_and_other_faults() -> None:
    async with running_simulator() as simulator:
        payment = await made_payment(simulator)
        await simulator.faults(
            payment["order_id"], server_errors=1, payment_rows={"left_out": True}
        )
        sdk = sdk_for(simulator)
        with pytest.raises(Exception, match="trouble completing your request"):
            await called(sdk.payment.fetch, payment["id"])
        await simulator.restart()
        assert (await called(sdk.payment.fetch, payment["id"]))["status"] == "captured"
        assert (await called(sdk.payment.all))["items"] == []


async def test_strangers_are_nobodys(simulator: Simulator) -> None:
    rows = rows_in(await simulator.csv(strangers=2))[-2:]
    assert [row["order_receipt"] for row in rows] == ["stranger-1", "stranger-2"]
    assert [row["credit"] for row in rows] == ["100.01", "100.02"]
    for row in rows:
        with pytest.raises(Exception, match="The id provided does not exist"):
            await called(sdk_for(simulator).payment.fetch, row["entity_id"])


async def test_a_truncated_file_ends_in_the_middle_of_a_line(simulator: Simulator) -> None:
    await some_payments(simulator, 2)
    await simulator.pay_out()
    whole, cut = await simulator.csv(), await simulator.csv(cut=True)
    *lines, last = whole.splitlines(keepends=True)
    assert cut == "".join(lines) + last[: len(last) // 2]
    assert not cut.endswith("\n")


async def test_the_same_file_under_another_name(simulator: Simulator) -> None:
    since = time.time() - 3600
    query: Json = {"since": since, "strangers": 3}
    again = await simulator.csv("settlement-recon-again.csv", **query)
    assert again == await simulator.csv(**query)
    path = "/simulator/files/razorpay/settlement-recon-again.csv"
    response = await simulator.http.get(path)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="settlement-recon-again.csv"' in response.headers["content-disposition"]


async def test_a_file_may_be_late(simulator: Simulator) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        await simulator.csv(not_before=time.time() + 60)
    assert await simulator.csv(not_before=time.time() - 1)


@pytest.mark.parametrize(
    ("name", "query", "status"),
    [
        ("settlement-recon.xlsx", {}, 404),
        ("payments.csv", {}, 404),
        ("settlement-recon.csv", {"from": "yesterday"}, 422),
        ("settlement-recon.csv", {"since": "0"}, 422),
        ("settlement-recon.csv", {"strangers": "-1"}, 422),
    ],
)
async def test_a_file_that_cannot_be(
    simulator: Simulator, name: str, query: dict[str, str], status: int
) -> None:
    response = await simulator.http.get(f"/simulator/files/razorpay/{name}", params=query)
    assert response.status_code == status
