"""Reconciliation over HTTP: files come in, runs are started, and what they found is told."""

import asyncio
import csv
import io
import tracemalloc
from collections.abc import AsyncIterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from db.books import BookStore
from domain.findings import Match
from domain.reconciliations import ReconciliationPlan
from domain.settlements import Entry
from tests.gateways.razorpay_rows import csv_of, payment
from tests.support.money import until
from tests.support.neighbours import Neighbours
from tests.support.refunds import place_ended
from tests.support.service import Json, Service, running_service
from tests.support.transactions import LATER, a_chunk, a_plan, a_row

MIB = 1024 * 1024
FORMULA = "=HYPERLINK(1)"


async def send(service: Service, content: Any, **query: str) -> httpx.Response:
    return await service.ops.post("/transaction-files/razorpay", content=content, params=query)


async def compared(service: Service, rows: list[Entry], **changes: Any) -> ReconciliationPlan:
    """A run over these rows, recorded and compared as a worker would, but not repaired."""
    plan, books = a_plan(**changes), BookStore(service.database)
    await books.begin(plan, LATER)
    await books.stage(plan, a_chunk(*rows))
    await books.match(plan, LATER)
    return plan


async def one_of_each(service: Service) -> list[Entry]:
    """A row that agrees, one for nobody with a wicked name, and a payment made twice."""
    order_id = await place_ended(service.database)
    return [
        a_row(1, order_id),
        a_row(2, None, reference=FORMULA),
        a_row(3, order_id, reference="pay_2"),
    ]


def kept_files(service: Service) -> list[Path]:
    root = Path(service.settings.transaction_files)
    return sorted(path for path in root.rglob("*") if path.is_file())


async def test_a_file_is_kept_and_its_run_has_its_name(api: Service) -> None:
    content = csv_of([payment()])
    digest = sha256(content).hexdigest()
    answer = await send(api, content, name="march.csv")
    assert answer.status_code == 202, answer.text
    run_id = answer.json()["run_id"]
    assert run_id == f"reconciliation-razorpay-{digest[:32]}"
    assert [path.read_bytes() for path in kept_files(api)] == [content]
    run = (await api.ops.get(f"/reconciliations/{run_id}")).json()
    assert run["file"] == {"name": "march.csv", "sha256": digest, "size": len(content)}
    assert (run["state"], run["rows"], run["period"], run["dry_run"]) == ("staging", 0, None, False)


async def test_the_same_file_again_is_the_same_run(api: Service) -> None:
    content = csv_of([payment()])
    answers = await asyncio.gather(
        *(send(api, content, name=name) for name in ("a.csv", "b.csv", "a.csv"))
    )
    assert len({answer.json()["run_id"] for answer in answers}) == 1
    assert len(kept_files(api)) == 1
    assert len((await api.ops.get("/reconciliations")).json()) == 1
    dry = await send(api, content, dry_run="true")
    assert dry.json()["run_id"] == f"{answers[0].json()['run_id']}-dry"


async def test_a_file_may_speak_for_a_period(api: Service) -> None:
    period = {"from": "2026-11-01T00:00:00+05:30", "to": "2026-11-02T00:00:00+05:30"}
    answer = await send(api, csv_of([payment()]), **period)
    run = (await api.ops.get(f"/reconciliations/{answer.json()['run_id']}")).json()
    assert run["period"] == {"from": "2026-10-31T18:30:00Z", "to": "2026-11-01T18:30:00Z"}
    for wrong in ({"from": period["from"]}, {"from": period["to"], "to": period["from"]}):
        assert (await send(api, b"x", **wrong)).status_code == 422
    assert len(kept_files(api)) == 1


