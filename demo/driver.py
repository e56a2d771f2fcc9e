"""Drives checkouts of every kind through the service over HTTP, and judges what became of each."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from datetime import UTC, datetime
from itertools import cycle, islice

from rich.console import Console
from rich.live import Live

from demo.aftermath import AFTERMATH
from demo.board import WHOLE_IDS_FIT, explain, final_table, live_table
from demo.cases import CHECKOUTS, Case
from demo.client import Mailbox, Problem, Service, Simulator
from demo.customer import Staff
from demo.gateways import ABILITIES, missing
from demo.reconciling import Reconciliation, reconcile, show
from demo.run import Run, World
from demo.unheard import UNHEARD

CASES = CHECKOUTS + AFTERMATH + UNHEARD
AT_ONCE = 12
FEWEST = 24
# What comes late, a second mail above all, shall be there when the verdict is given.
GRACE = 3.0
MIXED = "mixed"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.driver",
        description=__doc__,
        epilog="Environment: API_URL, API_KEY, OPERATOR_KEY, SIMULATOR_URL, MAILBOX_URL, "
        "TEMPORAL_UI_URL. "
        "Exit status: 0 if every checkout ended as it must, 1 if not, 2 if none could be run.",
    )
    every = len(CASES)
    text = (
        f"how many checkouts, at least {FEWEST}; every case in turn (default: {every}, each once)"
    )
    parser.add_argument("--orders", type=_at_least_fewest, metavar="N", help=text)
    text = f"the gateway to pay by, or {MIXED} for all of them in turn (razorpay)"
    parser.add_argument("--gateway", default="razorpay", help=text)
    return parser.parse_args()


async def drive(
    world: World, runs: list[Run], gateways: Sequence[str], console: Console
) -> Reconciliation:
    """Run all cases, some at once; reconcile; then judge them all."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def play(run: Run) -> None:
        async with slots:
            await run.play(world)
        if not console.is_terminal:
            became = f"{run.status}, expected {run.case.status}"
            console.print(f"{run.elapsed:5.1f} s  {run.case.name}: {became}", markup=False)

    with _shown(runs, console):
        began = datetime.now(UTC)
        await asyncio.gather(*map(play, runs))
        both = await reconcile(world, gateways, began)
        await asyncio.gather(*(run.settle(world) for run in runs))
        await asyncio.sleep(GRACE)
        await asyncio.gather(*(run.judge(world) for run in runs))
    return both


async def main() -> int:
    """Drive, print the final table, and say by the exit status whether all agree."""
    options = arguments()
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WHOLE_IDS_FIT
    gateways = tuple(ABILITIES) if options.gateway == MIXED else (options.gateway,)
    possible = [case for case in CASES if any(not missing(g, case.needs) for g in gateways)]
    cases = islice(cycle(possible), options.orders or len(possible))
    runs = [Run(case, n, _gateway_of(case, n, gateways)) for n, case in enumerate(cases, 1)]
    async with AsyncExitStack() as stack:
        world = await _world(stack)
        try:
            await world.staff.shop.products()
            await world.simulator.call("GET", "/simulator/healthz")
            await world.mailbox.call("GET", "/healthz")
        except Problem as problem:
            console.print(f"demo: {problem}", style="bold red", markup=False)
            return 2
        both = await drive(world, runs, gateways, console)
    show(both, console)
    console.print(final_table(runs, console))
    explain(console, runs)
    _left_out(console, gateways)
    _where_to_look(console)
    agreed = all(run.agrees for run in runs) and not both.complaints
    return 0 if agreed else 1


async def _world(stack: AsyncExitStack) -> World:
    api = os.environ.get("API_URL", "http://127.0.0.1:8000")
    simulator = os.environ.get("SIMULATOR_URL", "http://127.0.0.1:8100")
    mailbox = os.environ.get("MAILBOX_URL", "http://127.0.0.1:8025")
    shop, operator = (Service(api, os.environ.get(key, "")) for key in ("API_KEY", "OPERATOR_KEY"))
    return World(
        Staff(await stack.enter_async_context(shop), await stack.enter_async_context(operator)),
        await stack.enter_async_context(Simulator(simulator)),
        await stack.enter_async_context(Mailbox(mailbox)),
    )


def _shown(runs: list[Run], console: Console) -> AbstractContextManager[object]:
    if not console.is_terminal:
        return nullcontext()
    return Live(
        get_renderable=lambda: live_table(runs, console),
        console=console,
        refresh_per_second=4,
        transient=True,
    )


def _gateway_of(case: Case, number: int, gateways: Sequence[str]) -> str:
    """Each in turn; where one cannot play the case, the next that can."""
    turn = number % len(gateways)
    in_turn = (*gateways[turn:], *gateways[:turn])
    return next(name for name in in_turn if not missing(name, case.needs))


def _left_out(console: Console, gateways: Sequence[str]) -> None:
    """Name each case that can come about at none of these gateways."""
    for case in CASES:
        lacking = {name: missing(name, case.needs) for name in gateways}
        if all(lacking.values()):
            told = [
                f"{name} knows no {', '.join(sorted(lacks))}" for name, lacks in lacking.items()
            ]
            console.print(f"left out: {case.name}: {'; '.join(told)}", markup=False)


def _where_to_look(console: Console) -> None:
    places = {"Workflows": "TEMPORAL_UI_URL", "Mails": "MAILBOX_URL"}
    for what, name in places.items():
        if url := os.environ.get(name):
            console.print(f"{what}: {url}", markup=False)


def _at_least_fewest(text: str) -> int:
    number = int(text)
    if number < FEWEST:
        raise argparse.ArgumentTypeError(f"must be at least {FEWEST}")
    return number


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
