"""Every state of every page: how each is brought before the eyes of a customer."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page

from tests.browser.town import EMAIL, Json, Town

Scene = Callable[[Page, Town], Awaitable[None]]


async def shelf(page: Page, town: Town) -> None:
    await page.goto(town.stack.url("SHOP"))


async def product_chosen(page: Page, town: Town) -> None:
    await shelf(page, town)
    await page.get_by_text("Tote bag").click()
    await page.get_by_label("Quantity").fill("3")
    await page.get_by_label("E-mail").fill(EMAIL)


async def shop_refuses(page: Page, town: Town) -> None:
    await product_chosen(page, town)
    await page.get_by_label("E-mail").fill("meera@nowhere")
    await page.get_by_role("button", name="Pay").click()
    await page.get_by_role("alert").wait_for()


async def hosted_open(page: Page, town: Town) -> None:
    order = await town.opened()
    await page.goto(order["payment_url"])


async def hosted_more_outcomes(page: Page, town: Town) -> None:
    await hosted_open(page, town)
    await page.get_by_text("More outcomes").click()


async def hosted_failed(page: Page, town: Town) -> None:
    await hosted_open(page, town)
    await page.get_by_role("button", name="Let it fail").click()
    await page.get_by_role("alert").wait_for()


async def hosted_pending(page: Page, town: Town) -> None:
    await hosted_open(page, town)
    await page.get_by_role("button", name="Leave it pending").click()
    await page.get_by_role("heading", name="Waiting for the bank").wait_for()


async def hosted_held(page: Page, town: Town) -> None:
    await hosted_more_outcomes(page, town)
    await page.get_by_role("button", name="Authorize, but do not capture").click()
    await page.get_by_role("heading", name="Held by the bank").wait_for()


async def hosted_left(page: Page, town: Town) -> None:
    await hosted_open(page, town)
    await page.get_by_role("link", name="Leave without paying").click()
    await page.get_by_role("heading", name="You left without paying").wait_for()


async def hosted_paid(page: Page, town: Town) -> None:
    await page.goto((await town.paid())["payment_url"])


async def hosted_canceled(page: Page, town: Town) -> None:
    await page.goto((await town.ended())["payment_url"])


async def hosted_unknown(page: Page, town: Town) -> None:
    await page.goto(f"{town.stack.url('SIMULATOR')}/pay/plink_nobody")


async def result_created(page: Page, town: Town) -> None:
    await page.goto((await town.placed())["result_url"])


async def result_waiting(page: Page, town: Town) -> None:
    await page.goto((await town.opened())["result_url"])


async def result_confirming(page: Page, town: Town) -> None:
    """The customer is back, but the gateway has stopped answering."""
    order = await town.placed("coffee-beans", no_webhook=True)
    order |= await town.client.checkout(order["order_id"])
    await town.gateway.set_faults(order["order_id"], {"no_webhook": True, "unavailable_for": 600})
    await page.goto(await town.pay(order))


async def result_review(page: Page, town: Town) -> None:
    order = await town.paid("coffee-beans", wrong_amount=100)
    await page.goto(order["result_url"])


async def result_paid(page: Page, town: Town) -> None:
    await page.goto((await town.paid("coffee-beans"))["result_url"])


async def result_paid_twice(page: Page, town: Town) -> None:
    order = await town.paid()
    await town.gateway.control(f"links/{order['order_id']}/late-payment")
    await town.until(order, lambda now: is_sent_back(now))
    await page.goto(order["result_url"])


async def result_partially_refunded(page: Page, town: Town) -> None:
    order = await town.refunded(await town.paid("coffee-beans"), 20000)
    await page.goto(order["result_url"])


async def result_refunded(page: Page, town: Town) -> None:
    order = await town.refunded(await town.paid("tote"))
    await page.goto(order["result_url"])


async def result_failed(page: Page, town: Town) -> None:
    await page.goto((await town.ended(outcome="failure"))["result_url"])


async def result_expired(page: Page, town: Town) -> None:
    await page.goto((await town.ended())["result_url"])


async def result_canceled(page: Page, town: Town) -> None:
    order = await town.opened()
    await town.client.cancel(order["order_id"])
    await town.until(order, lambda now: now["status"] == "canceled")
    await page.goto(order["result_url"])


async def result_late(page: Page, town: Town) -> None:
    order = await town.ended()
    await town.gateway.control(f"links/{order['order_id']}/late-payment")
    await town.until(order, lambda now: is_sent_back(now))
    await page.goto(order["result_url"])


async def result_neutral(page: Page, town: Town) -> None:
    await page.goto(f"{town.stack.url('API')}/orders/ord_nobody/result?token=guess")


async def mailbox(page: Page, town: Town) -> None:
    await page.goto(town.stack.url("MAILBOX"))


async def mailbox_empty(page: Page, town: Town) -> None:
    await page.goto(f"{town.stack.url('MAILBOX')}/?to=nobody@example.com")


async def mail(page: Page, town: Town) -> None:
    await mailbox(page, town)
    await page.locator(".mails a").first.click()
    await page.get_by_role("heading", level=1).wait_for()


def is_sent_back(order: Json) -> bool:
    return any(refund["status"] == "succeeded" for refund in order["refunds"])


SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        *(shelf, product_chosen, shop_refuses),
        *(hosted_open, hosted_more_outcomes, hosted_failed, hosted_pending, hosted_held),
        *(hosted_left, hosted_paid, hosted_canceled, hosted_unknown),
        *(result_created, result_waiting, result_confirming, result_review),
        *(result_paid, result_paid_twice, result_partially_refunded, result_refunded),
        *(result_failed, result_expired, result_canceled, result_late, result_neutral),
        *(mailbox, mailbox_empty, mail),
    )
}
