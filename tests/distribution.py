"""Which tests run side by side, which of them first, and which start no process.

`make test` runs several workers beside each other (pytest-xdist). Each makes the fixtures of a session for itself.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# A package or a file that shares something expensive runs in one worker; all other tests run wherever there is room.
# The longest come first, so that no worker is left with a long one while the others have ended.
TOGETHER = (
    "tests/app/",  # a whole system, a web export and a browser
    "tests/edge/",  # Edge Functions, with a gateway and with a stand-in of it
    "tests/gateway/",  # a gateway
    "tests/local/test_install.py",  # a virtual environment
)
FIRST = (
    "tests/app/",
    "tests/chaos/test_chaos.py",
    "tests/replicate/test_storm.py",
    "tests/sql/test_interleavings.py",
    "tests/tasks/",
    "tests/local/",
    "tests/edge/",
    "tests/replicate/",
    "tests/bridge/",
)

# Whoever uses one of these, however indirectly, needs a process. A test that starts one by itself says so with the
# marker; a test that starts one without either fails.
START_PROCESSES = {
    "postgres",
    "redis_of_the_run",
    "own_broker",
    "chromium",
    "one_stand_in",
    "gate_to_nowhere",
    "gate_without_settings",
    "venv",
}

running: list[pytest.Item] = []


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Hand out what belongs together as one, and everything else test by test."""

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """Numbered, since of several tests with one id, as Schemathesis makes them, only one would be run."""
        super().add_node_collection(node, [f"{nodeid} #{number}" for number, nodeid in enumerate(collection)])

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    config.option.loadscopereorder = False  # the order is ours
    return Scheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Tests wait more than they compute; more than eight only make the fixtures of a session once more each."""
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
