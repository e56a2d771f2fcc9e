"""The shop over real HTTP, in front of a small service that keeps the same contract."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from demo.client import Service
from demo.shop import Shop
from tests.demo.conftest import Serve
from tests.demo.fake_service import GATEWAY, KEY, FakeService

CHOICE = {"sku": "mug", "quantity": "2", "email": "asha@example.com"}


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
async def shop(service: FakeService, serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    async with Service(await serve(service.app), KEY) as client:
        app = Shop(client, "The Corner Shop", "http://127.0.0.1:9/mails").app()
        async with httpx.AsyncClient(base_url=await serve(app)) as browser:
            yield browser


def key_in(page: httpx.Response) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


async def fill_in(shop: httpx.AsyncClient, **changes: str) -> dict[str, str]:
    return {**CHOICE, "key": key_in(await shop.get("/")), **changes}


async def test_products_are_shown_with_prices_people_can_read(shop: httpx.AsyncClient) -> None:
    page = (await shop.get("/")).text
    for words in ("Stoneware mug", "₹299.00", "$12.50", "¥1,800"):
        assert words in page


async def test_pay_orders_and_leads_to_the_gateway(
    shop: httpx.AsyncClient, service: FakeService
) -> None:
    answer = await shop.post("/pay", data=await fill_in(shop))
    ((order_id, order),) = service.orders.items()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{GATEWAY}/{order_id}")
    assert order["asked"]["items"] == [{"sku": "mug", "quantity": 2}]
    assert order["asked"]["email"] == "asha@example.com"
    assert not {"amount", "price"} & set(str(order["asked"]).split("'"))


async def test_two_clicks_make_one_order(shop: httpx.AsyncClient, service: FakeService) -> None:
    form = await fill_in(shop)
    answers = await asyncio.gather(*(shop.post("/pay", data=form) for _ in range(5)))
    assert len(service.orders) == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1


async def test_every_page_shown_can_make_its_own_order(shop: httpx.AsyncClient) -> None:
    assert key_in(await shop.get("/")) != key_in(await shop.get("/"))


async def test_a_link_that_is_not_ready_is_asked_for_again(
    shop: httpx.AsyncClient, service: FakeService
) -> None:
    service.not_yet = 2
    answer = await shop.post("/pay", data=await fill_in(shop))
    assert answer.headers["Location"].startswith(GATEWAY)
    assert service.calls["POST checkout"] == 3


async def test_a_link_that_stays_away_leaves_the_order_to_go_on_with(
    shop: httpx.AsyncClient, service: FakeService
) -> None:
    service.not_yet = 3
    page = await shop.post("/pay", data=await fill_in(shop))
    (order_id,) = service.orders
    assert page.status_code == 503
    assert "The payment link is not ready yet" in page.text
    assert f'action="/orders/{order_id}/pay"' in page.text
    again = await shop.post(f"/orders/{order_id}/pay")
    assert again.headers["Location"] == f"{GATEWAY}/{order_id}"
    assert len(service.orders) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sku": "yacht"}, "There is no product &#39;yacht&#39;."),
        ({"sku": ""}, "There is no product"),
        ({"quantity": "0"}, "Quantity must be at least 1"),
        ({"quantity": "-1"}, "The quantity must be a whole number"),
        ({"quantity": "1.5"}, "The quantity must be a whole number"),
        ({"quantity": "9" * 5000}, "The quantity must be a whole number"),
        ({"email": "<asha>"}, "That is not an e-mail address"),
    ],
)
async def test_a_refusal_is_explained_beside_what_was_typed(
    shop: httpx.AsyncClient, service: FakeService, changes: dict[str, str], said: str
) -> None:
    form = await fill_in(shop, **changes)
    page = await shop.post("/pay", data=form)
    assert page.status_code == 422
    assert said in page.text
    assert 'role="alert"' in page.text
    assert key_in(page) != form["key"]
    assert service.orders == {}
    if form["email"] == CHOICE["email"]:
        assert 'value="asha@example.com"' in page.text


async def test_silence_keeps_the_key_so_that_a_repeat_is_the_same_order(
    shop: httpx.AsyncClient, service: FakeService
) -> None:
    form, service.broken = await fill_in(shop), True
    page = await shop.post("/pay", data=form)
    assert page.status_code == 503
    assert "Temporarily unavailable" in page.text
    assert key_in(page) == form["key"]


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "sixteen chars\r\nX: y"])
async def test_a_key_that_is_not_ours_is_replaced(
    shop: httpx.AsyncClient, service: FakeService, key: str
) -> None:
    answer = await shop.post("/pay", data={**CHOICE, "key": key})
    assert answer.status_code == 303
    assert key not in service.by_key


async def test_an_order_that_is_over_shows_itself(
    shop: httpx.AsyncClient, service: FakeService
) -> None:
    form = await fill_in(shop)
    await shop.post("/pay", data=form)
    ((order_id, order),) = service.orders.items()
    order["status"] = "paid"
    answer = await shop.post("/pay", data=form)
    page = await shop.get(answer.headers["Location"])
    assert answer.headers["Location"] == f"/orders/{order_id}"
    assert "Paid. Thank you!" in page.text
    assert "₹598.00" in page.text
    assert order["result_url"] in page.text
    assert "Go to payment" not in page.text
    assert "data-waiting" not in page.text


@pytest.mark.parametrize(
    ("order_id", "asked"), [("ord_unknown", 1), ("x", 0), ("ord_1%3Fa=b", 0), ("%252e%252e", 0)]
)
async def test_an_unknown_order_is_not_found(
    shop: httpx.AsyncClient, service: FakeService, order_id: str, asked: int
) -> None:
    page = await shop.get(f"/orders/{order_id}")
    assert page.status_code == 404
    assert 'role="alert"' in page.text
    assert service.calls.total() == asked


async def test_nobody_behind_the_shop_is_said_clearly(serve: Serve) -> None:
    async with Service("http://127.0.0.1:9", KEY) as nobody:
        url = await serve(Shop(nobody, "The Corner Shop", "").app())
        async with httpx.AsyncClient(base_url=url) as browser:
            page = await browser.get("/")
    assert page.status_code == 503
    assert "does not answer" in page.text


async def test_the_key_and_inline_script_never_reach_the_browser(
    shop: httpx.AsyncClient, service: FakeService
) -> None:
    await shop.post("/pay", data=await fill_in(shop))
    (order_id,) = service.orders
    for path in ("/", f"/orders/{order_id}", "/orders/ord_unknown", "/static/shop.js"):
        answer = await shop.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert KEY not in answer.text + str(answer.headers)
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*src=)|style=|\son\w+=", answer.text)
