"""An operator's console, with a Replicate that misbehaves behind it."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from operate.model import main
from settings import load
from tests.replicate.server import TOKEN, MisbehavingReplicate, misbehaving_replicate
from tests.support.processes import TOLD_BY_MAKE

ROOT = Path(__file__).parent.parent.parent
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
    for name in TOLD_BY_MAKE:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def make(environment: pytest.MonkeyPatch) -> Run:
    """Run `make` as a person does: `make("model", NAME="owner/name")`."""

    def run(target: str, **variables: str) -> "CompletedProcess[str]":
        given = [f"{name}={value}" for name, value in variables.items()]
        command = ["make", "--no-print-directory", target, *given]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    return run


@pytest.fixture
def model(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """What `make model` does, without a process: `model("owner/name", "2", "image")`."""

    def run(*arguments: str) -> "CompletedProcess[str]":
        load.cache_clear()
        try:
            code = main(arguments)
        except SystemExit:  # as settings leaves, which has said why
            code = 2
        return CompletedProcess(arguments, code, *capsys.readouterr())

    yield run
    load.cache_clear()