async def test_a_large_file_is_never_whole_in_memory(api: Service) -> None:
    async def content() -> AsyncIterator[bytes]:
        for number in range(800):
            yield number.to_bytes(2, "big") * (MIB // 32)

    tracemalloc.start()
    try:
        answer = await api.ops.post("/transaction-files/razorpay", content=content(), timeout=60)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 202, answer.text
    (kept,) = kept_files(api)
    assert kept.stat().st_size == 50 * MIB
    assert peak < 12 * MIB


async def test_a_file_that_breaks_off_is_not_kept(api: Service) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"x" * MIB
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await send(api, content())
    await until(lambda: files_of(api), lambda files: files == [])
    assert (await api.ops.get("/reconciliations")).json() == []


async def files_of(service: Service) -> list[Path]:
    return kept_files(service)


async def test_only_gateways_that_are_here_are_reconciled(api: Service) -> None:
    answer = await api.ops.post("/transaction-files/acme", content=b"x")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-gateway")
    answer = await api.ops.post("/reconciliations", json=a_period(gateway="acme"))
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/unknown-gateway")


def a_period(**changes: Any) -> Json:
    period = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
    return {"gateway": "razorpay"} | period | changes


async def test_a_period_is_one_run_for_each_report(api: Service) -> None:
    ids = [
        (await api.ops.post("/reconciliations", json=a_period(**more))).json()["run_id"]
        for more in ({}, {}, {"report": "settlements"}, {"dry_run": True})
    ]
    named = "reconciliation-razorpay-{}-20261101T000000Z-20261102T000000Z"
    transactions = named.format("transactions")
    assert ids == [
        *(transactions, transactions, named.format("settlements")),
        f"{transactions}-dry",
    ]
    runs = (await api.ops.get("/reconciliations", params={"limit": 2})).json()
    rest = await api.ops.get("/reconciliations", params={"after": runs[-1]["run_id"]})
    assert {run["run_id"] for run in [*runs, *rest.json()]} == set(ids)
    assert (await api.ops.get("/reconciliations", params={"gateway": "acme"})).json() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "2026-11-01T00:00:00Z"},
        {"to": "2999-11-01T00:00:00Z"},
        {"from": "2025-10-31T00:00:00Z"},
        {"from": "0586-11-01T00:00:00Z", "report": "settlements"},
        {"from": "2026-11-01"},
        {"report": "balances"},
        {"dry_run": "yes"},
        {"surprise": 1},
    ],
)
async def test_a_period_that_is_none_is_refused(api: Service, wrong: Json) -> None:
    answer = await api.ops.post("/reconciliations", json=a_period(**wrong))
    assert answer.status_code == 422
    assert (await api.ops.get("/reconciliations")).json() == []


async def test_a_run_is_told_with_what_it_found(api: Service) -> None:
    plan = await compared(api, await one_of_each(api))
    run = (await api.ops.get(f"/reconciliations/{plan.run_id}")).json()
    assert {tally["match"]: tally["rows"] for tally in run["tallies"]} == {
        "ok_paid": 1,
        "missing_in_orders": 1,
        "duplicate_payment": 1,
    }
    assert (run["findings"], run["settled"]) == (2, 0)
    assert run["at_risk"] == [{"amount": 99800, "currency": "INR"}]
    found = {each["match"]: each for each in run["disagreements"]}
    assert found["duplicate_payment"]["reference"] == "pay_2"
    assert found["duplicate_payment"]["plan"] == "refund"
    assert found["missing_in_orders"]["file_amount"] == {"amount": 49900, "currency": "INR"}
    (settlement,) = run["settlements"]
    assert (settlement["gross"], settlement["fee"], settlement["tax"]) == (149700, 2994, 540)


async def test_disagreements_are_read_a_page_at_a_time(api: Service) -> None:
    plan = await compared(api, await one_of_each(api))
    path = f"/reconciliations/{plan.run_id}"
    first = (await api.ops.get(path, params={"limit": 1})).json()
    assert first["disagreements"][0]["finding_id"] == first["next"]
    second = (await api.ops.get(path, params={"limit": 1, "after": first["next"]})).json()
    assert second["disagreements"][0]["finding_id"] != first["next"]
    query = {"match": Match.DUPLICATE_PAYMENT}
    (only,) = (await api.ops.get(path, params=query)).json()["disagreements"]
    assert only["match"] == "duplicate_payment"
    assert (await api.ops.get(path, params={"after": "fnd_none"})).status_code == 404


