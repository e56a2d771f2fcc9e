"""Customers, and an operator, who do not give up when nobody answers."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import TypeVar

import httpx

from demo.client import Json, Problem, Service, Simulator
from tests.chaos.plan import Script

T = TypeVar("T")
PATIENCE = 90.0
CONCLUDED = frozenset(
    {"paid", "failed", "expired", "canceled", "needs_review", "partially_refunded", "refunded"}
)


@dataclass
class People:
    """Everybody's ways into the service and the simulator."""

    shop: Service
    operator: Service
    simulator: Simulator


@dataclass
class Story:
    """What one customer did and was told, with the seconds since the beginning."""

    script: Script
    began: float
    order_id: str = ""
    price: int = 0
    link: str = ""
    refused_refunds: int = 0
    said: list[str] = field(default_factory=list)
    way_back: str = ""

    def note(self, what: str) -> None:
        self.said.append(f"{monotonic() - self.began:.1f} s {what}")


async def insisting(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat what was not answered; raises `Problem` for a final answer, or after a long while."""
    until = monotonic() + PATIENCE
    while True:
        try:
            return await call()
        except Problem as problem:
            if problem.is_final or monotonic() > until:
                raise
        await asyncio.sleep(0.3)


async def live(people: People, script: Script, began: float) -> Story:
    """One customer's life, from the basket to the last refund."""
    story = Story(script, began)
    await asyncio.sleep(script.pause)
    await _order(people, story)
    try:
        await WAYS[script.way](people, story)
        await _refund(people, story)
    except Problem as problem:
        story.note(f"gave up: {problem}")
    return story


async def _order(people: People, story: Story) -> None:
    script, key = story.script, secrets.token_hex(16)
    body: Json = {
        "user_id": f"chaos-{script.number}",
        "email": f"customer-{script.number}@example.com",
        "items": [{"sku": script.sku, "quantity": script.quantity}],
    }
    order = await insisting(lambda: people.shop.create_order(body, key))
    story.order_id, story.price = order["order_id"], order["amount"]
    story.note("ordered")
    await insisting(partial(people.simulator.set_faults, story.order_id, script.faults))


async def _click(people: People, story: Story) -> None:
    async def click() -> Json:
        return await people.shop.checkout(story.order_id, tries=30)

    checkouts = await asyncio.gather(*[insisting(click) for _ in range(story.script.clicks)])
    links = {checkout["payment_url"] for checkout in checkouts if checkout["payment_url"]}
    story.note(f"clicked {story.script.clicks} times: {len(links)} link")
    if len(links) > 1:
        story.note("VIOLATION two links for one order")
    story.link = next(iter(links), "")
    if story.script.forged:
        await insisting(partial(people.simulator.forge_webhook, story.order_id))


async def _attempt(people: People, story: Story, outcome: str = "success") -> None:
    """A page that cannot be reached is reloaded; one that is closed by now says so."""
    if not story.link:
        return
    method = story.script.method
    try:
        answer = await insisting(
            lambda: people.simulator.attempt(story.link, outcome, method, delay=0)
        )
    except Problem as problem:
        story.note(f"{outcome} not possible: {problem.status}")
        return
    story.way_back = answer.headers.get("Location", "")
    story.note(f"{outcome} at the gateway's page")


async def _return(story: Story) -> None:
    if not story.way_back:
        return
    async with httpx.AsyncClient(timeout=10, trust_env=False) as browser:
        try:
            answer = await browser.get(story.way_back)
            story.note(f"came back: {answer.status_code}")
        except httpx.HTTPError as error:
            story.note(f"could not come back: {type(error).__name__}")


async def _pays(people: People, story: Story) -> None:
    await _click(people, story)
    await _attempt(people, story)


async def _pays_and_returns(people: People, story: Story) -> None:
    await _pays(people, story)
    await _return(story)


async def _fails_then_pays(people: People, story: Story) -> None:
    await _click(people, story)
    await _attempt(people, story, "failure")
    await _attempt(people, story)
    await _return(story)


async def _fails(people: People, story: Story) -> None:
    await _click(people, story)
    await _attempt(people, story, "failure")


async def _never_clicks(people: People, story: Story) -> None:
    story.note("goes away")


async def _pays_slowly(people: People, story: Story) -> None:
    await _click(people, story)
    await _attempt(people, story, "pending")
    await asyncio.sleep(3)
    await _settle_pending(people, story)


async def _pays_twice(people: People, story: Story) -> None:
    await _pays(people, story)
    await _late_payment(people, story)


async def _pays_after_the_end(people: People, story: Story) -> None:
    await _click(people, story)
    await _concluded(people, story)
    await _late_payment(people, story)


async def _cancels(people: People, story: Story) -> None:
    await _click(people, story)
    await insisting(partial(people.shop.cancel, story.order_id))
    story.note("canceled")


async def _cancels_while_paying(people: People, story: Story) -> None:
    await _click(people, story)
    await asyncio.gather(
        insisting(partial(people.shop.cancel, story.order_id)), _attempt(people, story)
    )
    story.note("canceled and paid at once")


async def _authorizes(people: People, story: Story) -> None:
    await _click(people, story)
    await _attempt(people, story, "authorized")


WAYS: dict[str, Callable[[People, Story], Awaitable[None]]] = {
    "pays": _pays,
    "pays and returns": _pays_and_returns,
    "fails, then pays": _fails_then_pays,
    "fails": _fails,
    "looks": _click,
    "never clicks": _never_clicks,
    "pays slowly": _pays_slowly,
    "pays twice": _pays_twice,
    "pays after the end": _pays_after_the_end,
    "cancels": _cancels,
    "cancels while paying": _cancels_while_paying,
    "authorizes only": _authorizes,
}


async def _settle_pending(people: People, story: Story) -> None:
    ledger = await insisting(partial(people.simulator.ledger, story.order_id))
    for payment in ledger["payments"]:
        if payment["status"] == "created":
            await insisting(partial(people.simulator.settle, payment["id"], "success"))
            story.note("the bank said yes")


async def _late_payment(people: People, story: Story) -> None:
    if not story.link:
        return
    path = f"links/{story.order_id}/late-payment"
    await insisting(partial(people.simulator.control, path))
    story.note("another payment, late")


async def _concluded(people: People, story: Story) -> str:
    until = monotonic() + PATIENCE
    while monotonic() < until:
        order = await insisting(partial(people.shop.order, story.order_id))
        if order["status"] in CONCLUDED:
            return str(order["status"])
        await asyncio.sleep(0.5)
    return "open"


async def _refund(people: People, story: Story) -> None:
    """Asks for each refund as often as the script says, all of them at once."""
    if not story.script.refunds or await _concluded(people, story) != "paid":
        return
    wishes = [
        _one_refund(people, story, f"{story.order_id}-{number}", story.price * part // 100)
        for number, (part, times) in enumerate(story.script.refunds)
        for _ in range(times)
    ]
    await asyncio.gather(*wishes)


async def _one_refund(people: People, story: Story, key: str, minor: int) -> None:
    body: Json = {"amount": max(minor, 100), "reason": "sent back by the customer"}
    try:
        await insisting(partial(people.operator.refund, story.order_id, body, key))
        story.note(f"refund of {minor} asked for")
    except Problem as problem:
        story.refused_refunds += 1
        story.note(f"refund of {minor} refused: {problem.status} {problem.detail}")
