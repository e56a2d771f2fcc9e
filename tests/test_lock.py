"""The lock files: in step with pyproject.toml and each other, hashed, and free of hosts."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements.runtime.lock")
each = pytest.mark.parametrize("lock", LOCKS)


def pinned(lock: str) -> dict[str, set[str]]:
    """The versions of each package; more than one where platforms differ."""
    found: dict[str, set[str]] = {}
    pins = re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    for name, version in pins:
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def asked(*, groups: bool) -> list[Requirement]:
    wanted: list[str] = list(PROJECT["project"]["dependencies"])
    for group in PROJECT["dependency-groups"].values() if groups else ():
        wanted += [line for line in group if isinstance(line, str)]
    return [Requirement(line) for line in wanted]


@each
def test_what_the_project_asks_for_is_pinned(lock: str) -> None:
    pins = pinned(lock)
    for requirement in asked(groups=lock == "requirements.lock"):
        versions = pins.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement} is not in {lock}: make lock"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_production_runs_on_the_versions_that_were_tested() -> None:
    tested = pinned("requirements.lock")
    for name, versions in pinned("requirements.runtime.lock").items():
        assert versions <= tested.get(name, set()), f"{name} {versions}: make lock"


@each
def test_every_pin_has_a_hash_and_no_host_is_named(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pins = re.split(r"\n(?=[\w.-]+(?:\[.*?\])?==)", text)
    assert all("--hash=sha256:" in pin for pin in pins)
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links", text)


def test_production_has_all_that_its_programs_import() -> None:
    code = "import api.__main__, worker, db.__main__; print(*set(sys.modules) - before)"
    argv = [sys.executable, "-c", f"import sys; before = set(sys.modules); {code}"]
    loaded = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    owners = packages_distributions()
    pins = pinned("requirements.runtime.lock")
    for module in {name.split(".")[0] for name in loaded.split()} & owners.keys():
        assert any(canonicalize_name(owner) in pins for owner in owners[module]), module
