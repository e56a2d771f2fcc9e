"""The real stack for chaos: two workers, and a database that may be killed as well."""

import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from local_stack import Stack
from local_stack.ports import free_ports
from local_stack.services import services
from local_stack.supervisor import Process, Service

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
NOT_KILLED = frozenset({"schema", "catalogue", "shop"})


def chaos_stack(folder: Path) -> Stack:
    return Stack(folder, free_ports(), PACE)


def chaos_services(stack: Stack) -> Sequence[Service]:
    """Those of the local stack, with a second worker."""
    house = []
    for service in services(stack):
        house.append(service)
        if service.name == "worker":
            env = {k: v for k, v in service.env.items() if k != "WORKER_METRICS_ADDRESS"}
            house.append(replace(service, name="worker-2", env=env))
    return [service for service in house if service.name != "shop"]


def strike(processes: Mapping[str, Process], victim: str) -> bool:
    """Kill it with -9, as it is; False if it is dead at this moment."""
    return _signal(processes[victim], signal.SIGKILL)


def freeze(processes: Mapping[str, Process], victim: str) -> bool:
    return _signal(processes[victim], signal.SIGSTOP)


def thaw(processes: Mapping[str, Process], victim: str) -> None:
    _signal(processes[victim], signal.SIGCONT)


def _signal(process: Process, number: signal.Signals) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)
        return True
    return False


def wiped(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    return folder
