"""Fixtures that every test may use, and the end of a test run."""

import os
import sys

import pytest

pytest_plugins = ["tests.support.databases", "tests.support.temporal", "tests.support.neighbours"]
STATUS = pytest.StashKey[int]()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Temporal's client can crash while the interpreter takes itself apart: leave before that."""
    if STATUS in config.stash and not hasattr(config, "workerinput"):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[STATUS])
