"""Placing orders, and looking at them."""

import asyncio
import re
from datetime import datetime

from sqlmodel import func, select

from db.tables import IdempotencyKeyRow, OrderRow, TimelineRow
from tests.support.service import Service, an_order, new_key, statuses_of

TWO_LINES = [{"sku": "coffee-beans", "quantity": 2}, {"sku": "mug", "quantity": 3}]


async def test_an_order_is_priced_from_the_catalogue(api_on_both: Service) -> None:
    response = await api_on_both.shop.post("/orders", json=an_order(TWO_LINES), headers=new_key())
    assert response.status_code == 201
    order = response.json()
    assert re.fullmatch("ord_[a-z2-7]{26}", order["order_id"])
    assert (order["status"], order["gateway"]) == ("created", "razorpay")
    assert (order["amount"], order["currency"]) == (2 * 49900 + 3 * 29900, "INR")
    assert [(i["sku"], i["quantity"], i["unit_price"], i["amount"]) for i in order["items"]] == [
        ("coffee-beans", 2, 49900, 99800),
        ("mug", 3, 29900, 89700),
    ]
    assert (order["payments"], order["refunds"], order["cases"]) == ([], [], [])
    assert [(e["event"], e["status"], e["actor"]) for e in order["timeline"]] == [
        ("placed", "created", "shop")
    ]
    assert order["result_url"].startswith(f"{api_on_both.settings.public_url}/orders/")
    assert datetime.fromisoformat(order["created_at"]).utcoffset() is not None
    assert "buyer@example.com" not in response.text
    assert await api_on_both.order(order["order_id"]) == order


async def test_each_currency(api: Service) -> None:
    for sku, amount, currency in (
        ("tea-jpy", 1800, "JPY"),
        ("notebook-usd", 1250, "USD"),
        ("electricity-bill", 125000, "INR"),
    ):
        order = await api.order(await api.place(sku, currency=currency, gateway="razorpay"))
        assert (order["amount"], order["currency"]) == (amount, currency)


async def test_the_same_key_and_body_give_the_same_order(api_on_both: Service) -> None:
    key = new_key()
    body = an_order(timestamp="2026-03-01T12:00:00+05:30")
    first = await api_on_both.shop.post("/orders", json=body, headers=key)
    again = await api_on_both.shop.post("/orders", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


async def test_the_same_key_with_another_body_is_refused(api_on_both: Service) -> None:
    key = new_key()
    await api_on_both.shop.post("/orders", json=an_order(), headers=key)
    for other in (an_order(TWO_LINES), an_order(email="other@example.com")):
        response = await api_on_both.shop.post("/orders", json=other, headers=key)
        assert response.status_code == 422
        assert response.json()["type"] == "/problems/idempotency-key-reused"
    assert await orders_in(api_on_both) == 1


async def test_clients_do_not_share_keys(api: Service) -> None:
    key = new_key()
    mine = await api.shop.post("/orders", json=an_order(), headers=key)
    theirs = await api.other.post("/orders", json=an_order(TWO_LINES), headers=key)
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["order_id"] != theirs.json()["order_id"]


async def test_fifty_at_once_with_one_key_make_one_order(api_on_both: Service) -> None:
    key = new_key()
    calls = [api_on_both.shop.post("/orders", json=an_order(), headers=key) for _ in range(50)]
    responses = await asyncio.gather(*calls)
    assert sorted(r.status_code for r in responses) == [200] * 49 + [201]
    assert len({r.json()["order_id"] for r in responses}) == 1
    assert await orders_in(api_on_both) == 1
    async with api_on_both.database.read() as session:
        for table in (IdempotencyKeyRow, TimelineRow):
            assert (await session.exec(select(func.count()).select_from(table))).one() == 1


async def test_somebody_elses_order_does_not_exist(api: Service) -> None:
    order_id = await api.place()
    for call in (
        api.other.get(f"/orders/{order_id}"),
        api.other.post(f"/orders/{order_id}/checkout"),
        api.other.post(f"/orders/{order_id}/cancel"),
        api.other.get(f"/orders/{order_id}/events"),
    ):
        response = await call
        assert response.status_code == 404
        assert response.json()["type"] == "/problems/order-not-found"
    assert (await api.order(order_id))["status"] == "created"


async def test_a_name_that_the_database_cannot_take_is_unknown(api_on_both: Service) -> None:
    for path in ("/orders/ord_%00", "/orders/ord_%00/result", "/callbacks/razorpay/%00"):
        assert (await api_on_both.shop.get(path)).status_code == 404


async def test_the_operator_sees_every_order(api: Service) -> None:
    order_id = await api.place()
    seen = await api.ops.get(f"/orders/{order_id}")
    assert seen.json() == await api.order(order_id)
    assert (await api.ops.post(f"/orders/{order_id}/cancel")).status_code == 202
    assert [status async for status in statuses_of(api.ops, order_id)] == ["canceled"]


async def test_the_catalogue(api: Service) -> None:
    for client in (api.shop, api.other, api.ops):
        products = {product["sku"]: product for product in (await client.get("/products")).json()}
        assert products["tea-jpy"]["unit_price"] == {"amount": 1800, "currency": "JPY"}
        assert products["mug"]["tax_rate"] == 1800
    refused = await api.stranger.get("/products")
    assert refused.status_code == 401


async def test_a_paid_order_tells_its_story(service_on_both: Service) -> None:
    order_id = await service_on_both.paid()
    order = await service_on_both.order(order_id)
    assert [(e["event"], e["status"]) for e in order["timeline"]] == [
        ("placed", "created"),
        ("checkout_started", "awaiting_payment"),
        ("concluded", "paid"),
    ]
    [payment] = order["payments"]
    [known] = (await service_on_both.simulator.ledger(order_id))["payments"]
    assert payment["gateway_reference"] == known["id"]
    assert (payment["status"], payment["amount"], payment["currency"]) == ("captured", 49900, "INR")
    assert payment["method"] == known["method"]
    assert payment["evidence"]["kind"] in ("webhook", "status_query")
    assert re.fullmatch("[0-9a-f]{64}", payment["evidence"]["digest"])
    assert order["timeline"][-1]["evidence"] == payment["evidence"]
    [mail] = await service_on_both.mails.about(order_id)
    assert mail["To"] == "buyer@example.com"


async def orders_in(service: Service) -> int:
    async with service.database.read() as session:
        return (await session.exec(select(func.count()).select_from(OrderRow))).one()
