"""`python -m local_stack run` keeps the service up; `demo` proves it in a fresh folder."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from cyclopts import App

from local_stack import Misconfigured, NotReady, Stack, running
from local_stack.ports import USUAL_PORTS, chosen_ports, free_ports
from local_stack.supervisor import ROOT, die_with, in_foreground, say

PORTS_HELP = f"Ports are chosen by environment: {', '.join(USUAL_PORTS)}."
DEMO_PACE = {
    "CHECKOUT_WINDOW": "12",
    "HINT_DELAYS": "[0, 0.5, 1, 2, 4]",
    "QUIET_DELAYS": "[3, 6]",
    "SWEEP_INTERVAL": "5",
    "REFUND_FIRST_LOOK": "2",
    "REFUND_BUDGET_COUNT": "1000",
    "REFUND_BUDGET_MINOR": "{}",
    "UNKNOWN_ORDER_AFTER": "3",
    "RECONCILIATION_AGEING": "0",
    "SETTLEMENT_AGEING": "0",
}

app = App(
    name="python -m local_stack",
    help="Start the whole service on this machine.",
    help_epilogue=PORTS_HELP,
    version_flags=[],
)


@app.command(help_epilogue=PORTS_HELP)
async def run(*, state: Path = ROOT / "var/run", stop_with_parent: bool = False) -> int:
    """Keep the service up until Ctrl-C.

    Parameters
    ----------
    state
        The folder of databases, keys and logs; it survives a restart.
    stop_with_parent
        Stop when the process that started this one is gone, even if it was killed (Linux).
    """
    pace = {name: os.environ[name] for name in DEMO_PACE if name in os.environ}
    stack = Stack(state, chosen_ports(USUAL_PORTS), pace)
    stop_on_signals(stop_with_parent)
    with suppress(asyncio.CancelledError):
        async with running(stack):
            say(stack.welcome)
            await asyncio.Event().wait()
    say("everything is stopped")
    return 0


@app.command(help_epilogue=PORTS_HELP)
async def demo(
    *,
    orders: int | None = None,
    gateway: str = "razorpay",
    state: Path = ROOT / "var/demo",
    stop_with_parent: bool = False,
) -> int:
    """Drive checkouts of every kind through a fresh stack; exit 0 only if all ended as they must.

    Parameters
    ----------
    orders
        How many checkouts to drive, at least 24; otherwise one of every kind.
    gateway
        The gateway that the customers pay at, or `mixed` for all of them in turn.
    state
        The folder of databases, keys and logs; wiped first.
    stop_with_parent
        Stop when the process that started this one is gone, even if it was killed (Linux).
    """
    stack = Stack(state, chosen_ports(free_ports()), DEMO_PACE)
    driver = ["-m", "demo.driver", "--gateway", gateway]
    driver += ["--orders", f"{orders}"] if orders else []
    stop_on_signals(stop_with_parent)
    async with running(stack, fresh=True):
        say(f"Temporal's UI while this runs: {stack.url('TEMPORAL_UI')}")
        return await in_foreground([sys.executable, *driver], stack.driver_env)


def stop_on_signals(stop_with_parent: bool) -> None:
    """Let a signal end the command as an error would: through every `finally`, in reverse."""
    if stop_with_parent:
        die_with(os.getppid(), signal.SIGTERM)
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)


def main() -> int:
    try:
        app()
    except Misconfigured as error:
        say(error, file=sys.stderr)
        return 2
    except NotReady as error:
        say(error, file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
