"""How the tests are shared out among processes: a file at a time, and some files in a row.

Half of the tests wait for something, so there are more processes than cores. But tests that kill
processes and judge what becomes of it within a time would starve one another, and browsers too: of
each group there is one at a time, from the beginning.
"""

import pytest
from xdist.scheduler import LoadScopeScheduling

DEATHS = "tests that kill"
BROWSERS = "tests with a browser"
GROUPS = {
    "tests/chaos/test_chaos.py": DEATHS,
    "tests/test_kill_points.py": DEATHS,
    "tests/test_money_property.py": DEATHS,
    "tests/test_reconciliation_deaths.py": DEATHS,
    "tests/test_server_deaths.py": DEATHS,
    "tests/test_whole_stack.py": DEATHS,
    "tests/test_worker.py": DEATHS,
    "tests/browser/test_mishaps.py": BROWSERS,
    "tests/browser/test_pay.py": BROWSERS,
    "tests/browser/test_reading.py": BROWSERS,
    "tests/simulator/test_browser.py": BROWSERS,
}


class InGroups(LoadScopeScheduling):  # type: ignore[misc]
    """Groups first, and then the files, each on one process."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return GROUPS.get(file_of(nodeid), file_of(nodeid))


def groups_first(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: file_of(item.nodeid) not in GROUPS)


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]
