"""The rig itself: a seed is a plan, a broken promise is seen, and a short seed breaks none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.client import Json
from tests.chaos.invariants import Facts, violations
from tests.chaos.plan import WAYS, drawn
from tests.chaos.run import play

PAID: Json = {
    "order_id": "ord_1",
    "status": "paid",
    "amount": 49900,
    "currency": "INR",
    "cases": [],
    "refunds": [],
    "timeline": [
        {"event": "placed", "status": "created", "evidence": None},
        {"event": "checkout_started", "status": "awaiting_payment", "evidence": None},
        {"event": "concluded", "status": "paid", "evidence": {"kind": "webhook"}},
    ],
}
CAPTURE: Json = {
    "id": "pay_1",
    "status": "captured",
    "captured": True,
    "amount": 49900,
    "currency": "INR",
}
LINK: Json = {"id": "plink_1", "status": "paid"}
MAIL: Json = {"message_id": "<ord_1.confirmation@shop>", "digest": "a"}
OPEN_CASE: Json = {"case_id": "case_1", "status": "open", "decision": None}
BACK: Json = {"payment_id": "pay_1", "amount": 100, "status": "processed"}
# What once broke a promise, with 200 customers; docs/reliability.md says which.
REGRESSIONS = [(3, "sqlite"), (18, "postgresql"), (20, "postgresql")]
GOOD = Facts(PAID, {"links": [LINK], "payments": [CAPTURE], "refunds": []}, [MAIL])


def with_order(**changes: Any) -> Facts:
    return replace(GOOD, order=PAID | changes)


def with_ledger(**changes: Any) -> Facts:
    return replace(GOOD, ledger=GOOD.ledger | changes)


def test_the_same_seed_makes_the_same_plan() -> None:
    assert drawn(7, 50) == drawn(7, 50)
    assert drawn(7, 50) != drawn(8, 50)
    assert drawn(7, 50, "postgresql").blows != drawn(7, 50).blows


def test_a_long_plan_has_every_fault_and_every_way() -> None:
    injected = drawn(1, 400, "postgresql").injected
    assert {f"customer {way}" for way in WAYS} <= injected.keys()
    assert {"worker killed", "api killed", "temporal killed", "database killed"} <= injected.keys()
    assert {"mailbox frozen", "lost_create_answer", "forged webhooks"} <= injected.keys()


def test_promises_that_are_kept_are_not_complained_of() -> None:
    assert violations(GOOD) == []


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        (with_order(status="awaiting_payment"), "still awaiting_payment"),
        (with_order(status="needs_review"), "no case waits"),
        (
            with_order(cases=[{"case_id": "case_1", "status": "open"} | {"decision": None}]),
            "settles",
        ),
        (with_ledger(payments=[]), "holds 0 payments"),
        (with_ledger(payments=[CAPTURE, CAPTURE | {"id": "pay_2"}]), "holds 2 payments"),
        (with_order(status="expired"), "still holds"),
        (with_ledger(payments=[CAPTURE | {"amount": 100}]), "not the price"),
        (with_ledger(refunds=[BACK | {"amount": 60000}]), "sent back of"),
        (with_ledger(refunds=[BACK]), "we know other refunds"),
        (with_ledger(links=[LINK | {"status": "created"}]), "can still be paid"),
        (with_ledger(links=[{"id": n, "status": "created"} for n in "ab"]), "2 live links"),
        (replace(GOOD, mails=[]), "nobody was told"),
        (replace(GOOD, mails=[MAIL, MAIL | {"digest": "b"}]), "copies that differ"),
        (replace(GOOD, mails=[MAIL, MAIL | {"message_id": "<2.confirmation@x>"}]), "2 different"),
        (with_order(timeline=[*PAID["timeline"], PAID["timeline"][1]]), "from paid to awaiting"),
        (with_order(timeline=[PAID["timeline"][2] | {"evidence": None}]), "without proof"),
    ],
)
def test_a_broken_promise_is_seen(facts: Facts, complaint: str) -> None:
    assert any(complaint in broken for broken in violations(facts)), violations(facts)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_short_seed_keeps_every_promise(tmp_path: Path) -> None:
    outcome = await play(drawn(1, 12), tmp_path / "stack")
    assert outcome.broken == []
    assert outcome.landed


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("seed", "database"), REGRESSIONS)
async def test_a_seed_that_once_broke_a_promise_keeps_it(
    seed: int, database: str, tmp_path: Path
) -> None:
    assert (await play(drawn(seed, 200, database), tmp_path / "stack")).broken == []
