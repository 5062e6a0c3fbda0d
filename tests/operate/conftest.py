"""An operator's console, with a Replicate that misbehaves behind it."""

from collections.abc import Callable, Iterator
from subprocess import CompletedProcess

import pytest

from operate.model import main
from settings import load
from tests.replicate.server import TOKEN, MisbehavingReplicate, misbehaving_replicate
from tests.support.make import make as run_make

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def replicate() -> Iterator[MisbehavingReplicate]:
    with misbehaving_replicate() as server:
        yield server


@pytest.fixture
def environment(replicate: MisbehavingReplicate, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("REPLICATE_BASE_URL", replicate.url)
    monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)
    return monkeypatch


@pytest.fixture
def make(environment: pytest.MonkeyPatch) -> Run:
    return run_make


@pytest.fixture
def model(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs `make model` without a process: `model("owner/name", "2", "image")`."""

    def run(*arguments: str) -> "CompletedProcess[str]":
        load.cache_clear()
        try:
            code = main(arguments)
        except SystemExit:  # of settings, which has printed the reason
            code = 2
        return CompletedProcess(arguments, code, *capsys.readouterr())

    yield run
    load.cache_clear()
