"""A worker that cannot work prints the reason in one line, before it takes a job."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg
import pytest

import database
import settings
from local.stack import Stack

# the story first, as a worker loads it
from tasks import generate, media, storage, store  # noqa: F401
from tasks.worker import options, startup
from tests.support.jobs import Jobs
from tests.support.processes import PROGRAMS, ROOT
from tests.support.servers import Redis
from tests.support.tls import TlsRelay, certificates

NOWHERE = {
    "DATABASE_URL": "postgresql://a:b@127.0.0.1:1/postgres",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SUPABASE_URL": "http://127.0.0.1:1",
    "SUPABASE_SECRET_KEY": "sb_secret_of_the_tests",
}


def worker(*arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(PROGRAMS / "celery"), "-A", "tasks", "worker", *arguments],
        cwd=PROGRAMS,  # there is no .env, as there may be in a developer's clone
        env=os.environ
        | NOWHERE
        | {"PYTHONPATH": str(ROOT)}
        | {"PYTHONWARNINGS": "ignore"}
        | changes,  # Celery warns those who run as root
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "changes", "code", "says"),
    [
        (("--pool", "prefork"), {}, 1, "--pool: A worker runs threads"),
        (("--autoscale", "8,2"), {}, 1, "--autoscale: "),
        (("-Q", "other"), {}, 1, "The bridge sends to the queue generations alone"),
        ((), {"SUPABASE_SECRET_KEY": ""}, 2, "SUPABASE_SECRET_KEY is missing"),
    ],
)
def test_a_worker_that_cannot_work_ends_with_one_line(
    arguments: tuple[str, ...], changes: dict[str, str], code: int, says: str
) -> None:
    seen = worker(*arguments, **changes)
    (line,) = seen.stderr.splitlines()
    assert (seen.returncode, line.startswith(says)) == (code, True), line


@pytest.mark.parametrize("name", options.REFUSED)
def test_an_option_that_would_be_ignored_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    typed = click.Context(click.Command("worker"))
    typed.set_parameter_source(name, click.core.ParameterSource.COMMANDLINE)
    with typed, pytest.raises(SystemExit):
        options.refuse_options()
    assert capsys.readouterr().err.startswith(f"--{name.replace('_', '-')}: ")


@pytest.fixture
def config(stack: Stack, broker: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    own = {"WORKER_DATABASE_URL": stack.worker_url, "REDIS_URL": broker.url}
    for name, value in (NOWHERE | own).items():
        monkeypatch.setenv(name, value)
    forget()
    yield monkeypatch
    if store.pool.cache_info().currsize:
        store.pool().close()
    forget()


def forget() -> None:
    for cached in (settings.load, store.pool, storage.bucket):
        cached.cache_clear()


def test_a_model_that_this_worker_cannot_read_is_named(
    config: pytest.MonkeyPatch, jobs: Jobs, capsys: pytest.CaptureFixture[str]
) -> None:
    startup.refuse_unreadable_kinds()
    config.setattr(media, "can_read", lambda kind: kind != "video")
    with pytest.raises(SystemExit):
        startup.refuse_unreadable_kinds()
    assert "The model preview-video makes video" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("version", "compatible_since", "says"),
    [(0, 0, "Apply the migrations"), (9, 9, "update it"), (9, database.SCHEMA, None), (1, 1, None)],
)
def test_code_and_schema_fit_or_the_worker_ends(
    config: pytest.MonkeyPatch,
    jobs: Jobs,
    version: int,
    compatible_since: int,
    says: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    jobs.conn.execute(
        "create or replace function private.schema_version(out version integer, out compatible_since integer)"
        f" language sql immutable as 'select {version}, {compatible_since}'"
    )
    if says is None:
        return startup.check_database()
    with pytest.raises(SystemExit):
        startup.wait_for(startup.check_database, "database")
    assert says in capsys.readouterr().err


def test_a_schema_without_the_last_migrations_is_named(
    config: pytest.MonkeyPatch, jobs: Jobs, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.conn.execute("drop function private.schema_version()")
    with pytest.raises(database.SchemaRefused, match="Apply the migrations"):
        startup.check_database()


def test_a_database_that_is_away_is_waited_for_in_words(
    config: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = iter([psycopg.OperationalError("away"), psycopg.OperationalError("away"), None])

    def step() -> None:
        if (error := next(tries)) is not None:
            raise error

    config.setattr(startup, "RETRY_EVERY", 0.01)
    startup.wait_for(step, "database")
    assert [record.getMessage() for record in caplog.records] == ["database.away"]


def test_a_storage_that_cannot_be_verified_is_refused(config: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, context = certificates(tmp_path)
    relay = TlsRelay(1, context)
    config.setenv("SUPABASE_URL", f"https://127.0.0.1:{relay.port}")
    with pytest.raises(storage.AccessRefused, match="The certificate of SUPABASE_URL cannot be verified"):
        storage.check_access()
    relay.close()


@pytest.mark.parametrize(("name", "near"), [("WORKER_THREAD", "WORKER_THREADS"), ("REDIS_URI", "REDIS_URL")])
def test_a_setting_with_a_slip_is_named(
    name: str, near: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("REPLICATE_WEBHOOK_SECRET", "whsec_of_the_function")
    assert settings.misspelt() == {name: near}
