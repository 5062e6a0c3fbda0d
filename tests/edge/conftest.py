"""The functions in front of a stand-in of the Data API, and the counts of attempts on them."""

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from local.stack import Stack
from tests.edge import backend as backends
from tests.edge import functions
from tests.edge.backend import Backend
from tests.edge.data_api import DataApi, Exchange, data_api
from tests.edge.functions import Gate
from tests.edge.tokens import Issuer
from tests.edge.user import TappingUser
from tests.support.databases import fresh_copy
from tests.support.jobs import Jobs
from tests.support.processes import ROOT

API_KEYS = {"publishable": "sb_publishable_stand_in", "secret": "sb_secret_stand_in"}

set_hypothesis_home_dir(ROOT / ".pilotlight" / "cache" / "hypothesis")

tried: Counter[tuple[str, str]] = Counter()


@dataclass(frozen=True, slots=True)
class StandIn:
    """The gate with only the stand-in behind it."""

    gate: Gate
    api: DataApi
    issuer: Issuer
    webhook_secret: bytes


@pytest.fixture(scope="package")
def one_stand_in() -> Iterator[StandIn]:
    with data_api() as api:
        issuer, webhook_secret = Issuer(api.url), secrets.token_bytes(24)
        environment = functions.function_environment(api.url, issuer, API_KEYS, webhook_secret)
        with functions.serve(environment) as gate:
            yield StandIn(gate, api, issuer, webhook_secret)


@pytest.fixture
def stand_in(one_stand_in: StandIn) -> StandIn:
    """The stand-in without recorded calls, answering normally."""
    one_stand_in.api.calls.clear()
    one_stand_in.api.behave = Exchange.answer_well
    return one_stand_in


@pytest.fixture(scope="package")
def backend(template: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The gate with a gateway and a fresh migrated database behind it."""
    folder = tmp_path_factory.mktemp("backend")
    for copied in fresh_copy(template):
        with backends.running(replace(copied, folder=folder), secrets.token_bytes(24)) as backend:
            yield backend


@pytest.fixture(scope="package")
def jobs(backend: Backend) -> Iterator[Jobs]:
    with Jobs(backend.stack.database_url) as jobs:
        yield jobs


@pytest.fixture
def user(backend: Backend, http: httpx.Client, jobs: Jobs) -> Iterator[TappingUser]:
    """A user; after the test, only accepted requests may have cost a credit."""
    user = TappingUser(backend, http, jobs)
    yield user
    user.assert_charged_for_the_accepted_alone()


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def tally() -> Counter[tuple[str, str]]:
    """Attempts by function and kind; a run of this folder in one process prints the table."""
    return tried


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not tried:
        return
    terminalreporter.section("odd and bad inputs tried on the Edge Functions")
    for (function, kind), count in sorted(tried.items()):
        terminalreporter.write_line(f"{count:6}  {function:20}  {kind}")
    terminalreporter.write_line(f"{tried.total():6}  in all")
