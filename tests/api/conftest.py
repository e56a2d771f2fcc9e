"""The real service for each test, on a database and a task queue of its own."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.databases import Postgres, sqlite_url
from tests.support.neighbours import Neighbours
from tests.support.service import Service, running_service


@pytest.fixture(scope="module")
async def lasting_api(
    neighbours: Neighbours, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """One API for all tests of a module whose calls leave nothing behind, without a worker."""
    copy = shutil.copy(sqlite_template, tmp_path_factory.mktemp("lasting") / "orders.db")
    url = sqlite_url(Path(copy))
    async with running_service(neighbours, url, worker=False) as service:
        yield service


@pytest.fixture
async def service(neighbours: Neighbours, sqlite_database_url: str) -> AsyncIterator[Service]:
    async with running_service(neighbours, sqlite_database_url) as service:
        yield service


@pytest.fixture
async def service_on_both(neighbours: Neighbours, database_url: str) -> AsyncIterator[Service]:
    """On SQLite and on PostgreSQL."""
    async with running_service(neighbours, database_url) as service:
        yield service


@pytest.fixture
async def api(neighbours: Neighbours, sqlite_database_url: str) -> AsyncIterator[Service]:
    """Without a worker: for what the API does alone."""
    async with running_service(neighbours, sqlite_database_url, worker=False) as service:
        yield service


@pytest.fixture
async def api_on_both(neighbours: Neighbours, database_url: str) -> AsyncIterator[Service]:
    async with running_service(neighbours, database_url, worker=False) as service:
        yield service


@pytest.fixture
async def postgres_url(postgres: Postgres) -> AsyncIterator[str]:
    async with postgres.database() as url:
        yield url
