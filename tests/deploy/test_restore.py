"""A backup is worth what its restore is: into a fresh project, and every balance is right
afterwards.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local.postgres import programs
from local.stack import Stack
from tests.sql.invariants import Snapshot
from tests.support.actors import ENDED, Operator
from tests.support.all_actors import Actors
from tests.support.processes import ROOT


@pytest.fixture
def lived(stack: Stack) -> Iterator[Actors]:
    """A project with jobs in every status, a purchase and a deleted generation."""
    actors = Actors(stack.database_url)
    user = actors.user(credits=100)
    actors.service.grant(user.id, 50, "purchase-1")
    actors.service.revoke(user.id, 20, "refund-1")
    worker = actors.worker
    user.job()
    worker.claim(user.job())
    waiting = user.job()
    fence = worker.claimed(waiting)
    worker.record_submission(waiting, fence)
    worker.wait(waiting, fence, "ref")
    for _ in range(3):
        done = user.job()
        worker.complete(done, worker.claimed(done))
    user.delete_generation(done)
    failed = user.job()
    worker.fail(failed, worker.claimed(failed))
    user.cancel(user.job())
    yield actors
    actors.end()


def run(script: str, file: Path, url: str) -> "subprocess.CompletedProcess[str]":
    environment = {"DATABASE_URL": url, "PATH": f"{programs()}:{os.environ['PATH']}"}
    return subprocess.run(
        [str(ROOT / "deploy" / script), str(file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_restored_project_has_every_row_and_goes_on(
    lived: Actors, stack: Stack, new_project: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "backup.dump"
    assert run("backup.sh", file, stack.database_url).returncode == 0
    assert file.stat().st_mode & 0o077 == 0, "it holds e-mail addresses"
    seen = run("restore.sh", file, new_project.database_url)
    assert (seen.returncode, seen.stderr) == (0, "")
    assert "Every balance is that of its ledger." in seen.stdout

    restored = Actors(new_project.database_url)
    operator = restored.operator
    try:
        assert Snapshot.take(operator) == Snapshot.take(lived.operator)
        assert models(operator) == models(lived.operator)
        (running,) = operator.rows("select id from public.jobs where status = 'running'")
        operator.lose_worker(running["id"])
        restored.bridge.rescue()
        assert operator.status(running["id"]) == "queued"
        new = restored.bridge.dispatch()
        for job_id in new:
            restored.worker.complete(job_id, restored.worker.claimed(job_id))
        assert operator.value("select count(*) from public.jobs where status = any(%s)", ENDED) == 5 + len(
            new
        )
        assert operator.add_user(), "new entries get numbers that are free"
        assert operator.rows("select * from private.ledger_mismatches()") == []
    finally:
        restored.end()


def models(operator: Operator) -> list[dict[str, object]]:
    return operator.rows("select * from private.models order by id")


def test_a_project_with_users_is_not_overwritten(
    lived: Actors, stack: Stack, new_project: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "backup.dump"
    run("backup.sh", file, stack.database_url)
    other = Actors(new_project.database_url)
    user_id = other.operator.add_user()
    seen = run("restore.sh", file, new_project.database_url)
    assert seen.returncode != 0
    assert "This project has users" in seen.stderr
    assert other.operator.credits(user_id) == 10
    other.end()


def test_a_backup_with_a_wrong_ledger_changes_nothing(
    lived: Actors, stack: Stack, new_project: Stack, tmp_path: Path
) -> None:
    lived.operator.conn.execute("update public.entitlements set credits = credits + 1")
    file = tmp_path / "backup.dump"
    run("backup.sh", file, stack.database_url)
    seen = run("restore.sh", file, new_project.database_url)
    assert seen.returncode != 0
    assert "differ from the ledger" in seen.stderr
    with psycopg.connect(new_project.database_url) as conn:
        assert conn.execute("select count(*) from auth.users").fetchone() == (0,)
        assert conn.execute("select count(*) from private.config").fetchone() == (1,)
