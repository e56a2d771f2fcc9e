"""What was recorded of every outcome, release by release, goes the same way today."""

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from tests.histories.record import (
    FOLDER,
    IDENTITY,
    STILL_RUNNING,
    keep,
    names,
    read,
    record,
    recorded,
)
from tests.workflows.histories import kinds, strays

AT_LEAST, MOST_SECONDS = 20, 10
HISTORIES = recorded()
ENDS = ("WORKFLOW_EXECUTION_COMPLETED", "WORKFLOW_EXECUTION_FAILED")
OF_A_MACHINE = re.compile(
    r"/(?:home|root|tmp|usr|opt|srv|var|work|Users)/|\\|\.py\b|\d@|127\.0\.0\.1|localhost"
)
# The server signs by itself what it did alone.
SIGNERS = {IDENTITY, "history-service"}


async def test_every_history_goes_the_same_way_today() -> None:
    assert len(HISTORIES) >= AT_LEAST
    before = process_time()
    assert await strays(HISTORIES) == {}
    # Of the processor: others may be busy beside us.
    assert process_time() - before < MOST_SECONDS


def test_every_outcome_was_recorded() -> None:
    """Taking a history away needs a decision: its workflows may still be running somewhere."""
    assert set(names()) <= {Path(name).stem for name in HISTORIES}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_is_whole(name: str) -> None:
    ends = [kinds(HISTORIES[name])[end] for end in ENDS]
    assert sum(ends) == (not Path(name).stem.startswith(STILL_RUNNING))


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_tells_nothing_of_the_machine_that_made_it(name: str) -> None:
    told = list(words(json.loads((FOLDER / name).read_text())))
    assert [word for _, word in told if OF_A_MACHINE.search(word)] == []
    assert {word for key, word in told if key == "identity"} <= SIGNERS


def words(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in it, payloads unpacked, with the name under which it stands."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from words(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from words(part, key)
    else:
        yield key, base64.b64decode(value).decode() if key == "data" else str(value)


def test_a_history_is_never_written_over(tmp_path: Path) -> None:
    history, path = next(iter(HISTORIES.values())), tmp_path / "0.0.1" / "it.json"
    keep(history, path)
    with pytest.raises(FileExistsError):
        keep(history, path)
    assert read(path) == history


async def test_what_is_new_is_recorded_once(tmp_path: Path) -> None:
    await record(["checkout-link-refused"], tmp_path)
    new = {name: read(tmp_path / name) for name in os.listdir(tmp_path)}
    assert list(new) == ["checkout-link-refused.json"]
    assert await strays(new) == {}
    with pytest.raises(FileExistsError, match="never written anew: checkout-link-refused"):
        await record(["checkout-expired", "checkout-link-refused"], tmp_path)
    assert os.listdir(tmp_path) == ["checkout-link-refused.json"]
