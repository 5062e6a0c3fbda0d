"""Which tests run side by side, which of them first, and which start no process.

`make test` runs several workers beside each other (pytest-xdist). Each makes its own fixtures of a
session: a Postgres, a Redis.
"""

import os
import re
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Tests that share something expensive run in one worker, every other test in the next free one.
TOGETHER = (
    # A whole system, a web export and a browser: twice, since one worker alone would end long after
    # all others.
    "tests/app/test_[a-f]",
    "tests/app/",
    "tests/edge/",  # Edge Functions, with a gateway and with a stand-in of it
    "tests/gateway/",  # a gateway
    "tests/local/test_install.py",  # a virtual environment
    "tests/test_make.py",  # a copy of the project with a running stack
)
# The longest come first, so that no worker still runs one when all others have ended.
FIRST = (
    "tests/app/",
    "tests/test_make.py",
    "tests/chaos/test_chaos.py",
    "tests/test_logins.py",
    "tests/replicate/test_storm.py",
    "tests/sql/test_interleavings.py",
    "tests/bench/",
    "tests/tasks/",
    "tests/local/",
    "tests/edge/",
    "tests/replicate/",
    "tests/bridge/",
    "tests/media/",
    "tests/sql/test_purchase_storm.py",
)

# Fixtures that start a process: a test that uses one, directly or not, gets the marker `processes`.
# A test that starts a process in its own code is marked by hand. Without the marker it fails.
START_PROCESSES = {
    "postgres",
    "redis_of_the_run",
    "own_broker",
    "chromium",
    "one_stand_in",
    "gate_to_nowhere",
    "gate_without_settings",
    "venv",
    "make",
}

running: list[pytest.Item] = []


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Give a worker a whole group of TOGETHER, or one other test, at a time."""

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """Number the ids: of tests with one id, as Schemathesis makes them, xdist runs only one."""
        numbered = [f"{nodeid} #{number}" for number, nodeid in enumerate(collection)]
        super().add_node_collection(node, numbered)

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in TOGETHER if re.match(place, nodeid)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    config.option.loadscopereorder = False  # the order is ours
    return Scheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Tests wait more than they compute. Beyond eight, each worker costs more than it saves."""
    return min(2 * (os.cpu_count() or 1), 8)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if START_PROCESSES & set(getattr(item, "fixturenames", ())):
            item.add_marker("processes")
    items.sort(key=rank)


def rank(item: pytest.Item) -> int:
    return next((n for n, place in enumerate(FIRST) if item.nodeid.startswith(place)), len(FIRST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    running.append(item)
    try:
        return (yield)
    finally:
        running.pop()


def refuse_hidden_process(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen" and running:
        item = running[-1]
        if not (item.get_closest_marker("processes") or item.get_closest_marker("quick")):
            raise AssertionError(
                f"{item.nodeid} starts a process: mark it, or its fixture, in tests/distribution.py"
            )


sys.addaudithook(refuse_hidden_process)
