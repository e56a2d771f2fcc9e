"""A person orders in the shop, pays on the gateway's page, and sees the order paid."""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.async_api import expect

from local_stack import Stack
from tests.browser.conftest import Visit

ORDER_ID = re.compile(r"ord_[a-z2-7]{26}")


async def test_a_person_orders_and_pays(stack: Stack, visit: Visit) -> None:
    page = visit.page
    await page.goto(stack.url("SHOP"))
    await page.get_by_text("Mug").click()
    await page.get_by_label("E-mail").fill("meera@example.com")
    await page.get_by_role("button", name="Pay").click()

    assert urlsplit(page.url).path.startswith("/pay/plink_")
    await page.get_by_role("button", name="Pay ₹299.00").click()

    await expect(page.get_by_role("heading")).to_have_text("Thank you, your order is paid")
    order_id = ORDER_ID.search(page.url)
    assert order_id
    order = await the_order(stack, order_id[0])
    assert order["status"] == "paid"
    assert order["payments"][0]["amount"] == order["amount"] == 29900
    assert visit.complaints == []


async def test_a_person_fails_and_then_pays(stack: Stack, visit: Visit) -> None:
    page = visit.page
    await page.goto(stack.url("SHOP"))
    await page.get_by_label("E-mail").fill("meera@example.com")
    await page.get_by_role("button", name="Pay").click()
    await page.get_by_role("button", name="Let it fail").click()
    await page.get_by_role("button", name="Pay").click()

    await expect(page.get_by_role("heading")).to_have_text("Thank you, your order is paid")
    order_id = ORDER_ID.search(page.url)
    assert order_id
    order = await the_order(stack, order_id[0])
    assert sorted(payment["status"] for payment in order["payments"]) == ["captured", "failed"]


async def the_order(stack: Stack, order_id: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {stack.keys['client']}"}
    async with httpx.AsyncClient(base_url=stack.url("API"), headers=headers) as api:
        order: dict[str, Any] = (await api.get(f"/orders/{order_id}")).json()
        return order
