"""Razorpay's report API, driven by its own SDK: what was tried, refunded, settled."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
import pytest_asyncio
import razorpay
from razorpay.errors import BadRequestError

from tests.simulator.helpers import Json, called, made_link, made_payment, only, sdk_for
from tests.support.simulator import Simulator, running_simulator

INDIA = timezone(timedelta(hours=5, minutes=30))
NET = 49900 - 998 - 179
FIELDS = """
entity_id type debit credit amount currency fee tax on_hold settled created_at settled_at
settlement_id posted_at credit_type description notes payment_id settlement_utr order_id
order_receipt method card_network card_issuer card_type dispute_id
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def simulator() -> AsyncIterator[Simulator]:
    """One of this module's own, so that lists contain what its tests made."""
    async with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def sdk(simulator: Simulator) -> razorpay.Client:
    return sdk_for(simulator)


async def settled(simulator: Simulator) -> Json:
    """The one settlement of what is left, and its day in India."""
    (made,) = await simulator.pay_out()
    day = datetime.fromisoformat(made["created_at"]).astimezone(INDIA)
    return made | {"day": {"year": day.year, "month": day.month, "day": day.day}}


async def recon(sdk: razorpay.Client, settlement: Json) -> list[Json]:
    found = await called(sdk.settlement.report, settlement["day"] | {"count": 1000})
    assert (found["entity"], found["count"]) == ("collection", len(found["items"]))
    return [item for item in found["items"] if item["settlement_id"] == settlement["id"]]


async def test_payments_are_listed_whatever_became_of_them(
    simulator: Simulator, sdk: razorpay.Client
) -> None:
    outcomes = ("success", "failure", "pending", "authorized")
    made = [await made_payment(simulator, outcome) for outcome in outcomes]
    stray = await simulator.pay_elsewhere(700, order_id="ord_of_nobody")
    found = await called(sdk.payment.all, {"count": 5})
    ids = [payment["id"] for payment in (*made, stray)]
    assert [item["id"] for item in found["items"]] == ids[::-1]
    statuses = ["captured", "authorized", "created", "failed", "captured"]
    assert [item["status"] for item in found["items"]] == statuses
    assert found["items"][0]["notes"] == {"order_id": "ord_of_nobody"}
    assert found["items"][4] == await called(sdk.payment.fetch, made[0]["id"])


async def test_payments_are_paged_and_dated(simulator: Simulator, sdk: razorpay.Client) -> None:
    made = [(await made_payment(simulator))["id"] for _ in range(3)]
    page = await called(sdk.payment.all, {"count": 2, "skip": 1})
    assert [item["id"] for item in page["items"]] == made[1::-1]
    at = page["items"][0]["created_at"]
    within = await called(sdk.payment.all, {"from": at, "to": at, "count": 100})
    assert made[1] in [item["id"] for item in within["items"]]
    for bounds in ({"to": at - 3600}, {"from": at + 3600}):
        assert (await called(sdk.payment.all, bounds))["items"] == []


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ({"count": 101}, "The count may not be greater than 100."),
        ({"count": 0}, "The count must be at least 1."),
        ({"skip": "x"}, "The skip must be an integer."),
        ({"from": 1}, "from must be between 946684800 and 4765046400."),
        ({"to": 4765046401}, "to must be between 946684800 and 4765046400."),
    ],
)
async def test_a_list_that_cannot_be(
    sdk: razorpay.Client, query: dict[str, Any], complaint: str
) -> None:
    for listing in (sdk.payment.all, sdk.refund.all, sdk.settlement.all):
        with pytest.raises(BadRequestError, match=complaint):
            await called(listing, query)


