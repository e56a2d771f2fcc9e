"""Records what Temporal keeps of each outcome: `python -m tests.histories.record [NAME …]`.

Without names, every outcome that this release has no history of. A history that is there is never
written anew: it stands for workflows that were once started so, and may still be running.
"""

import asyncio
import json
import logging
import shutil
import sys
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from db.engine import Database
from tests.histories import checkouts, reconciliations, refunds, repairs
from tests.support.databases import fill, sqlite_url
from tests.support.temporal import PROMPT, TEMPORAL
from tests.workflows.conftest import World
from tests.workflows.money import MoneyWorld
from workflows.options import SEARCH_ATTRIBUTES
from workflows.payloads import DATA_CONVERTER

Handle = WorkflowHandle[Any, Any]
Outcome = Callable[[Any], Awaitable[Any]]

FOLDER = Path(__file__).parent
OF_ORDERS: tuple[Outcome, ...] = (
    *checkouts.OUTCOMES,
    *reconciliations.OUTCOMES,
    *repairs.OF_ORPHANS,
)
OF_MONEY: tuple[Outcome, ...] = (*refunds.OUTCOMES, *repairs.OUTCOMES)
STILL_RUNNING = "running-"
TEMPLATE = "template.db"
AT_ONCE = 6
PATIENCE_SECONDS = 60
# Histories are for everybody: nothing of the machine that made them, or of where our code lay.
IDENTITY = "paidonce"
PRIVATE = ("stackTrace", "encodedAttributes")


class Stage:
    """A server that all outcomes share; each has a world, a queue and a database of its own."""

    def __init__(self, env: WorkflowEnvironment, folder: Path) -> None:
        self._env, self._folder = env, folder

    async def history(self, name: str) -> WorkflowHistory:
        """Bring the outcome about; of one that is to run on, what there is when it has got there.

        Raises `KeyError` if there is no outcome of this name, `TimeoutError` if it is not reached.
        """
        async with AsyncExitStack() as life, asyncio.timeout(PATIENCE_SECONDS):
            handle: Handle = await self._play(name, life)
            if not name.startswith(STILL_RUNNING):
                await _end(handle)
            return await handle.fetch_history()

    async def _play(self, name: str, life: AsyncExitStack) -> Any:
        outcome = _by_name(OF_ORDERS + OF_MONEY)[name]
        if outcome in OF_ORDERS:
            world = World(self._env)
            await life.enter_async_context(world.worker())
            return await outcome(world)
        copy = shutil.copy(self._folder / TEMPLATE, self._folder / f"{name}.db")
        database = await life.enter_async_context(Database(sqlite_url(Path(copy))))
        money = MoneyWorld(self._env, database)
        await life.enter_async_context(money.worker())
        return await outcome(money)


def names() -> list[str]:
    """Of every outcome of every workflow."""
    return list(_by_name(OF_ORDERS + OF_MONEY))


def release() -> str:
    """Which version of ours the histories are of."""
    project = FOLDER.parents[1] / "pyproject.toml"
    return str(tomllib.loads(project.read_text())["project"]["version"])


def recorded(folder: Path = FOLDER) -> dict[str, WorkflowHistory]:
    """Every history of every release, by its path in the folder."""
    paths = sorted(folder.glob("*/*.json"))
    return {str(path.relative_to(folder)): read(path) for path in paths}


def read(path: Path) -> WorkflowHistory:
    history = json.loads(path.read_text())
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], history)


def keep(history: WorkflowHistory, path: Path) -> None:
    """Raises `FileExistsError` rather than write over what was recorded before."""
    path.parent.mkdir(exist_ok=True)
    events = [json.dumps(_discreet(event)) for event in history.to_json_dict()["events"]]
    with path.open("x") as file:
        file.write('{"events": [\n' + ",\n".join(events) + "\n]}\n")


async def record(wanted: Sequence[str], folder: Path) -> None:
    """Raises `FileExistsError` before anything is written if one of them is there already."""
    if known := [name for name in wanted if (folder / f"{name}.json").exists()]:
        raise FileExistsError(f"recorded before, and never written anew: {', '.join(known)}")
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, here: Stage) -> None:
        async with at_once:
            keep(await here.history(name), folder / f"{name}.json")

    async with stage() as here, asyncio.TaskGroup() as group:
        for name in wanted:
            group.create_task(one(name, here))


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """A server whose clients and workers go by a name that tells nothing."""
    async with AsyncExitStack() as life:
        folder = Path(life.enter_context(TemporaryDirectory()))
        await fill(sqlite_url(folder / TEMPLATE))
        env = await WorkflowEnvironment.start_local(
            identity=IDENTITY,
            data_converter=DATA_CONVERTER,
            search_attributes=SEARCH_ATTRIBUTES,
            dev_server_existing_path=str(TEMPORAL),
            dev_server_log_level="error",
            dev_server_extra_args=PROMPT,
        )
        yield Stage(await life.enter_async_context(env), folder)


async def _end(handle: Handle) -> None:
    """However it ends: some are to fail."""
    async for event in handle.fetch_history_events(wait_new_event=True):
        assert event


def _by_name(outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    return {outcome.__name__.replace("_", "-"): outcome for outcome in outcomes}


def _discreet(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _discreet(part) for key, part in value.items() if key not in PRIVATE}
    return [_discreet(part) for part in value] if isinstance(value, list) else value


def main(wanted: Sequence[str]) -> None:
    folder = FOLDER / release()
    new = [name for name in names() if not (folder / f"{name}.json").exists()]
    if unknown := set(wanted) - set(names()):
        sys.exit(f"no such outcome: {', '.join(sorted(unknown))}")
    # Some outcomes are made of failures, which are no news here.
    logging.disable()
    try:
        asyncio.run(record(wanted or new, folder))
    except FileExistsError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{len(wanted or new)} recorded in {folder.relative_to(FOLDER.parents[1])}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
