"""What the terminal shows: a live table while it runs, a final one when all is judged."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.money import money_text
from demo.run import Run
from demo.verdict import owed

COLOURS = {
    "paid": "green",
    "failed": "red",
    "expired": "yellow",
    "canceled": "yellow",
    "needs_review": "magenta",
    "waiting": "dim",
}
ORDERS_FIT, WHOLE_IDS_FIT = 100, 136
ABOVE_AND_BELOW = 5
LONGEST_STATUS = len("awaiting_payment")


def live_table(runs: Sequence[Run], console: Console) -> Table:
    """What is under way first, as far as the terminal is high."""
    tally = ", ".join(f"{count} {status}" for status, count in Counter(map(_status, runs)).items())
    table = _table(f"{len(runs)} checkouts: {tally}", console, ("case", "order", "expected", "is"))
    under_way_first = sorted(runs, key=lambda run: (bool(run.ended), not run.started, run.number))
    for run in under_way_first[: max(console.height - ABOVE_AND_BELOW, 5)]:
        _add_row(table, console, run, [_coloured(run.status), f"{run.elapsed:.1f}"])
    return table


def final_table(runs: Sequence[Run], console: Console) -> Table:
    """Every case with what the API, the gateway's ledger and the mailbox say of it."""
    names = ("case", "order", "expected", "became", "captured", "proof", "mails")
    table = _table("What became of each checkout", console, names)
    table.add_column("")
    for run in runs:
        seen = run.seen
        told = [seen.captured_text, seen.evidence, str(seen.letters)] if seen else ["?", "?", "?"]
        mark = Text("✓", "bold green") if run.agrees else Text("✗", "bold red")
        became = _coloured(seen.status if seen else "?")
        _add_row(table, console, run, [became, *told, f"{run.elapsed:.1f}", mark])
    return table


def explain(console: Console, runs: Sequence[Run]) -> None:
    """Say in words where the figures come from, and what disagrees."""
    console.print(
        "API: became, proof · gateway's ledger: captured · mailbox: mails",
        style="dim",
        markup=False,
    )
    for run in runs:
        for complaint in run.complaints:
            told = f"✗ {run.case.name} ({run.order_id or 'no order'}): {complaint}"
            console.print(told, markup=False)
    for currency, (taken, back, due) in _sums(runs).items():
        sign = "=" if taken - back == due else "≠"
        texts = [money_text(minor, currency) for minor in (taken, back, due)]
        told = f"{texts[0]} captured - {texts[1]} refunded {sign} {texts[2]} owed by the orders"
        console.print(told, markup=False)
    wrong = sum(not run.agrees for run in runs)
    verdict = "all as they must be" if not wrong else f"{wrong} not as they must be"
    console.print(f"{len(runs)} checkouts, {verdict}.", style="bold red" if wrong else "bold green")


def _sums(runs: Sequence[Run]) -> dict[str, tuple[int, int, int]]:
    """By currency: captured and refunded by the gateway's ledger, and owed by the orders."""
    sums: dict[str, tuple[int, int, int]] = {}
    for run in runs:
        if seen := run.seen:
            taken = sum(amount for amount, _ in seen.captures)
            money = (taken, taken - seen.kept, owed(run.case, seen))
            before = sums.get(seen.price[1], (0, 0, 0))
            sums[seen.price[1]] = (before[0] + money[0], before[1] + money[1], before[2] + money[2])
    return sums


def _table(title: str, console: Console, names: Sequence[str]) -> Table:
    room = console.width >= ORDERS_FIT
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.padding = (0, 2 if room else 1, 0, 0)
    for name in names:
        right = name in {"captured", "mails"}
        if name != "order" or room:
            table.add_column(name, no_wrap=name != "case", justify="right" if right else "left")
            table.columns[-1].min_width = LONGEST_STATUS if name == "is" else None
    table.add_column("s", justify="right", no_wrap=True)
    return table


def _add_row(table: Table, console: Console, run: Run, rest: Sequence[str | Text]) -> None:
    order_id = run.order_id if console.width >= WHOLE_IDS_FIT else run.order_id[:12]
    order = [order_id] if console.width >= ORDERS_FIT else []
    table.add_row(run.case.name, *order, run.case.status, *rest)


def _status(run: Run) -> str:
    return run.status


def _coloured(status: str) -> Text:
    return Text(status, COLOURS.get(status, ""))
