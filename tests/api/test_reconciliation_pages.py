"""Reconciliations in a browser: who gets in, and what a finance person reads."""

import re
from dataclasses import replace
from hashlib import sha256

import httpx
import pytest

from api.charts import chart_of
from api.wording import amounts, grouped
from db.books import BookStore
from db.reconciliation_reads import ReconciliationReads
from domain.findings import Answer, Match, RepairState
from domain.money import Money
from domain.reconciliations import ReconciliationPlan, RunState
from domain.settlements import SettlementTotal, TransactionFile
from tests.support.neighbours import KEYS
from tests.support.refunds import place_ended
from tests.support.service import Service
from tests.support.transactions import LATER, a_chunk, a_plan, a_row

HTML = {"Accept": "text/html,application/xhtml+xml"}
WICKED = "<script>alert(1)</script>.csv"
OPERATOR = httpx.BasicAuth("anybody", KEYS["ops"])
FILE = TransactionFile("acme", sha256(b"march").hexdigest(), WICKED, 3240)


async def a_run(service: Service) -> ReconciliationPlan:
    """A run over a file, compared: four rows of every scenario, a break, and a total."""
    database, plan = service.database, a_plan(file=FILE)
    books = BookStore(database)
    paid, unpaid = [await place_ended(database) for _ in range(2)]
    rows = [
        a_row(1, paid),
        a_row(2, unpaid, status="failed"),
        a_row(3, None, reference="pay_x", amount_minor=12345678, currency="USD"),
    ]
    net = Money(49900 - 998 - 180, "INR")
    nothing = Money(0, "INR")
    total = SettlementTotal("setl_1", net, nothing, nothing, LATER, "UTR77")
    await books.begin(plan, LATER)
    await books.stage(plan, a_chunk(*rows, totals=(total,)))
    await books.match(plan, LATER)
    return plan


async def page_of(service: Service, path: str) -> str:
    page = await service.stranger.get(path, auth=OPERATOR, headers=HTML)
    assert page.status_code == 200, page.text
    return page.text


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


async def test_a_browser_signs_in_with_the_operator_s_key(api: Service) -> None:
    for path in ("/reconciliations", "/reconciliations.html"):
        asked = await api.stranger.get(path, headers=HTML)
        assert asked.status_code == 401
        assert asked.headers["WWW-Authenticate"].startswith("Basic realm=")
        assert (await api.stranger.get(path, headers=HTML, auth=OPERATOR)).status_code == 200
        for wrong, status in ((("ops", "guess"), 401), (("ops", KEYS["shop"]), 403)):
            answer = await api.stranger.get(path, headers=HTML, auth=wrong)
            assert answer.status_code == status


async def test_the_table_that_a_page_links_to_opens_as_the_page_did(api: Service) -> None:
    plan = await a_run(api)
    link = f"/reconciliations/{plan.run_id}.csv"
    assert f'href="{link}"' in await page_of(api, f"/reconciliations/{plan.run_id}.html")
    assert "pay_x" in await page_of(api, link)


async def test_a_password_opens_nothing_but_pages(api: Service) -> None:
    plan = await a_run(api)
    run = f"/reconciliations/{plan.run_id}"
    for method, path in (
        ("GET", "/reconciliations"),
        ("GET", run),
        ("GET", "/cases"),
        ("POST", "/reconciliations"),
        ("POST", f"{run}/approve"),
        ("POST", "/transaction-files/razorpay"),
    ):
        headers = {} if path in ("/reconciliations", run) and method == "GET" else HTML
        answer = await api.stranger.request(method, path, auth=OPERATOR, headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), path


async def test_a_run_is_read_at_a_glance(api: Service) -> None:
    plan = await a_run(api)
    await BookStore(api.database).proceed(plan.run_id, RunState.DONE, LATER)
    for path in (f"/reconciliations/{plan.run_id}", f"/reconciliations/{plan.run_id}.html"):
        html = await page_of(api, path)
        words = words_of(html)
        for told in (
            "Paid in our orders 1 ₹499.00 1 ₹499.00",
            "At the gateway, and no order of ours 1 $123,456.78",
            "Money at risk ₹499.00 $123,456.78",
            "setl_1",
            "UTR77",
            "₹487.22, agrees",
            "Planned: ask the gateway first",
        ):
            assert told in words
        assert "http-equiv" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "<script" not in html


