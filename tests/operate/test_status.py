"""The lines of `make status`, and the process that each names: one fault a row of the table."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from subprocess import CompletedProcess
from typing import Any

import pytest

from local.stack import Stack
from operate import status
from settings import load
from tests.support.jobs import Jobs
from tests.support.make import make

LONG_AGO = "now() - interval '10 minutes'"
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def screen(stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The output of `make status`, without a process: `screen("--json")`."""

    def run(*arguments: str, url: str = stack.bridge_url) -> "CompletedProcess[str]":
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        monkeypatch.setattr(sys, "argv", ["status", *arguments])
        load.cache_clear()
        return CompletedProcess(arguments, status.main(), *capsys.readouterr())

    return run


def seen(
    jobs: Jobs, kind: str, *, ago: str = "0", problem: str | None = None, webhooks: bool = False
) -> None:
    jobs.conn.execute(
        "insert into private.processes (name, kind, version, problem, expects_webhooks, seen_at)"
        " values (%s, %s, '1', %s, %s, now() - %s::interval)",
        (f"host-of-{kind}:1", kind, problem, webhooks, ago),
    )


def problems(seen: "CompletedProcess[str]") -> dict[str, str]:
    """By item. The exit code shows whether there are any."""
    found = json.loads(seen.stdout)
    wrong = {fact["item"]: fact["problem"] for fact in found["facts"] if fact["problem"]}
    assert found["is_well"] == (not wrong) == (seen.returncode == 0)
    return wrong


def due(jobs: Jobs) -> None:
    jobs.move(jobs.enqueue(), updated_at=LONG_AGO)


def one_out(jobs: Jobs) -> None:
    jobs.move(jobs.enqueue(), dispatched_at=LONG_AGO)


def running_alone(jobs: Jobs) -> None:
    jobs.move(jobs.enqueue(), status="'running'", fence="1", lease_expires_at=LONG_AGO)


def overdue(jobs: Jobs) -> None:
    jobs.move(jobs.enqueue(), deadline_at=LONG_AGO)


def refused_account(jobs: Jobs) -> None:
    jobs.conn.execute("select private.record_refused_account('replicate', 'No money is left.')")


def open_circuit(jobs: Jobs) -> None:
    jobs.conn.execute("update private.provider_limits set failures = 5 where provider = 'replicate'")
    jobs.move(jobs.enqueue(), rate_limited_by="'replicate'", updated_at=LONG_AGO)


def ended(jobs: Jobs, **columns: str) -> None:
    job_id = jobs.enqueue()
    jobs.move(job_id, status="'running'", fence="1", lease_expires_at="now() + interval '1 minute'")
    jobs.move(job_id, finished_at="now()", lease_expires_at="null", **columns)


def failed(code: str) -> Callable[[Jobs], None]:
    return lambda jobs: ended(jobs, status="'failed'", error_code=f"'{code}'", error_message="'x'")


def collected(jobs: Jobs) -> None:
    for number in range(3):
        ended(jobs, status="'succeeded'", submitted_at="now()", provider_ref=f"'p{number}'")


def wrong_balance(jobs: Jobs) -> None:
    jobs.conn.execute("update public.entitlements set credits = credits + 1")


@dataclass(frozen=True)
class Case:
    bridge: Mapping[str, Any] | None = field(default_factory=dict)  # None: none was seen
    worker: Mapping[str, Any] | None = field(default_factory=dict)
    trouble: tuple[Callable[[Jobs], None], ...] = ()
    # item: a part of its problem; all others are well
    says: dict[str, str] = field(default_factory=dict)


DEAD: dict[str, Any] = {"ago": "10 minutes"}
NO_REDIS: dict[str, Any] = {"problem": "Redis does not answer: ConnectionError"}
NO_STORAGE = {"problem": "Storage refuses SUPABASE_SECRET_KEY (403): …"}
BY_ASKING = {"webhooks": True}
NO_BRIDGE, NO_WORKER = {"bridges": "no bridge since 20"}, {"workers": "no worker since 20"}
CANNOT_SEND = {"bridge host-of-bridge:1": "Redis does not answer"}

