"""The end of the demo: the gateway's own lists are compared with the orders, and repair them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table

from demo.client import Json, Problem
from demo.gateways import SCENARIOS_AT
from demo.money import money_text
from demo.run import World

PATIENCE = 60
SCENARIOS = ("ok_paid", "fail_fail", "fail_paid", "ok_unpaid")
FILES = {
    "razorpay": "razorpay/settlement-recon.csv",
    "stripe": "stripe/payout-reconciliation.csv",
    "paypal": "paypal/STL.csv",
}
ENDED = frozenset({"done", "refused", "waiting"})


@dataclass
class Reconciliation:
    """For each gateway a run over its report and one over its file; and what is wrong with them."""

    runs: list[Json] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def over_report(self, world: World, gateway: str, began: datetime) -> None:
        """Everything since the demo began; the same period again must be the same run."""
        # A gateway's clock counts whole seconds, and only a period that has ended can be compared.
        end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        await asyncio.sleep((end - datetime.now(UTC)).total_seconds() + 0.1)
        start = began - timedelta(seconds=2)
        wish: Json = {"gateway": gateway, "from": start.isoformat(), "to": end.isoformat()}
        run = await self._ended(world, await world.staff.operator.reconcile(wish))
        again = await world.staff.operator.reconcile(wish)
        if again != run["run_id"]:
            self.complaints.append("the same period again became another run")

    async def over_file(self, world: World, gateway: str, began: datetime) -> None:
        """The file of what was settled must agree by now, however often it is brought."""
        await world.simulator.pay_out()
        since, until = began.timestamp(), datetime.now(UTC).timestamp() + 2
        content = await world.simulator.file(FILES[gateway], since, until)
        operator = world.staff.operator
        names = ("settlements.csv", "settlements (1).csv")
        ids = [await operator.bring_file(gateway, name, content) for name in names]
        if len(set(ids)) > 1:
            self.complaints.append("the same file under another name became another run")
        await self._ended(world, ids[0])

    async def _ended(self, world: World, run_id: str) -> Json:
        run = await world.staff.operator.reconciliation(run_id)
        for _ in range(PATIENCE * 2):
            if run["state"] in ENDED:
                break
            await asyncio.sleep(0.5)
            run = await world.staff.operator.reconciliation(run_id)
        if run["state"] != "done":
            self.complaints.append(f"{run_id} is {run['state']}")
        self.runs.append(run)
        return run


async def reconcile(world: World, gateways: Sequence[str], began: datetime) -> Reconciliation:
    """All runs; whatever goes wrong is complained of, and a scenario that none has shown."""
    all_runs = Reconciliation()
    try:
        for gateway in gateways:
            await all_runs.over_report(world, gateway, began)
        for gateway in gateways:
            await all_runs.over_file(world, gateway, began)
    except Problem as problem:
        all_runs.complaints.append(f"reconciliation: {problem}")
    for scenario in {each for gateway in gateways for each in scenarios_at(gateway)}:
        if not any(rows_of(run, scenario) for run in all_runs.runs):
            all_runs.complaints.append(f"no report shows {scenario}")
    return all_runs


def scenarios_at(gateway: str) -> Sequence[str]:
    return SCENARIOS_AT.get(gateway, SCENARIOS)


def rows_of(run: Json, match: str) -> int:
    return sum(tally["rows"] for tally in run["tallies"] if tally["match"] == match)


def show(both: Reconciliation, console: Console) -> None:
    """What each run counted, and how it ended."""
    for run in both.runs:
        table = Table(title=f"Reconciliation of {run['run_id']}", title_justify="left", box=None)
        for name in ("found", "rows", "money"):
            table.add_column(name, justify="left" if name == "found" else "right")
        for tally in run["tallies"]:
            money = [money_text(each["amount"], each["currency"]) for each in tally["amounts"]]
            table.add_row(tally["match"], str(tally["rows"]), " + ".join(money))
        console.print(table)
        counts = (run["rows"], run["findings"], run["settled"])
        console.print("{} rows, {} findings, {} settled".format(*counts), markup=False)
    for complaint in both.complaints:
        console.print(f"✗ {complaint}", markup=False)
