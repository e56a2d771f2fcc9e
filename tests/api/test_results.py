"""The result page: what the customer sees, and what strangers do not."""

import html
import re

import httpx
import pytest
from sqlalchemy.engine import make_url

from api.texts import TEXTS
from tests.support.neighbours import Neighbours
from tests.support.proxy import proxy_to
from tests.support.service import Service, running_service


async def test_each_state_has_its_words(service: Service) -> None:
    open_id, url = await service.place_and_check_out()
    canceled_id = await service.place()
    await service.shop.post(f"/orders/{canceled_id}/cancel")
    paid_id = await service.paid()
    for order_id, words in (
        (open_id, "Your order is waiting for payment"),
        (canceled_id, "Your order was canceled"),
        (paid_id, "Thank you, your order is paid"),
    ):
        page = await service.stranger.get((await service.order(order_id))["result_url"])
        assert page.status_code == 200
        assert words in page.text
        assert "₹499.00" in page.text
        assert "Coffee beans" in page.text
        assert order_id in page.text
        assert service.settings.shop_url in page.text
        assert page.text.count(url) == (order_id == open_id)
        assert ("result.js" in page.text) is ("http-equiv" in page.text) is (order_id == open_id)
        assert "buyer@example.com" not in page.text


async def test_nobody_is_told_to_pay_again_while_a_payment_may_arrive(service: Service) -> None:
    order_id, url = await service.place_and_check_out()
    await service.simulator.pay(url, outcome="failure")
    page = await service.stranger.get((await service.order(order_id))["result_url"])
    assert "Your order is waiting for payment" in page.text
    assert not re.search(r"fail|try again|order again", page.text, re.IGNORECASE)


async def test_whoever_comes_back_from_paying_sees_it_confirmed(service: Service) -> None:
    order_id, url = await service.place_and_check_out(no_webhook=True)
    await service.simulator.faults(order_id, no_webhook=True, unavailable_for=600)
    back = (await service.simulator.pay(url)).headers["Location"]
    page = await service.stranger.get(back, follow_redirects=True)
    assert "We are confirming your payment" in page.text
    assert "Please do not pay again." in page.text
    assert page.text.count(url) == 1


async def test_money_in_doubt_is_never_called_unpaid(service: Service) -> None:
    order_id, url = await service.place_and_check_out(wrong_amount=100)
    await service.simulator.pay(url)
    assert await service.ends_as(order_id) == "needs_review"
    page = await service.stranger.get((await service.order(order_id))["result_url"])
    assert "We are looking into your payment" in page.text
    assert "A payment of ₹1.00 arrived, which is not what the order costs." in page.text
    assert "not paid" not in page.text
    assert url not in page.text
    assert 'data-look-again="60"' in page.text


async def test_the_customers_language_is_spoken(
    api: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    german = {key: f"[{text}]" for key, text in TEXTS["en"].items()}
    monkeypatch.setitem(TEXTS, "de", german)
    url = (await api.order(await api.place()))["result_url"]
    for wanted, language, title in (
        ("de-DE,en;q=0.5", "de", "[Your order is waiting for payment]"),
        ("fr", "en", "Your order is waiting for payment"),
    ):
        page = await api.stranger.get(url, headers={"Accept-Language": wanted})
        assert f'<html lang="{language}">' in page.text
        assert f">{title}</h1>" in page.text


async def test_browsers_are_held_to_https_where_there_is_https(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    async with running_service(
        neighbours, sqlite_database_url, worker=False, public_url="https://pay.example"
    ) as service:
        url = httpx.URL((await service.order(await service.place()))["result_url"])
        assert url.scheme == "https"
        for path in (url.raw_path.decode(), "/callbacks/razorpay/guess"):
            page = await service.stranger.get(path)
            assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


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
        assert "Strict-Transport-Security" not in page.headers
        assert "unsafe" not in policy
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text)
        for asset in re.findall(r'(?:src|href)="(/[^"]*)"', page.text):
            assert (await service.stranger.get(asset)).status_code == 200


async def test_a_database_that_is_away_is_no_riddle_to_customers(
    neighbours: Neighbours, postgres_url: str
) -> None:
    url = make_url(postgres_url)
    assert url.port
    async with proxy_to(url.port) as wire:
        through = url.set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
        async with running_service(neighbours, through, worker=False) as service:
            result = (await service.order(await service.place()))["result_url"]
            await wire.cut()
            for path in (result, "/callbacks/razorpay/guess"):
                page = await service.stranger.get(path)
                assert page.status_code == 503
                assert "please do not pay again" in page.text
                assert '<meta http-equiv="refresh" content="5">' in page.text
                assert page.headers["Cache-Control"] == "no-store"
            await wire.restore()
            assert (await service.stranger.get(result)).status_code == 200


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


async def test_a_paid_order_leads_to_its_invoice(service: Service) -> None:
    order_id = await service.paid()
    url = (await service.order(order_id))["result_url"]
    link = re.search(
        r'href="(/orders/[^"]*/invoice.pdf[^"]*)"', (await service.stranger.get(url)).text
    )
    assert link
    paper = await service.stranger.get(html.unescape(link[1]))
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
