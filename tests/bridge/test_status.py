"""What `make status` shows, and when it says that something is wrong."""

import subprocess
import sys

from tests.support.jobs import Jobs
from tests.support.processes import ROOT


def status(database: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bridge.status"],
        cwd=ROOT,
        env={"DATABASE_URL": database, "REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_an_empty_system_is_well(database: str) -> None:
    seen = status(database)
    assert (seen.returncode, seen.stderr) == (0, "")
    assert "due, not dispatched" in seen.stdout


def test_a_job_that_no_bridge_dispatches_is_a_problem(database: str, jobs: Jobs) -> None:
    jobs.move(jobs.enqueue(), updated_at="now() - interval '10 minutes'")
    seen = status(database)
    assert seen.returncode == 1
    assert "no bridge dispatches" in seen.stdout


def test_a_job_that_no_worker_claims_is_a_problem(database: str, jobs: Jobs) -> None:
    jobs.move(jobs.enqueue(), dispatched_at="now() - interval '10 minutes'")
    assert "no worker" in status(database).stdout


def test_a_lease_that_no_bridge_rescues_is_a_problem(database: str, jobs: Jobs) -> None:
    job_id = jobs.enqueue()
    jobs.move(job_id, status="'running'", fence="1", lease_expires_at="now() - interval '10 minutes'")
    seen = status(database)
    assert seen.returncode == 1
    assert "no bridge rescues" in seen.stdout


def test_a_balance_that_differs_from_the_ledger_is_a_problem(database: str, jobs: Jobs) -> None:
    jobs.conn.execute("update public.entitlements set credits = credits + 1")
    seen = status(database)
    assert seen.returncode == 1
    assert "ledger_mismatches" in seen.stdout


def test_a_database_that_is_away_is_one_line(database: str) -> None:
    seen = status("postgresql://nobody@127.0.0.1:1/nothing")
    assert (seen.returncode, seen.stdout) == (1, "")
    assert "does not answer" in seen.stderr
