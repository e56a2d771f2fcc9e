"""The browser does its worst; the order ends right, and the customer is told the truth."""

import asyncio
import re

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Customer, NewCustomer
from tests.browser.steps import (
    THANKS,
    enter_shop,
    go_to_pay,
    is_paid_once,
    mails_about,
    order_on,
    orders_of,
    pay,
    pay_button,
    sees,
)
from tests.browser.town import Json, Town

pytestmark = pytest.mark.slow

WAITING = "Your order is waiting for payment"
TO_PAYMENT = "Go to the payment page"
ATTEMPT = "**/pay/*/attempts"
LOST, LINK_CLOSED = "net::ERR_", "409 (Conflict)"


HOSTED = re.compile(r"/pay/plink_\w+$")


async def test_the_tab_is_closed_before_paying(town: Town, customer: Customer) -> None:
    page, order_id = await go_to_pay(customer, town)
    link = page.url
    await page.close()

    page = await customer.new_page()
    await page.goto((await town.client.order(order_id))["result_url"])
    await sees(page, WAITING)
    assert "fail" not in (await page.inner_text("main")).lower()
    button = page.get_by_role("link", name=TO_PAYMENT)
    await expect(button).to_have_attribute("href", link)
    await button.click()
    await pay(page)
    await sees(page, THANKS)
    await is_paid_once(order_id, customer, town)


async def test_the_tab_is_closed_after_paying(town: Town, customer: Customer) -> None:
    page, order_id = await go_to_pay(customer, town)

    async def take_the_money_and_close(route: Route) -> None:
        await route.fetch(max_redirects=0)
        await page.close()

    await page.route(ATTEMPT, take_the_money_and_close)
    async with page.expect_event("close"):
        await pay_button(page).click(no_wait_after=True)

    order = await is_paid_once(order_id, customer, town)
    page = await customer.new_page()
    await page.goto(order["result_url"])
    await sees(page, THANKS)


async def test_back_from_the_result_and_pay_again(town: Town, customer: Customer) -> None:
    page, order_id = await go_to_pay(customer, town)
    await pay(page)
    await sees(page, THANKS)

    await page.go_back()
    await sees(page, "Paid")
    await expect(pay_button(page)).to_have_count(0)
    await page.get_by_role("link", name="Back to the merchant").click()
    await sees(page, THANKS)
    for _ in range(2):
        await page.go_back()
    await page.get_by_text("Mug").click()
    await page.get_by_label("E-mail").fill(customer.email)
    await pay_button(page).click()
    await sees(page, THANKS)
    assert await order_on(page) == order_id
    await is_paid_once(order_id, customer, town)


async def test_another_visit_is_another_order(town: Town, customer: Customer) -> None:
    page, first = await go_to_pay(customer, town)
    await pay(page)
    await page.get_by_role("link", name="Back to the shop").click()
    await page.get_by_text("Mug").click()
    await page.get_by_label("E-mail").fill(customer.email)
    await pay_button(page).click()
    await expect(page).to_have_url(HOSTED, timeout=20_000)
    assert await order_on(page) != first
    assert len(orders_of(customer, town)) == 2


async def test_a_double_click_on_pay(town: Town, customer: Customer) -> None:
    page, asked = await enter_shop(customer, town), list[str]()
    page.on("request", lambda request: asked.append(request.method))
    # Faster, and Chromium itself makes one of the two.
    await pay_button(page).dblclick(delay=20)
    await expect(page).to_have_url(HOSTED, timeout=20_000)
    assert asked.count("POST") == 2
    order_id = await order_on(page)
    await pay(page)
    await sees(page, THANKS)
    await is_paid_once(order_id, customer, town)


async def test_two_tabs_pay_for_one_order(town: Town, customer: Customer) -> None:
    first, order_id = await go_to_pay(customer, town)
    second = await customer.new_page()
    await second.goto(first.url)
    for tab in (first, second):
        await tab.get_by_role("button", name="Leave it pending").click()
        await sees(tab, "Waiting for the bank")
    await the_bank_agrees(first, town)
    await sees(first, THANKS)
    await the_bank_agrees(second, town)
    await sees(second, THANKS)

    order = await town.until(
        {"order_id": order_id},
        lambda now: [each["status"] for each in now["refunds"]] == ["succeeded"],
    )
    assert (order["status"], order["refunds"][0]["amount"]) == ("paid", 29900)
    ledger = await town.gateway.ledger(order_id)
    assert sorted(payment["amount_refunded"] for payment in ledger["payments"]) == [0, 29900]
    await second.reload()
    await sees(second, THANKS)
    await expect(second.get_by_role("status").first).to_contain_text(
        "You paid twice. The second payment of ₹299.00 was sent back to you."
    )
    assert (await mails_about(order_id, town)).count("your order is paid") == 1


async def the_bank_agrees(tab: Page, town: Town) -> None:
    """To the payment that this tab shows."""
    again = tab.get_by_role("link", name="Look again")
    address = await again.get_attribute("href")
    assert address is not None
    await town.gateway.settle(address.rpartition("/")[2], "success")
    await again.click()