async def test_a_settlement_is_listed_and_fetched(
    simulator: Simulator, sdk: razorpay.Client
) -> None:
    await simulator.pay_out()
    await made_payment(simulator)
    made = await settled(simulator)
    (entity,) = (await called(sdk.settlement.all, {"count": 1}))["items"]
    assert entity.pop("created_at") <= datetime.now(INDIA).timestamp()
    assert entity == {
        "id": made["id"],
        "entity": "settlement",
        "amount": NET,
        "status": "processed",
        "fees": 0,
        "tax": 0,
        "utr": made["utr"],
    }
    assert made["id"].startswith("setl_")
    assert (await called(sdk.settlement.fetch, made["id"]))["amount"] == NET
    with pytest.raises(BadRequestError, match="The id provided does not exist"):
        await called(sdk.settlement.fetch, "setl_unknown")


async def test_recon_shows_a_payment_and_its_refund(
    simulator: Simulator, sdk: razorpay.Client
) -> None:
    await simulator.pay_out()
    link = await made_link(simulator)
    await simulator.pay(link["short_url"])
    paid = await only(simulator, "payments", link["id"])
    wish = {"amount": 900, "notes": {"refund_id": "rfd_1"}}
    refund = await called(sdk.payment.refund, paid["id"], wish)
    made = await settled(simulator)
    payment_item, refund_item = await recon(sdk, made)
    assert set(payment_item) == set(refund_item) == set(FIELDS.split())
    order = (await called(sdk.payment_link.fetch, link["id"]))["order_id"]
    common = {
        "currency": "INR",
        "on_hold": False,
        "settled": True,
        "settlement_id": made["id"],
        "settlement_utr": made["utr"],
        "order_id": order,
        "order_receipt": link["reference_id"],
        "method": "card",
        "card_type": "debit",
        "dispute_id": None,
    }
    money = {"amount": 49900, "debit": 0, "credit": NET, "fee": 1177, "tax": 179}
    who = {"entity_id": paid["id"], "type": "payment", "payment_id": None, "notes": link["notes"]}
    assert payment_item.items() >= (common | money | who).items()
    money = {"amount": 900, "debit": 900, "credit": 0, "fee": 0, "tax": 0}
    who = {"entity_id": refund["id"], "type": "refund", "payment_id": paid["id"]}
    notes = {"notes": {"refund_id": "rfd_1"}}
    assert refund_item.items() >= (common | money | who | notes).items()


async def test_recon_shows_adjustments_as_sparsely_as_the_sample(
    simulator: Simulator, sdk: razorpay.Client
) -> None:
    payment, revoked = await made_payment(simulator), await made_payment(simulator)
    dispute = await simulator.dispute(payment["id"], amount=700)
    await simulator.pay_out()
    await simulator.settle_dispute(dispute["id"], "lost")
    await simulator.revoke(revoked["id"])
    loss, reversal = await recon(sdk, await settled(simulator))
    for item in (loss, reversal):
        assert set(item) == set(FIELDS.split()) - {"credit_type"}
        assert item["entity_id"].startswith("adj_")
        assert (item["type"], item["payment_id"], item["settlement_utr"]) == (
            "adjustment",
            None,
            None,
        )
    assert (loss["debit"], loss["credit"], loss["dispute_id"]) == (700, 0, dispute["id"])
    assert (reversal["debit"], reversal["credit"], reversal["amount"]) == (NET, 0, NET)
    assert reversal["description"] == f"Reversal: {revoked['id']}"


async def test_recon_contains_money_that_came_elsewhere(
    simulator: Simulator, sdk: razorpay.Client
) -> None:
    await simulator.pay_out()
    stray = await simulator.pay_elsewhere(700, method="upi")
    (item,) = await recon(sdk, await settled(simulator))
    assert (item["entity_id"], item["credit"]) == (stray["id"], 700 - 14 - 2)
    assert (item["order_id"], item["order_receipt"], item["card_type"]) == (None, None, None)
    assert item["notes"] == []


