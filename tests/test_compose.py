"""The rules of the production files: what is pinned, locked up, told, and waited for."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = {"migrate", "api", "worker"}
JOBS = {"migrate", "temporal-schema", "temporal-namespace"}
every = pytest.mark.parametrize("name", SERVICES)
ours = pytest.mark.parametrize("name", sorted(OURS))


def copied() -> list[str]:
    """What the image takes from the repository, as the Dockerfile names it."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def seconds(text: str) -> int:
    assert text.endswith("s")
    return int(text[:-1])


def test_the_parts_are_all_there() -> None:
    temporal = {"temporal-schema", "temporal", "temporal-namespace", "temporal-ui"}
    assert set(SERVICES) == {"postgres", *temporal, *OURS}
    assert {name for name, service in SERVICES.items() if "build" in service} == OURS
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


@every
def test_an_image_is_one_version(name: str) -> None:
    assert re.search(r":(\$\{\w+:-)?v?\d+\.\d+", SERVICES[name]["image"])


def test_the_base_image_is_one_version() -> None:
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {
        f"python:{sys.version_info.major}.11-slim-bookworm"
    }


def test_temporal_is_the_version_that_the_tests_run_on() -> None:
    dev_server = Path(sys.executable).parent / "temporal"
    said = subprocess.run([dev_server, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"Server ([\d.]+), UI ([\d.]+)", said.stdout)
    assert found is not None
    server, ui = found.groups()
    assert SERVICES["temporal"]["image"] == f"temporalio/server:{server}"
    assert SERVICES["temporal-ui"]["image"] == f"temporalio/ui:{ui}"
    for job in ("temporal-schema", "temporal-namespace"):
        assert SERVICES[job]["image"] == f"temporalio/admin-tools:{server}"


@every
def test_a_container_has_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "pid", "network_mode", "devices"}
    assert name == "postgres" or "cap_add" not in service


@ours
def test_our_containers_cannot_write(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert SERVICES[name]["tmpfs"] == ["/tmp"]


def test_our_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert not any("user" in SERVICES[name] for name in OURS)


def test_our_image_installs_only_what_is_pinned_by_hash() -> None:
    commands = DOCKERFILE.replace("\\\n", " ")
    installs = re.findall(r"(?:pip|uv|apt-get|curl|wget) .*", commands)
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "requirements.runtime.lock" in installs[0]


@every
def test_no_secret_is_in_the_environment(name: str) -> None:
    told = SERVICES[name].get("environment", {})
    secret = re.compile(r"PASSWORD|PWD|SECRET|TOKEN|KEY|DATABASE_URL")
    suspects = {key for key in told if secret.search(key)}
    assert suspects <= {"POSTGRES_PASSWORD_FILE", "RAZORPAY_KEY_ID"}


def test_every_secret_is_a_file_and_is_used() -> None:
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    for secret, source in COMPOSE["secrets"].items():
        assert source == {"file": f"./secrets/{secret}"}


@pytest.mark.parametrize("name", ["api", "worker"])
def test_our_settings_are_told_by_their_names(name: str) -> None:
    known = set(Settings.model_fields)
    assert {key.lower() for key in SERVICES[name]["environment"]} <= known
    assert set(SERVICES[name]["secrets"]) <= known


def test_only_the_api_knows_its_callers() -> None:
    assert [name for name in SERVICES if "api_keys" in SERVICES[name].get("secrets", [])] == ["api"]


@every
def test_a_port_is_open_to_this_host_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_databases_and_temporal_cannot_reach_the_world() -> None:
    inside = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    for name in ("postgres", "temporal-schema", "temporal", "temporal-namespace", "migrate"):
        assert set(SERVICES[name]["networks"]) <= inside
        assert "ports" not in SERVICES[name]


@pytest.mark.parametrize("name", ["api", "worker"])
def test_work_begins_when_schema_and_namespace_are_there(name: str) -> None:
    done = {"condition": "service_completed_successfully"}
    assert SERVICES[name]["depends_on"] == {"migrate": done, "temporal-namespace": done}


@every
def test_what_is_waited_for_can_be_waited_for(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert other in JOBS


@every
def test_a_service_comes_back_and_a_job_gives_up(name: str) -> None:
    assert SERVICES[name]["restart"] == ("on-failure:5" if name in JOBS else "unless-stopped")


@pytest.mark.parametrize("name", ["api", "worker"])
def test_our_services_are_watched_and_may_finish(name: str) -> None:
    worker = (ROOT / "worker.py").read_text()
    grace = re.search(r"graceful_shutdown_timeout=timedelta\(seconds=(\d+)\)", worker)
    assert grace is not None
    assert seconds(SERVICES["worker"]["stop_grace_period"]) > int(grace[1]) + 10
    assert seconds(SERVICES[name]["stop_grace_period"]) >= 20
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@every
def test_a_mounted_file_exists(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = re.sub(r"^\$\{\w+:-(.*?)\}", r"\1", volume).split(":")[0]
        if source.startswith("."):
            assert (ROOT / source).exists()
            assert volume.endswith(":ro")
    for word in [*SERVICES[name].get("entrypoint", []), *SERVICES[name].get("command", [])]:
        if word.endswith(".sh"):
            assert (ROOT / word.lstrip("/")).exists()


def test_the_image_holds_all_that_its_programs_import(tmp_path: Path) -> None:
    for source in copied():
        if source != "requirements.runtime.lock":
            (tmp_path / source).parent.mkdir(exist_ok=True)
            (tmp_path / source).symlink_to(ROOT / source)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import api.__main__, worker, db.__main__"
    argv = [sys.executable, "-I", "-c", f"{code}; print(*sys.modules)", f"{tmp_path}"]
    loaded = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert not {"demo", "simulator", "local_stack", "tests"} & set(loaded.stdout.split())
