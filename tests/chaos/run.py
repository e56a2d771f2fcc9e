"""One seed, played on the real stack: customers live, processes die, and all is counted."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic

from demo.client import Json, Mailbox, Service, Simulator
from local_stack import Stack
from local_stack.supervisor import supervised
from tests.chaos.customers import People, Story, insisting, live
from tests.chaos.facts import end_pending_refunds, facts_of, not_looked_for, quiet, unforwarded
from tests.chaos.invariants import Facts, violations
from tests.chaos.plan import AT_ONCE, ChaosPlan, Script
from tests.chaos.stack import Mortals, chaos_services, chaos_stack, wiped
from tests.support.postgres import mortal_server

RUN_ENDS = 90


@dataclass
class Outcome:
    """What came of a seed: blows that landed, orders by status, broken promises by order."""

    plan: ChaosPlan
    landed: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    captured: int = 0
    refunded: int = 0
    broken: list[str] = field(default_factory=list)
    seconds: float = 0

    @property
    def survived(self) -> bool:
        return not self.broken


async def play(plan: ChaosPlan, folder: Path) -> Outcome:
    """Play the plan on a fresh stack; nothing is left running."""
    outcome, began = Outcome(plan), monotonic()
    stack = chaos_stack(wiped(folder))
    async with AsyncExitStack() as life:
        mortal = None
        if plan.database == "postgresql":
            mortal = await life.enter_async_context(mortal_server())
        url = await mortal.server.create_database() if mortal else _sqlite(stack)
        house = chaos_services(stack, url)
        processes = await life.enter_async_context(supervised(house, stack.logs))
        keys = stack.keys
        people = People(
            await life.enter_async_context(Service(stack.url("API"), keys["client"])),
            await life.enter_async_context(Service(stack.url("API"), keys["operator"])),
            await life.enter_async_context(Simulator(stack.url("SIMULATOR"))),
        )
        mailbox = await life.enter_async_context(Mailbox(stack.url("MAILBOX")))
        world = Mortals(processes, mortal)
        stories = await _lives(people, plan, world, outcome)
        await _end(people, stories, outcome)
        outcome.broken += await not_looked_for(url)
        _judge([await facts_of(people, mailbox, story) for story in stories], outcome)
        outcome.broken += await unforwarded(url)
    outcome.seconds = monotonic() - began
    return outcome


async def _lives(
    people: People, plan: ChaosPlan, mortals: Mortals, outcome: Outcome
) -> list[Story]:
    began, slots = monotonic(), asyncio.Semaphore(AT_ONCE)

    async def one(script: Script) -> Story:
        async with slots:
            return await live(people, script, began)

    dying = asyncio.create_task(mortals.suffer(plan.blows, outcome.landed))
    stories = await asyncio.gather(*[one(script) for script in plan.scripts])
    dying.cancel()
    await asyncio.wait([dying])
    mortals.thaw_all()
    outcome.broken += [
        f"{s.order_id}: {line}" for s in stories for line in s.said if "VIOLATION" in line
    ]
    return stories


async def _end(people: People, stories: list[Story], outcome: Outcome) -> None:
    """Wait until all is quiet, and let the gateway's report tell the rest."""
    await end_pending_refunds(people, stories)
    await quiet(people, stories)
    if complaint := await _reconciled(people):
        outcome.broken.append(complaint)
    await quiet(people, stories)
    if await end_pending_refunds(people, stories):
        await quiet(people, stories)


async def _reconciled(people: People) -> str | None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    await asyncio.sleep((end - datetime.now(UTC)).total_seconds() + 0.1)
    start = (end - timedelta(hours=2)).isoformat()
    wish: Json = {"gateway": "razorpay", "from": start, "to": end.isoformat()}
    run_id = await insisting(partial(people.operator.reconcile, wish))
    state = ""
    for _ in range(RUN_ENDS * 2):
        state = (await insisting(partial(people.operator.reconciliation, run_id)))["state"]
        if state == "done":
            return None
        await asyncio.sleep(0.5)
    return f"{run_id} is still {state}"


def _judge(facts: list[Facts], outcome: Outcome) -> None:
    for known in facts:
        outcome.statuses[known.status] += 1
        outcome.captured += sum(p["amount"] for p in known.captures)
        outcome.refunded += sum(known.sent_back(p) for p in known.captures)
        for broken in violations(known):
            outcome.broken.append(f"{known.order['order_id']}: {broken} | {known.story()}")


def _sqlite(stack: Stack) -> str:
    return f"sqlite+aiosqlite:///{stack.folder.absolute() / 'paidonce.db'}"
