"""The live API under requests made up from its own OpenAPI file, good ones and bad ones."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.money import until
from tests.support.neighbours import KEYS
from tests.support.service import Json, Service, new_key

# A stream of an order that is open has no end, and a made-up order stays open.
ENDLESS = "/orders/{order_id}/events"
REAL_NAMES_SHARE = 0.7
# All is checked but two things. What fits the schema may still be refused: it cannot say which
# products there are. And who comes with a wrong token is told that there is no such order.
UNCHECKED = """
checks.positive_data_acceptance.enabled = false
[[operations]]
include-path-regex = "/orders/{order_id}/(events|invoice|credit-notes)"
checks.ignored_auth.enabled = false
"""


async def things(service: Service) -> dict[str, list[str]]:
    """Names of things that there are, by the parameters that take them."""
    paid = await service.paid()
    body = {"amount": 100, "reason": "it broke"}
    answer = await service.ops.post(f"/orders/{paid}/refunds", json=body, headers=new_key())
    refund_id = answer.json()["refund_id"]
    await until(lambda: service.order(paid), lambda order: bool(order["credit_notes"]))
    order = await service.order(paid)
    file = await service.ops.post("/transaction-files/razorpay", content=b"no such file")
    return {
        "path.order_id": [paid],
        "path.gateway": ["razorpay"],
        "path.refund_id": [refund_id],
        "path.number": [order["credit_notes"][0]["number"]],
        "path.run_id": [file.json()["run_id"]],
        "query.token": [order["result_url"].rpartition("=")[2]],
        "body.gateway": ["razorpay"],
        "body.currency": ["INR"],
        "body.items[*].sku": ["coffee-beans", "electricity-bill", "tea-jpy"],
    }


def config_of(names: Mapping[str, list[str]]) -> str:
    """For the tool: use these names more often than made-up ones."""
    lines = [UNCHECKED]
    for number, (parameter, values) in enumerate(names.items()):
        lines += [f"[dictionaries.names-{number}]", f"values = {json.dumps(values)}"]
        lines += [f'[parameters."{parameter}"]', f'dictionary = "names-{number}"']
        lines += [f"probability = {REAL_NAMES_SHARE}"]
    return "\n".join(lines)


async def fuzzed(service: Service, key: str, folder: Path, *options: str) -> Json:
    """What a run with this key came to; it fails if a single answer was wrong."""
    report, config = folder / f"{key}.json", folder / "schemathesis.toml"
    config.write_text(config_of(await things(service)))
    url = f"http://{service.settings.api_host}:{service.settings.api_port}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", f"{config}"),
        *("run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {KEYS[key]}"),
        *("--report", "json", "--report-json-path", f"{report}", "--no-color"),
        *("--generation-database", "none", "--request-timeout", "30", "--continue-on-failure"),
        *options,
        cwd=folder,
        stdout=PIPE,
        stderr=STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    result: Json = json.loads(report.read_text())
    assert result["complete"]
    return result


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("key", ["shop", "ops"])
async def test_no_answer_is_a_surprise(service: Service, tmp_path: Path, key: str) -> None:
    """A server error, or an answer that the OpenAPI file does not name, fails the test."""
    phases = ("--phases", "examples,coverage,fuzzing")
    result = await fuzzed(service, key, tmp_path, "--max-examples", "5", "--seed", "1", *phases)
    assert result["test_cases"]["generated"] >= 500


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("key", ["shop", "ops"])
async def test_no_sequence_of_calls_is_a_surprise(
    service: Service, tmp_path: Path, key: str
) -> None:
    """With what one call answered the next ones are made."""
    result = await fuzzed(service, key, tmp_path, "--max-examples", "50", "--exclude-path", ENDLESS)
    assert result["test_cases"]["generated"] >= 1000
