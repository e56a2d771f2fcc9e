"""What the gateway holds, and waiting for what must come about."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.support.simulator import Simulator

T = TypeVar("T")
PATIENCE_SECONDS = 30


async def until(
    look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], seconds: float = PATIENCE_SECONDS
) -> T:
    """Look until what is seen is what is wanted; the last look is the error's if it never is."""
    seen = await look()
    try:
        async with asyncio.timeout(seconds):
            while not wanted(seen):
                await asyncio.sleep(0.1)
                seen = await look()
    except TimeoutError:
        raise AssertionError(f"never came about; last seen: {seen}") from None
    return seen


async def kept(simulator: Simulator, order_id: str) -> int:
    """Captured minus refunded, in minor units, by the gateway's ledger."""
    ledger = await simulator.ledger(order_id)
    taken = sum(payment["amount"] for payment in ledger["payments"] if payment["captured"])
    back = (refund["amount"] for refund in ledger["refunds"] if refund["status"] != "failed")
    return int(taken - sum(back))
