"""Everything that is known at the end, asked of everybody."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from time import monotonic
from typing import Any

from sqlmodel import col, select

from db.engine import Database
from db.links import LOOKED_FOR_AGAIN_AFTER
from db.tables import InboxRow, InboxState, PaymentLinkRow
from demo.client import Json, Mailbox, Problem
from tests.chaos.customers import People, Story, insisting
from tests.chaos.invariants import ENDS, Facts

QUIET_AFTER = 150.0
HELD_FOR = 30.0
SWEPT_WITHIN = 120.0


async def facts_of(people: People, mailbox: Mailbox, story: Story) -> Facts:
    order = await insisting(partial(people.shop.order, story.order_id))
    ledger = await insisting(partial(people.simulator.ledger, story.order_id))
    mails = await insisting(partial(mailbox.mails, story.order_id))
    copies = [mail | {"digest": await _digest(mailbox, mail)} for mail in mails]
    return Facts(order, ledger, copies, story.said)


async def quiet(people: People, stories: Sequence[Story], seconds: float = QUIET_AFTER) -> int:
    """Wait until every order has ended and nothing is under way; how many are not so in the end.

    What is only held, and not captured meanwhile, goes back, as it does at a gateway after days;
    and so do refunds that the bank thinks about.
    """
    left, began = {story.order_id for story in stories}, monotonic()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while left:
                left = {order_id for order_id in left if not await _is_quiet(people, order_id)}
                if monotonic() - began > HELD_FOR:
                    await asyncio.gather(*(_give_back(people, order_id) for order_id in left))
                await asyncio.sleep(1)
    return len(left)


async def end_pending_refunds(people: People, stories: Sequence[Story]) -> int:
    """Let the gateway finish every refund that it holds back; how many that were."""
    ended = 0
    for story in stories:
        ended += await _end_refunds(
            people, await insisting(partial(people.simulator.ledger, story.order_id))
        )
    return ended


async def unforwarded(database_url: str) -> list[str]:
    """I5: stored webhooks that nobody has forwarded, the sweep neither, which may be about to."""
    lost = select(InboxRow).where(InboxRow.state == InboxState.NEW)
    rows = await _left_by_the_sweep(database_url, lost, SWEPT_WITHIN)
    return [f"inbox row {row.id}: {row.kind}" for row in rows]


async def not_looked_for(database_url: str) -> list[str]:
    """Links that were given up as missing, and that the sweep has yet to look for once more."""
    given_up = select(PaymentLinkRow).where(col(PaymentLinkRow.look_again_at).is_not(None))
    seconds = SWEPT_WITHIN + LOOKED_FOR_AGAIN_AFTER.total_seconds()
    rows = await _left_by_the_sweep(database_url, given_up, seconds)
    return [f"{row.order_id}: nobody has looked again for {row.key}" for row in rows]


async def _left_by_the_sweep(database_url: str, query: Any, seconds: float) -> Sequence[Any]:
    async with Database(database_url) as database:
        began = monotonic()
        while True:
            async with database.read() as session:
                rows: Sequence[Any] = (await session.exec(query)).all()
            if not rows or monotonic() - began > seconds:
                return rows
            await asyncio.sleep(1)


async def _end_refunds(people: People, ledger: Json) -> int:
    pending = [refund["id"] for refund in ledger["refunds"] if refund["status"] == "pending"]
    for refund in pending:
        path = f"refunds/{refund}/settle"
        await insisting(partial(people.simulator.control, path, outcome="processed"))
    return len(pending)


async def _give_back(people: People, order_id: str) -> None:
    ledger = await insisting(partial(people.simulator.ledger, order_id))
    await _end_refunds(people, ledger)
    for payment in ledger["payments"]:
        if payment["status"] == "authorized":
            path = f"payments/{payment['id']}/release"
            with suppress(Problem):  # it was captured meanwhile
                await insisting(partial(people.simulator.control, path))


async def _is_quiet(people: People, order_id: str) -> bool:
    order = await insisting(partial(people.shop.order, order_id))
    under_way = [c for c in order["cases"] if c["status"] == "open"]
    going = [r for r in order["refunds"] if r["status"] in ("requested", "pending")]
    return order["status"] in ENDS and not under_way and not going


async def _digest(mailbox: Mailbox, mail: Json) -> str:
    answer = await insisting(partial(mailbox.call, "GET", f"/messages/{mail['n']}/raw"))
    return sha256(answer.content).hexdigest()
