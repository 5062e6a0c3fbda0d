"""The settings of the embedded stack that all its processes share.

They are in one file that only its owner may read. It is written before the first process starts and
never while one runs.
"""

import hashlib
import json
import os
import random
import secrets
import socket
import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".pilotlight" / "local"
SUPABASE_SQL = ROOT / "local" / "supabase.sql"
FUNCTIONS = ROOT / "supabase" / "functions"

LAYOUT = 2  # incremented when a data folder of an earlier version can no longer be used

# The first two are those of the Supabase CLI, so that an app needs no other settings.
GATEWAY_PORT, POSTGRES_PORT, REDIS_PORT = 54321, 54322, 54379
ANY_PORT = 0
# Below the range of the kernel's outgoing connections: one of those could take the port before our
# server does.
OTHER_PORTS = range(20_000, 32_000)


class UnusableStack(Exception):
    """The stack of the folder cannot run; the message gives the cause or the remedy."""


@dataclass(frozen=True, slots=True)
class Stack:
    folder: Path
    version: str
    gateway_port: int
    postgres_port: int
    redis_port: int
    function_ports: dict[str, int]
    password: str  # of all logins and of Redis; other users of this machine can reach loopback
    publishable_key: str
    secret_key: str
    signing_key: dict[str, str]
    database: str = "postgres"

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def redis_url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.redis_port}/0"

    @property
    def database_url(self) -> str:
        return self.url_of("postgres")

    @property
    def bridge_url(self) -> str:
        return self.url_of("pilotlight_bridge")

    @property
    def worker_url(self) -> str:
        return self.url_of("pilotlight_worker")

    @property
    def authenticator_url(self) -> str:
        return self.url_of("authenticator")

    @property
    def auth_url(self) -> str:
        return self.url_of("supabase_auth_admin")

    @property
    def storage_url(self) -> str:
        return self.url_of("supabase_storage_admin")

    @property
    def realtime_url(self) -> str:
        return self.url_of("supabase_realtime_admin")

    def url_of(self, role: str) -> str:
        return f"postgresql://{role}:{self.password}@127.0.0.1:{self.postgres_port}/{self.database}"


def make_private(folder: Path) -> None:
    """Make the folder, and make it readable by its owner only.

    The same holds for all files that this process and its children write from now on.
    """
    os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise UnusableStack(
            f"{folder} cannot be written by this user ({error.strerror}): copy the project to a folder of your own."
        ) from None


def current_version() -> str:
    """Return the version of the layout and of supabase.sql.

    supabase.sql runs once, when the data folder is made, so a changed file is another version.
    """
    return f"{LAYOUT}-{hashlib.sha256(SUPABASE_SQL.read_bytes()).hexdigest()[:12]}"


def create(folder: Path = FOLDER) -> Stack:
    """Return a stack with new keys. Nothing is written.

    Only the stack of the project itself uses the well-known ports.
    """
    is_ours = folder == FOLDER
    return Stack(
        folder=folder,
        version=current_version(),
        gateway_port=GATEWAY_PORT if is_ours else ANY_PORT,
        postgres_port=POSTGRES_PORT if is_ours else ANY_PORT,
        redis_port=REDIS_PORT if is_ours else ANY_PORT,
        function_ports={},
        password=secrets.token_hex(16),
        publishable_key=f"sb_publishable_{secrets.token_urlsafe(24)}",
        secret_key=f"sb_secret_{secrets.token_urlsafe(24)}",
        signing_key=new_signing_key(),
    )


def load(folder: Path = FOLDER) -> Stack:
    """Return the stack of a folder.

    Raises FileNotFoundError before the first start. Raises UnusableStack if the file cannot be read
    or is of another version.
    """
    path = folder / "stack.json"
    try:
        facts: dict[str, Any] = json.loads(path.read_text())
        stack = Stack(**facts | {"folder": folder})
    except (ValueError, TypeError):
        raise UnusableStack(f"{path} cannot be read: run `make clean`, then start again.") from None
    if stack.version != current_version():
        raise UnusableStack(
            f"The data in {folder} is of another version: run `make clean`, then start again."
        )
    return stack


def save(stack: Stack) -> None:
    """Write stack.json completely or not at all."""
    path = stack.folder / "stack.json"
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(asdict(stack), file, indent=2, default=str)
    new.replace(path)


def with_free_ports(stack: Stack) -> Stack:
    """Return the same stack on ports that are free now. It keeps each of its ports that is free."""
    taken: set[int] = set()

    def free(port: int) -> int:
        taken.add(port := free_port(port, taken))
        return port

    return replace(
        stack,
        gateway_port=free(stack.gateway_port),
        postgres_port=free(stack.postgres_port),
        redis_port=free(stack.redis_port),
        function_ports={name: free(stack.function_ports.get(name, ANY_PORT)) for name in function_names()},
    )


def function_names() -> list[str]:
    return sorted(path.parent.name for path in FUNCTIONS.glob("[!_]*/index.ts"))


def free_port(wish: int = ANY_PORT, taken: Collection[int] = ()) -> int:
    """Return the wished port if it is free, else a port that is reserved for a minute."""
    if wish and wish not in taken and is_free(wish):
        return wish
    for port in random.sample(OTHER_PORTS, 20):
        if is_reserved(port):
            return port
    raise UnusableStack(f"Port {wish} is in use and no other port is free.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_reserved(port: int) -> bool:
    """Reserve a port until a server of ours listens there, and return whether that succeeded.

    Other processes that look for a free port do not get it. The end that closes a connection first
    stays in TIME_WAIT for a minute (30 s on macOS). During that time bind refuses the port, as it
    does here, to all sockets without SO_REUSEADDR. Servers set that option and probes do not.
    """
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the connection inherits it
        probe.listen(1)
        with socket.create_connection(probe.getsockname(), timeout=5):
            probe.accept()[0].close()
    return True


def new_signing_key() -> dict[str, str]:
    """Return a new private ES256 key as a JWK, for signing access tokens as hosted projects do."""
    jwk = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    return {**{name: str(value) for name, value in jwk.items()}, "alg": "ES256", "kid": str(uuid.uuid4())}
