"""Every target of the Makefile, run as a person runs it, in a copy of the project with a running
stack.
"""

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local import stack as stacks
from local.app import WEB_PORT, programs
from local.stack import Stack
from tests.support.make import command, make
from tests.support.processes import ROOT, ControlledProcess
from tests.support.servers import free_port
from tests.support.tracked import tracked
from tests.support.waiting import wait_until

pytestmark = pytest.mark.processes

TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
# Where the others run, or why no test runs them.
ELSEWHERE = {
    "adopt": "tests/app/test_adopt.py",
    "model": "tests/operate/test_model.py",
    "chaos": "tests/bench/test_storms.py",
    "storm": "tests/bench/test_storms.py",
    "inflight": "tests/bench/test_storms.py",
    "bench": "tests/bench/test_peers.py",
    "bench-edge": "tests/bench/test_benches.py",
    "bench-sql": "tests/bench/test_benches.py",
    "bench-picture": "tests/bench/test_benches.py",
}
NOT_IN_A_TEST = {
    "test": "it runs this test",
    "test-fast": "a part of make test",
    "check": "make test begins with it",
    "check-app": "make test begins with it",
    "bench-app": "it measures what tests/app tries, for minutes",
    "pictures": "it takes a minute; tests/app/test_pictures.py runs its parts",
    "app-bundles": "it takes minutes and a lot of memory",
    "lock": "it chooses newer versions",
    "image": "it takes minutes, root and programs that a test cannot install",
}
A_PERSON_HAS_NOT = re.compile(r"MAKE|MFLAGS|DATABASE_URL|REDIS_URL|SUPABASE_|LOG_FORMAT|VIRTUAL_ENV")


def test_a_new_target_is_run_by_a_test() -> None:
    here = set(re.findall(r'(?:run|begin|make)\("([a-z-]+)"', Path(__file__).read_text()))
    known = here | set(ELSEWHERE) | set(NOT_IN_A_TEST)
    assert set(TARGETS) == known
    for target, path in ELSEWHERE.items():
        assert f'"{target}"' in (ROOT / path).read_text(), target


class Project:
    """A copy of what git tracks, with our packages: `make` installs nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path in tracked():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, folder / path)
        (folder / ".pilotlight").mkdir()
        for name in ("venv", "deno"):
            (folder / ".pilotlight" / name).symlink_to((ROOT / ".pilotlight" / name).resolve())
        environment = {name: value for name, value in os.environ.items() if not A_PERSON_HAS_NOT.search(name)}
        self.environment = environment | {"PYTHONPATH": ""}
        self.started: list[Foreground] = []

    def run(self, target: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        # none has the name of an argument
        return make(target, folder=self.folder, environment=self.environment, PYTHON="true", **variables)  # type: ignore[arg-type]

    def run_in_terminal(self, target: str) -> tuple[int, str]:
        """The screen as a person sees it, with cursor movements and colours."""
        ours, theirs = pty.openpty()
        environment = self.environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        with subprocess.Popen(
            command(target, PYTHON="true"), cwd=self.folder, env=environment, stdout=theirs, stderr=theirs
        ) as process:
            os.close(theirs)
            shown = b"".join(iter(lambda: read_terminal(ours), b""))
        os.close(ours)
        return process.returncode, shown.decode()

    def begin(self, target: str) -> "Foreground":
        process = Foreground(
            target, command(target, PYTHON="true"), folder=self.folder, environment=self.environment
        )
        self.started.append(process)
        process.start()
        return process


def read_terminal(terminal: int) -> bytes:
    """The next bytes; none once all writers have ended, which Linux reports as an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


class Foreground(ControlledProcess):
    """In a terminal of its own, as it were: Ctrl-C reaches all of it."""

    def start(self) -> "Foreground":
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                self.command, cwd=self.log.parent, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        return self

    def says(self, text: str) -> None:
        wait_until(lambda: text in self.output or not self.is_alive, text, 120)
        assert text in self.output, self.output[-3000:]

    def interrupt(self) -> None:
        self.send(signal.SIGINT)
        self.wait(60)
        assert "Traceback" not in self.output, self.output[-3000:]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("project"))
    yield project
    for process in project.started:
        if process.is_alive:
            process.send(signal.SIGINT)
            process.wait(60)


OF_A_HOSTED_PROJECT = """
BRIDGE_DATABASE_URL=postgresql://bridge:x@127.0.0.1:1/postgres
WORKER_DATABASE_URL=postgresql://worker:x@127.0.0.1:1/postgres
REDIS_URL=rediss://:x@127.0.0.1:1/0
REDIS_CA_FILE=/not/here
SUPABASE_URL=https://nowhere.invalid
MAX_OUTPUT_BYTES=1
"""


@pytest.fixture(scope="module")
def up(project: Project) -> Stack:
    """The stack of `make up`, and a .env as its welcome says, with the owner's login beside it.

    It starts beside the .env of a hosted project, which is none of its business.
    """
    (project.folder / ".env").write_text(OF_A_HOSTED_PROJECT)
    begun = project.begin("up")
    begun.says("Ctrl-C stops everything.")
    stack = stacks.load(project.folder / ".pilotlight" / "local")
    settings = re.findall(r"^  ([A-Z_]+=\S+)$", begun.output, re.MULTILINE)
    env = [line for line in settings if not line.startswith("EXPO_")] + [f"DATABASE_URL={stack.database_url}"]
    (project.folder / ".env").write_text("\n".join(env) + f"\nHEALTH_PORT={free_port()}\n")
    return stack


