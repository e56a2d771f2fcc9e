"""Balance transactions, payouts and the report of them: by the SDK, and by our own adapter."""

import csv
import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from domain.reconciliations import Period
from domain.settlements import START, Entry, EntryKind, Report
from gateways.registry import gateways
from tests.gateways.kits import KITS
from tests.simulator.stripe_helpers import called, made_session, order_of, sdk_for
from tests.support.simulator import Simulator


@pytest.fixture
def sdk(simulator: Simulator) -> stripe.StripeClient:
    return sdk_for(simulator)


async def paid_and_partly_refunded(
    simulator: Simulator, sdk: stripe.StripeClient
) -> tuple[stripe.checkout.Session, Any]:
    session = await made_session(simulator)
    await simulator.pay(str(session.url))
    paid = await called(sdk.v1.checkout.sessions.retrieve, session.id)
    params = {"payment_intent": paid.payment_intent, "amount": 10000}
    return paid, await called(sdk.v1.refunds.create, params)


async def file_of(simulator: Simulator, since: float) -> bytes:
    path = "/simulator/files/stripe/payout-reconciliation.csv"
    answer = await simulator.http.get(path, params={"from": since})
    return answer.raise_for_status().content


async def test_what_moved_is_listed_with_its_fee(
    simulator: Simulator, sdk: stripe.StripeClient
) -> None:
    since = int(time.time())
    paid, refund = await paid_and_partly_refunded(simulator, sdk)
    wish = {"created": {"gte": since}, "expand": ["data.source"], "limit": 100}
    moves = (await called(sdk.v1.balance_transactions.list, wish)).data
    ours = [move for move in moves if move.source.payment_intent == paid.payment_intent]
    assert {move.type: move.amount for move in ours} == {"charge": 49900, "refund": -10000}
    (charge,) = [move for move in ours if move.type == "charge"]
    assert (charge.fee, charge.net) == (998 + 179, 49900 - 998 - 179)
    assert {part.type: part.amount for part in charge.fee_details} == {
        "stripe_fee": 998,
        "tax": 179,
    }
    assert refund.id in [move.source.id for move in ours]
    plain = await called(sdk.v1.balance_transactions.list, {"created": {"gte": since}})
    assert all(isinstance(move.source, str) for move in plain.data)


async def test_a_payout_holds_what_was_not_paid_out_before(
    simulator: Simulator, sdk: stripe.StripeClient
) -> None:
    paid, _ = await paid_and_partly_refunded(simulator, sdk)
    since = int(time.time())
    await simulator.http.post("/simulator/settlements")
    payouts = await called(sdk.v1.payouts.list, {"arrival_date": {"gte": since}})
    (payout,) = [each for each in payouts.data if each.currency == "inr"]
    assert (await called(sdk.v1.payouts.retrieve, payout.id)).amount == payout.amount
    moves = await called(sdk.v1.balance_transactions.list, {"payout": payout.id, "limit": 100})
    sums = sum(move.net for move in moves.auto_paging_iter())
    assert sums == 0
    rows = list(csv.DictReader(io.StringIO((await file_of(simulator, since)).decode())))
    ours = [row for row in rows if row["payment_intent_id"] == paid.payment_intent]
    assert [(row["reporting_category"], row["gross"]) for row in ours] == [
        ("charge", "499.00"),
        ("refund", "-100.00"),
    ]
    assert {row["automatic_payout_id"] for row in ours} == {payout.id}


async def test_lists_and_file_tell_our_adapter_the_same(
    simulator: Simulator, sdk: stripe.StripeClient
) -> None:
    paid, refund = await paid_and_partly_refunded(simulator, sdk)
    await simulator.http.post("/simulator/settlements")
    now = datetime.now(UTC)
    period = Period(now - timedelta(minutes=5), now + timedelta(minutes=5))
    told: dict[str, list[Entry]] = {}
    async with gateways({"stripe": KITS["stripe"].options(simulator)}) as known:
        adapter = known["stripe"]
        for report in Report:
            chunks = [chunk async for chunk in adapter.read_report(report, period, START)]
            assert chunks[-1].is_last
            told[report] = [entry for chunk in chunks for entry in chunk.entries]
        file = io.BytesIO(await file_of(simulator, 0))
        told["file"] = [each for chunk in adapter.read_file(file, START) for each in chunk.entries]
    for entries in told.values():
        names = (paid.payment_intent, refund.id)
        payment, back = sorted(
            (entry for entry in entries if entry.reference in names), key=lambda entry: entry.kind
        )
        assert (payment.kind, payment.amount_minor) == (EntryKind.PAYMENT, 49900)
        assert (payment.our_id, payment.status) == (order_of(paid), "captured")
        assert (back.kind, back.amount_minor) == (EntryKind.REFUND, 10000)
        assert back.payment_reference == paid.payment_intent
