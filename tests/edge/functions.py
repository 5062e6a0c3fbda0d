"""The real Edge Functions, each in the Deno process that serves it."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.edge.tokens import Issuer
from tests.support import deno
from tests.support.processes import ROOT

FUNCTIONS = ROOT / "supabase" / "functions"
NAMES = ("ping", "enqueue_generation", "get_job_status", "provider_webhook", "purchase_webhook")
STORE_AUTHORIZATION = "Bearer a value that the dashboard was told"


@dataclass(frozen=True, slots=True)
class Gate:
    """The address of each function."""

    origins: Mapping[str, str]

    def url(self, name: str) -> str:
        return f"{self.origins[name]}/{name}"

    def address(self, name: str) -> tuple[str, int]:
        host, _, port = self.origins[name].removeprefix("http://").partition(":")
        return host, int(port)


@contextmanager
def serve(environment: Mapping[str, str]) -> Iterator[Gate]:
    """Serve all functions with this environment, as the local stack starts them."""
    with ExitStack() as stack:
        scripts = {name: FUNCTIONS / name / "index.ts" for name in NAMES}
        yield Gate(
            {name: stack.enter_context(deno.process(path, environment)) for name, path in scripts.items()}
        )


def function_environment(
    url: str, issuer: Issuer, api_keys: Mapping[str, str], webhook_secret: bytes
) -> dict[str, str]:
    """The environment of a function: the variables of the platform, and our own secrets."""
    return {
        "SUPABASE_URL": url,
        "SUPABASE_JWKS": issuer.jwks(),
        "SUPABASE_PUBLISHABLE_KEYS": json.dumps({"default": api_keys["publishable"]}),
        "SUPABASE_SECRET_KEYS": json.dumps({"default": api_keys["secret"]}),
        "REPLICATE_WEBHOOK_SECRET": f"whsec_{base64.b64encode(webhook_secret).decode()}",
        "REVENUECAT_WEBHOOK_AUTHORIZATION": STORE_AUTHORIZATION,
        "REVENUECAT_WEBHOOK_SECRET": webhook_secret.hex(),
    }
