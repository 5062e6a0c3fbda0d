"""The processes of the stack: the command, the environment and the readiness check of each."""

import json
import os
import shlex
import signal
import socket
import sys
from pathlib import Path

import psycopg
from honcho.environ import parse_procfile

from local import postgres, redis
from local.gateway.keys import jwks
from local.runner import Process
from local.stack import FUNCTIONS, ROOT, Stack

PROGRAMS = Path(sys.executable).parent

# Settings of the logs and of Deno. Connections on loopback must bypass a proxy.
EVERYWHERE = {
    "PATH": f"{PROGRAMS}{os.pathsep}{os.defpath}",
    "PYTHONUNBUFFERED": "1",
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
    "DENO_DIR": str(ROOT / ".pilotlight" / "deno"),
    "DENO_NO_UPDATE_CHECK": "1",
    "NO_COLOR": "1",
}


def servers(stack: Stack) -> list[Process]:
    """Return the servers that Supabase and a Redis host run in production."""
    return [
        Process(
            "postgres",
            postgres.command(stack),
            is_ready=lambda: postgres.is_ready(stack),
            stop_signal=signal.SIGINT,  # does not wait for its clients
        ),
        Process("redis", redis.command(stack), is_ready=lambda: redis.is_ready(stack)),
    ]


def supabase(stack: Stack) -> list[Process]:
    gateway = [sys.executable, "-m", "local.gateway", str(stack.folder / "stack.json")]
    return [
        Process("gateway", gateway, EVERYWHERE, lambda: answers(stack.gateway_port)),
        *(function(stack, name, port) for name, port in stack.function_ports.items()),
    ]


def function(stack: Stack, name: str, port: int) -> Process:
    """Return the process of an Edge Function under real Deno, with its hosted environment."""
    keys = {"PUBLISHABLE": stack.publishable_key, "SECRET": stack.secret_key}
    environment = {
        **EVERYWHERE,
        "DENO_SERVE_ADDRESS": f"tcp:127.0.0.1:{port}",
        "SUPABASE_URL": stack.gateway_url,
        "SUPABASE_JWKS": json.dumps(jwks(stack)),
        # Every process of this machine may send a purchase: `make demo` has no store to send one.
        "REVENUECAT_WEBHOOK_AUTHORIZATION": f"Bearer {stack.publishable_key}",
        **{f"SUPABASE_{kind}_KEYS": json.dumps({"default": key}) for kind, key in keys.items()},
    }
    command = [str(PROGRAMS / "deno"), "run", "--no-prompt", "--allow-net", "--allow-env"]
    return Process(name, [*command, str(FUNCTIONS / name / "index.ts")], environment, lambda: answers(port))


def ours(stack: Stack) -> list[Process]:
    """Return the processes of the Procfile, as any host starts them.

    Each gets only its own login.
    """
    logins = logins_of(stack)
    environment = EVERYWHERE | settings_of(stack)
    signs = {"bridge": lambda: has_bridge(stack), "worker": lambda: redis.has_waiting_worker(stack)}
    commands: dict[str, str] = parse_procfile((ROOT / "Procfile").read_text()).processes

    def process(name: str, command: str) -> Process:
        login = f"{name.upper()}_DATABASE_URL"  # wins over DATABASE_URL, even one of the shell
        return Process(name, shlex.split(command), environment | {login: logins[login]}, signs[name])

    return [process(name, command) for name, command in commands.items()]


def logins_of(stack: Stack) -> dict[str, str]:
    return {"BRIDGE_DATABASE_URL": stack.bridge_url, "WORKER_DATABASE_URL": stack.worker_url}


def settings_of(stack: Stack) -> dict[str, str]:
    return {
        "REDIS_URL": stack.redis_url,
        "SUPABASE_URL": stack.gateway_url,
        "SUPABASE_SECRET_KEY": stack.secret_key,
    }


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def has_bridge(stack: Stack) -> bool:
    with psycopg.connect(stack.url_of(postgres.SUPERUSER)) as conn:
        listens = "select from pg_stat_activity where application_name = 'pilotlight-bridge'"
        return conn.execute(listens).fetchone() is not None
