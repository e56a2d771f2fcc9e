"""What customers do, and what must be true afterwards."""

import asyncio
import re
import sqlite3

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Customer
from tests.browser.town import Json, Town

ORDER_ID = re.compile(r"ord_[a-z2-7]{26}")
THANKS = "Thank you, your order is paid"


async def enter_shop(customer: Customer, town: Town) -> Page:
    """Choose a mug, and stop before the click on Pay."""
    page = await customer.new_page()
    await page.goto(town.stack.url("SHOP"))
    await page.get_by_text("Mug").click()
    await page.get_by_label("E-mail").fill(customer.email)
    return page


async def go_to_pay(customer: Customer, town: Town) -> tuple[Page, str]:
    """The gateway's page of a new order for a mug, and the order's id."""
    page = await enter_shop(customer, town)
    await pay_button(page).click()
    await expect(page).to_have_url(re.compile(r"/pay/plink_\w+$"), timeout=20_000)
    return page, await order_on(page)


async def pay(page: Page) -> None:
    """Pay on the gateway's page; returns when the click is done."""
    await pay_button(page).click()


def pay_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Pay"))


async def order_on(page: Page) -> str:
    """The id of the order that a page speaks of."""
    found = ORDER_ID.search(await page.content())
    assert found is not None, page.url
    return found[0]


async def sees(page: Page, heading: str) -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text(heading, timeout=15_000)


def orders_of(customer: Customer, town: Town) -> list[str]:
    """All that were ever placed under the customer's address."""
    with sqlite3.connect(f"file:{town.stack.folder / 'paidonce.db'}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT order_id FROM orders WHERE email = ?", (customer.email,))
        return [order_id for (order_id,) in rows]


async def is_paid_once(order_id: str, customer: Customer, town: Town) -> Json:
    """The customer's only order is paid, by one payment on one link, and confirmed by one mail."""
    assert orders_of(customer, town) == [order_id]
    order = await town.until({"order_id": order_id}, lambda now: now["status"] == "paid")
    ledger = await town.gateway.ledger(order_id)
    assert len(ledger["links"]) == 1
    captured = [payment for payment in ledger["payments"] if payment["captured"]]
    assert [payment["amount"] for payment in captured] == [order["amount"]] == [29900]
    assert await mails_about(order_id, town) == ["your order is paid"]
    return order


async def mails_about(order_id: str, town: Town) -> list[str]:
    """The subjects, without the shop's name, once there is one."""
    async with asyncio.timeout(20):
        while True:
            if mails := await town.mailbox.mails(order_id):
                return [mail["subject"].partition(": ")[2] for mail in mails][::-1]
            await asyncio.sleep(0.1)
