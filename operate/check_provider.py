"""Replicate: the token, the enabled models, and whether its webhooks would be believed."""

import base64
import hmac
import time
import uuid

import httpx
import psycopg

import logs
import settings
from operate import Refused
from operate.connection import as_owner
from operate.findings import Findings, note, ok, wrong
from operate.replicate import get
from operate.web import NO_ANSWER, ask, parsed

SETTING = "REPLICATE_API_TOKEN"
ENABLED = "select id, provider_model from private.models where enabled and provider = 'replicate' order by id"
SECRETS_SET = 'supabase secrets set "REPLICATE_WEBHOOK_SECRET=whsec_…"'


def replicate() -> Findings:
    if settings.load().replicate_api_token is None:
        yield note(SETTING, "not set: models of the provider replicate cannot run")
        return
    try:
        status, body = get("account")
        found = parsed(body)
        if status == 200 and isinstance(found, dict):
            yield ok(SETTING, f"the account {found.get('username')}")
            yield from models()
        elif status in (401, 403):
            yield wrong(SETTING, "Replicate refuses it: set it to a token of your account")
        else:
            yield wrong(SETTING, f"Replicate answers {status}: see https://www.replicatestatus.com")
    except (*NO_ANSWER, ValueError) as error:
        yield wrong(
            "Replicate",
            f"it does not answer ({type(error).__name__}): check the network and REPLICATE_BASE_URL",
        )


def models() -> Findings:
    """The enabled ones exist."""
    if settings.load().database_url is None:
        yield note("models", "DATABASE_URL is not set, so the enabled models were not read")
        return
    try:
        with as_owner() as conn:
            enabled = conn.execute(ENABLED).fetchall()
    except Refused as error:
        may_read = not isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege)
        yield (wrong if may_read else note)("models", str(error))
        return
    if not enabled:
        yield note("models", "no model of Replicate is enabled: docs/operations.md says how to add one")
    for model_id, provider_model in enabled:
        yield from model(model_id, provider_model or "")


def model(model_id: str, provider_model: str) -> Findings:
    name, _, version = provider_model.partition(":")
    status, _ = get(f"models/{name}" + (f"/versions/{version}" if version else ""))
    if status == 200:
        yield ok(f"model {model_id}", provider_model)
    elif status == 404:
        yield wrong(
            f"model {model_id}",
            f"Replicate has no {provider_model}, or it is private to another account:"
            f" make model NAME={name} prints a new row; or disable it",
        )
    else:
        yield wrong(f"model {model_id}", f"Replicate answers {status} when asked for {provider_model}")


def webhook() -> Findings:
    """Send what Replicate would send, about a job that does not exist: nothing follows from it."""
    config, subject = settings.load(), "webhook of Replicate"
    if config.replicate_api_token is None:
        return
    if config.webhook_url is None or config.supabase_secret_key is None:
        yield note(subject, "there is no public address for it, so every result is asked for")
        return
    secret = webhook_secret()
    if secret is None:
        yield note(
            subject, "Replicate does not tell its signing secret, so the answer to a forged one is looked at"
        )
    job, body = str(uuid.uuid4()), b'{"id": "doctor", "status": "processing"}'
    key = config.supabase_secret_key.get_secret_value()
    try:
        address = httpx.URL(config.webhook_url).copy_merge_params({"job": job, "token": token_of(job, key)})
        status, _ = ask("POST", str(address), signed(body, secret), body)
    except (*NO_ANSWER, ValueError) as error:
        yield wrong(
            subject,
            f"{config.webhook_url} does not answer ({logs.describe(error)}): correct REPLICATE_WEBHOOK_URL",
        )
        return
    yield from of_answer(subject, status, is_signed=secret is not None)


def of_answer(subject: str, status: int, *, is_signed: bool) -> Findings:
    match status:
        case 202:
            yield ok(subject, "it is believed")
        case 401 if not is_signed:
            yield ok(subject, "it is checked")
        case 401:
            yield wrong(
                subject,
                f"the function refuses it: its secret is not Replicate's ({SECRETS_SET}),"
                " or SUPABASE_SECRET_KEY is of another project",
            )
        case 404:
            yield wrong(
                subject,
                "the function is not deployed there: npx supabase@3 functions deploy provider_webhook",
            )
        case 503:
            yield wrong(
                subject, f"the function has no secret, or no database: {SECRETS_SET}, and read its log"
            )
        case _:
            yield wrong(subject, f"the address answers {status}: correct REPLICATE_WEBHOOK_URL")


def webhook_secret() -> bytes | None:
    """The secret that signs the webhooks of this account."""
    try:
        status, body = get("webhooks/default/secret")
        found = parsed(body)
        key = found.get("key") if status == 200 and isinstance(found, dict) else None
        return base64.b64decode(key.removeprefix("whsec_")) if isinstance(key, str) else None
    except (*NO_ANSWER, ValueError):
        return None


def token_of(job: str, key: str) -> str:
    """As the worker makes the address of a job's webhook."""
    digest = hmac.digest(key.encode(), f"provider_webhook:{job}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def signed(body: bytes, secret: bytes | None) -> dict[str, str]:
    message_id, timestamp = f"msg_{uuid.uuid4().hex}", str(int(time.time()))
    digest = hmac.digest(secret or uuid.uuid4().bytes, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "content-type": "application/json",
    }
