"""The scripts of production, run: on a real Temporal server and a real PostgreSQL."""

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import URL, NullPool, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from db.catalogue import read_catalogue
from local_stack.services import SEARCH_ATTRIBUTES
from settings import Settings
from tests.support.postgres import PostgresServer, own_server, programs
from workflows import options

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent


def sh(script: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script of deploy/ as its container would, with what is told and a PATH."""
    path = f"{env.pop('PATH', BIN)}:/usr/bin:/bin"
    return subprocess.run(
        ["sh", DEPLOY / script, *arguments],
        cwd=ROOT,
        env={"PATH": path, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
async def temporal() -> AsyncIterator[Client]:
    """A server that knows neither our namespace nor our search attributes."""
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=f"{BIN / 'temporal'}", dev_server_log_level="error"
    )
    async with environment:
        yield environment.client


async def retention(client: Client, namespace: str) -> timedelta:
    found = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=namespace)
    )
    return found.config.workflow_execution_retention_ttl.ToTimedelta()


async def search_attributes(client: Client, namespace: str) -> dict[str, str]:
    found = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=namespace)
    )
    kinds = {name: IndexedValueType.Name(kind) for name, kind in found.custom_attributes.items()}
    return {name: kind.removeprefix("INDEXED_VALUE_TYPE_").title() for name, kind in kinds.items()}


async def test_the_namespace_is_made_and_remade_alike(temporal: Client) -> None:
    env = {
        "TEMPORAL_ADDRESS": temporal.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": "shop",
    }
    for _ in range(2):
        done = sh("temporal-namespace.sh", **env)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "namespace shop is ready, retention 30d\n"
        assert await retention(temporal, "shop") == timedelta(days=30)
        assert SEARCH_ATTRIBUTES.items() <= (await search_attributes(temporal, "shop")).items()
    assert sh("temporal-namespace.sh", **env, RETENTION="60d").returncode == 0
    assert await retention(temporal, "shop") == timedelta(days=60)


async def test_the_namespace_is_not_called_ready_without_a_server() -> None:
    done = sh(
        "temporal-namespace.sh",
        **{"TEMPORAL_ADDRESS": "127.0.0.1:1", "TEMPORAL_NAMESPACE": "shop", "TRIES": "1"},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("gave up: temporal operator cluster health")
    assert done.stdout == ""


@pytest.mark.parametrize("missing", ["TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"])
def test_the_namespace_job_says_what_it_was_not_told(missing: str) -> None:
    env = {"TEMPORAL_ADDRESS": "127.0.0.1:1", "TEMPORAL_NAMESPACE": "shop"}
    del env[missing]
    done = sh("temporal-namespace.sh", **env)
    assert done.returncode != 0
    assert missing in done.stderr


def test_search_attributes_are_the_same_everywhere() -> None:
    script = (DEPLOY / "temporal-namespace.sh").read_text()
    listed = re.findall(
        r"^(\w+) (Keyword|Int|Double|Bool|Datetime|Text|KeywordList)$", script, re.M
    )
    types = {key.name: key.indexed_value_type.name.title() for key in options.SEARCH_ATTRIBUTES}
    assert dict(listed) == SEARCH_ATTRIBUTES == types


@pytest.fixture(scope="module")
async def postgres() -> AsyncIterator[PostgresServer]:
    async with own_server() as server:
        yield server


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    assert sh("make-secrets.sh", f"{folder}").returncode == 0
    return folder


async def test_each_role_has_its_password_and_its_own_databases(
    postgres: PostgresServer, secrets: Path, tmp_path: Path
) -> None:
    host, port = "127.0.0.1", f"{postgres.url.port}"
    env = {"PATH": f"{programs()}", "SECRETS": f"{secrets}", "PGHOST": host, "PGPORT": port}
    done = sh("initdb/10-databases.sh", **env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    url = make_url((secrets / "database_url").read_text()).set(host=host, port=int(port))
    assert await ask(url, "SELECT current_user || '@' || current_database()") == "paidonce@paidonce"
    await ask(url, "CREATE TABLE proof (id int)")
    for other in ("temporal", "temporal_visibility"):
        with pytest.raises(DBAPIError, match="permission denied for database"):
            await ask(url.set(database=other), "SELECT 1")
        await ask(url.set(username="temporal", database=other), "CREATE TABLE proof (id int)")
    kept = "SELECT count(*) FROM pg_authid WHERE rolpassword LIKE 'SCRAM-SHA-256$%'"
    assert await ask(postgres.url, kept) == 2


async def test_migrating_can_be_repeated(postgres: PostgresServer, tmp_path: Path) -> None:
    url = await postgres.create_database()
    (tmp_path / "database_url").write_text(f"{url}\n")
    env = {"SECRETS": f"{tmp_path}", "CATALOGUE": f"{ROOT / 'db/catalogue.json'}"}
    for _ in range(2):
        done = sh("migrate.sh", **env)
        assert done.returncode == 0, done.stderr
        assert await ask(make_url(url), "SELECT count(*) FROM products") == len(read_catalogue())


async def ask(url: URL, sql: str) -> Any:
    async with create_async_engine(url, poolclass=NullPool).begin() as connection:
        result = await connection.exec_driver_sql(sql)
        return result.scalar() if result.returns_rows else None


def test_secrets_are_made_once_and_fit_our_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "secrets"
    first = sh("make-secrets.sh", f"{folder}")
    made = {file.name: file.read_text() for file in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    written = [secret for secret in made.values() if secret not in ("", "[]")]
    assert len(set(written)) == len(written)
    again = sh("make-secrets.sh", f"{folder}")
    assert {file.name: file.read_text() for file in folder.iterdir()} == made
    assert "key:" not in again.stdout
    for name in ("razorpay_key_secret", "razorpay_webhook_secrets"):
        assert f"still to write: {folder / name}" in first.stdout

    (folder / "razorpay_key_secret").write_text("s3cret")
    (folder / "razorpay_webhook_secrets").write_text('["new", "old"]')
    monkeypatch.setenv("RAZORPAY_KEY_ID", "rzp_live_1")
    where: dict[str, Any] = {"_secrets_dir": folder}
    settings = Settings(**where)
    assert settings.database_url == made["database_url"]
    assert settings.razorpay_webhook_secrets == (SecretStr("new"), SecretStr("old"))
    assert list(settings.gateways) == ["razorpay"]
    printed = re.findall(r"the (?:shop|operator)'s key: +(\S+)", first.stdout)
    assert [key.sha256 for key in settings.api_keys] == [
        sha256(key.encode()).hexdigest() for key in printed
    ]
    assert [key.role for key in settings.api_keys] == ["client", "operator"]


TOOL = """#!/bin/sh
echo "$SQL_PASSWORD $*" >>"$CALLS"
"""


def test_both_schemas_of_temporal_are_brought_up(secrets: Path, tmp_path: Path) -> None:
    (tmp_path / "temporal-sql-tool").write_text(TOOL)
    (tmp_path / "temporal-sql-tool").chmod(0o755)
    calls = tmp_path / "calls"
    env = {"PATH": f"{tmp_path}", "SECRETS": f"{secrets}", "CALLS": f"{calls}"}
    assert sh("temporal-schema.sh", **env).returncode == 0
    password = (secrets / "temporal_database_password").read_text()
    schema = "/etc/temporal/schema/postgresql/v12"
    assert calls.read_text().splitlines() == [
        f"{password} --db temporal setup-schema -v 0.0",
        f"{password} --db temporal update-schema -d {schema}/temporal/versioned",
        f"{password} --db temporal_visibility setup-schema -v 0.0",
        f"{password} --db temporal_visibility update-schema -d {schema}/visibility/versioned",
    ]
