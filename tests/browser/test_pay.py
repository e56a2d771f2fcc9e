"""A person orders in the shop, pays on the gateway's page, and sees the order paid."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Customer, NewCustomer
from tests.browser.steps import THANKS, go_to_pay, is_paid_once, pay, sees
from tests.browser.town import Town


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_a_person_orders_and_pays(
    town: Town, new_customer: NewCustomer, viewport: dict[str, int]
) -> None:
    customer = await new_customer(viewport=viewport)
    customer.email = f"{viewport['width']}-{customer.email}"
    page, order_id = await go_to_pay(customer, town)
    await pay(page)
    await sees(page, THANKS)
    await is_paid_once(order_id, customer, town)


async def test_all_of_it_by_keyboard(town: Town, customer: Customer) -> None:
    page = await customer.new_page()
    await page.goto(town.stack.url("SHOP"))
    for key in ("Tab", "Tab", "Tab", "ArrowDown", "ArrowDown", "Tab", "Tab"):
        await page.keyboard.press(key)
    await page.keyboard.type(customer.email)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/pay/plink_*")
    for _ in range(3):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await sees(page, THANKS)
    back = page.get_by_role("link", name="Back to the shop")
    while not await back.evaluate("link => link === document.activeElement"):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Pay")).to_be_visible()


async def test_a_person_fails_and_then_pays(town: Town, customer: Customer) -> None:
    page, order_id = await go_to_pay(customer, town)
    await page.get_by_role("button", name="Let it fail").click()
    await expect(page.get_by_role("alert")).to_contain_text("You can try again.")
    await pay(page)
    await sees(page, THANKS)
    order = await is_paid_once(order_id, customer, town)
    assert sorted(payment["status"] for payment in order["payments"]) == ["captured", "failed"]


async def test_the_page_follows_the_order_without_a_reload(town: Town, customer: Customer) -> None:
    order, page = await town.opened(), await customer.new_page()
    await page.goto(order["result_url"])
    await sees(page, "Your order is waiting for payment")
    await page.evaluate("window.theSame = document.querySelector('[role=status]')")
    await page.get_by_role("link", name="Go to the payment page").focus()
    await town.pay(order)
    await sees(page, THANKS)
    await expect(page).to_have_title("Thank you, your order is paid · The Corner Shop")
    # What a screen reader listens to is still there, and so is the keyboard's place.
    assert await page.evaluate("window.theSame.isConnected && window.theSame.innerText")
    assert await page.evaluate("document.activeElement.tagName") == "H1"
    await expect(page.get_by_role("link", name="Go to the payment page")).to_have_count(0)
