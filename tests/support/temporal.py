"""A real Temporal dev server for the whole test run."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from workflows.options import SEARCH_ATTRIBUTES

TEMPORAL = Path(sys.executable).with_name("temporal")
# By default timers may fire up to a second late.
PROMPT = ["--dynamic-config-value", 'history.timerProcessorMaxTimeShift="1ms"']


@pytest.fixture(scope="session")
async def real_time() -> AsyncIterator[WorkflowEnvironment]:
    """With the clock of the world, and our search attributes."""
    async with await temporal_server() as env:
        yield env


async def temporal_server(file: Path | None = None) -> WorkflowEnvironment:
    """A server that keeps its state in this file, or in memory."""
    return await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        dev_server_database_filename=str(file) if file else None,
        dev_server_extra_args=PROMPT,
    )
