"""Every command of docs/deploy.md is run unchanged, or is marked: it needs an account or Docker."""

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

import database
from local.postgres import SUPERUSER, programs
from local.stack import Stack
from tests.support.all_actors import Actors
from tests.support.processes import ROOT
from tests.support.servers import Redis

DOCUMENT = (ROOT / "docs" / "deploy.md").read_text()
BLOCK = re.compile(r"<!-- (\w+)(?:: ([\w-]+))? -->\n\n((?:    .*\n|\n(?=    ))+)")
# Indented text that stands under no mark.
UNMARKED = re.compile(r"(?<! -->)\n\n    \S")

BLOCKS = [
    (kind, name, re.sub(r"^    ", "", text, flags=re.M)) for kind, name, text in BLOCK.findall(DOCUMENT)
]
RUN = {name: text for kind, name, text in BLOCKS if kind == "run"}


def psql(stack: Stack, text: str) -> None:
    seen = subprocess.run(
        [str(programs() / "psql"), stack.database_url, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"],
        input=text,
        env={},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert seen.returncode == 0, seen.stderr


def shell(folder: Path, text: str, **environment: str) -> str:
    link = folder / "deploy"
    if not link.exists():
        link.symlink_to(ROOT / "deploy")
    given = {"PATH": f"{programs()}:{os.environ['PATH']}", **environment}
    seen = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=given,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert seen.returncode == 0, seen.stderr
    return seen.stdout


@pytest.fixture
def own_logins(stack: Stack) -> Iterator[None]:
    """The logins of the document are the cluster's: those of the stack step aside."""
    names = ("pilotlight_bridge", "pilotlight_worker")
    with psycopg.connect(stack.url_of(SUPERUSER), autocommit=True) as conn:
        for name in names:
            conn.execute(f"alter role {name} rename to {name}_aside".encode())
        yield
        for name in (*names, "pilotlight_worker_b"):
            conn.execute(f"drop role if exists {name}".encode())
        for name in names:
            conn.execute(f"alter role {name}_aside rename to {name}".encode())
            # a rename can forget it
            conn.execute(f"alter role {name} password '{stack.password}'".encode())


def works(stack: Stack, login: str, password: str) -> bool:
    role: database.Role = "generation_bridge" if "bridge" in login else "generation_worker"
    try:
        database.connect(stack.url_of(login).replace(stack.password, password), role).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_logins_are_made_and_a_second_one_takes_the_place_of_the_first(
    stack: Stack, own_logins: None
) -> None:
    psql(stack, RUN["logins"])
    assert works(stack, "pilotlight_bridge", "bridge-password")
    assert works(stack, "pilotlight_worker", "worker-password")
    with pytest.raises(database.RoleRefused):
        url = stack.url_of("pilotlight_bridge").replace(stack.password, "bridge-password")
        database.connect(url, "generation_worker")
    psql(stack, RUN["second-login"])
    assert works(stack, "pilotlight_worker_b", "new-password")
    assert not works(stack, "pilotlight_worker", "worker-password")


def test_a_redis_password_is_changed_without_a_gap(own_broker: Redis) -> None:
    first, second = [shlex.split(line) for line in RUN["redis-password"].splitlines()]
    with own_broker.client as client:
        assert passwords_after(client, ["ACL", "SETUSER", "default", "resetpass", ">old-password"]) == 1
        assert passwords_after(client, first) == 2
        assert passwords_after(client, second) == 1


def passwords_after(client: Any, command: list[str]) -> int:
    client.execute_command(*command)
    return len(client.acl_getuser("default")["passwords"])


def test_a_backup_is_made_and_restored(stack: Stack, new_project: Stack, tmp_path: Path) -> None:
    actors = Actors(stack.database_url)
    actors.user(credits=7)
    actors.end()
    shell(tmp_path, RUN["backup"], OLD_URL=stack.database_url)
    said = shell(tmp_path, RUN["restore"], NEW_URL=new_project.database_url)
    assert said == "Restored. Every balance is that of its ledger.\n"
    with psycopg.connect(new_project.database_url) as conn:
        assert conn.execute("select credits from public.entitlements").fetchall() == [(7,)]


@pytest.fixture
def ended(stack: Stack) -> Iterator[Actors]:
    """A project with twelve thousand jobs that ended long ago."""
    actors = Actors(stack.database_url)
    user = actors.user()
    actors.operator.conn.execute(
        "insert into public.jobs (id, user_id, model_id, input, status, cost, rank, max_attempts, deadline_at,"
        " finished_at) select gen_random_uuid(), %s, 'preview', '{}', 'succeeded', 0, n, 3, now(),"
        " now() - interval '31 days' from generate_series(1, 12000) n",
        (user.id,),
    )
    yield actors
    actors.end()


def left(actors: Actors) -> int:
    return int(actors.operator.value("select count(*) from public.jobs"))


def test_many_old_jobs_are_pruned_in_batches(ended: Actors, stack: Stack) -> None:
    psql(stack, RUN["prune"])
    assert left(ended) == 0


def test_pg_cron_calls_what_prunes(ended: Actors, stack: Stack) -> None:
    """The embedded Postgres has no pg_cron: a table stands in that keeps what it is told."""
    extension, schedules = RUN["cron"].split("\n", 1)
    assert extension == "create extension if not exists pg_cron;"
    ended.operator.conn.execute(
        "create schema cron; create table cron.job (name text, schedule text, command text);"
        "create table cron.job_run_details (end_time timestamptz);"
        "create function cron.schedule(text, text, text) returns void language sql as"
        " $$ insert into cron.job values ($1, $2, $3) $$"
    )
    psql(stack, schedules)
    for job in ended.operator.rows("select command from cron.job order by name"):
        ended.operator.conn.execute(job["command"].encode())
    assert left(ended) == 7000


RUNNERS: dict[str, Callable[..., None]] = {
    "logins": test_the_logins_are_made_and_a_second_one_takes_the_place_of_the_first,
    "second-login": test_the_logins_are_made_and_a_second_one_takes_the_place_of_the_first,
    "redis-password": test_a_redis_password_is_changed_without_a_gap,
    "backup": test_a_backup_is_made_and_restored,
    "restore": test_a_backup_is_made_and_restored,
    "prune": test_many_old_jobs_are_pruned_in_batches,
    "cron": test_pg_cron_calls_what_prunes,
}


def test_every_block_is_run_or_says_what_it_needs() -> None:
    assert {kind for kind, _, _ in BLOCKS} == {"run", "hosted", "docker"}
    assert set(RUN) == set(RUNNERS)
    assert not UNMARKED.search(DOCUMENT)
    assert "```" not in DOCUMENT


def test_commands_that_are_not_run_name_files_and_services_that_exist() -> None:
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    for kind, _, text in BLOCKS:
        for path in re.findall(r"deploy/[\w.]+", text):
            assert (ROOT / path).is_file()
        if kind == "docker":
            assert set(re.findall(r"--scale (\w+)=|--detach (\w+)$", text, re.M)) <= {
                pair for name in services for pair in ((name, ""), ("", name))
            }


JOBS_A_DAY = {10: 14_400, 100: 144_000, 1000: 1_440_000}


def test_the_sizes_are_the_measured_figures_times_the_jobs() -> None:
    rows = {cells[0]: cells[1:] for cells in ([c.strip() for c in line.split("|")[1:-1]] for line in
            DOCUMENT.splitlines() if line.startswith("| "))}  # fmt: skip
    for column, (per_minute, jobs) in enumerate(JOBS_A_DAY.items()):
        assert rows["jobs a minute"][column] == f"{per_minute:,}"
        assert rows["jobs a day"][column] == f"{jobs:,}"
        low, high = [float(number) for number in re.findall(r"[\d.]+", rows["WAL a day"][column])]
        assert (low, high) == pytest.approx((jobs * 8.7e3 / 1e9, jobs * 17e3 / 1e9), rel=0.05)
        assert float(rows["rows of 30 days"][column].split()[0]) == pytest.approx(
            jobs * 30 * 2.35e3 / 1e9, rel=0.05
        )
        assert float(rows["log a day"][column].split()[0]) == pytest.approx(jobs * 450 / 1e6, rel=0.05)
        bridges, workers = [int(n) for n in rows["bridges, workers of 16 threads"][column].split(", ")]
        assert int(rows["connections at most"][column]) == bridges * 2 + workers * 4
        assert workers * 16 >= float(rows["threads busy"][column]) == per_minute * 3 / 60
