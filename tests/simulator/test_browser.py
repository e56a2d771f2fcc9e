"""The payment page in a real browser: by keyboard, on a phone, under its own strict policy."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, ViewportSize, async_playwright

from tests.simulator.helpers import NewLink
from tests.support.chromium import installed
from tests.support.webhook_receiver import WebhookReceiver

PHONE = ViewportSize(width=390, height=844)


@pytest_asyncio.fixture
async def complaints() -> list[str]:
    """Console errors, among them every breach of the content security policy."""
    return []


@pytest_asyncio.fixture
async def page(complaints: list[str]) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=installed())
        page = await browser.new_page(viewport=PHONE)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        await browser.close()


async def test_paying_by_keyboard_leads_back_to_the_shop(
    page: Page, complaints: list[str], new_link: NewLink, receiver: WebhookReceiver
) -> None:
    link = await new_link(callback_url=receiver.callback_url)
    await page.goto(link["short_url"])
    for key in ("Tab", "ArrowDown", "Tab", "Tab", "Enter"):
        await page.keyboard.press(key)
    await page.wait_for_url(f"{receiver.callback_url}?razorpay_payment_id=*")
    assert await page.get_by_role("heading").inner_text() == "Back at the shop"
    assert complaints == []


async def test_everything_has_a_name_and_fits_a_phone(
    page: Page, complaints: list[str], new_link: NewLink
) -> None:
    link = await new_link()
    await page.goto(link["short_url"])
    assert await page.title() == "Pay ₹499.00"
    for role, name in (
        ("heading", "Pay ₹499.00"),
        ("group", "Pay with"),
        ("radio", "UPI"),
        ("combobox", "The bank answers"),
        ("button", "Pay ₹499.00"),
        ("button", "Let it fail"),
        ("button", "Leave it pending"),
        ("link", "Leave without paying"),
    ):
        assert await page.get_by_role(role, name=name, exact=True).count() == 1  # type: ignore[arg-type]
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert complaints == []


async def test_authorizing_without_capture_by_keyboard(
    page: Page, complaints: list[str], new_link: NewLink
) -> None:
    link = await new_link()
    await page.goto(link["short_url"])
    assert not await page.get_by_role("button", name="Authorize, but do not capture").is_visible()
    await page.get_by_text("More outcomes").focus()
    for key in ("Enter", "Tab", "Enter"):
        await page.keyboard.press(key)
    await page.get_by_role("heading", name="Held by the bank").wait_for()
    assert complaints == []


async def test_a_delayed_payment_moves_on_by_itself(
    page: Page, complaints: list[str], new_link: NewLink, receiver: WebhookReceiver
) -> None:
    link = await new_link(callback_url=receiver.callback_url)
    await page.goto(link["short_url"])
    await page.get_by_label("The bank answers").select_option("5")
    await page.get_by_role("button", name="Pay ₹499.00").click()
    assert await page.get_by_role("status").inner_text()
    await page.wait_for_url(f"{receiver.callback_url}?*")
    assert complaints == []