async def test_recon_a_page_a_day_a_month(simulator: Simulator, sdk: razorpay.Client) -> None:
    made = [(await made_payment(simulator))["id"] for _ in range(12)]
    settlement = await settled(simulator)
    day, month = settlement["day"], {name: settlement["day"][name] for name in ("year", "month")}
    everything = (await called(sdk.settlement.report, day | {"count": 1000}))["items"]
    ids = [item["entity_id"] for item in everything]
    assert [entity_id for entity_id in ids if entity_id in made] == made
    of_month = (await called(sdk.settlement.report, month | {"count": 1000}))["items"]
    assert of_month[-len(everything) :] == everything
    assert (await called(sdk.settlement.report, day))["items"] == everything[:10]
    pages = [
        await called(sdk.settlement.report, day | {"count": 7, "skip": skip})
        for skip in range(0, len(everything), 7)
    ]
    assert [item for page in pages for item in page["items"]] == everything
    other_day = day | {"day": 1 if day["day"] > 1 else 2}
    assert (await called(sdk.settlement.report, other_day))["items"] == []


@pytest.mark.parametrize(
    ("query", "complaint", "field"),
    [
        ({}, "The year must be 4 digits.", "year"),
        ({"year": "26", "month": 6}, "The year must be 4 digits.", "year"),
        ({"year": 2026}, "The month is not a valid month.", "month"),
        ({"year": 2026, "month": 13}, "The month is not a valid month.", "month"),
        ({"year": 2026, "month": 6, "day": 311}, "must be between 1 and 2 digits.", "day"),
        ({"year": 2026, "month": 6, "count": 0}, "The count must be at least 1.", "count"),
        ({"year": 2026, "month": 6, "count": 1001}, "may not be greater than 1000.", "count"),
    ],
)
async def test_a_recon_that_cannot_be(
    simulator: Simulator, query: dict[str, Any], complaint: str, field: str
) -> None:
    auth = (simulator.key_id, simulator.key_secret)
    path = "/v1/settlements/recon/combined"
    response = await simulator.http.get(path, params=query, auth=auth)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "BAD_REQUEST_ERROR")
    assert (error["field"], error["reason"]) == (field, "input_validation_failed")
    assert complaint in error["description"]


async def test_reports_want_the_key(simulator: Simulator) -> None:
    async with httpx.AsyncClient(base_url=simulator.base_url) as stranger:
        for path in ("payments", "refunds", "settlements", "settlements/recon/combined"):
            assert (await stranger.get(f"/v1/{path}")).status_code == 401


async def test_planted_rows_are_wrong_in_every_report(
    simulator: Simulator, sdk: razorpay.Client
) -> None:
    faults: list[Json] = [
        {"left_out": True},
        {"twice": True},
        {"amount": 50000},
        {"currency": "USD"},
        {},
    ]
    await simulator.pay_out()
    made = [await made_payment(simulator) for _ in faults]
    for payment, wrong in zip(made, faults, strict=True):
        await simulator.faults(payment["order_id"], payment_rows=wrong)
    told = [("INR", 49900)] * 2 + [("INR", 50000), ("USD", 49900), ("INR", 49900)]
    listed = (await called(sdk.payment.all, {"count": 5}))["items"][::-1]
    assert [(item["currency"], item["amount"]) for item in listed] == told
    settlement = await settled(simulator)
    items = await recon(sdk, settlement)
    assert [(item["currency"], item["amount"]) for item in items] == told
    assert [item["credit"] for item in items] == [NET, NET, NET + 100, NET, NET]
    assert settlement["amount"] == 5 * NET


async def test_planted_refunds_are_wrong_and_payments_right(
    simulator: Simulator, sdk: razorpay.Client
) -> None:
    await simulator.pay_out()
    payment = await made_payment(simulator)
    await simulator.faults(payment["order_id"], refund_rows={"amount": 800, "twice": True})
    refund = await called(sdk.payment.refund, payment["id"], {"amount": 900})
    listed = (await called(sdk.refund.all, {"count": 2}))["items"]
    assert [(item["id"], item["amount"]) for item in listed] == [(refund["id"], 800)] * 2
    made = await settled(simulator)
    items = await recon(sdk, made)
    assert [(item["amount"], item["debit"]) for item in items[1:]] == [(800, 800)] * 2
    assert (items[0]["amount"], made["amount"]) == (49900, NET - 900)
    assert await called(sdk.refund.fetch, refund["id"]) == refund
