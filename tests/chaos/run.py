"""One seed, played on the real stack: customers live, processes die, and all is counted."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic

from demo.client import Json, Mailbox, Service, Simulator
from local_stack.supervisor import Process, supervised
from tests.chaos.customers import People, Story, insisting, live
from tests.chaos.facts import end_pending_refunds, facts_of, quiet, unforwarded
from tests.chaos.invariants import Facts, violations
from tests.chaos.plan import AT_ONCE, Blow, ChaosPlan
from tests.chaos.stack import chaos_services, chaos_stack, freeze, strike, thaw, wiped

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
        processes = await life.enter_async_context(supervised(chaos_services(stack), stack.logs))
        keys = stack.keys
        people = People(
            await life.enter_async_context(Service(stack.url("API"), keys["client"])),
            await life.enter_async_context(Service(stack.url("API"), keys["operator"])),
            await life.enter_async_context(Simulator(stack.url("SIMULATOR"))),
        )
        mailbox = await life.enter_async_context(Mailbox(stack.url("MAILBOX")))
        stories = await _lives(people, plan, processes, outcome)
        facts = await _reckon(people, mailbox, stories, outcome)
        _judge(facts, outcome)
        outcome.broken += unforwarded(stack.folder / "paidonce.db")
    outcome.seconds = monotonic() - began
    return outcome


async def _lives(
    people: People, plan: ChaosPlan, processes: Mapping[str, Process], outcome: Outcome
) -> list[Story]:
    began, slots = monotonic(), asyncio.Semaphore(AT_ONCE)

    async def one(script: object) -> Story:
        async with slots:
            return await live(people, script, began)  # type: ignore[arg-type]

    dying = asyncio.create_task(_blows(plan.blows, processes, outcome))
    stories = await asyncio.gather(*[one(script) for script in plan.scripts])
    dying.cancel()
    await asyncio.wait([dying])
    for process in processes.values():
        thaw(processes, process.name)
    outcome.broken += [
        f"{s.order_id}: {line}" for s in stories for line in s.said if "VIOLATION" in line
    ]
    return stories


async def _blows(
    blows: tuple[Blow, ...], processes: Mapping[str, Process], outcome: Outcome
) -> None:
    began = monotonic()
    for blow in blows:
        await asyncio.sleep(max(0.0, blow.at - (monotonic() - began)))
        if blow.frozen_for:
            outcome.landed[f"{blow.victim} frozen"] += freeze(processes, blow.victim)
            await asyncio.sleep(blow.frozen_for)
            thaw(processes, blow.victim)
        else:
            outcome.landed[f"{blow.victim} killed"] += strike(processes, blow.victim)


async def _reckon(
    people: People, mailbox: Mailbox, stories: list[Story], outcome: Outcome
) -> list[Facts]:
    """Wait until all is quiet, let the gateway's report tell the rest, and ask everybody."""
    await end_pending_refunds(people, stories)
    await quiet(people, stories)
    if complaint := await _reconciled(people):
        outcome.broken.append(complaint)
    await quiet(people, stories)
    if await end_pending_refunds(people, stories):
        await quiet(people, stories)
    return [await facts_of(people, mailbox, story) for story in stories]


async def _reconciled(people: People) -> str | None:
    now = datetime.now(UTC)
    wish: Json = {
        "gateway": "razorpay",
        "from": (now - timedelta(hours=2)).isoformat(),
        "to": (now + timedelta(seconds=2)).isoformat(),
    }
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
