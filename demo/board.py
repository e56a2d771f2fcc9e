"""What the terminal shows: a live table while it runs, a final one when all is judged."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.run import Run

COLOURS = {
    "paid": "green",
    "failed": "red",
    "expired": "yellow",
    "canceled": "yellow",
    "needs_review": "magenta",
    "waiting": "dim",
}


def live_table(runs: Sequence[Run], height: int) -> Table:
    """What is under way first, as far as it fits into `height` lines."""
    tally = ", ".join(
        f"{count} {status}" for status, count in Counter(run.status for run in runs).items()
    )
    table = Table(title=f"{len(runs)} checkouts: {tally}", title_justify="left", expand=False)
    for name in ("case", "order", "must become", "is"):
        table.add_column(name, no_wrap=True)
    table.add_column("seconds", justify="right")
    under_way_first = sorted(runs, key=lambda run: (bool(run.ended), not run.started, run.number))
    for run in under_way_first[: max(height - 6, 5)]:
        words = run.case.name, run.order_id[:16], run.case.status
        table.add_row(*words, _coloured(run.status), f"{run.elapsed:.1f}")
    return table


def final_table(runs: Sequence[Run]) -> Table:
    """Every case with what the API, the gateway's ledger and the mailbox say of it."""
    table = Table(title="What became of each checkout", title_justify="left")
    table.add_column("case")
    table.add_column("order", no_wrap=True, overflow="fold")
    table.add_column("expected")
    table.add_column("became (API)")
    table.add_column("captured (gateway)", justify="right")
    table.add_column("proof")
    table.add_column("mails", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("")
    for run in runs:
        table.add_row(*_row(run))
    return table


def explain(console: Console, runs: Sequence[Run]) -> None:
    """Say in words what disagrees."""
    for run in runs:
        for complaint in run.complaints:
            console.print(
                f"✗ {run.case.name} ({run.order_id or 'no order'}): {complaint}", markup=False
            )
    wrong = sum(not run.agrees for run in runs)
    verdict = "all as they must be" if not wrong else f"{wrong} not as they must be"
    console.print(f"{len(runs)} checkouts, {verdict}.", style="bold red" if wrong else "bold green")


def _row(run: Run) -> list[str | Text]:
    seen = run.seen
    told = [seen.captured_text, seen.evidence, str(seen.letters)] if seen else ["?", "?", "?"]
    mark = Text("✓", "bold green") if run.agrees else Text("✗", "bold red")
    became = _coloured(seen.status if seen else "?")
    return [run.case.name, run.order_id, run.case.status, became, *told, f"{run.elapsed:.1f}", mark]


def _coloured(status: str) -> Text:
    return Text(status, COLOURS.get(status, ""))
