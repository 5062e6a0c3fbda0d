"""The hosted parts, as the worker and an app meet them: keys, Auth, buckets, Edge Functions."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import logs
import settings
from operate.findings import Finding, Findings, note, ok, wrong
from operate.web import NO_ANSWER, ask, parsed

FUNCTIONS = Path(__file__).parent.parent / "supabase" / "functions"
BUCKETS = {"generations", "inputs"}
WHERE = "(Settings > API keys)"
KEY = "SUPABASE_SECRET_KEY"


def keys() -> Findings:
    """The kind of a key. The settings refuse a key of a wrong kind."""
    config = settings.load()
    key = config.supabase_secret_key.get_secret_value() if config.supabase_secret_key else ""
    if not key:
        yield wrong(KEY, f"set it in .env to a secret key, sb_secret_… {WHERE}")
    elif key.startswith("sb_secret_"):
        yield ok(KEY, "a secret key")
    else:
        yield note(
            KEY,
            f"a legacy service_role key works until it is deactivated: use a secret key, sb_secret_… {WHERE}",
        )


def supabase() -> Findings:
    url = settings.load().supabase_url
    if url is None:
        yield wrong("SUPABASE_URL", "set it in .env to the address of the project")
    elif (yield from auth(url)):
        yield from buckets(url)
        for path in sorted(FUNCTIONS.glob("[!_]*/index.ts")):
            yield from of_function(path.parent.name, f"{url}/functions/v1/{path.parent.name}")


def auth(url: str) -> Generator[Finding, None, bool]:
    """The gate takes ES256 tokens alone. Returns whether a Supabase answers."""
    subject = "Auth (JWKS)"
    try:
        status, body = ask("GET", f"{url}/auth/v1/.well-known/jwks.json")
    except NO_ANSWER as error:
        yield wrong(
            "SUPABASE_URL", f"it does not answer ({logs.describe(error)}): correct it, or resume the project"
        )
        return False
    found = parsed(body)
    if status != 200 or not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        yield wrong("SUPABASE_URL", f"what answers there is no Supabase (JWKS: {status}): correct it in .env")
        return False
    if any(isinstance(key, dict) and key.get("crv") == "P-256" for key in found["keys"]):
        yield ok(subject, "an ES256 key signs the tokens of users")
    else:
        yield wrong(
            subject,
            "there is no ES256 key, and the gate takes ES256 tokens alone: rotate to one (Settings > JWT keys)",
        )
    return True


def buckets(url: str) -> Findings:
    subject, config = "Storage", settings.load()
    if config.supabase_secret_key is None:
        return
    key = config.supabase_secret_key.get_secret_value()
    try:
        status, body = ask(
            "GET", f"{url}/storage/v1/bucket", {"apikey": key, "Authorization": f"Bearer {key}"}
        )
    except NO_ANSWER as error:
        yield wrong(subject, f"it does not answer ({logs.describe(error)})")
        return
    found = parsed(body)
    if status != 200 or not isinstance(found, list):
        yield wrong(subject, f"it refuses {KEY} ({status}): use a secret key of this project {WHERE}")
        return
    known = {bucket["id"]: bucket for bucket in found if isinstance(bucket, dict) and "id" in bucket}
    if missing := BUCKETS - known.keys():
        yield wrong(subject, f"there is no bucket {', '.join(sorted(missing))}: run make migrate")
    for name in sorted(BUCKETS & known.keys()):
        yield from of_bucket(name, known[name], config.max_output_bytes)


def of_bucket(name: str, bucket: dict[str, Any], max_output_bytes: int) -> Findings:
    subject, limit = f"bucket {name}", bucket.get("file_size_limit")
    if bucket.get("public"):
        yield wrong(subject, "it is public, so everybody reads every file: make it private")
    elif name == "generations" and isinstance(limit, int) and limit < max_output_bytes:
        yield wrong(
            subject,
            f"it takes files of {limit} bytes, and MAX_OUTPUT_BYTES is {max_output_bytes}:"
            " raise its limit, or lower the setting",
        )
    else:
        yield ok(subject, "private")


def of_function(name: str, url: str) -> Findings:
    """Our functions refuse DELETE in words of their own; the platform uses others."""
    subject = f"function {name}"
    try:
        status, body = ask("DELETE", url)
    except NO_ANSWER as error:
        yield wrong(subject, f"it does not answer ({logs.describe(error)})")
        return
    if (status, code_of(body)) == (405, "method_not_allowed"):
        yield ok(subject, "answers")
    elif status == 404:
        yield wrong(subject, f"it is not deployed: npx supabase@3 functions deploy {name}")
    elif status == 401:
        yield wrong(
            subject,
            "it is deployed with verify_jwt, which refuses its callers: deploy it from this folder,"
            " with supabase/config.toml",
        )
    else:
        yield wrong(subject, f"it answers {status}: read its log, and deploy it again")


def code_of(body: bytes) -> str | None:
    """Why a function of ours refuses; None if what answers is none of ours."""
    found = parsed(body)
    refusal = found.get("error") if isinstance(found, dict) else None
    return refusal.get("code") if isinstance(refusal, dict) else None
