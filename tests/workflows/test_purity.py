"""Workflow files reach the world only through activities, and the sandbox sees to it."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.worker import Worker

from tests.workflows.conftest import World
from workflows.sandbox import SANDBOX

ROOT = Path(__file__).parents[2]
IMPURE = {"httpx", "sqlmodel", "sqlalchemy", "fastapi", "starlette", "db", "letters", "settings"}
IMPURE |= {"asyncpg", "aiosqlite", "aiosmtplib", "gateways.http", "gateways.registry", "simulator"}
A_WORKFLOW = """
import {module}
from temporalio import workflow

@workflow.defn
class Guest:
    @workflow.run
    async def run(self) -> None: ...
"""


@pytest.mark.parametrize(
    "name", ["checkout", "refund", "repair", "settlement", "sweep", "delivery", "schedules"]
)
def test_importing_a_workflow_loads_nothing_impure(name: str) -> None:
    program = f"import sys, workflows.{name}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert f"workflows.{name}" in loaded
    assert not loaded & IMPURE


def guest(module: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> type:
    """A workflow of a file of its own that imports the module."""
    name = f"guest_with_{module.replace('.', '_')}"
    (folder / f"{name}.py").write_text(A_WORKFLOW.format(module=module))
    monkeypatch.syspath_prepend(folder)
    found: type = importlib.import_module(name).Guest
    return found


def employ(world: World, workflow: type) -> Worker:
    return Worker(
        world.client,
        task_queue=f"guests-of-{world.task_queue}",
        workflows=[workflow],
        workflow_runner=SANDBOX,
    )


@pytest.mark.parametrize("module", ["httpx", "sqlmodel", "settings", "db.orders", "letters.mail"])
async def test_the_sandbox_refuses_a_workflow_that_imports(
    module: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RuntimeError, match="Failed validating workflow") as refusal:
        employ(world, guest(module, tmp_path, monkeypatch))
    assert "was not intentionally passed through" in str(refusal.value.__cause__)


@pytest.mark.parametrize("module", ["domain.checkouts", "activities.checkouts", "workflows.watch"])
async def test_the_sandbox_admits_our_own_vocabulary(
    module: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with employ(world, guest(module, tmp_path, monkeypatch)) as host:
        await world.client.execute_workflow("Guest", id=host.task_queue, task_queue=host.task_queue)
