"""The gate in front of the real thing: the gateway in a process of its own, and a migrated database."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import jwt

from local import stack as stacks
from local.stack import Stack
from tests.edge import deno
from tests.edge.deno import Gate
from tests.edge.tokens import Issuer


@dataclass(frozen=True, slots=True)
class Backend:
    gate: Gate
    stack: Stack
    issuer: Issuer
    webhook_secret: bytes

    def headers(self, user_id: object) -> dict[str, str]:
        token = self.issuer.token(sub=str(user_id))
        return {"Authorization": f"Bearer {token}", "apikey": self.stack.publishable_key}


@contextmanager
def running(stack: Stack, webhook_secret: bytes) -> Iterator[Backend]:
    key = jwt.PyJWK(stack.signing_key, algorithm="ES256").key
    issuer = Issuer(stack.gateway_url, key, stack.signing_key["kid"])
    keys = {"publishable": stack.publishable_key, "secret": stack.secret_key}
    with (
        gateway(stack),
        deno.serve(deno.function_environment(stack.gateway_url, issuer, keys, webhook_secret)) as gate,
    ):
        yield Backend(gate, stack, issuer, webhook_secret)


@contextmanager
def gateway(stack: Stack) -> Iterator[None]:
    stacks.save(stack)
    command = [sys.executable, "-m", "local.gateway", str(stack.folder / "stack.json")]
    with subprocess.Popen(command, cwd=deno.ROOT) as process:
        try:
            wait_until_healthy(stack, process)
            yield
        finally:
            process.terminate()


def wait_until_healthy(stack: Stack, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"{stack.gateway_url}/auth/v1/health", trust_env=False).raise_for_status()
            return
        except httpx.HTTPError:
            assert process.poll() is None and time.monotonic() < until, "the gateway did not start"
            time.sleep(0.05)
