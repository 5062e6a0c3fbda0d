"""`make user`: what one user has, and blocking."""

from subprocess import CompletedProcess

import pytest

from local.stack import Stack
from operate import user
from settings import load
from tests.operate.conftest import Run
from tests.support.actors import refused
from tests.support.jobs import Jobs


@pytest.fixture
def ask(stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("DATABASE_URL", stack.database_url)
    load.cache_clear()

    def run(*arguments: str) -> "CompletedProcess[str]":
        return CompletedProcess(arguments, user.main(arguments), *capsys.readouterr())

    return run


def test_it_tells_what_a_user_has_and_asked_for(ask: Run, jobs: Jobs) -> None:
    job_id = jobs.enqueue()
    jobs.conn.execute("update auth.users set email = 'Fox@Example.com' where id = %s", (jobs.user_id,))
    for who in (str(jobs.user_id), "fox@example.com"):
        told = ask(who)
        assert (told.returncode, told.stderr) == (0, "")
        assert f"credits  {jobs.credits()}, owed 0\n" in told.stdout
        assert "blocked  no" in told.stdout
        assert (
            f"hold  -1  generation  {job_id}" in " ".join(told.stdout.split("  ")).replace("   ", "  ")
            or str(job_id) in told.stdout
        )
        assert "queued  preview" in told.stdout


def test_reports_are_told_and_cannot_forge_a_line(ask: Run, jobs: Jobs) -> None:
    job_id = jobs.enqueue()
    jobs.actors.worker.complete(job_id, jobs.actors.worker.claimed(job_id))
    person = jobs.user(jobs.user_id)
    person.value("select report_generation(%s, 'other', %s)", job_id, "ugly\n  blocked  \x1b[2Jno")
    (line,) = [line for line in ask(str(jobs.user_id)).stdout.splitlines() if "ugly" in line]
    assert f"open  other  {job_id}" in line
    assert "\x1b" not in line
    jobs.conn.execute("update private.reports set closed_at = now()")
    assert f"closed  other  {job_id}" in ask(str(jobs.user_id)).stdout


def test_a_balance_that_is_wrong_is_said(ask: Run, jobs: Jobs) -> None:
    jobs.conn.execute("update public.entitlements set credits = credits + 7")
    assert "<- the ledger says" in ask(str(jobs.user_id)).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("",),
        ("nobody@example.com",),
        ("' or true --",),
        ("00000000-0000-0000-0000-000000000001",),
        ("a", "1", "1"),
    ],
)
def test_an_unknown_user_is_refused_in_one_line(ask: Run, arguments: tuple[str, ...]) -> None:
    told = ask(*arguments)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.count("\n") == 1


def test_every_call_of_a_blocked_user_is_refused_until_unblocked(ask: Run, jobs: Jobs) -> None:
    job_id = jobs.enqueue()
    told = ask(str(jobs.user_id), "1")
    assert "blocked  no" not in told.stdout
    person = jobs.user(jobs.user_id)
    functions = person.rows(
        "select p.oid::regprocedure::text as name from pg_proc p"
        " where pronamespace = 'public'::regnamespace and has_function_privilege('authenticated', oid, 'execute')"
        " and proname <> 'delete_account'"  # a blocked user may leave
    )
    assert len(functions) >= 4
    for function in functions:
        name, _, types = str(function["name"]).rstrip(")").partition("(")
        values = ", ".join(f"null::{kind}" for kind in types.split(",") if kind)
        with refused(403, "account_suspended"):
            person.value(f"select {name}({values})")
    assert jobs.status(job_id) == "queued", "what was accepted goes on"
    ask(str(jobs.user_id), "", "1")
    jobs.enqueue()
