"""`python -m benchmarks.ours URL FOLDER SHA256`: one reconciliation of a kept file, measured.

In a process of its own, whose memory is then ours alone. The steps are those of the activities,
as a worker runs them, from the first byte of the file to the last finding committed.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.heartbeats import Heartbeats
from activities.reconciliations import ReconciliationActivities
from benchmarks.generate import BEGINNING, MONTH
from db.books import BookStore
from db.engine import Database
from db.files import FileStore
from domain.policies import Budget
from domain.reconciliations import ReconciliationPlan
from domain.settlements import TransactionFile
from gateways.registry import gateways

AGEING = timedelta(hours=1)


def plan_of(file: TransactionFile) -> ReconciliationPlan:
    return ReconciliationPlan("razorpay", BEGINNING + 2 * MONTH, AGEING, Budget(), file=file)


class Directly(ActivityInboundInterceptor):
    """The end of a worker's chain: the activity itself."""

    def __init__(self) -> None:
        """There is none after it."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        return await input.fn(*input.args)


async def done(activity: Callable[..., Any], plan: ReconciliationPlan) -> Any:
    """What the activity answers, run as a worker of ours runs it."""
    beating = Heartbeats().intercept_activity(Directly())
    call = ExecuteActivityInput(activity, [plan], None, {})
    return await ActivityEnvironment().run(beating.execute_activity, call)


async def measured(url: str, folder: str, sha256: str) -> dict[str, float]:
    size = os.stat(f"{folder}/razorpay/{sha256}").st_size
    plan = plan_of(TransactionFile("razorpay", sha256, "bench.csv", size))
    keys = {"key_id": "bench", "key_secret": "bench", "webhook_secrets": []}
    account = {"razorpay": {**keys, "base_url": "http://127.0.0.1:9"}}
    async with gateways(account) as known, Database(url) as database:
        work = ReconciliationActivities(BookStore(database), FileStore(folder), known)
        await done(work.begin_run, plan)
        began, spent = time.perf_counter(), time.process_time()
        rows = await done(work.load, plan)
        loaded = time.perf_counter()
        await done(work.match, plan)
        ended, spent = time.perf_counter(), time.process_time() - spent
    times = {"load": loaded - began, "match": ended - loaded, "seconds": ended - began}
    return {"rows": rows, **times, "cpu": spent, "peak_mib": peak_mib()}


def peak_mib() -> float:
    """Of this program alone: what getrusage says may be that of whoever started it."""
    with open("/proc/self/status") as status:
        (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM"))
    return int(peak) / 1024


if __name__ == "__main__":
    result = asyncio.run(measured(*sys.argv[1:]))
    print(json.dumps(result), flush=True)
    # Temporal's client can crash while the interpreter takes itself apart.
    os._exit(0)
