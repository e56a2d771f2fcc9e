"""The whole service on one machine, with one command: `python -m local_stack run`, or `demo`."""

import fcntl
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from local_stack.ports import Misconfigured, refuse_taken
from local_stack.services import services
from local_stack.stack import Stack
from local_stack.supervisor import NotReady, Process, supervised

__all__ = ["Misconfigured", "NotReady", "Process", "Stack", "running"]


@asynccontextmanager
async def running(stack: Stack, *, fresh: bool = False) -> AsyncIterator[Mapping[str, Process]]:
    """The stack, everything in it ready; its processes by name. At the end none is left.

    `fresh` wipes its folder first. Raises Misconfigured, with nothing started, when a port or the
    folder is in use; NotReady, with everything stopped again, when a process does not come up.
    """
    with _alone_in(stack.folder):
        refuse_taken(stack.ports)
        if fresh:
            shutil.rmtree(stack.folder, ignore_errors=True)
        stack.folder.mkdir(mode=0o700, exist_ok=True)
        async with supervised(services(stack), stack.logs) as processes:
            yield processes


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Two stacks on one folder would be two Temporal servers on one database file."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misconfigured(f"another stack is using {folder}: stop that one first") from None
        yield
