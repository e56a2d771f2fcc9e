"""`python -m tests.chaos --seed 7 --orders 200`: exit 0 only if every promise was kept."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.plan import drawn
from tests.chaos.run import Outcome, play


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", default=[1], help="the seeds to play")
    parser.add_argument("--orders", type=int, default=200, help="customers per seed (200)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--state", type=Path, default=Path("var/chaos"), help="the stack's folder")
    return parser.parse_args()


def show(outcome: Outcome, console: Console) -> None:
    """What was injected and survived, and every broken promise with its order's whole story."""
    table = Table(title=f"seed {outcome.plan.seed}: injected", title_justify="left", box=None)
    table.add_column("fault")
    table.add_column("planned", justify="right")
    table.add_column("landed", justify="right")
    for name, planned in sorted(outcome.plan.injected.items()):
        landed = outcome.landed.get(name)
        table.add_row(name, str(planned), "" if landed is None else str(landed))
    console.print(table)
    ended = ", ".join(f"{count} {status}" for status, count in outcome.statuses.most_common())
    held = outcome.captured - outcome.refunded
    console.print(f"orders: {ended}", markup=False)
    console.print(f"captured {outcome.captured} - refunded {outcome.refunded} = {held} held")
    for broken in outcome.broken:
        console.print(f"✗ {broken}", markup=False, soft_wrap=True)
    word = "kept" if outcome.survived else f"{len(outcome.broken)} BROKEN"
    console.print(f"seed {outcome.plan.seed}: every promise: {word}, {outcome.seconds:.0f} s")


async def main() -> int:
    options, console = arguments(), Console(highlight=False, width=100)
    outcomes = []
    for seed in options.seed:
        outcome = await play(drawn(seed, options.orders, options.database), options.state)
        show(outcome, console)
        outcomes.append(outcome)
    return 0 if all(outcome.survived for outcome in outcomes) else 1


if __name__ == "__main__":
    code = asyncio.run(main())
    sys.stdout.flush()
    # Temporal's client can crash while the interpreter takes itself apart.
    os._exit(code)
