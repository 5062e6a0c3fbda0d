"""The real Edge Functions, each in the Deno process that serves it."""

import base64
import json
import os
import re
import subprocess
import sysconfig
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.edge.tokens import Issuer

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "supabase" / "functions"
NAMES = ("ping", "enqueue_generation", "get_job_status", "provider_webhook", "purchase_webhook")
STORE_AUTHORIZATION = "Bearer a value that the dashboard was told"
DENO = Path(sysconfig.get_path("scripts")) / "deno"


@dataclass(frozen=True, slots=True)
class Gate:
    """Where each function is served."""

    origins: Mapping[str, str]

    def url(self, name: str) -> str:
        return f"{self.origins[name]}/{name}"

    def address(self, name: str) -> tuple[str, int]:
        host, _, port = self.origins[name].removeprefix("http://").partition(":")
        return host, int(port)


@contextmanager
def serve(environment: Mapping[str, str]) -> Iterator[Gate]:
    """All functions with this environment, as the local stack starts them."""
    with ExitStack() as stack:
        scripts = {name: FUNCTIONS / name / "index.ts" for name in NAMES}
        yield Gate({name: stack.enter_context(process(path, environment)) for name, path in scripts.items()})


@contextmanager
def process(script: Path, environment: Mapping[str, str], *options: str) -> Iterator[str]:
    """A Deno process that serves this script; where."""
    with subprocess.Popen(
        [str(DENO), "run", "--allow-net", "--allow-env", *options, str(script)],
        env={**deno_environment(), "DENO_SERVE_ADDRESS": "tcp:127.0.0.1:0", **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield _origin(process)
        finally:
            process.terminate()


def _origin(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if found := re.search(r"Listening on (http://[\d.:]+)", line):
            # The log must be read to its end, or a full pipe stops the function.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found[1]
    raise AssertionError(f"Deno did not start:\n{said}")


def function_environment(
    url: str, issuer: Issuer, api_keys: Mapping[str, str], webhook_secret: bytes
) -> dict[str, str]:
    """What the platform gives every function, and our own secrets."""
    return {
        "SUPABASE_URL": url,
        "SUPABASE_JWKS": issuer.jwks(),
        "SUPABASE_PUBLISHABLE_KEYS": json.dumps({"default": api_keys["publishable"]}),
        "SUPABASE_SECRET_KEYS": json.dumps({"default": api_keys["secret"]}),
        "REPLICATE_WEBHOOK_SECRET": f"whsec_{base64.b64encode(webhook_secret).decode()}",
        "REVENUECAT_WEBHOOK_AUTHORIZATION": STORE_AUTHORIZATION,
        "REVENUECAT_WEBHOOK_SECRET": webhook_secret.hex(),
    }


def deno_environment() -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "DENO_DIR": str(ROOT / ".pilotlight" / "deno"),
        "DENO_NO_UPDATE_CHECK": "1",
        "NO_COLOR": "1",
    }
