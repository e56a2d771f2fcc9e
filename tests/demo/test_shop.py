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


def visit_in(page: httpx.Response) -> str:
    found = re.search(r'name="visit" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


async def enter(shop: httpx.AsyncClient) -> httpx.Response:
    """The shelf, as whoever comes to the shop sees it."""
    return await shop.get("/", follow_redirects=True)


async def fill_in(shop: httpx.AsyncClient, **changes: str) -> dict[str, str]:
    return {**CHOICE, "visit": visit_in(await enter(shop)), **changes}


async def test_products_are_shown_with_prices_people_can_read(shop: httpx.AsyncClient) -> None:
    page = (await enter(shop)).text
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


async def test_a_return_in_the_same_visit_is_the_same_order(
    shop: httpx.AsyncClient, service: FakeService
) -> None:
    page = await enter(shop)
    for _ in range(2):
        visit = visit_in(await shop.get(page.url.raw_path.decode()))
        await shop.post("/pay", data={**CHOICE, "visit": visit})
    assert len(service.orders) == 1


@pytest.mark.parametrize("changes", [{"sku": "tote"}, {"quantity": "3"}, {"email": "b@c.example"}])
async def test_another_wish_is_another_order(
    shop: httpx.AsyncClient, service: FakeService, changes: dict[str, str]
) -> None:
    form = await fill_in(shop)
    for each in (form, form | changes):
        await shop.post("/pay", data=each)
    assert len(service.orders) == 2


async def test_another_visit_is_another_order(
    shop: httpx.AsyncClient, service: FakeService
) -> None:
    for _ in range(2):
        await shop.post("/pay", data=await fill_in(shop))
    assert len(service.orders) == 2


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
    service.not_yet, form = 3, await fill_in(shop)
    page = await shop.post("/pay", data=form)
    (order_id,) = service.orders
    assert page.status_code == 503
    assert "The payment link is not ready yet" in page.text
    again = await shop.post("/pay", data={**form, "visit": visit_in(page)})
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
        ({"email": "<asha>"}, "email: That is not an e-mail address"),
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
    assert service.orders == {}
    if form["email"] == CHOICE["email"]:
        assert 'value="asha@example.com"' in page.text


async def test_silence_keeps_the_visit_so_that_a_repeat_is_the_same_order(
    shop: httpx.AsyncClient, service: FakeService
) -> None:
    form, service.broken = await fill_in(shop), True
    page = await shop.post("/pay", data=form)
    assert page.status_code == 503
    assert "Temporarily unavailable" in page.text
    assert visit_in(page) == form["visit"]


@pytest.mark.parametrize("visit", ["", "short", "x" * 65, "sixteen chars\r\nX: y"])
async def test_a_visit_that_is_not_ours_is_replaced(shop: httpx.AsyncClient, visit: str) -> None:
    answer = await shop.get("/", params={"visit": visit})
    assert answer.status_code == 303
    entered = await shop.get(answer.headers["Location"])
    assert re.fullmatch(r"[\w-]{32}", visit_in(entered))


async def test_an_order_that_is_over_shows_itself(
    shop: httpx.AsyncClient, service: FakeService
) -> None:
    form = await fill_in(shop)
    await shop.post("/pay", data=form)
    ((_, order),) = service.orders.items()
    order["status"] = "paid"
    answer = await shop.post("/pay", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, order["result_url"])


async def test_nobody_behind_the_shop_is_said_clearly(serve: Serve) -> None:
    async with Service("http://127.0.0.1:9", KEY) as nobody:
        url = await serve(Shop(nobody, "The Corner Shop", "").app())
        async with httpx.AsyncClient(base_url=url) as browser:
            page = await enter(browser)
    assert page.status_code == 503
    assert "does not answer" in page.text


async def test_the_key_and_inline_script_never_reach_the_browser(
    shop: httpx.AsyncClient,
) -> None:
    refused = await shop.post("/pay", data=await fill_in(shop, sku="yacht"))
    for answer in (await enter(shop), refused, await shop.get("/static/shop.js")):
        policy = answer.headers["Content-Security-Policy"]
        assert KEY not in answer.text + str(answer.headers)
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*src=)|style=|\son\w+=", answer.text)