async def test_what_became_of_a_finding_is_said(api: Service) -> None:
    plan = await a_run(api)
    books, reads = BookStore(api.database), ReconciliationReads(api.database)
    for view in await reads.findings(plan.run_id):
        if view.finding.match is Match.OK_UNPAID:
            await books.answered(view.finding.finding_id, Answer.CONFIRMED, LATER)
        else:
            state = RepairState.LEFT
            await books.handed_over(view.finding.finding_id, state, "nobody knows it", LATER)
    words = words_of(await page_of(api, f"/reconciliations/{plan.run_id}.html"))
    assert "The gateway confirms the payment: all is well" in words
    assert "Left: nobody knows it" in words
    assert "Money at risk $123,456.78 Our" in words


@pytest.mark.parametrize("state", [RunState.REPAIRING, RunState.WAITING])
async def test_a_run_that_goes_on_is_shown_anew(api: Service, state: RunState) -> None:
    plan = await a_run(api)
    await BookStore(api.database).proceed(plan.run_id, state, LATER)
    html = await page_of(api, f"/reconciliations/{plan.run_id}.html")
    assert '<meta http-equiv="refresh" content="5">' in html
    assert ("Waits for an approval" in html) is (state is RunState.WAITING)


async def test_a_refused_file_says_why(api: Service) -> None:
    plan = a_plan(file=FILE, dry_run=True)
    books = BookStore(api.database)
    await books.begin(plan, LATER)
    await books.refuse(plan, "line 7: cut off", LATER)
    words = words_of(await page_of(api, f"/reconciliations/{plan.run_id}.html"))
    assert "Refused as a whole. line 7: cut off. Nothing of it was used." in words
    assert "A dry run" in words


async def test_the_list_leads_to_every_run(api: Service) -> None:
    assert "There are none yet" in await page_of(api, "/reconciliations")
    plan = await a_run(api)
    html = await page_of(api, "/reconciliations")
    assert f'href="/reconciliations/{plan.run_id}.html"' in html
    assert "<svg" in html


async def test_pages_are_kept_nowhere_and_run_nothing(api: Service) -> None:
    plan = await a_run(api)
    for path in ("/reconciliations.html", f"/reconciliations/{plan.run_id}.html"):
        page = await api.stranger.get(path, auth=OPERATOR)
        assert page.headers["Cache-Control"] == "no-store"
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script", page.text)
        for asset in re.findall(r'(?:src|href)="(/static/[^"]*)"', page.text):
            assert (await api.stranger.get(asset)).status_code == 200


async def test_the_picture_has_a_bar_for_each_run(api: Service) -> None:
    plan = await a_run(api)
    view = await ReconciliationReads(api.database).run(plan.run_id)
    runs = [replace(view, findings=each, settled=each // 2) for each in (0, 4, 8)]
    chart = chart_of(runs, plan.run_id)
    assert chart.most == 8
    assert [(bar.settled, bar.still_open) for bar in chart.bars] == [(0, 0), (30, 30), (60, 60)]
    assert [bar.open_from for bar in chart.bars] == [120, 60, 0]
    assert chart_of([]).bars == []


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (0, "INR", "₹0.00"),
        (99_900, "INR", "₹999.00"),
        (12_345_678_90, "INR", "₹1,23,45,678.90"),
        (-1_234_567, "INR", "-₹12,345.67"),
        (123_456_789, "USD", "$1,234,567.89"),
        (1_234_567, "JPY", "¥1,234,567"),
        (1_234_567, "KWD", "KWD 1,234.567"),
    ],
)
def test_amounts_are_grouped_as_people_read_them(minor: int, currency: str, text: str) -> None:
    assert grouped(Money(minor, currency)) == text


def test_currencies_are_never_added_up() -> None:
    assert amounts({"USD": 100, "INR": 5, "JPY": 7}) == ["₹0.05", "¥7", "$1.00"]
