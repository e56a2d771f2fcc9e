"""The payment page, as a browser without scripts sees it."""

import re
from urllib.parse import urlsplit

import pytest

from simulator.money import written
from tests.simulator.helpers import NewLink, called, order_of, sdk_for
from tests.support.simulator import Simulator
from tests.support.webhook_receiver import WebhookReceiver


async def test_the_page_shows_what_is_paid(new_link: NewLink, simulator: Simulator) -> None:
    link = await new_link(amount=12345600, description="<b>Beans</b> & more")
    page = await simulator.http.get(link["short_url"])
    assert page.status_code == 200
    assert "₹1,23,456.00" in page.text
    assert "&lt;b&gt;Beans&lt;/b&gt; &amp; more" in page.text
    assert order_of(link) in page.text


async def test_a_strict_policy_and_nothing_inline(new_link: NewLink, simulator: Simulator) -> None:
    link = await new_link(callback_url="https://shop.example:8443/back?x=1")
    page = await simulator.http.get(link["short_url"])
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert policy.endswith("form-action 'self' https://shop.example:8443")
    assert not re.search(r"<script|<style|style=|\son\w+=|javascript:", page.text)
    assert page.headers["cache-control"] == "no-store"
    for address in re.findall(r'(?:href|src)="([^"]+)"', page.text):
        assert not urlsplit(address).netloc


async def test_style_and_icon_are_served(simulator: Simulator) -> None:
    for name, kind in (("pay.css", "text/css"), ("icon.svg", "image/svg+xml")):
        response = await simulator.http.get(f"/pay/static/{name}")
        assert response.headers["content-type"].startswith(kind)


@pytest.mark.parametrize("method", ["card", "upi", "netbanking", "wallet"])
async def test_paying_by_each_method(new_link: NewLink, simulator: Simulator, method: str) -> None:
    link = await new_link()
    assert (await simulator.pay(link["short_url"], method=method)).status_code == 303
    (payment,) = (await simulator.ledger(order_of(link)))["payments"]
    assert (payment["method"], payment["status"]) == (method, "captured")


async def test_without_a_callback_the_page_says_paid(
    new_link: NewLink, simulator: Simulator
) -> None:
    link = await new_link(callback_url=None, callback_method=None)
    page = await simulator.pay(link["short_url"])
    assert page.status_code == 200
    assert "<h1>Paid</h1>" in page.text


async def test_a_link_of_nothing_but_an_amount(simulator: Simulator) -> None:
    auth = (simulator.key_id, simulator.key_secret)
    created = await simulator.http.post("/v1/payment_links", json={"amount": 100}, auth=auth)
    link = created.json()
    assert "₹1.00" in (await simulator.http.get(link["short_url"])).text
    assert "<h1>Paid</h1>" in (await simulator.pay(link["short_url"])).text
    (payment,) = (await simulator.ledger(link["id"]))["payments"]
    assert (payment["order_id"], payment["status"]) == (None, "captured")


async def test_fail_then_pay(new_link: NewLink, simulator: Simulator) -> None:
    link = await new_link()
    page = await simulator.pay(link["short_url"], outcome="failure")
    assert page.status_code == 200
    assert "The payment failed." in page.text
    assert 'value="success"' in page.text
    assert (await simulator.pay(link["short_url"])).status_code == 303


async def test_pay_after_a_delay(
    new_link: NewLink, simulator: Simulator, receiver: WebhookReceiver
) -> None:
    link = await new_link()
    page = await simulator.pay(link["short_url"], delay=0.5)
    assert page.status_code == 200
    assert "Waiting for the bank" in page.text
    found = re.search(r'http-equiv="refresh" content="(\d+); url=([^"]+)"', page.text)
    assert found
    assert found[1] == "1"
    await receiver.about(order_of(link), 4)
    assert (await simulator.http.get(found[2])).status_code == 303


async def test_leave_it_pending(new_link: NewLink, simulator: Simulator) -> None:
    link = await new_link()
    page = await simulator.pay(link["short_url"], outcome="pending")
    assert "The bank has not said yes or no." in page.text
    assert "refresh" not in page.text
    (payment,) = (await simulator.ledger(order_of(link)))["payments"]
    assert (payment["status"], payment["settle_at"]) == ("created", None)
    await simulator.settle(payment["id"], "failure")
    again = await simulator.http.get(f"{link['short_url']}/payments/{payment['id']}")
    assert "The payment failed." in again.text


async def test_going_away_tells_nobody(new_link: NewLink, simulator: Simulator) -> None:
    link = await new_link()
    page = await simulator.http.get(f"{link['short_url']}/left")
    assert "You left without paying" in page.text
    ledger = await simulator.ledger(order_of(link))
    assert (ledger["links"][0]["status"], ledger["events"]) == ("created", [])


async def test_a_closed_link_takes_no_money(new_link: NewLink, simulator: Simulator) -> None:
    paid, canceled = await new_link(), await new_link()
    await simulator.pay(paid["short_url"])
    await called(sdk_for(simulator).payment_link.cancel, canceled["id"])
    for link, word, payments in ((paid, "Paid", 1), (canceled, "Canceled", 0)):
        page = await simulator.pay(link["short_url"])
        assert page.status_code == 409
        assert f"<h1>{word}</h1>" in page.text
        assert ("Back to the merchant" in page.text) is (link is paid)
        assert len((await simulator.ledger(order_of(link)))["payments"]) == payments


@pytest.mark.parametrize(
    "form",
    [{"outcome": "maybe"}, {"method": "cash"}, {"delay": "-1"}, {"delay": "nan"}, {"delay": "x"}],
)
async def test_a_wrong_form_is_refused(
    new_link: NewLink, simulator: Simulator, form: dict[str, str]
) -> None:
    link = await new_link()
    page = await simulator.pay(link["short_url"], **form)
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert (await simulator.ledger(order_of(link)))["payments"] == []


@pytest.mark.parametrize("path", ["nope", "nope/left", "nope/payments/pay_x"])
async def test_an_unknown_link_is_404(simulator: Simulator, path: str) -> None:
    page = await simulator.http.get(f"/pay/{path}")
    assert page.status_code == 404
    assert "No such payment link" in page.text


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (49900, "INR", "₹499.00"),
        (100000, "INR", "₹1,000.00"),
        (9999999, "INR", "₹99,999.99"),
        (10000005, "INR", "₹1,00,000.05"),
        (123456789012, "INR", "₹1,23,45,67,890.12"),
        (123456789, "USD", "$1,234,567.89"),
        (1800, "JPY", "¥1,800"),
        (12340, "KWD", "KWD 12.340"),
    ],
)
def test_amounts_as_people_write_them(minor: int, currency: str, text: str) -> None:
    assert written(minor, currency) == text
