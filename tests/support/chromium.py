"""Finds Chromium for the browser tests, or installs Debian's when it may.

`python -m tests.support.chromium` prints its path, or says in one line what to do and exits with 1.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = "apt-get update && apt-get install --yes --no-install-recommends chromium"


class NoChromium(Exception):
    """There is none, and it cannot be installed from here."""


def chromium() -> str:
    """The path of the browser named by CHROMIUM, else of the first one on PATH."""
    if named := os.environ.get("CHROMIUM"):
        if found := shutil.which(named):
            return found
        raise NoChromium(f"CHROMIUM={named} is not a program")
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise NoChromium(f"no Chromium found: run `{INSTALL}` as root, or set CHROMIUM to its path")


def installed() -> str:
    """The same, after installing it if we are root on a Debian and there is none."""
    try:
        return chromium()
    except NoChromium:
        if "CHROMIUM" in os.environ or os.geteuid() != 0 or not shutil.which("apt-get"):
            raise
    sys.stderr.write("installing Chromium for the browser tests, once\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["sh", "-c", INSTALL], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoChromium(f"`{INSTALL}` failed: {done.stderr.strip().splitlines()[-1:]}")
    return chromium()


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{installed()}\n")
    except NoChromium as error:
        sys.exit(str(error))
