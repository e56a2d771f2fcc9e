"""Tests that take the whole machine for themselves: of each group, one runs at a time."""

import pytest

# They kill processes, and judge what becomes of it within a time.
DEATHS = pytest.mark.xdist_group("deaths")
BROWSER = pytest.mark.xdist_group("browser")
