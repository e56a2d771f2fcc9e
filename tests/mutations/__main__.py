"""`python -m tests.mutations`: take out each guard in a copy, and see its test go red.

Words after it choose those whose names have one of them; a word that none has shows their names.
Exits 0 only if each test is green as things are, and red without its guard.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.mutations.guards import MUTATIONS, ROOT, Mutation

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", ".*_cache", ".hypothesis", "__pycache__")
GREEN, RED = 0, 1
LONGEST_SECONDS = 900


def main(words: Sequence[str]) -> int:
    chosen = [each for each in MUTATIONS if not words or any(w in each.name for w in words)]
    if not chosen:
        say("No guard has such a word in its name; there are:")
        say("\n".join(f"  {each.name}" for each in MUTATIONS))
        return 2
    with TemporaryDirectory() as folder:
        tree = Path(shutil.copytree(ROOT, Path(folder) / "tree", ignore=LEFT_OUT))
        code, said = run(tree, *dict.fromkeys(each.node for each in chosen))
        if code != GREEN:
            say(f"{said}\nThe tests must be green before a guard is taken out.")
            return 1
        survivors = [each for each in chosen if not is_noticed(tree, each)]
    say(f"{len(chosen) - len(survivors)} of {len(chosen)} were noticed")
    return 1 if survivors else 0


def is_noticed(tree: Path, mutation: Mutation) -> bool:
    """Whether its test fails; one that cannot even begin has noticed nothing."""
    began = monotonic()
    with mutation.applied(tree):
        code, said = run(tree, mutation.node)
    word = {GREEN: "GREEN", RED: "red"}.get(code, "BROKEN")
    say(f"{word:6} {monotonic() - began:5.1f} s  {mutation.name}\n         {mutation.node}")
    if code not in (GREEN, RED):
        say(said)
    return code == RED


def run(tree: Path, *nodes: str) -> tuple[int, str]:
    """pytest's exit code and what it said, about the tests of this copy."""
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--no-header",
        "-x",
        "-p",
        "no:cacheprovider",
        "-m",
        "not long",
        *nodes,
    ]
    done = subprocess.run(
        argv, cwd=tree, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
    )
    return done.returncode, done.stdout + done.stderr


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