@pytest.mark.quick  # the Makefile alone
def test_a_recipe_takes_a_folder_with_a_space_in_its_path() -> None:
    recipes = re.findall(r"^\t.*$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    bare = [line for line in recipes if "$(CURDIR)" in re.sub(r'"[^"]*"', "", line)]
    assert not bare, "a shell splits these"


def test_help_lists_every_target(project: Project) -> None:
    shown = project.run("help")
    assert shown.returncode == 0
    assert all(f"make {target} " in shown.stdout for target in TARGETS)


def test_commands_of_an_operator_work_beside_make_up(project: Project, up: Stack) -> None:
    status = project.run("status", ARGS="--json")
    assert json.loads(status.stdout)["is_well"], status.stdout
    assert status.returncode == 0
    assert "0 of them differ" in project.run("audit").stdout
    migrated = project.run("migrate")
    assert (migrated.returncode, migrated.stdout) == (0, "Nothing to apply: the database is up to date.\n")
    with psycopg.connect(up.database_url) as conn:
        conn.execute("insert into auth.users (id, email) values (gen_random_uuid(), 'fox@example.com')")
    assert "blocked  no" in project.run("user", WHO="fox@example.com").stdout
    assert "blocked  no" not in project.run("user", WHO="fox@example.com", BLOCK="1").stdout
    assert "blocked  no" in project.run("user", WHO="fox@example.com", UNBLOCK="1").stdout
    doctor = project.run("doctor")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr


def test_a_bridge_a_worker_and_flower_join_it_and_leave_on_ctrl_c(project: Project, up: Stack) -> None:
    processes = [project.begin("bridge"), project.begin("worker"), project.begin("flower")]
    for process, text in zip(processes, ("bridge.started", "ready.", "Visit me at"), strict=True):
        process.says(text)
    for process in processes:
        process.interrupt()


@pytest.mark.parametrize("target", ["migrate", "user"])
def test_without_the_owners_login_one_line_says_where_to_set_it(
    target: str, project: Project, up: Stack
) -> None:
    env = project.folder / ".env"
    whole = env.read_text()
    env.write_text("\n".join(line for line in whole.splitlines() if not line.startswith("DATABASE_URL")))
    try:
        told = project.run(target, WHO="a")
    finally:
        env.write_text(whole)
    assert told.returncode != 0
    (line,) = [line for line in told.stderr.splitlines() if not line.startswith("make: ")]
    assert line.startswith("DATABASE_URL is missing: set it")


@pytest.fixture(scope="module")
def packages(project: Project) -> None:
    """The app's packages count as installed in this copy, and its build is a stand-in: tests/app
    makes the real one.
    """
    installed = project.folder / ".pilotlight" / "app" / "installed.json"
    installed.parent.mkdir()
    shutil.copy(project.folder / "app" / "package-lock.json", installed)
    package = project.folder / "app" / "package.json"
    described = json.loads(package.read_text())
    described["scripts"]["export:web"] = (
        "mkdir -p ../.pilotlight/app/web && echo built > ../.pilotlight/app/web/index.html"
    )
    package.write_text(json.dumps(described))


def test_a_busy_port_is_said_before_the_app_is_built(project: Project, up: Stack, packages: None) -> None:
    with socket.create_server(("127.0.0.1", WEB_PORT)):
        told = project.run("app")
    assert told.returncode != 0
    assert told.stdout == ""
    assert told.stderr.startswith(f"Port {WEB_PORT} is in use")


def test_the_app_is_built_and_served_until_ctrl_c(project: Project, up: Stack, packages: None) -> None:
    app = project.begin("app")
    app.says(f"http://127.0.0.1:{WEB_PORT}")
    app.interrupt()


def test_the_server_of_the_app_ends_on_ctrl_c(project: Project) -> None:
    server = Foreground(
        "serve",
        [str(programs() / "node"), "app/serve.mjs", "app", "0"],
        folder=project.folder,
        environment=project.environment,
    )
    server.start().says("http://127.0.0.1:")
    server.interrupt()
    assert server.output.count("\n") == 1


def test_the_demo_and_clean_leave_nothing(project: Project, up: Stack) -> None:
    """The last one: it stops the stack of the others."""
    busy = project.run("demo")
    assert busy.returncode != 0
    assert "A stack runs in" in busy.stderr
    project.started[0].interrupt()
    assert "Stopped." in project.started[0].output
    code, shown = project.run_in_terminal("demo")
    assert code == 0, shown
    assert "All of it happened" in shown
    assert "\x1b[38;2;" in shown and "▀" in shown, "in a terminal it shows its pictures"
    assert "\x1b[J" in shown, "and draws the timeline as it happens"
    assert project.run("clean").returncode == 0
    assert not (project.folder / ".pilotlight" / "local").exists()