async def test_the_result_page_is_reloaded_without_end(town: Town, customer: Customer) -> None:
    page, order_id = await go_to_pay(customer, town)
    result = await customer.new_page()
    await result.goto((await town.client.order(order_id))["result_url"])
    for _ in range(3):
        await result.reload()
        await sees(result, WAITING)
    await pay(page)
    await expect(page).to_have_url(re.compile("/result"), timeout=20_000)
    for _ in range(3):
        await page.reload()
    for tab in (page, result):
        await sees(tab, THANKS)
    await is_paid_once(order_id, customer, town)


async def test_the_network_is_lost_during_the_redirect(town: Town, customer: Customer) -> None:
    customer.foreseen = LOST
    page, order_id = await go_to_pay(customer, town)
    wire = await customer.context.new_cdp_session(page)

    async def lose_touch(request: Json) -> None:
        lost = {"requestId": request["requestId"], "errorReason": "InternetDisconnected"}
        await wire.send("Fetch.failRequest", lost)

    # Playwright's own routes do not see where a redirect leads.
    wire.on("Fetch.requestPaused", lambda request: asyncio.ensure_future(lose_touch(request)))
    await wire.send("Fetch.enable", {"patterns": [{"urlPattern": "*/callbacks/*"}]})
    await ends_nowhere(page)
    await customer.context.set_offline(True)
    await wire.send("Fetch.disable")
    with pytest.raises(PlaywrightError, match="ERR_INTERNET_DISCONNECTED"):
        await page.reload()
    await customer.context.set_offline(False)
    await page.reload()
    await sees(page, THANKS)
    await is_paid_once(order_id, customer, town)


async def ends_nowhere(page: Page) -> None:
    """Pay, and be sent back to a server that cannot be reached."""
    async with page.expect_event("requestfailed", lambda request: "/callbacks/" in request.url):
        await pay_button(page).click(no_wait_after=True)


async def test_the_network_is_lost_on_the_result_page(town: Town, customer: Customer) -> None:
    customer.foreseen = LOST
    order, page = await town.opened(), await customer.new_page()
    await page.goto(order["result_url"])
    await sees(page, WAITING)
    await customer.context.set_offline(True)
    await town.pay(order)
    # The stream that is open already outlives Chromium's switch, but nothing new gets through.
    await expect(page.locator("#lost")).to_contain_text("No connection at the moment.")
    await sees(page, WAITING)
    await customer.context.set_offline(False)
    await sees(page, THANKS)
    await expect(page.locator("#lost")).to_be_hidden()


async def test_the_api_is_down_during_the_redirect(town: Town, customer: Customer) -> None:
    customer.foreseen = LOST
    page, order_id = await go_to_pay(customer, town)
    result = await customer.new_page()
    await result.goto((await town.client.order(order_id))["result_url"])
    await town.processes["api"].stop()
    try:
        await ends_nowhere(page)
        await expect(result.locator("#lost")).to_contain_text("No connection at the moment.")
    finally:
        await town.processes["api"].start()
    await page.reload()
    await sees(page, THANKS)
    await sees(result, THANKS)
    await is_paid_once(order_id, customer, town)


async def test_paying_after_the_window(town: Town, customer: Customer) -> None:
    customer.foreseen = LINK_CLOSED
    order, page = await town.opened(hasty=True), await customer.new_page()
    await page.goto(order["payment_url"])
    await town.until(order, lambda now: now["status"] == "expired")
    await pay(page)
    await sees(page, "Canceled")
    await expect(page.get_by_role("main")).to_contain_text("can no longer be paid")
    await page.goto(order["result_url"])
    await sees(page, "Your order was not paid")
    await expect(page.get_by_role("main")).to_contain_text("You were not charged.")
    await expect(page.get_by_role("link", name=TO_PAYMENT)).to_have_count(0)

    # A bank may say yes whatever became of the link.
    await town.gateway.control(f"links/{order['order_id']}/late-payment")
    await town.until(order, lambda now: any(r["status"] == "succeeded" for r in now["refunds"]))
    await page.reload()
    await sees(page, "Your order was not paid")
    await expect(page.get_by_role("main")).to_contain_text("It was sent back to you.")
    await expect(page.get_by_role("main")).not_to_contain_text("You were not charged.")
    assert (await town.client.order(order["order_id"]))["status"] == "expired"

    await page.get_by_role("link", name="Order again in the shop").click()
    await page.get_by_text("Mug").click()
    await page.get_by_label("E-mail").fill(customer.email)
    await pay_button(page).click()
    await expect(page).to_have_url(HOSTED, timeout=20_000)
    again = await order_on(page)
    await pay(page)
    await sees(page, THANKS)
    await is_paid_once(again, customer, town)


async def test_without_javascript(town: Town, new_customer: NewCustomer) -> None:
    customer = await new_customer(java_script_enabled=False)
    page, order_id = await go_to_pay(customer, town)
    result = await customer.new_page()
    await result.goto((await town.client.order(order_id))["result_url"])
    await sees(result, WAITING)
    await expect(result.get_by_role("link", name="Look again")).to_be_visible()
    await pay(page)
    await asyncio.gather(sees(page, THANKS), sees(result, THANKS))
    await expect(result.get_by_role("link", name="Look again")).to_have_count(0)
    await is_paid_once(order_id, customer, town)
