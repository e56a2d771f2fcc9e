"""The real stack for chaos: two workers, and a database that may be killed as well."""

import asyncio
import os
import shutil
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from local_stack import Stack
from local_stack.ports import free_ports
from local_stack.services import services
from local_stack.supervisor import Process, Service
from tests.chaos.plan import Blow
from tests.support.postgres import MortalServer

PACE = {
    "CHECKOUT_WINDOW": "20",
    "HINT_DELAYS": "[0, 0.5, 1, 2, 4]",
    "QUIET_DELAYS": "[4, 9]",
    "SLOWEST_QUERY": "5",
    "SWEEP_INTERVAL": "5",
    "REFUND_FIRST_LOOK": "2",
    "REFUND_SLOWEST_LOOK": "5",
    "REFUND_BUDGET_COUNT": "100000",
    "REFUND_BUDGET_MINOR": "{}",
    "RECONCILIATION_AGEING": "0",
    "RECONCILIATION_BUDGET_COUNT": "100000",
    "RECONCILIATION_BUDGET_MINOR": "{}",
    "UNKNOWN_ORDER_AFTER": "3",
}


def chaos_stack(folder: Path) -> Stack:
    return Stack(folder, free_ports(), PACE)


def chaos_services(stack: Stack, database_url: str | None = None) -> Sequence[Service]:
    """Those of the local stack, with a second worker; on another database, if one is named."""
    elsewhere = {"DATABASE_URL": database_url} if database_url else {}
    house = []
    for service in services(stack):
        if "DATABASE_URL" in service.env:
            service = replace(service, env={**service.env, **elsewhere})
        house.append(service)
        if service.name == "worker":
            env = {k: v for k, v in service.env.items() if k != "WORKER_METRICS_ADDRESS"}
            house.append(replace(service, name="worker-2", env=env))
    return [service for service in house if service.name != "shop"]


@dataclass(frozen=True)
class Mortals:
    """Everything that can be killed, or frozen for a while."""

    processes: Mapping[str, Process]
    database: MortalServer | None = None

    async def suffer(self, blows: Sequence[Blow], landed: Counter[str]) -> None:
        """Deal the blows, each at its second; those that hit what was alive are counted."""
        began = monotonic()
        for blow in blows:
            await asyncio.sleep(max(0.0, blow.at - (monotonic() - began)))
            name = f"{blow.victim} {'frozen' if blow.frozen_for else 'killed'}"
            landed[name] += await self._struck(blow)

    def thaw_all(self) -> None:
        for name in self.processes:
            self._signal(name, signal.SIGCONT)

    async def _struck(self, blow: Blow) -> bool:
        if blow.victim == "database":
            assert self.database
            await self.database.dies_and_returns()
            return True
        if not blow.frozen_for:
            return self._signal(blow.victim, signal.SIGKILL)
        hit = self._signal(blow.victim, signal.SIGSTOP)
        await asyncio.sleep(blow.frozen_for)
        self._signal(blow.victim, signal.SIGCONT)
        return hit

    def _signal(self, name: str, number: signal.Signals) -> bool:
        with suppress(ProcessLookupError):
            os.kill(self.processes[name].pid, number)
            return True
        return False


def wiped(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    return folder