CASES = {
    "all is well": Case(),
    "idle, and no process was ever seen": Case(
        None, None, (), {"bridges": "no bridge was seen for a day", "workers": "no worker was seen for a day"}
    ),
    "idle, and both processes are gone": Case(DEAD, DEAD, (), NO_BRIDGE | NO_WORKER),
    "the bridge is dead with one message out": Case(
        DEAD, {}, (due, one_out),
        NO_BRIDGE | {"oldest due": "no bridge runs", "oldest dispatched": "no bridge runs, so a lost message"},
    ),
    "the bridge is dead, and nothing is out": Case(DEAD, {}, (due,), NO_BRIDGE | {"oldest due": "no bridge runs"}),
    "the bridge is dead and Redis is lost": Case(
        DEAD | NO_REDIS, {}, (due, one_out),
        NO_BRIDGE | {"oldest due": "no bridge runs", "oldest dispatched": "no bridge runs, so a lost message"},
    ),
    "Redis is down, idle": Case(NO_REDIS, {}, (), CANNOT_SEND),
    "Redis is down with jobs": Case(
        NO_REDIS, {}, (due, one_out),
        CANNOT_SEND | {
            "oldest due": "the bridge does not reach Redis",
            "oldest dispatched": "the bridge does not reach Redis, so a lost message",
        },
    ),
    "no worker runs, with jobs": Case({}, DEAD, (one_out,), NO_WORKER | {"oldest dispatched": "no worker runs"}),
    "all workers are busy": Case({}, {}, (due, one_out), {"oldest dispatched": "no worker is free"}),
    "the bridge hangs": Case({}, {}, (due,), {"oldest due": "the bridge runs and dispatches nothing"}),
    "the bridge does not rescue": Case(
        {}, {}, (running_alone, overdue),
        {"leases that ended": "the bridge runs and rescues nothing", "past their deadline": "the bridge runs and"},
    ),
    "the bridge is dead, and a lease ended": Case(
        DEAD, {}, (running_alone,), NO_BRIDGE | {"leases that ended": "no bridge runs"}
    ),
    "the circuit is open with jobs waiting": Case({}, {}, (open_circuit,), {"provider replicate": "does not answer"}),
    "our account is refused": Case({}, {}, (refused_account,), {"provider replicate": "No money is left."}),
    "the Storage key is wrong": Case({}, NO_STORAGE, (), {"worker host-of-worker:1": "Storage refuses"}),
    "a dead worker is not quoted": Case({}, DEAD | NO_STORAGE, (), NO_WORKER),
    "the ledger is wrong by hand": Case(
        {}, {}, (wrong_balance,), {"balances that differ from the ledger": "make audit"}
    ),
    "every worker died": Case({}, {}, (failed("worker_lost"),), {"last hour: worker_lost": "died"}),
    "the provider failed": Case(
        {}, {}, (failed("provider_unavailable"),), {"last hour: provider_unavailable": "the provider failed"}
    ),
    "a bug of ours": Case({}, {}, (failed("internal"),), {"last hour: internal": "a bug of ours"}),
    "a user's own fault": Case({}, {}, (failed("content_rejected"),)),
    "no webhook comes": Case(
        {}, BY_ASKING, (collected,), {"last webhook of a provider": "none came for the 3 jobs"}
    ),
    "webhooks come": Case({}, BY_ASKING, (collected, lambda jobs: seen(jobs, "webhook"))),
    "no webhook is expected": Case({}, {}, (collected,)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_names_the_right_process(case: Case, screen: Run, jobs: Jobs) -> None:
    for kind, how in (("bridge", case.bridge), ("worker", case.worker)):
        if how is not None:
            seen(jobs, kind, **how)
    for trouble in case.trouble:
        trouble(jobs)
    said = problems(screen("--json"))
    assert said.keys() == case.says.keys(), said
    for item, part in case.says.items():
        assert part in said[item]


def test_the_screen_says_what_the_json_says(screen: Run, jobs: Jobs) -> None:
    found = screen()
    assert (found.returncode, found.stderr) == (1, "")
    assert "bridges" in found.stdout
    assert "<- no bridge was seen for a day: start one" in found.stdout


def test_a_heartbeat_forgets_processes_of_yesterday(screen: Run, jobs: Jobs) -> None:
    seen(jobs, "worker", ago="25 hours")
    jobs.conn.execute("select private.record_process('a:1', 'bridge', '1', null)")
    assert jobs.conn.execute("select name from private.processes").fetchall() == [("a:1",)]


@pytest.mark.parametrize("name", ["json", "screen"])
def test_a_database_that_is_away_is_one_line(name: str, screen: Run) -> None:
    found = screen(*["--json"] * (name == "json"), url=NOWHERE)
    assert (found.returncode, found.stdout) == (1, "")
    assert "The database does not answer at DATABASE_URL" in found.stderr
    assert found.stderr.count("\n") == 1


def test_only_a_database_that_is_away_does_not_answer(
    screen: Run, stack: Stack, unmigrated_stack: Stack, jobs: Jobs
) -> None:
    said = [
        screen(url=stack.bridge_url.replace(stack.password, "wrong")).stderr,
        screen(url=stack.worker_url).stderr,
        screen(url=unmigrated_stack.database_url).stderr,
        screen(url=stack.bridge_url.replace("/test_", "/no_")).stderr,
        screen(url=f"{stack.bridge_url}?sslmode=require").stderr,
    ]
    jobs.conn.execute("drop function private.operator_status()")
    said.append(screen().stderr)
    assert not [line for line in said if "does not answer" in line]
    parts = [
        "refuses the password of DATABASE_URL", "cannot become generation_bridge", "Apply the migrations",
        "no database of the name", "speaks no TLS", "Run make migrate",
    ]  # fmt: skip
    for line, part in zip(said, parts, strict=True):
        assert part in line
        assert line.count("\n") == 1
        assert "wrong" not in line


def test_a_statement_that_takes_too_long_is_no_missing_database(
    screen: Run, stack: Stack, jobs: Jobs
) -> None:
    jobs.conn.execute(
        "alter table public.jobs rename to jobs_away"
    )  # the screen waits for no lock it does not need
    jobs.conn.execute("alter table public.jobs_away rename to jobs")
    with jobs.conn.transaction():
        jobs.conn.execute("lock table public.jobs in access exclusive mode")
        said = screen().stderr
    assert said.startswith("The database answers, and needed too long")


def test_a_ledger_of_many_users_is_audited_in_steps(
    screen: Run, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "AUDITED_AT_ONCE", 2)
    jobs.conn.execute("insert into auth.users (id) select gen_random_uuid() from generate_series(1, 6)")
    seen(jobs, "bridge")
    seen(jobs, "worker")
    jobs.conn.execute(
        "update public.entitlements set credits = credits + 1 where user_id ="
        " (select user_id from public.entitlements order by user_id desc limit 1)"
    )
    found = [screen().returncode for _ in range(5)]
    assert found[0] == 0, "the first two users are well"
    assert found[-1] == 1
    jobs.conn.execute(
        "update public.entitlements set credits = credits - 1 where user_id ="
        " (select user_id from public.entitlements order by user_id desc limit 1)"
    )
    assert [screen().returncode for _ in range(5)][-1] == 0


def test_make_runs_it(stack: Stack, jobs: Jobs) -> None:
    seen(jobs, "bridge")
    seen(jobs, "worker")
    environment = {
        "PATH": "/usr/bin:/bin",
        "BRIDGE_DATABASE_URL": stack.bridge_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    made = make("status", environment=environment, ARGS="--json")
    assert problems(made) == {}
