"""Fixtures that every test may use, and the end of a test run."""

import os
import sys

import pytest

from tests.support.scheduling import InGroups, groups_first

pytest_plugins = ["tests.support.databases", "tests.support.temporal", "tests.support.neighbours"]
STATUS = pytest.StashKey[int]()


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> InGroups:
    return InGroups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    groups_first(items)


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
