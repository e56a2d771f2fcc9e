"""Whatever happens to orders, in whatever order, the gateway holds what the live orders are owed.

Random things happen to several orders at once while their worker is killed and replaced. A play is
repeated with `PLAY_SEED=seed`; `PLAYS=number` plays more of them.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import httpx
import pytest

from tests.support.doomed import worker_process
from tests.support.money import kept, until
from tests.support.neighbours import Neighbours
from tests.support.service import Json, Service, running_service

pytestmark = pytest.mark.slow

PLAYS = int(os.environ.get("PLAYS", "1"))
# Those who run side by side must all draw the same, or they would not run the same tests.
TEST_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(8))
FIRST = int(os.environ.get("PLAY_SEED", Random(TEST_RUN).randrange(10**9)))
SEEDS = [FIRST + number for number in range(PLAYS)]
ORDERS, STEPS, KILLS = 8, 6, 2
WINDOW = 6
FULFILLED = ("paid", "partially_refunded", "refunded")
ENDED = (*FULFILLED, "failed", "expired", "canceled", "needs_review")
# Late money that no webhook tells of is found in the gateway's transaction file, not here.
HABITS: tuple[Json, ...] = (
    {},
    {"duplicate_webhooks": 2},
    {"shuffled_webhooks": True},
    {"late_webhook": 1},
    {"wrong_amount": 100},
)
REFUND_FATES: tuple[Json, ...] = (
    {},
    {"lost_refund_answer": 1},
    {"refund_pending": True},
    {"refund_fails": True},
    {"refund_refused": "balance"},
)


class Life:
    """One order, and everything that happens to it; refusals are part of life."""

    def __init__(self, service: Service, random: Random) -> None:
        self.service, self.simulator, self.random = service, service.simulator, random
        self.order_id, self.url = "", ""
        self.habit = random.choice(HABITS)
        self.story: list[str] = []

    async def live(self) -> None:
        sku = self.random.choice(["coffee-beans", "electricity-bill"])
        self.order_id = await self.service.place(sku)
        await self.simulator.faults(self.order_id, **self.habit)
        answer = await self.service.shop.post(f"/orders/{self.order_id}/checkout")
        self.url = answer.json().get("payment_url") or ""
        deeds = [self.pay, self.fail, self.cancel, self.wait, self.come_late, self.come_late]
        deeds += [self.refund, self.refund, self.settle_refunds, self.reverse, self.decide]
        for deed in self.random.choices(deeds, k=STEPS):
            self.story.append(deed.__name__)
            await deed()
            await asyncio.sleep(self.random.uniform(0, 0.5))

    async def pay(self, outcome: str = "success") -> None:
        if self.url:
            answer = await self.simulator.pay(self.url, outcome=outcome)
            if back := answer.headers.get("Location"):
                await self.service.stranger.get(back)

    async def fail(self) -> None:
        await self.pay("failure")

    async def cancel(self) -> None:
        await self.service.shop.post(f"/orders/{self.order_id}/cancel")

    async def wait(self) -> None:
        """Until the order has ended; a worker may be dead for most of that."""
        with suppress(AssertionError):
            await until(self.order, lambda order: order["status"] in ENDED)

    async def come_late(self) -> None:
        """Money comes, whatever became of the link; the first one that comes pays."""
        with suppress(httpx.HTTPStatusError):  # there is no link yet
            status = self.random.choice(["captured", "captured", "authorized"])
            await self.simulator.pay_late(self.order_id, status=status)

    async def refund(self) -> None:
        """One request, three times at once; and what becomes of it at the gateway."""
        fate = self.random.choice(REFUND_FATES)
        await self.simulator.faults(self.order_id, **self.habit | fate)
        body: Json = {"reason": "it broke"}
        if self.random.random() < 0.6:
            body["amount"] = self.random.choice([100, 20000, 49900])
        key = {"Idempotency-Key": f"{self.order_id}-{len(self.story)}"}
        path = f"/orders/{self.order_id}/refunds"
        asked = [self.service.ops.post(path, json=body, headers=key) for _ in range(3)]
        answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} <= {202, 409}, answers[0].text
        made = [answer.json()["refund_id"] for answer in answers if answer.status_code == 202]
        assert len(set(made)) <= 1, made

    async def settle_refunds(self) -> None:
        for refund in (await self.ledger())["refunds"]:
            if refund["status"] == "pending":
                outcome = self.random.choice(["processed", "failed"])
                await self.simulator.settle_refund(refund["id"], outcome)

    async def reverse(self) -> None:
        for refund in (await self.ledger())["refunds"]:
            if refund["status"] == "processed":
                await self.simulator.settle_refund(refund["id"], "failed")

    async def decide(self) -> None:
        for case in (await self.order())["cases"]:
            if case["status"] == "waiting":
                verdict = self.random.choice(["honour", "refund", "dismiss"])
                word = {"verdict": verdict, "reason": "so be it"}
                answer = await self.service.ops.post(f"/cases/{case['case_id']}", json=word)
                assert answer.status_code in (200, 409, 503), answer.text

    async def order(self) -> Json:
        return await self.service.order(self.order_id)

    async def ledger(self) -> Json:
        return await self.simulator.ledger(self.order_id)

    async def come_to_rest(self) -> Json:
        """The order once nothing will change any more by itself, and the money agrees."""
        await self.simulator.faults(self.order_id, **self.habit)

        async def look() -> Json:
            await self.settle_refunds()
            await self.release()
            order = await self.order()
            held = await kept(self.simulator, self.order_id)
            return {"kept": held, "owed": owed(order), "story": self.story, "order": order}

        def has_ended(seen: Json) -> bool:
            return is_at_rest(seen["order"]) and agrees(seen) and self.is_told(seen["order"])

        order: Json = (await until(look, has_ended))["order"]
        return order

    async def release(self) -> None:
        """The gateway gives back what nobody captures; it does so by itself after some days."""
        for payment in (await self.ledger())["payments"]:
            if payment["status"] == "authorized":
                with suppress(httpx.HTTPStatusError):
                    await self.simulator.release(payment["id"])

    def is_told(self, order: Json) -> bool:
        """One Message-ID for the confirmation, and one for each refund that succeeded."""
        told = {str(mail["Message-ID"]) for mail in self.service.mails.so_far(self.order_id)}
        confirmed = {each for each in told if "confirmation" in each}
        done = {each["refund_id"] for each in order["refunds"] if each["status"] == "succeeded"}
        ever = {each["refund_id"] for each in order["refunds"]}
        noticed = {each.removeprefix("<").split(".")[0] for each in told - confirmed}
        is_confirmed = len(confirmed) == (order["status"] in FULFILLED)
        return is_confirmed and done <= noticed <= ever

    async def agree_payments(self) -> None:
        """No payment gives back more than it brought."""
        ledger = await self.ledger()
        for payment in ledger["payments"]:
            back = [r["amount"] for r in ledger["refunds"] if is_out(r, payment["id"])]
            brought = payment["amount"] if payment["captured"] else 0
            assert sum(back) <= brought, self.story


def is_out(refund: Json, payment_id: str) -> bool:
    return bool(refund["payment_id"] == payment_id and refund["status"] != "failed")


def is_at_rest(order: Json) -> bool:
    refunds = {refund["status"] for refund in order["refunds"]}
    cases = {case["status"] for case in order["cases"]}
    review = order["status"] == "needs_review"
    settled = order["status"] in ENDED and (not review or "waiting" in cases)
    return settled and refunds <= {"succeeded", "failed"} and cases <= {"settled", "waiting"}


def owed(order: Json) -> int:
    """What we hold by right: for the goods, or because a case waits for (or has had) a word."""
    back: dict[str, int] = {}
    for refund in order["refunds"]:
        if refund["status"] == "succeeded":
            reference = refund["gateway_reference"]
            back[reference] = back.get(reference, 0) + refund["amount"]
    ours = {c["gateway_reference"]: c["amount"] for c in order["cases"] if is_held(c)}
    if order["status"] in FULFILLED:
        ours |= fulfilling(order)
    return sum(amount - back.get(reference, 0) for reference, amount in ours.items())


def is_held(case: Json) -> bool:
    """What was only authorized is not ours yet; once captured, it is another case."""
    held = case["status"] == "waiting" or case["outcome"] == "dismissed"
    return bool(held and case["verdict"] != "late_authorization")


def fulfilling(order: Json) -> dict[str, int]:
    """The payment that was honoured, or else the one that never was a case."""
    honoured = [c for c in order["cases"] if c["outcome"] == "honoured"]
    cased = {case["gateway_reference"] for case in order["cases"]}
    plain = [p for p in order["payments"] if p["status"] == "captured"]
    free = honoured or [p for p in plain if p["gateway_reference"] not in cased]
    return {payment["gateway_reference"]: payment["amount"] for payment in free}


def agrees(seen: Json) -> bool:
    return bool(seen["kept"] == seen["owed"])


@asynccontextmanager
async def dying_workers(service: Service, random: Random) -> AsyncIterator[None]:
    """A worker that is killed now and then, and another in its place; one lasts to the end."""

    async def work() -> None:
        for _ in range(KILLS):
            with worker_process(service.settings):
                await asyncio.sleep(random.uniform(2, 5))
        with worker_process(service.settings):
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_gateway_holds_what_live_orders_are_owed(
    seed: int, neighbours: Neighbours, sqlite_database_url: str
) -> None:
    random = Random(seed)
    patience: dict[str, Any] = {"refund_first_look": 0.3, "refund_slowest_look": 1}
    window: dict[str, Any] = {"checkout_window": WINDOW, "quiet_delays": (2,), "slowest_query": 2}
    budget: dict[str, Any] = {"refund_budget_count": 1000, "refund_budget_minor": {}}
    async with running_service(
        neighbours, sqlite_database_url, worker=False, **patience | window | budget
    ) as service:
        lives = [Life(service, Random(f"{seed}-{n}")) for n in range(ORDERS)]
        async with dying_workers(service, random):
            await asyncio.gather(*(life.live() for life in lives))
            orders = await asyncio.gather(*(life.come_to_rest() for life in lives))
            await service.hear_out()
        for life, order in zip(lives, orders, strict=True):
            assert life.is_told(order), life.story
            await life.agree_payments()
