"""The result page: what the customer sees, and what strangers do not."""

import re

from tests.support.neighbours import Neighbours
from tests.support.service import Service, running_service


async def test_each_state_has_its_words(service: Service) -> None:
    open_id, url = await service.place_and_check_out()
    canceled_id = await service.place()
    await service.shop.post(f"/orders/{canceled_id}/cancel")
    paid_id = await service.paid()
    for order_id, words in (
        (open_id, "We are confirming your payment"),
        (canceled_id, "This order was not paid"),
        (paid_id, "Thank you, your order is paid"),
    ):
        page = await service.stranger.get((await service.order(order_id))["result_url"])
        assert page.status_code == 200
        assert words in page.text
        assert "₹499.00" in page.text
        assert order_id in page.text
        assert service.settings.shop_url in page.text
        assert (url in page.text) is (order_id == open_id)
        assert "buyer@example.com" not in page.text


async def test_money_in_doubt_is_never_called_unpaid(service: Service) -> None:
    order_id, url = await service.place_and_check_out(wrong_amount=100)
    await service.simulator.pay(url)
    assert await service.ends_as(order_id) == "needs_review"
    page = await service.stranger.get((await service.order(order_id))["result_url"])
    assert "We are confirming your payment" in page.text
    assert "not paid" not in page.text.replace("not paid yet", "")
    assert url not in page.text


async def test_without_its_token_there_is_nothing_to_see(api: Service) -> None:
    order_id, other_id = await api.place(), await api.place()
    other = (await api.order(other_id))["result_url"]
    neutral = await api.stranger.get("/orders/ord_unknown/result?token=guess")
    assert neutral.status_code == 404
    for query in (
        "",
        "?token=",
        "?token=guess",
        "?token=é",
        "?token=%00",
        f"?{other.split('?')[1]}",
    ):
        page = await api.stranger.get(f"/orders/{order_id}/result{query}")
        assert (page.status_code, page.text) == (404, neutral.text)


async def test_pages_are_kept_nowhere_and_run_nothing_foreign(service: Service) -> None:
    order_id, _ = await service.place_and_check_out()
    own = await service.stranger.get((await service.order(order_id))["result_url"])
    for page in (own, await service.stranger.get("/callbacks/razorpay/guess")):
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text)
        for asset in re.findall(r'(?:src|href)="(/[^"]*)"', page.text):
            assert (await service.stranger.get(asset)).status_code == 200


async def test_the_names_of_the_shop_are_escaped(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    async with running_service(
        neighbours, sqlite_database_url, worker=False, shop_name="<b>Tom & Jerry's</b>"
    ) as service:
        order = await service.order(await service.place())
        page = await service.stranger.get(order["result_url"])
        assert "&lt;b&gt;Tom &amp; Jerry&#39;s&lt;/b&gt;" in page.text
        assert "<b>" not in page.text
