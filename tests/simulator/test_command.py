"""`python -m simulator` at a terminal: help that helps, and one clear line for a mistake."""

import asyncio
import os
import socket
import sqlite3
import sys
from pathlib import Path

import pytest

from simulator.database import VERSION
from tests.support.simulator import ROOT


async def run(*arguments: str, **environment: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", *arguments),
        cwd=ROOT,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_help_names_every_flag_and_variable() -> None:
    code, output = await run("--help")
    assert code == 0
    for word in ("--port", "--state", "--public-url", "--retry-base", "--fee", "--settle-after"):
        assert word in output
    for word in ("KEY_ID", "KEY_SECRET", "WEBHOOK_SECRET", "WEBHOOK_URL"):
        assert f"RAZORPAY_{word}" in output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "http"], "'http' is no port"),
        (["--port", "65536"], "'65536' is no port"),
        (["--retry-base", "0"], "'0' is no number of seconds above 0"),
        (["--fee", "2.345"], "'2.345' is no percentage"),
        (["--fee", "nan"], "'nan' is no percentage"),
        (["--settle-after", "-1"], "'-1' is no number of seconds above 0"),
        (["--retry-limit", "soon"], "'soon' is no number of seconds above 0"),
    ],
)
async def test_a_wrong_flag_is_named(arguments: list[str], complaint: str) -> None:
    code, output = await run(*arguments)
    assert code == 2
    assert complaint in output.splitlines()[-1]


async def test_a_wrong_setting_is_named() -> None:
    for name, value in (("SIMULATOR_PORT", "x"), ("RAZORPAY_WEBHOOK_URL", "localhost:8000")):
        code, output = await run(**{name: value})
        assert code == 2
        assert value in output.splitlines()[-1]


async def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, output = await run("--port", str(port))
    assert code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in output


@pytest.mark.parametrize("version", [0, VERSION - 1, VERSION + 1])
async def test_a_state_file_of_another_version_is_named(tmp_path: Path, version: int) -> None:
    state = tmp_path / "simulator.db"
    with sqlite3.connect(state) as db:
        db.execute("CREATE TABLE links (id TEXT)")
        db.execute(f"PRAGMA user_version={version}")
    db.close()
    code, output = await run("--port", "0", "--state", str(state))
    assert code == 2
    assert f"{state} was written by another version of the simulator: remove it" in output