async def test_the_table_of_breaks_calculates_nothing(api: Service) -> None:
    plan = await compared(api, await one_of_each(api))
    answer = await api.ops.get(f"/reconciliations/{plan.run_id}.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f'filename="{plan.run_id}.csv"' in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["class"] for row in rows] == ["missing_in_orders", "duplicate_payment"]
    assert [row["reference"] for row in rows] == [f"'{FORMULA}", "pay_2"]
    assert [row["amount_at_gateway"] for row in rows] == ["499.00", "499.00"]
    assert [row["settled"] for row in rows] == ["no", "no"]


async def test_a_table_is_whole_however_long_it_is(api: Service) -> None:
    rows = [a_row(number, None, reference=f"pay_{number}") for number in range(1, 1203)]
    plan = await compared(api, rows)
    table = (await api.ops.get(f"/reconciliations/{plan.run_id}.csv")).text
    assert {row["reference"] for row in csv.DictReader(io.StringIO(table))} == {
        row.reference for row in rows
    }


async def test_who_knows_no_run_is_told_so(api: Service) -> None:
    for end in ("", ".csv", ".html"):
        answer = await api.ops.get(f"/reconciliations/reconciliation-x{end}")
        assert (answer.status_code, answer.json()["type"]) == (
            404,
            "/problems/reconciliation-not-found",
        )
    answer = await api.ops.post("/reconciliations/x/approve", json={"reason": "so it is"})
    assert answer.status_code == 404


async def test_a_run_that_has_ended_takes_no_word(api: Service) -> None:
    plan = await compared(api, [])
    path = f"/reconciliations/{plan.run_id}/approve"
    answer = await api.ops.post(path, json={"reason": "so it is"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/word-not-wanted")
    assert (await api.ops.post(path, json={"reason": ""})).status_code == 422


async def test_without_temporal_nothing_is_promised(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    async with running_service(
        neighbours, sqlite_database_url, worker=False, temporal_address="127.0.0.1:1"
    ) as service:
        answer = await send(service, csv_of([payment()]))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert (await service.ops.get("/reconciliations")).json() == []


async def test_a_refused_file_says_why_and_may_be_sent_again(service: Service) -> None:
    content = csv_of([payment(), payment(2, tax="1.80")])
    for _ in range(2):
        run_id = str((await send(service, content)).json()["run_id"])
        run = await until(partial(run_of, service, run_id), ended)
        assert (run["state"], run["rows"]) == ("refused", 0)
        assert run["why"].startswith("line 3: debit and credit do not follow")


async def test_a_run_goes_on_once_its_money_is_approved(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    async with running_service(
        neighbours, sqlite_database_url, reconciliation_budget_count=0
    ) as service:
        run_id = await a_run_over_a_late_payment(service)
        waiting = await until(lambda: run_of(service, run_id), waits)
        assert [each["plan"] for each in waiting["disagreements"]] == ["refund"]
        path = f"/reconciliations/{run_id}/approve"
        answer = await service.ops.post(path, json={"reason": "seen the list"})
        assert answer.status_code == 200, answer.text
        run = await until(lambda: run_of(service, run_id), ended)
        (approval,) = run["approvals"]
        assert (approval["actor"], approval["reason"]) == ("ops", "seen the list")
        run = await until(lambda: run_of(service, run_id), lambda run: run["settled"] == 1)
        assert (run["state"], run["at_risk"]) == ("done", [])
        (refund,) = run["disagreements"]
        assert (refund["case_outcome"], refund["refund_status"]) == ("refunded", "succeeded")
        assert (await service.ops.post(path, json={"reason": "again"})).status_code == 409


async def a_run_over_a_late_payment(service: Service) -> str:
    """A second payment of a paid order that only the file tells of."""
    order_id = await service.paid()
    await service.simulator.faults(order_id, no_webhook=True)
    await service.simulator.pay_late(order_id)
    await service.simulator.pay_out()
    return str((await send(service, await service.simulator.csv())).json()["run_id"])


def waits(run: Json) -> bool:
    return bool(run["state"] == "waiting")


async def run_of(service: Service, run_id: str) -> Json:
    run: Json = (await service.ops.get(f"/reconciliations/{run_id}")).json()
    return run


def ended(run: Json) -> bool:
    return run["state"] in ("done", "refused")
